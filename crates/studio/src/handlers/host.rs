use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`Workspaces`].
pub(crate) async fn workspaces(_: &Studio, _: Nothing) -> Result<Workspaces, ApiError> {
    Err(unavailable("workspaces"))
}

/// See [`Nothing`].
pub(crate) async fn workspace_open(_: &Studio, _: OpenWorkspaceRequest) -> Result<Nothing, ApiError> {
    Err(unavailable("workspace_open"))
}

/// See [`Workspaces`].
pub(crate) async fn workspace_forget(_: &Studio, _: ForgetWorkspaceRequest) -> Result<Workspaces, ApiError> {
    Err(unavailable("workspace_forget"))
}

/// See [`Preferences`].
pub(crate) async fn preferences(_: &Studio, _: Nothing) -> Result<Preferences, ApiError> {
    Err(unavailable("preferences"))
}

/// See [`Preferences`].
pub(crate) async fn set_preferences(_: &Studio, _: Preferences) -> Result<Preferences, ApiError> {
    Err(unavailable("set_preferences"))
}
