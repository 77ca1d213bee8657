//! What the window is started with, and what it tells the one who started it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::Parser;
use flowglass_studio::ingest::nats::NatsConfig;
use flowglass_studio::{Options, Studio};
use serde_json::json;

/// File that gets one JSON line with the bound addresses once the window is open.
const READY_FILE: &str = "FLOWGLASS_READY_FILE";

/// The Flowglass window
#[derive(Debug, Clone, Parser)]
#[command(
    name = "flowglass-window",
    version,
    after_help = "Example:\n  flowglass-window --workspace orders.flowglass --nats nats://127.0.0.1:4222"
)]
pub(crate) struct Arguments {
    /// Workspace file; made if it is missing (default: one of your own in the application's data folder)
    #[arg(long, value_name = "FILE", env = "FLOWGLASS_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// Settings file (TOML), if not the one the workspace names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// OTLP/gRPC address, or `off`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4317", value_parser = listener)]
    otlp_grpc: Listener,
    /// OTLP/HTTP address, or `off`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4318", value_parser = listener)]
    otlp_http: Listener,
    /// A NATS server to watch besides those the workspace remembers
    #[arg(long, value_name = "URL")]
    nats: Vec<String>,
    /// Say in the window that the sample landscape fills this workspace
    #[arg(long)]
    demo: bool,
    /// Size of the window in pixels; the size is then neither remembered nor restored
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
}

/// A listener's address; nothing where it is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listener(Option<SocketAddr>);

fn listener(text: &str) -> Result<Listener, String> {
    if text == "off" {
        return Ok(Listener(None));
    }
    let mut found = text.to_socket_addrs().map_err(|e| format!("{e}; it looks like 127.0.0.1:4317, or `off`"))?;
    found.next().map(|address| Listener(Some(address))).ok_or_else(|| "no such host".to_owned())
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let read = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    read.filter(|(w, h)| *w > 0 && *h > 0).ok_or_else(|| "it looks like 1280x800".to_owned())
}

impl Arguments {
    /// The workspace asked for, absolute; else `default.flowglass` in the application's data folder, which is made.
    pub(crate) fn workspace(&self, identifier: &str) -> Result<PathBuf, String> {
        if let Some(path) = &self.workspace {
            return std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()));
        }
        let folder = data_folder(|name| std::env::var_os(name).map(PathBuf::from))
            .ok_or("no home folder is known; name a workspace with --workspace FILE")?
            .join(identifier);
        std::fs::create_dir_all(&folder)
            .map_err(|e| format!("{}: {e}; name a workspace with --workspace FILE", folder.display()))?;
        Ok(folder.join("default.flowglass"))
    }

    /// What to start the studio with. A port that is taken is something the window shows, so nothing is strict here.
    pub(crate) fn studio(&self, workspace: &Path) -> Result<Options, String> {
        let mut options = Options::new(workspace.to_owned());
        options.config.clone_from(&self.config);
        options.otlp_grpc = self.otlp_grpc.0;
        options.otlp_http = self.otlp_http.0;
        options.strict = false;
        options.demo = self.demo;
        for url in &self.nats {
            let config = NatsConfig::new(url.clone());
            config.check().map_err(|e| e.to_string())?;
            options.nats.push(config);
        }
        Ok(options)
    }
}

/// Where applications keep their data, by each system's own convention. `variable` reads the environment.
fn data_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("APPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(variable("HOME")?.join("Library/Application Support"));
    }
    // The XDG base directory specification: a relative path counts as not set.
    variable("XDG_DATA_HOME").filter(|p| p.is_absolute()).or_else(|| Some(variable("HOME")?.join(".local/share")))
}

/// Whether windows can find each other. Where there is no D-Bus session, every start opens a window of its own.
pub(crate) fn has_session_bus() -> bool {
    !cfg!(target_os = "linux")
        || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
}

/// The name under which the windows of one workspace find each other.
pub(crate) fn instance_name(workspace: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    workspace.hash(&mut hasher);
    format!("org.flowglass.window.w{:016x}", hasher.finish())
}

/// Writes the ready line to the file that the environment names, as `flowglass serve` prints it. The file appears whole.
pub(crate) fn announce(studio: &Studio, workspace: &Path) -> Result<(), String> {
    let Some(path) = std::env::var_os(READY_FILE).map(PathBuf::from) else { return Ok(()) };
    let (grpc, http) = studio.addresses();
    let line = json!({
        "event": "ready",
        "otlp_grpc": grpc.map(|a| a.to_string()),
        "otlp_http": http.map(|a| a.to_string()),
        "workspace": workspace,
    });
    let partial = path.with_extension("partial");
    std::fs::write(&partial, format!("{line}\n"))
        .and_then(|()| std::fs::rename(&partial, &path))
        .map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["flowglass-window"].iter().chain(arguments))
    }

    #[test]
    fn listeners_are_addresses_or_off() {
        let read = read(&["--otlp-grpc", "off", "--otlp-http", "127.0.0.1:0", "--workspace", "w.flowglass"]);
        let options = read.expect("valid").studio(Path::new("w.flowglass")).expect("valid");
        assert_eq!(options.otlp_grpc, None);
        assert_eq!(options.otlp_http, Some(SocketAddr::from(([127, 0, 0, 1], 0))));
        assert!(!options.strict);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(read(&["--otlp-grpc", "nonsense"]).is_err());
        assert!(read(&["--size", "1280"]).is_err());
        let secret = read(&["--nats", "nats://user:secret@h:4222"]).expect("an address").studio(Path::new("w"));
        assert!(!secret.expect_err("refused").contains("secret"));
    }

    #[test]
    fn a_workspace_of_ones_own_is_in_the_data_folder() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/me"));
        if cfg!(target_os = "linux") {
            assert_eq!(data_folder(home), Some(PathBuf::from("/home/me/.local/share")));
            assert_eq!(data_folder(|_| None), None);
        }
    }

    #[test]
    fn each_workspace_has_a_window_of_its_own() {
        assert_eq!(instance_name(Path::new("/a")), instance_name(Path::new("/a")));
        assert_ne!(instance_name(Path::new("/a")), instance_name(Path::new("/b")));
    }
}
