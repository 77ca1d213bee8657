use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::bad_request;
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

/// See [`OpenCaseRequest`]. A file of the same name stays; the new one gets a number.
pub(crate) async fn case_open(host: &Host, request: OpenCaseRequest) -> Result<Nothing, ApiError> {
    let bytes =
        BASE64_STANDARD.decode(&request.base64).map_err(|e| bad_request(format!("the file is not base64: {e}")))?;
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(bad_request(format!("{} is no workspace and no case file", request.name)));
    }
    let unavailable = |message: String| ApiError { code: "unavailable".into(), message };
    let folder = host.home().workspaces().ok_or_else(|| unavailable("there is no folder to keep it in".to_owned()))?;
    let name = Path::new(&request.name).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let stem: String = name.chars().filter(|c| c.is_alphanumeric() || "-_. ".contains(*c)).take(80).collect();
    let stem = if stem.trim_matches(['.', ' ']).is_empty() { "case".to_owned() } else { stem };
    let keep = move || -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(&folder)?;
        for n in 1..1_000 {
            let name = if n == 1 { format!("{stem}.flowglass") } else { format!("{stem}-{n}.flowglass") };
            let path = folder.join(name);
            match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => return file.write_all(&bytes).map(|()| path),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    };
    let kept = tokio::task::spawn_blocking(keep).await.map_err(|e| unavailable(e.to_string()))?;
    let path = kept.map_err(|e| unavailable(format!("the file cannot be kept: {e}")))?;
    host.open(&path.to_string_lossy(), false).await?;
    Ok(Nothing {})
}

/// Takes a workspace off the list of recent ones.
pub(crate) async fn workspace_forget(host: &Host, request: ForgetWorkspaceRequest) -> Result<Workspaces, ApiError> {
    host.forget(Path::new(&request.path)).await
}

/// Longest address of a view that is remembered, bytes: a typed filter is part of it.
const LONGEST_VIEW: usize = 4_000;

/// See [`LastView`].
pub(crate) async fn last_view(host: &Host, _: Nothing) -> Result<LastView, ApiError> {
    let path = host.studio().workspace().path().to_owned();
    let hash = host.home().read().recent.into_iter().find(|r| r.path == path).and_then(|r| r.view);
    Ok(LastView { hash })
}

/// Remembers a view; one whose address is too long is not, and neither is one of a workspace that was taken off the list.
pub(crate) async fn remember_view(host: &Host, request: LastView) -> Result<Nothing, ApiError> {
    let path = host.studio().workspace().path().to_owned();
    let hash = request.hash.filter(|hash| hash.starts_with("#/") && hash.len() <= LONGEST_VIEW);
    let change = |kept: &mut crate::home::Kept| {
        if let (Some(recent), Some(hash)) = (kept.recent.iter_mut().find(|r| r.path == path), hash) {
            recent.view = Some(hash);
        }
    };
    host.home().change(change).map_err(not_kept)?;
    Ok(Nothing {})
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
