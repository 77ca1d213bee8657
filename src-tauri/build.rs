//! Checks the configuration and makes the permissions of the window's own commands.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&["request", "subscribe", "save_file", "open_workspace", "close_window"]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        println!("cargo::error={error:#}");
    }
}
