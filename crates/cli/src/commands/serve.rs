//! `flowglass serve`.

use flowglass_studio::telemetry::Telemetry;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use flowglass_studio::ingest::nats::{NatsAuth, NatsConfig};
use flowglass_studio::ingest::otlp::{TOKEN_LENGTH, is_loopback, new_token};
use flowglass_studio::ingest::secrets::Secret;
use flowglass_studio::{Home, Host, Options};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::StopSignals;
use crate::args::{Listen, ServeArgs};
use crate::output::print_json;
use crate::ui::{BoundUi, Session};

/// How long browsers may take to finish their requests at the end.
const UI_GRACE: Duration = Duration::from_secs(5);

/// What is told when every listener is bound.
#[derive(Serialize)]
struct Ready {
    event: &'static str,
    otlp_grpc: Option<String>,
    otlp_http: Option<String>,
    ui: Option<String>,
}

/// Receives until stopped.
pub(crate) async fn run(args: ServeArgs, config: Option<PathBuf>, telemetry: &Telemetry) -> anyhow::Result<()> {
    let nats = nats_configs(&args)?;
    let listen = |asked: Option<Listen>, usual: u16| match asked {
        Some(Listen(address)) => address,
        None => Some(SocketAddr::from(([127, 0, 0, 1], usual))),
    };
    let (otlp_grpc, otlp_http) = (listen(args.otlp_grpc, 4317), listen(args.otlp_http, 4318));
    for (flag, address) in [("--otlp-grpc", otlp_grpc), ("--otlp-http", otlp_http)] {
        if let Some(address) = address.filter(|a| !is_loopback(a.ip()) && args.token_file.is_none()) {
            anyhow::bail!(
                "{flag} {address}: other machines could reach it and anyone could send; name the file of the token that senders \
                 must pass with --token-file FILE, or use 127.0.0.1:{}",
                address.port()
            );
        }
    }
    let token = args.token_file.as_deref().map(sender_token).transpose()?;
    let mut signals = StopSignals::new()?;
    let ui = match args.ui.0 {
        Some(address) => Some(BoundUi::bind(address).await?),
        None => None,
    };
    // Which workspaces were used lately is the window's affair: only a UI shows it.
    let home = if ui.is_some() { Home::of_user() } else { Home::default() };
    let options = Options {
        config,
        otlp_grpc,
        otlp_http,
        otlp_grpc_named: args.otlp_grpc.is_some(),
        otlp_http_named: args.otlp_http.is_some(),
        token,
        forward: args.forward.clone(),
        reserve: args.reserve,
        nats,
        ..Options::new(args.workspace)
    };
    let host = Host::start(options, home).await?;

    let stop = CancellationToken::new();
    let announced = announce(&host, ui, args.ui_token_file.as_deref(), telemetry, &stop);
    if announced.is_ok() {
        signals.next().await;
        tracing::info!("stopping: what was accepted is being written");
    }
    stop.cancel();
    let (ui, outcome) = match announced {
        Ok(ui) => (ui, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let end = async {
        if let Some(ui) = ui
            && tokio::time::timeout(UI_GRACE, ui).await.is_err()
        {
            tracing::warn!("a browser's request did not finish in time and was cut off");
        }
        host.stop().await;
    };
    tokio::select! {
        () = end => {}
        () = signals.next() => tracing::warn!("stopped at once; whatever was acknowledged is on disk"),
    }
    outcome
}

/// Starts the UI and prints the ready line. Gives the UI's task.
fn announce(
    host: &Host,
    ui: Option<BoundUi>,
    token_file: Option<&Path>,
    telemetry: &Telemetry,
    stop: &CancellationToken,
) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
    let (grpc, http) = host.studio().addresses();
    let listeners: Vec<_> = [grpc, http].into_iter().flatten().collect();
    telemetry.export_unless(&listeners)?;
    let (mut link, mut task) = (None, None);
    if let Some(ui) = ui {
        let address = ui.address();
        let session = Session::new(address.port());
        let token = session.token();
        link = Some(match token_file {
            Some(file) => {
                write_token(file, &token)
                    .with_context(|| format!("{}: the token cannot be written there", file.display()))?;
                format!("http://{address}/")
            }
            None => format!("http://{address}/?token={token}"),
        });
        task = Some(ui.serve(host.clone(), session, stop.clone()));
    }
    let text = |address: Option<std::net::SocketAddr>| address.map(|a| a.to_string());
    print_json(&Ready { event: "ready", otlp_grpc: text(grpc), otlp_http: text(http), ui: link })?;
    Ok(task)
}

/// NATS connections of the arguments, checked before anything is opened. Nobody is contacted.
fn nats_configs(args: &ServeArgs) -> anyhow::Result<Vec<NatsConfig>> {
    let auth = match &args.nats_creds {
        Some(path) => {
            std::fs::metadata(path).with_context(|| format!("--nats-creds {}: cannot be read", path.display()))?;
            NatsAuth::CredsFile { path: path.clone() }
        }
        None => NatsAuth::from_environment(|name| std::env::var(name).ok()),
    };
    if let Some(path) = &args.nats_ca {
        std::fs::metadata(path).with_context(|| format!("--nats-ca {}: cannot be read", path.display()))?;
    }
    let config = |url: &String| {
        let mut config = NatsConfig::new(url.trim());
        if !args.nats_subject.is_empty() {
            config.subjects.clone_from(&args.nats_subject);
        }
        config.streams.clone_from(&args.nats_stream);
        config.auth = auth.clone();
        config.tls.ca_file.clone_from(&args.nats_ca);
        config.check().context("--nats")?;
        Ok(config)
    };
    args.nats.iter().map(config).collect()
}

/// The token of a file, which is made with a new one if it is missing.
fn sender_token(path: &Path) -> anyhow::Result<Secret> {
    let flag = || format!("--token-file {}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let token = text.trim();
            let fits = token.len() >= TOKEN_LENGTH && token.bytes().all(|b| b.is_ascii_graphic());
            anyhow::ensure!(
                fits,
                "{}: it holds no token: one line of at least {TOKEN_LENGTH} characters without blanks (a missing file is made)",
                flag()
            );
            Ok(Secret::new(token))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = new_token();
            write_token(path, token.reveal()).with_context(|| format!("{}: cannot be written", flag()))?;
            Ok(token)
        }
        Err(error) => Err(error).with_context(|| format!("{}: cannot be read", flag())),
    }
}

/// Writes a secret to a file of one's own, readable by nobody else. A file that is there is replaced, not followed.
fn write_token(path: &Path, token: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{token}")
}
