//! `flowglass serve`.

use flowglass_studio::telemetry::Telemetry;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use flowglass_studio::ingest::nats::{NatsAuth, NatsConfig};
use flowglass_studio::{Options, Studio};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::StopSignals;
use crate::args::ServeArgs;
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
    let mut signals = StopSignals::new()?;
    let ui = match args.ui.0 {
        Some(address) => Some(BoundUi::bind(address).await?),
        None => None,
    };
    let studio = Studio::start(Options {
        config,
        otlp_grpc: args.otlp_grpc.0,
        otlp_http: args.otlp_http.0,
        nats,
        ..Options::new(args.workspace)
    })
    .await?;

    let stop = CancellationToken::new();
    let announced = announce(&studio, ui, args.token_file.as_deref(), telemetry, &stop);
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
        studio.stop().await;
    };
    tokio::select! {
        () = end => {}
        () = signals.next() => tracing::warn!("stopped at once; whatever was acknowledged is on disk"),
    }
    outcome
}

/// Starts the UI and prints the ready line. Gives the UI's task.
fn announce(
    studio: &Studio,
    ui: Option<BoundUi>,
    token_file: Option<&Path>,
    telemetry: &Telemetry,
    stop: &CancellationToken,
) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
    let (grpc, http) = studio.addresses();
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
        task = Some(ui.serve(studio.clone(), session, stop.clone()));
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
    let config = |url: &String| {
        let mut config = NatsConfig::new(url.trim());
        if !args.nats_subject.is_empty() {
            config.subjects.clone_from(&args.nats_subject);
        }
        config.streams.clone_from(&args.nats_stream);
        config.auth = auth.clone();
        config.check().context("--nats")?;
        Ok(config)
    };
    args.nats.iter().map(config).collect()
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
