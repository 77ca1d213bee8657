//! `flowglass-window`: the desktop window. A thin shell around the studio: it shows the built UI, passes requests on with one
//! command and updates with one channel. No logic lives here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod bridge;
mod options;
mod refusal;
mod window;

use std::process::ExitCode;

use clap::Parser as _;
use flowglass_studio::Studio;
use flowglass_studio::telemetry::{self, Telemetry};
use tauri::{App, Manager as _, RunEvent};
use tauri_plugin_single_instance as single_instance;

use crate::bridge::Subscription;
use crate::options::Arguments;

/// Spans are many small texts that live together and die together: half of what storing them cost was the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let telemetry = match telemetry::start("warn") {
        Ok(telemetry) => telemetry,
        Err(problem) => {
            refusal::say(&problem.to_string());
            return ExitCode::from(2);
        }
    };
    let arguments = Arguments::parse();
    let context = tauri::generate_context!();
    let workspace = match arguments.workspace(&context.config().identifier) {
        Ok(path) => path,
        Err(problem) => {
            refusal::say(&problem);
            return ExitCode::from(2);
        }
    };

    let mut builder = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![bridge::request, bridge::subscribe])
        .manage(Subscription::default());
    if options::has_session_bus() {
        // One window per workspace. The workspace's own lock is what keeps writers apart; this only brings the window to the front.
        let instance = single_instance::Builder::new()
            .dbus_id(options::instance_name(&workspace))
            .callback(|app, _arguments, _folder| window::to_front(app));
        builder = builder.plugin(instance.build());
    }
    if arguments.size.is_none() {
        builder = builder.plugin(tauri_plugin_window_state::Builder::default().build());
    }
    let built = builder
        .setup(move |app| {
            app.manage(telemetry);
            if let Err(problem) = start(app, &arguments, &workspace) {
                refusal::show(app.handle(), problem);
            }
            Ok(())
        })
        .build(context);
    match built {
        Ok(app) => {
            let status = app.run_return(|app, event| {
                if matches!(event, RunEvent::Exit) {
                    stop(app);
                }
            });
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        Err(error) => {
            refusal::say(&format!("the window cannot be opened: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Starts the studio, then opens the window on it. The error is one line for people.
fn start(app: &App, arguments: &Arguments, workspace: &std::path::Path) -> Result<(), String> {
    let options = arguments.studio(workspace)?;
    let studio =
        tauri::async_runtime::block_on(Studio::start(options)).map_err(|error| one_line(&error.to_string()))?;
    app.manage(studio.clone());
    let (grpc, http) = studio.addresses();
    let listeners: Vec<_> = grpc.into_iter().chain(http).collect();
    let exporting = async { app.state::<Telemetry>().export_unless(&listeners) };
    tauri::async_runtime::block_on(exporting).map_err(|error| one_line(&error.to_string()))?;
    window::open(app, workspace, arguments.size).map_err(|error| format!("the window cannot be opened: {error}"))?;
    options::announce(&studio, workspace)?;
    quit_when_told(app.handle().clone());
    Ok(())
}

/// Ends in good order when the system asks the process to end.
fn quit_when_told(app: tauri::AppHandle) {
    tauri::async_runtime::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        app.exit(0);
    });
}

/// Flushes what is under way and closes the workspace.
fn stop(app: &tauri::AppHandle) {
    if let Some(studio) = app.try_state::<Studio>() {
        tauri::async_runtime::block_on(studio.stop());
    }
    if let Some(telemetry) = app.try_state::<Telemetry>() {
        telemetry.end();
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
