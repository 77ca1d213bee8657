use flowglass_model::{Nanos, SeriesKey, SeriesSum};
use flowglass_topology::{Folding, GraphOptions, graph};

use super::{bounds, nearest, seconds_with_data};
use crate::Studio;
use crate::api::{ApiError, TopologyRequest, TopologyView};
use crate::views::{Material, SPARK_BUCKETS, Scene};

/// How long a consumer that only the broker told of waits for its own spans before it is drawn, nanoseconds: exporters hold
/// spans back for seconds, and a guess that turns into a service under the reader's eyes only confuses.
const GUESS_AFTER: i64 = 30_000_000_000;

fn is_too_young(sum: &SeriesSum, now: Nanos) -> bool {
    matches!(sum.key, SeriesKey::Delivered { .. }) && (0..GUESS_AFTER).contains(&now.saturating_sub(sum.first))
}

/// See [`TopologyView`].
pub(crate) async fn topology(studio: &Studio, request: TopologyRequest) -> Result<TopologyView, ApiError> {
    let inner = studio.0.clone();
    let now = studio.now();
    let view = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let mut series = workspace.sparked(since, until, SPARK_BUCKETS)?;
        series.retain(|(sum, _)| !is_too_young(sum, now));
        let sums: Vec<SeriesSum> = series.iter().map(|(sum, _)| sum.clone()).collect();
        let settings = workspace.settings();
        let options = GraphOptions { environment: request.environment.clone(), ..GraphOptions::default() };
        let graph = graph(&sums, &settings.config, &options);
        let nearest = if graph.nodes.is_empty() { nearest(workspace, request.range)? } else { Default::default() };
        let length = request.range.until_at.zip(request.range.since_at).map(|(u, s)| (u - s).round());
        let material = Material {
            scene: Scene {
                graph: &graph,
                series: &series,
                folding: &Folding::new(&sums, &settings.config),
                seconds: seconds_with_data(workspace, request.range)?,
            },
            nearest,
            relayout: request.relayout,
            scope: format!("{:?} {length:?}", request.environment),
            known: request.known_revision,
        };
        Ok(inner.views.view(&material))
    });
    Ok(view.await?)
}
