use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`About`].
pub(crate) async fn about(_: &Studio, _: Nothing) -> Result<About, ApiError> {
    Err(unavailable("about"))
}

/// See [`FileContents`].
pub(crate) async fn diagnostics(_: &Studio, _: Nothing) -> Result<FileContents, ApiError> {
    Err(unavailable("diagnostics"))
}
