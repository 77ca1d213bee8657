use flowglass_model::SeriesSum;
use flowglass_topology::{Folding, GraphOptions, graph};

use super::{bounds, nearest, seconds_with_data};
use crate::Studio;
use crate::api::{ApiError, TopologyRequest, TopologyView};
use crate::views::{Material, SPARK_BUCKETS, Scene};

/// See [`TopologyView`].
pub(crate) async fn topology(studio: &Studio, request: TopologyRequest) -> Result<TopologyView, ApiError> {
    let inner = studio.0.clone();
    let view = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let series = workspace.sparked(since, until, SPARK_BUCKETS)?;
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
