//! One module per command.

pub(crate) mod calibrate;
pub(crate) mod check;
pub(crate) mod decide;
pub(crate) mod design;
pub(crate) mod diagnostics;
pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod import;
pub(crate) mod journey;
pub(crate) mod journeys;
pub(crate) mod keep;
pub(crate) mod layout;
pub(crate) mod pull;
pub(crate) mod scenario;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod stats;
pub(crate) mod topology;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use flowglass_studio::model::Nanos;
use flowglass_studio::{Workspace, parse_instant, system_clock};

use crate::args::RangeArgs;

/// Opens a workspace for reading; a settings file that cannot be read is told on stderr, the last good version counts.
pub(crate) fn open(path: &Path, config: Option<&Path>) -> anyhow::Result<Workspace> {
    let workspace = Workspace::open(path, config)?;
    if let Some(problem) = workspace.settings().problem {
        tracing::warn!("the settings cannot be read, the last good version is used: {problem}");
    }
    Ok(workspace)
}

/// `[since, until)` as instants.
pub(crate) fn range(args: &RangeArgs) -> anyhow::Result<(Option<Nanos>, Option<Nanos>)> {
    let now = system_clock();
    let read = |flag: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(|t| parse_instant(t, now)).transpose();
        parsed.map_err(|reason| anyhow::anyhow!("{flag}: {reason}"))
    };
    let (since, until) = (read("--since", &args.since)?, read("--until", &args.until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        bail!("--since is later than --until; give the earlier instant (the greater age) to --since");
    }
    Ok((since, until))
}

/// Does work on a thread of its own, and asks it to stop on SIGTERM or Ctrl-C.
pub(crate) async fn until_stopped<T: Send + 'static>(
    work: impl FnOnce(Arc<AtomicBool>) -> T + Send + 'static,
) -> anyhow::Result<T> {
    let cancel = Arc::new(AtomicBool::new(false));
    let mut signals = StopSignals::new()?;
    let work = tokio::task::spawn_blocking({
        let cancel = Arc::clone(&cancel);
        move || work(cancel)
    });
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = signals.next() => {
            cancel.store(true, Ordering::Relaxed);
            work.await
        }
    };
    Ok(done?)
}

/// Waits for SIGTERM or Ctrl-C. Made before it is needed, so that no signal is lost in between.
pub(crate) struct StopSignals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Takes the signals over from now on.
    pub(crate) fn new() -> std::io::Result<StopSignals> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(StopSignals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(StopSignals {})
    }

    /// Ends with the next signal.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! { _ = self.interrupt.recv() => {}, _ = self.terminate.recv() => {} }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the system ends the process itself.
            std::future::pending::<()>().await;
        }
    }
}
