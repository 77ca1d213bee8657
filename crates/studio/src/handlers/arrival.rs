use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`SelfTest`].
pub(crate) async fn self_test(_: &Studio, _: Nothing) -> Result<SelfTest, ApiError> {
    Err(unavailable("self_test"))
}

/// See [`SourcesView`].
pub(crate) async fn set_listener(_: &Studio, _: SetListenerRequest) -> Result<SourcesView, ApiError> {
    Err(unavailable("set_listener"))
}

/// See [`SourcesView`].
pub(crate) async fn set_forward(_: &Studio, _: SetForwardRequest) -> Result<SourcesView, ApiError> {
    Err(unavailable("set_forward"))
}

/// See [`Snippets`].
pub(crate) async fn snippets(_: &Studio, _: SnippetsRequest) -> Result<Snippets, ApiError> {
    Err(unavailable("snippets"))
}
