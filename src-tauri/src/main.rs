//! `flowglass-window`: the desktop window. A thin shell around the studio: it shows the built UI, passes requests on with one
//! command and updates with one channel, and goes on in the tray where people want that. No logic lives here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod background;
mod bridge;
mod options;
mod refusal;
mod tray;
mod window;

use std::process::ExitCode;

use clap::Parser as _;
use flowglass_studio::telemetry::{self, Telemetry};
use flowglass_studio::{Home, Host, told_to_end};
use tauri::{App, Manager as _, RunEvent, WindowEvent};
use tauri_plugin_single_instance as single_instance;

use crate::background::Closing;
use crate::bridge::Subscription;
use crate::options::Arguments;

/// Spans are many small texts that live together and die together: half of what storing them cost was the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    flowglass_studio::memory::keep_small();
    let (telemetry, arguments, workspace) = match prepared() {
        Ok(prepared) => prepared,
        Err(problem) => {
            refusal::say(&problem);
            return ExitCode::from(2);
        }
    };
    let context = tauri::generate_context!();
    let mut builder = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .invoke_handler(tauri::generate_handler![
            bridge::request,
            bridge::subscribe,
            bridge::save_file,
            bridge::open_workspace,
            background::close_window
        ])
        .manage(Closing::new(arguments.demo))
        .manage(Subscription::default());
    if options::has_session_bus() {
        // One window per workspace. The workspace's own lock is what keeps writers apart; this only brings the window to the front.
        let instance = single_instance::Builder::new()
            .dbus_id(options::instance_name(&workspace))
            .callback(|app, arguments, _folder| window::follow(app, options::link_in(&arguments)));
        builder = builder.plugin(instance.build());
    }
    if arguments.size.is_none() {
        builder = builder.plugin(tauri_plugin_window_state::Builder::default().build());
    }
    let built = builder
        .setup(move |app| {
            app.manage(telemetry);
            if let Err(problem) = start(app, &arguments, &workspace) {
                refusal::show(app.handle(), problem.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            Ok(())
        })
        .build(context);
    match built {
        Ok(app) => {
            let status = app.run_return(|app, event| match event {
                RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
                    background::closing(app, &api);
                }
                RunEvent::Exit => stop(app),
                _ => {}
            });
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        Err(error) => {
            refusal::say(&format!("the window cannot be opened: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Logging, arguments, and the workspace they mean.
fn prepared() -> Result<(Telemetry, Arguments, std::path::PathBuf), String> {
    let telemetry = telemetry::start("warn").map_err(|e| e.to_string())?;
    let arguments = Arguments::parse();
    let workspace = arguments.workspace(&Home::of_user())?;
    Ok((telemetry, arguments, workspace))
}

/// Starts the studio, then opens the window on it. The error is one line for people.
fn start(app: &App, arguments: &Arguments, workspace: &std::path::Path) -> Result<(), String> {
    let options = arguments.studio(workspace)?;
    let started = tauri::async_runtime::block_on(Host::start(options, Home::of_user()));
    let host = started.map_err(|error| error.to_string())?;
    app.manage(host.clone());
    let (grpc, http) = host.studio().addresses();
    let listeners: Vec<_> = grpc.into_iter().chain(http).collect();
    let exporting = async { app.state::<Telemetry>().export_unless(&listeners) };
    tauri::async_runtime::block_on(exporting).map_err(|error| error.to_string())?;
    window::open(app, workspace, arguments).map_err(|error| format!("the window cannot be opened: {error}"))?;
    options::announce(&host)?;
    background::watch(app.handle().clone(), host);
    let app = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        told_to_end().await;
        app.exit(0);
    });
    Ok(())
}

/// Flushes what is under way and closes the workspace.
fn stop(app: &tauri::AppHandle) {
    if let Some(host) = app.try_state::<Host>() {
        tauri::async_runtime::block_on(host.stop());
    }
    if let Some(telemetry) = app.try_state::<Telemetry>() {
        telemetry.end();
    }
}
