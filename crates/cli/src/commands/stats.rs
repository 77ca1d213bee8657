//! `flowglass stats`.

use std::path::Path;

use super::open;
use crate::args::StatsArgs;
use crate::output::{StatsOut, instant, print_json};

/// Prints the counters of a workspace.
pub(crate) fn run(args: &StatsArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "stats").entered();
    let stats = open(&args.workspace.workspace, config)?.stats()?;
    print_json(&StatsOut {
        spans: stats.spans,
        traces: stats.traces,
        events: stats.events,
        logs: stats.logs,
        rejected: stats.rejected,
        dropped: stats.dropped,
        bytes: stats.bytes,
        oldest: instant(stats.oldest),
        newest: instant(stats.newest),
    })
}
