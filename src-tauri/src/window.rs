//! The one window. It shows what is built into the program and nothing else.

use std::path::Path;

use flowglass_studio::workspace_name;
use tauri::webview::NewWindowResponse;
use tauri::{App, AppHandle, Emitter as _, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::options::Arguments;

/// Opens the window.
pub(crate) fn open(app: &App, workspace: &Path, arguments: &Arguments) -> tauri::Result<()> {
    let (width, height) = arguments.size.unwrap_or((1440, 900));
    let link = arguments.link.as_ref().map(|link| format!("#{link}")).unwrap_or_default();
    WebviewWindowBuilder::new(app, "main", WebviewUrl::App(format!("index.html{link}").into()))
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
    app.get_webview_window("main")
}

/// Names another workspace in the title.
pub(crate) fn retitle(app: &AppHandle, workspace: &Path) {
    let _ = main(app).map(|window| window.set_title(&title(workspace)));
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

/// Shows what a link of a second start means.
pub(crate) fn follow(app: &AppHandle, link: Option<&str>) {
    to_front(app);
    let _ = link.map(|link| app.emit("link", link));
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
