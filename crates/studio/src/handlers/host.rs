use std::path::Path;

use crate::Host;
use crate::api::*;
use crate::host::not_kept;

impl Default for Preferences {
    fn default() -> Self {
        Preferences { notify: true, keep_receiving: None }
    }
}

/// See [`Workspaces`].
pub(crate) async fn workspaces(host: &Host, _: Nothing) -> Result<Workspaces, ApiError> {
    host.workspaces().await
}

/// Opens another workspace in place of this one.
pub(crate) async fn workspace_open(host: &Host, request: OpenWorkspaceRequest) -> Result<Nothing, ApiError> {
    host.open(&request.path, request.create).await?;
    Ok(Nothing {})
}

/// Takes a workspace off the list of recent ones.
pub(crate) async fn workspace_forget(host: &Host, request: ForgetWorkspaceRequest) -> Result<Workspaces, ApiError> {
    host.forget(Path::new(&request.path)).await
}

/// See [`Preferences`].
pub(crate) async fn preferences(host: &Host, _: Nothing) -> Result<Preferences, ApiError> {
    Ok(host.preferences())
}

/// Changes the preferences.
pub(crate) async fn set_preferences(host: &Host, request: Preferences) -> Result<Preferences, ApiError> {
    host.home().change(|kept| kept.preferences = Some(request)).map_err(not_kept)?;
    Ok(host.preferences())
}
