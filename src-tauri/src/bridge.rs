//! The one request command, the one update channel, and the two dialogs that deal with files of people.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowglass_studio::Host;
use flowglass_studio::api::{self, ApiError, Update};
use serde_json::Value;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt as _;

/// The page that listens now. A page loaded again subscribes again; the old one is gone then.
#[derive(Default)]
pub(crate) struct Subscription(Mutex<Option<JoinHandle<()>>>);

/// Answers one request of the studio's list.
#[tauri::command]
pub(crate) async fn request(host: State<'_, Host>, name: String, payload: Value) -> Result<Value, ApiError> {
    api::answer(&host, &name, payload).await
}

/// Forwards updates to the page from now on.
#[tauri::command]
pub(crate) fn subscribe(host: State<'_, Host>, subscription: State<'_, Subscription>, channel: Channel<Update>) {
    let host = host.inner().clone();
    let forward = tauri::async_runtime::spawn(async move { host.follow(|update| channel.send(update).is_ok()).await });
    let before = subscription.0.lock().unwrap_or_else(PoisonError::into_inner).replace(forward);
    if let Some(before) = before {
        before.abort();
    }
}

/// Asks people where to keep a file, and writes it. False when they changed their mind.
#[tauri::command]
pub(crate) async fn save_file(app: AppHandle, name: String, base64: String) -> Result<bool, ApiError> {
    let bytes = STANDARD.decode(base64).map_err(refused)?;
    let Some(chosen) = app.dialog().file().set_file_name(name).blocking_save_file() else { return Ok(false) };
    let path = chosen.into_path().map_err(refused)?;
    std::fs::write(&path, bytes).map_err(|e| refused(format!("{}: {e}", path.display())))?;
    Ok(true)
}

/// Asks people for a workspace file, and opens it. False when they changed their mind.
#[tauri::command]
pub(crate) async fn open_workspace(app: AppHandle, host: State<'_, Host>) -> Result<bool, ApiError> {
    let dialog = app.dialog().file().add_filter("Flowglass workspaces", &["flowglass"]);
    let Some(chosen) = dialog.blocking_pick_file() else { return Ok(false) };
    host.open(&chosen.into_path().map_err(refused)?.to_string_lossy(), false).await?;
    Ok(true)
}

fn refused(why: impl std::fmt::Display) -> ApiError {
    ApiError { code: "bad-request".into(), message: why.to_string() }
}
