use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`Marks`].
pub(crate) async fn marks(_: &Studio, _: Nothing) -> Result<Marks, ApiError> {
    Err(unavailable("marks"))
}

/// See [`Marks`].
pub(crate) async fn set_mark(_: &Studio, _: SetMarkRequest) -> Result<Marks, ApiError> {
    Err(unavailable("set_mark"))
}

/// See [`Marks`].
pub(crate) async fn remove_mark(_: &Studio, _: MarkRequest) -> Result<Marks, ApiError> {
    Err(unavailable("remove_mark"))
}
