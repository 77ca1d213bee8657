//! `flowglass pull`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use flowglass_studio::ingest::pull::{PullAuth, PullConfig, Wanted};
use flowglass_studio::ingest::secrets::Secret;
use flowglass_studio::{Options, Studio, system_clock};
use tokio_util::sync::CancellationToken;

use super::StopSignals;
use super::import::{out, progress_lines};
use crate::args::PullArgs;
use crate::output::print_json;

/// Fetches traces and prints what became of them.
pub(crate) async fn run(args: PullArgs, config: Option<PathBuf>) -> anyhow::Result<()> {
    let (since, until) = super::range(&args.range)?;
    let wanted = Wanted {
        url: args.url,
        trace: args.trace,
        service: args.service,
        query: args.query,
        since,
        until,
        limit: args.limit,
    };
    // Before the workspace: a mistyped link must leave nothing behind.
    wanted.ask(system_clock())?;
    let secret = args.secret_file.as_deref().map(|path| {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{}: the secret cannot be read", path.display()))?;
        Ok::<_, anyhow::Error>(Secret::new(text.trim().to_owned()))
    });
    let secret = secret.transpose()?.or_else(|| std::env::var("FLOWGLASS_PULL_SECRET").ok().map(Secret::new));
    let auth = match (args.user, secret) {
        (Some(user), password) => PullAuth::Basic { user, password: password.unwrap_or_else(|| Secret::new("")) },
        (None, Some(token)) => PullAuth::Bearer(token),
        (None, None) => PullAuth::None,
    };
    let mut signals = StopSignals::new()?;
    let studio = Studio::start(Options {
        config,
        otlp_grpc: None,
        otlp_http: None,
        remembered_nats: false,
        ..Options::new(args.workspace.workspace)
    })
    .await?;
    let cancel = CancellationToken::new();
    let pull = studio.pull(PullConfig { wanted, auth, tenant: args.tenant }, progress_lines(), cancel.clone());
    tokio::pin!(pull);
    let outcome = tokio::select! {
        outcome = &mut pull => outcome,
        () = signals.next() => {
            cancel.cancel();
            pull.await
        }
    };
    studio.stop().await;
    let report = outcome?;
    print_json(&out(&report))?;
    if report.cancelled {
        bail!("interrupted; what was stored by then stays, pull again to get the rest");
    }
    if report.recognised == 0 {
        let first = report.rejected.first().map_or_else(String::new, |r| format!(": {}", r.reason));
        bail!("nothing could be taken{first}");
    }
    Ok(())
}
