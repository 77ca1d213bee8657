//! `flowglass import`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use flowglass_studio::ingest::files::{ImportReport, Progress};
use flowglass_studio::{Options, Studio};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::StopSignals;
use crate::args::ImportArgs;
use crate::output::{ImportOut, RejectedOut, harmless, print_json};

/// Time between lines of progress.
const PROGRESS: Duration = Duration::from_secs(1);

/// Stores files and prints what became of them.
pub(crate) async fn run(args: ImportArgs, config: Option<PathBuf>) -> anyhow::Result<()> {
    // Before the workspace: a mistyped path must leave nothing behind.
    for path in &args.paths {
        std::fs::metadata(path)
            .with_context(|| format!("{}: cannot be read; name files or folders that exist", path.display()))?;
    }
    let mut signals = StopSignals::new()?;
    let studio = Studio::start(Options {
        config,
        otlp_grpc: None,
        otlp_http: None,
        remembered_nats: false,
        reserve: args.reserve,
        ..Options::new(args.workspace)
    })
    .await?;
    let cancel = CancellationToken::new();
    let import = studio
        .import(&args.paths, progress_lines(), cancel.clone())
        .instrument(tracing::info_span!("command", otel.name = "import"));
    tokio::pin!(import);
    let outcome = tokio::select! {
        outcome = &mut import => outcome,
        () = signals.next() => {
            cancel.cancel();
            import.await
        }
    };
    studio.stop().await;
    let report = outcome?;
    print_json(&out(&report))?;
    if report.cancelled {
        bail!("interrupted; what was stored by then stays, import again to get the rest");
    }
    if report.recognised == 0 {
        bail!("{}", nothing(&report, &args.paths));
    }
    Ok(())
}

/// The report of an import.
pub(crate) fn out(report: &ImportReport) -> ImportOut<'_> {
    let rejected = report.rejected.iter();
    ImportOut {
        files: report.files,
        spans: report.counts.spans,
        events: report.counts.events,
        logs: report.counts.logs,
        known: report.counts.known,
        rejected: rejected.map(|r| RejectedOut { file: &r.source, at: &r.at, reason: &r.reason }).collect(),
        rejected_total: report.rejected_total,
    }
}

/// Why nothing was imported, in words.
fn nothing(report: &ImportReport, paths: &[PathBuf]) -> String {
    if report.files == 0 {
        let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        return format!("there is no file in {}; name files or folders with recordings", paths.join(", "));
    }
    match report.rejected.first() {
        Some(first) => format!(
            "nothing of a known format was found: {}, {}: {}; `flowglass import --help` names the formats",
            first.source, first.at, first.reason
        ),
        None => format!("nothing of a known format was found in {} file(s)", report.files),
    }
}

/// One line per second at most, and only for people who watch; that it waits, and that it goes on, is told to everybody.
pub(crate) fn progress_lines() -> impl Fn(Progress) + Send + Sync {
    let last = std::io::stderr().is_terminal().then(|| Mutex::new(Instant::now()));
    let waiting = Mutex::new(None);
    move |progress| {
        let before =
            std::mem::replace(&mut *waiting.lock().unwrap_or_else(|e| e.into_inner()), progress.waiting.clone());
        match (before, &progress.waiting) {
            (None, Some(words)) => eprintln!("waiting: {}", harmless(words)),
            (Some(_), None) => eprintln!("going on: the disk takes data again"),
            _ => {}
        }
        let Some(last) = &last else { return };
        let mut last = last.lock().unwrap_or_else(|e| e.into_inner());
        if last.elapsed() < PROGRESS {
            return;
        }
        *last = Instant::now();
        let share = match progress.bytes {
            0 => String::new(),
            all => format!(", {:.0} %", progress.bytes_done as f64 * 100.0 / all as f64),
        };
        eprintln!(
            "{} of {} files{share}: {} spans, {} events, {} logs ({})",
            progress.files_done,
            progress.files,
            progress.counts.spans,
            progress.counts.events,
            progress.counts.logs,
            harmless(&progress.file)
        );
    }
}
