use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`EraseReport`].
pub(crate) async fn erase(_: &Studio, _: EraseRequest) -> Result<EraseReport, ApiError> {
    Err(unavailable("erase"))
}
