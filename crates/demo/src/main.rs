//! `flowglass-demo`: runs the sample integration landscape against an OTLP receiver.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use flowglass_demo::telemetry::Endpoints;
use flowglass_demo::{EventTransport, Options, Stop};
use serde_json::Value;
use tokio::sync::watch;

/// A sample integration landscape that emits real OTLP and real events
#[derive(Debug, Parser)]
#[command(
    name = "flowglass-demo",
    version,
    after_help = "Example:\n  flowglass-demo --otlp-grpc http://127.0.0.1:4317 --otlp-http http://127.0.0.1:4318 --rate 8 --seed 7"
)]
struct Arguments {
    /// OTLP/gRPC receiver
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4317")]
    otlp_grpc: String,
    /// OTLP/HTTP receiver; CloudEvents go to /cloudevents there when there is no NATS
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4318")]
    otlp_http: String,
    /// Use this running NATS server (with JetStream)
    #[arg(long, value_name = "URL", conflicts_with_all = ["nats_server", "no_nats"])]
    nats: Option<String>,
    /// Start this nats-server (default: the one on the PATH)
    #[arg(long, value_name = "PATH", conflicts_with = "no_nats")]
    nats_server: Option<PathBuf>,
    /// Send events as CloudEvents over HTTP
    #[arg(long)]
    no_nats: bool,
    /// Business requests per second
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// Stop after this many seconds; 0: run until told to stop
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS", allow_negative_numbers = true)]
    duration: f64,
    /// Stop after this many requests
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Seed of every decision
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Letters and digits that stand in business ids (default: from the clock)
    #[arg(long, value_name = "CODE", value_parser = run_code)]
    run: Option<String>,
    /// Write the true parameters and counts to this file
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Emit nothing before a line comes on standard input
    #[arg(long, visible_alias = "wait-for-sink")]
    wait: bool,
    /// Stop when standard input is closed
    #[arg(long)]
    die_with_parent: bool,
}

fn run_code(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err("letters and digits only".to_owned());
    }
    Ok(text.to_owned())
}

/// A base address: with scheme, without a slash at the end.
fn base(address: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
}

impl Arguments {
    fn options(self) -> Result<Options> {
        let seconds = |value: f64| {
            Duration::try_from_secs_f64(value).map_err(|error| anyhow::anyhow!("--duration {value}: {error}"))
        };
        Ok(Options {
            endpoints: Endpoints { grpc: base(&self.otlp_grpc), http: base(&self.otlp_http) },
            events: match (self.nats, self.no_nats) {
                (Some(url), _) => EventTransport::Server(url),
                (None, true) => EventTransport::Http,
                (None, false) => EventTransport::OwnServer(self.nats_server),
            },
            rate: self.rate,
            duration: if self.duration == 0.0 { None } else { Some(seconds(self.duration)?) },
            requests: self.requests,
            seed: self.seed,
            run: self.run,
            truth: self.truth,
        })
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let signals = signals(arguments.wait, arguments.die_with_parent);
    let outcome = match arguments.options() {
        Ok(options) => flowglass_demo::run(options, signals, say).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flowglass-demo: {error:#}");
            std::process::ExitCode::from(2)
        }
    }
}

/// One line on standard output. A reader that is gone is no reason to fail.
fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Turns standard input and the process's signals into go and stop.
fn signals(wait: bool, die_with_parent: bool) -> Stop {
    let (go, go_seen) = watch::channel(!wait);
    let (stop, stop_seen) = watch::channel(false);
    let asked = stop.clone();
    tokio::spawn(async move {
        termination().await;
        asked.send_replace(true);
    });
    if wait || die_with_parent {
        // A plain thread: a read of standard input cannot be cancelled, and the runtime would wait for it.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                if line.is_err() {
                    break;
                }
                go.send_replace(true);
            }
            // The end of input: nobody will say go any more, or the parent has gone.
            if die_with_parent || !*go.borrow() {
                stop.send_replace(true);
            }
        });
    }
    Stop { go: go_seen, stop: stop_seen }
}

/// Returns when the process is asked to end.
#[cfg(unix)]
async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be caught");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Returns when the process is asked to end.
#[cfg(not(unix))]
async fn termination() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        let read =
            |more: &[&str]| Arguments::try_parse_from(["flowglass-demo"].iter().chain(more)).map(Arguments::options);
        let options =
            read(&["--otlp-grpc", "127.0.0.1:1/", "--duration", "2.5", "--no-nats"]).expect("valid").expect("valid");
        assert_eq!(options.endpoints.grpc, "http://127.0.0.1:1");
        assert_eq!(options.duration, Some(Duration::from_millis(2_500)));
        assert_eq!(options.events, EventTransport::Http);
        assert!(read(&["--nats", "nats://x", "--no-nats"]).is_err());
        assert!(read(&["--run", "a-b"]).is_err());
        assert!(read(&["--duration", "-1"]).is_ok_and(|options| options.is_err()));
    }
}
