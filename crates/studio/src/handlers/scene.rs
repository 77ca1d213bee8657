//! What the map of a range is drawn of.

use flowglass_model::{Nanos, SeriesKey, SeriesSum};
use flowglass_topology::{Folding, Noise, graph_of};

use super::{bounds, seconds_with_data};
use crate::api::Range;
use crate::views::{SPARK_BUCKETS, Scene};
use crate::workspace::{Workspace, WorkspaceError};

/// How long a consumer that only the broker told of waits for its own spans before it is drawn, nanoseconds: exporters hold
/// spans back for seconds, and a guess that turns into a service under the reader's eyes only confuses.
const GUESS_AFTER: i64 = 30_000_000_000;

fn is_too_young(sum: &SeriesSum, now: Nanos) -> bool {
    matches!(sum.key, SeriesKey::Delivered { .. }) && (0..GUESS_AFTER).contains(&now.saturating_sub(sum.first))
}

/// Reads what the map of a range is drawn of; noise is known, but not in the graph.
pub(crate) fn scene(
    workspace: &Workspace,
    range: Range,
    environment: Option<&str>,
    now: Nanos,
) -> Result<Scene, WorkspaceError> {
    let (since, until) = bounds(range);
    let stats = workspace.stats()?;
    let grid = workspace.grid((since, until), &stats, SPARK_BUCKETS)?.map(|grid| grid.finished(stats.newest));
    let mut series = workspace.sparked_on(since, until, grid)?;
    series.retain(|(sum, _)| !is_too_young(sum, now));
    let sums: Vec<SeriesSum> = series.iter().map(|(sum, _)| sum.clone()).collect();
    let config = workspace.settings().config;
    let folding = Folding::new(&sums, &config);
    let noise = Noise::new(&sums, &config.noise);
    let business: Vec<SeriesSum> = sums.into_iter().filter(|sum| !noise.has(&sum.key)).collect();
    Ok(Scene {
        graph: graph_of(&folding, &business, &config, environment),
        series,
        folding,
        noise,
        seconds: seconds_with_data(workspace, range)?,
        parts: grid.map_or(0, |g| g.parts),
    })
}
