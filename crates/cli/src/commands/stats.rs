//! `flowglass stats`.

use std::path::Path;

use flowglass_studio::Removal;

use super::open;
use crate::args::StatsArgs;
use crate::output::{FiguresOut, RemovedOut, RetentionOut, StatsOut, instant, print_json};

/// Prints the counters of a workspace.
pub(crate) fn run(args: &StatsArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "stats").entered();
    let workspace = open(&args.workspace.workspace, config)?;
    let (stats, kept) = (workspace.stats()?, workspace.retention()?);
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
        retention: RetentionOut {
            keeps: kept.rule.words(),
            free_bytes: kept.free,
            figures: FiguresOut {
                bytes: kept.figures.bytes,
                steps_of_10s_since: instant(kept.figures.fine_from),
                steps_of_10min_since: instant(kept.figures.middle_from),
            },
            removed: kept.removed.days.iter().map(removed).collect(),
        },
    })
}

fn removed(r: &Removal) -> RemovedOut {
    RemovedOut {
        since: instant(Some(r.since)),
        until: instant(Some(r.until)),
        why: r.why.clone(),
        journeys: r.journeys,
        spans: r.spans,
        events: r.events,
        logs: r.logs,
        newest: instant(r.newest),
    }
}
