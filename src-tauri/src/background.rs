//! Going on without the window: what closing means, and telling people what happens meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use flowglass_studio::Host;
use flowglass_studio::api::Update;
use tauri::{AppHandle, CloseRequestApi, Emitter as _, Manager as _, State};
use tauri_plugin_notification::NotificationExt as _;

use crate::{refusal, tray, window};

/// What is known about closing.
pub(crate) struct Closing {
    /// Nobody is asked: the sample landscape ends with its window, and tests have nobody to ask.
    never_ask: bool,
    /// The page was asked and has not answered: closing again ends, in case it cannot answer.
    asked: AtomicBool,
}

impl Closing {
    pub(crate) fn new(demo: bool) -> Closing {
        Closing { never_ask: demo || refusal::no_dialogs(), asked: AtomicBool::new(false) }
    }
}

/// Somebody closes the window: it ends, goes on in the background, or the page asks which.
pub(crate) fn closing(app: &AppHandle, api: &CloseRequestApi) {
    let (Some(host), closing) = (app.try_state::<Host>(), app.state::<Closing>()) else { return };
    if closing.never_ask {
        return;
    }
    match host.closing() {
        Some(false) => {}
        Some(true) => {
            api.prevent_close();
            to_background(app);
        }
        None if closing.asked.swap(true, Ordering::Relaxed) => {}
        None => {
            api.prevent_close();
            let app = app.clone();
            tauri::async_runtime::spawn_blocking(move || {
                let _ = app.emit("close-asked", if tray::is_there() { "tray" } else { "minimised" });
            });
        }
    }
}

/// The page's answer: go on without the window, end, or (nothing) stay.
#[tauri::command]
pub(crate) fn close_window(app: AppHandle, closing: State<'_, Closing>, keep: Option<bool>) {
    closing.asked.store(false, Ordering::Relaxed);
    match keep {
        Some(true) => to_background(&app),
        Some(false) => app.exit(0),
        None => {}
    }
}

/// Hides the window in the tray; where there is none, it is minimised, so that people find it again.
fn to_background(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        let tray = tray::is_there();
        let on_main = app.clone();
        let _ = app.run_on_main_thread(move || {
            let Some(window) = window::main(&on_main) else { return };
            let _ = if tray && tray::show(&on_main) { window.hide() } else { window.minimize() };
        });
    });
}

/// Follows the updates: the title names the workspace, the tray the rate, and alerts are told where nobody looks.
pub(crate) fn watch(app: AppHandle, host: Host) {
    let looks = |app: &AppHandle| window::main(app).is_some_and(|w| w.is_focused().unwrap_or(false));
    let told = move |update: Update, host: &Host| match update {
        Update::Workspace {} => window::retitle(&app, host.studio().workspace().path()),
        Update::Counters { spans_per_second, events_per_second, problem, .. } => {
            tray::say(&app, spans_per_second, events_per_second, problem.as_deref());
        }
        Update::Alert { alert } if !refusal::no_dialogs() && host.preferences().notify && !looks(&app) => {
            let note = app.notification().builder().title(alert.title).body(alert.detail.unwrap_or_default());
            // Not every desktop shows notifications; the window tells it all the same.
            let _ = note.show();
        }
        _ => {}
    };
    tauri::async_runtime::spawn(async move {
        let asked = host.clone();
        host.follow(|update| {
            told(update, &asked);
            true
        })
        .await;
    });
}
