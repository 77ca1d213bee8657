//! When the window cannot start: one line on standard error, and a message people see.

use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};

/// Whether nobody is there to answer a dialog: in tests.
pub(crate) fn no_dialogs() -> bool {
    std::env::var_os("FLOWGLASS_NO_DIALOG").is_some()
}

/// Says on standard error why it cannot start.
pub(crate) fn say(problem: &str) {
    eprintln!("flowglass-window: {problem}");
}

/// Says why it cannot start, shows it in a dialog, and ends with status 2 when that is closed.
pub(crate) fn show(app: &AppHandle, problem: String) {
    say(&problem);
    if no_dialogs() {
        app.exit(2);
        return;
    }
    let ending = app.clone();
    app.dialog()
        .message(problem)
        .title("Flowglass cannot start")
        .kind(MessageDialogKind::Error)
        .show(move |_| ending.exit(2));
}
