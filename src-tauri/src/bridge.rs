//! The one request command and the one update channel.

use std::sync::{Mutex, PoisonError};

use flowglass_studio::Studio;
use flowglass_studio::api::{self, ApiError, Range, Update};
use serde_json::Value;
use tauri::State;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tokio::sync::broadcast::error::RecvError;

/// The page that listens now. A page loaded again subscribes again; the old one is gone then.
#[derive(Default)]
pub(crate) struct Subscription(Mutex<Option<JoinHandle<()>>>);

/// Answers one request of the studio's list.
#[tauri::command]
pub(crate) async fn request(studio: State<'_, Studio>, name: String, payload: Value) -> Result<Value, ApiError> {
    api::dispatch(&studio, &name, payload).await
}

/// Forwards updates to the page from now on.
#[tauri::command]
pub(crate) fn subscribe(studio: State<'_, Studio>, subscription: State<'_, Subscription>, channel: Channel<Update>) {
    let mut updates = studio.updates();
    let forward = tauri::async_runtime::spawn(async move {
        loop {
            let sent = match updates.recv().await {
                Ok(update) => channel.send(update),
                // The page was too slow and missed updates: it asks again for all it shows.
                Err(RecvError::Lagged(_)) => {
                    everything_changed().into_iter().try_for_each(|update| channel.send(update))
                }
                Err(RecvError::Closed) => return,
            };
            if sent.is_err() {
                return;
            }
        }
    });
    let before = subscription.0.lock().unwrap_or_else(PoisonError::into_inner).replace(forward);
    if let Some(before) = before {
        before.abort();
    }
}

fn everything_changed() -> [Update; 3] {
    [Update::Stored { range: Range::default(), spans: 0, events: 0, logs: 0 }, Update::Sources {}, Update::Settings {}]
}
