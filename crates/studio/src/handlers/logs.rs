use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`LogsPage`].
pub(crate) async fn logs(_: &Studio, _: LogsRequest) -> Result<LogsPage, ApiError> {
    Err(unavailable("logs"))
}
