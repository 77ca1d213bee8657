//! The icon in the tray, shown from the first time the window goes there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tauri::menu::{MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Wry};

use crate::window;

const ID: &str = "main";

/// The line of the menu that says how much arrives. Not every desktop shows a tooltip.
struct Rate(MenuItem<Wry>);

/// Whether this desktop has a tray. Asks the session on Linux: do not call it on the main thread.
pub(crate) fn is_there() -> bool {
    #[cfg(target_os = "linux")]
    return asked().unwrap_or(false);
    #[cfg(not(target_os = "linux"))]
    true
}

/// Whether something in the session draws status icons (the StatusNotifierItem specification).
#[cfg(target_os = "linux")]
fn asked() -> zbus::Result<bool> {
    let session = zbus::blocking::Connection::session()?;
    let name = "org.kde.StatusNotifierWatcher";
    let watcher = zbus::blocking::Proxy::new(&session, name, "/StatusNotifierWatcher", name)?;
    watcher.get_property("IsStatusNotifierHostRegistered")
}

/// Shows the icon. False when that cannot be: on Linux a library that draws it may be missing, and says so by a panic.
pub(crate) fn show(app: &AppHandle) -> bool {
    if app.tray_by_id(ID).is_some() {
        return true;
    }
    matches!(catch_unwind(AssertUnwindSafe(|| build(app))), Ok(Ok(())))
}

fn build(app: &AppHandle) -> tauri::Result<()> {
    let rate = MenuItemBuilder::new("Receiving").enabled(false).build(app)?;
    let menu = MenuBuilder::new(app).text("show", "Show Flowglass").item(&rate).separator().text("quit", "Quit").build()?;
    let mut icon = TrayIconBuilder::with_id(ID).menu(&menu).tooltip("Flowglass").on_menu_event(|app, event| {
        match event.id().as_ref() {
            "show" => window::to_front(app),
            "quit" => app.exit(0),
            _ => {}
        }
    });
    if let Some(image) = app.default_window_icon() {
        icon = icon.icon(image.clone());
    }
    icon.build(app)?;
    app.manage(Rate(rate));
    Ok(())
}

/// Says how much arrives, or what is wrong.
pub(crate) fn say(app: &AppHandle, spans: f64, events: f64, problem: Option<&str>) {
    let (Some(icon), Some(rate)) = (app.tray_by_id(ID), app.try_state::<Rate>()) else { return };
    let text = problem.map_or_else(|| format!("{spans:.0} spans/s, {events:.0} events/s"), str::to_owned);
    let _ = rate.0.set_text(&text);
    let _ = icon.set_tooltip(Some(format!("Flowglass: {text}")));
}
