use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`FileContents`].
pub(crate) async fn map_export(_: &Studio, _: MapExportRequest) -> Result<FileContents, ApiError> {
    Err(unavailable("map_export"))
}
