//! What the window is started with, and what it tells the one who started it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::Parser;
use flowglass_studio::ingest::nats::NatsConfig;
use flowglass_studio::{Home, Host, Options};

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
    pub(crate) demo: bool,
    /// Size of the window in pixels; the size is then neither remembered nor restored
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
    /// A link to open: `flowglass://journey/…` or `flowglass://find/…`
    #[arg(value_name = "LINK", value_parser = link)]
    pub(crate) link: Option<String>,
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

/// A link of ours; the page reads, and checks, what it means.
fn link(text: &str) -> Result<String, String> {
    let ours = text.starts_with("flowglass://").then(|| text.to_owned());
    ours.ok_or_else(|| "it looks like flowglass://journey/4bf9…".to_owned())
}

/// The link among the arguments of a second start.
pub(crate) fn link_in(arguments: &[String]) -> Option<&str> {
    arguments.iter().skip(1).map(String::as_str).find(|argument| link(argument).is_ok())
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let read = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    read.filter(|(w, h)| *w > 0 && *h > 0).ok_or_else(|| "it looks like 1280x800".to_owned())
}

impl Arguments {
    /// The workspace asked for, absolute; else the default one in the application's data folder, which is made.
    pub(crate) fn workspace(&self, home: &Home) -> Result<PathBuf, String> {
        match &self.workspace {
            Some(path) => std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display())),
            None => home.default_workspace(),
        }
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

/// Writes one JSON line with the bound addresses to the file that the environment names, as `flowglass serve` prints it.
pub(crate) fn announce(host: &Host) -> Result<(), String> {
    let Some(path) = std::env::var_os("FLOWGLASS_READY_FILE").map(PathBuf::from) else { return Ok(()) };
    host.announce(&path).map_err(|e| format!("{}: {e}", path.display()))
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
    fn a_link_is_told_from_everything_else() {
        let link = "flowglass://journey/4bf9?span=00f0";
        assert_eq!(read(&["--size", "9x9", link]).expect("valid").link.as_deref(), Some(link));
        assert_eq!(link_in(&["flowglass-window".to_owned(), link.to_owned()]), Some(link));
        assert!(read(&["https://example.com"]).is_err() && link_in(&[link.to_owned()]).is_none());
    }
}
