//! The one window. It shows what is built into the program and nothing else.

use std::path::Path;

use flowglass_studio::workspace_name;
use tauri::webview::NewWindowResponse;
use tauri::{App, AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

/// Its name among windows.
pub(crate) const LABEL: &str = "main";

/// Opens the window.
pub(crate) fn open(app: &App, workspace: &Path, size: Option<(u32, u32)>) -> tauri::Result<()> {
    let (width, height) = size.unwrap_or((1440, 900));
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title(title(workspace))
        .inner_size(f64::from(width), f64::from(height))
        .min_inner_size(960.0, 600.0)
        // A file dropped on the page would otherwise replace it (tauri#9725): the page gets the paths as an event instead.
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(())
}

/// The window, as long as it is there.
pub(crate) fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(LABEL)
}

/// Names another workspace in the title.
pub(crate) fn retitle(app: &AppHandle, workspace: &Path) {
    if let Some(window) = main(app) {
        let _ = window.set_title(&title(workspace));
    }
}

fn title(workspace: &Path) -> String {
    format!("{} - Flowglass", workspace_name(workspace))
}

/// Brings the window to the front, for a second start on the same workspace or from the tray.
pub(crate) fn to_front(app: &AppHandle) {
    let Some(window) = main(app) else { return };
    // Not every desktop lets a program do this; the window is there all the same.
    let _ = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
}

/// Whether an address is the program's own page: `tauri://localhost`, on Windows `http(s)://tauri.localhost`.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_on_its_own_page() {
        let ours = |text: &str| is_ours(&text.parse().expect("an address"));
        assert!(ours("tauri://localhost/index.html#/topology"));
        assert!(ours("http://tauri.localhost/"));
        for other in ["file:///etc/passwd", "https://example.com/", "http://localhost:5173/", "data:text/html,x"] {
            assert!(!ours(other), "{other}");
        }
    }
}
