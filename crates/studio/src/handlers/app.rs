use std::collections::BTreeSet;

use flowglass_model::RetentionConfig;
use flowglass_store::{Reader, SeriesFilter, Space, StoreError, TimelineBucket};

use super::bounds;
use crate::Studio;
use crate::api::{ApiError, AppInfo, Bucket, Nothing, Timeline, TimelineRequest, to_ms};
use crate::studio::workspace_name;

/// See [`AppInfo`].
pub(crate) async fn app(studio: &Studio, _: Nothing) -> Result<AppInfo, ApiError> {
    let now_at = to_ms(studio.now());
    let demo = studio.0.demo;
    let info = studio.ask(move |workspace| {
        let (stats, participants, space) = workspace.read(|r| Ok((r.stats()?, r.participants_seen()?, r.space()?)))?;
        let environments: BTreeSet<String> =
            participants.iter().filter_map(|(id, _, _)| id.environment().map(str::to_owned)).collect();
        let settings = workspace.settings();
        Ok(AppInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            workspace: workspace.path().display().to_string(),
            workspace_name: workspace_name(workspace.path()),
            environments: environments.into_iter().collect(),
            config_path: settings.path.display().to_string(),
            // Figures may have outlived all that they were made of.
            empty: stats.spans + stats.events + stats.logs == 0 && stats.oldest.is_none(),
            oldest_at: stats.oldest.map(to_ms),
            newest_at: stats.newest.map(to_ms),
            demo,
            warnings: too_large(&settings.config.retention, &space).into_iter().chain(settings.problem).collect(),
            now_at,
        })
    });
    Ok(info.await?)
}

/// What people have to know when more is stored than the rule keeps, though it was looked for what may go.
fn too_large(rule: &RetentionConfig, space: &Space) -> Option<String> {
    let most = rule.size.0?;
    (space.used > most + most / 10).then(|| {
        let (used, most) = (space.used as f64 / 1e9, rule.size);
        format!(
            "The workspace takes {used:.1} GB, more than the {most} it should keep: what is left is bookmarked, noted, compared, very \
             young, or figures. Allow it more in Settings → Retention, or delete something."
        )
    })
}

/// See [`Timeline`].
pub(crate) async fn timeline(studio: &Studio, request: TimelineRequest) -> Result<Timeline, ApiError> {
    let (since, until) = bounds(request.range);
    let most = request.buckets.clamp(1, 500) as usize;
    let answer = studio.ask(move |workspace| {
        let stats = workspace.stats()?;
        let Some(grid) = workspace.grid((since, until), &stats, most)? else {
            return Ok(Timeline { requests: Vec::new(), events: Vec::new(), bucket_ms: 0.0 });
        };
        let noise = workspace.settings().config.noise.clone();
        let requests = SeriesFilter::Operations { noise, environment: request.environment.clone() };
        let events = SeriesFilter::Publishes { environment: request.environment };
        let bars_of = |r: &Reader, filter| {
            Ok::<_, StoreError>(bars(r.timeline(filter, Some(grid.since), Some(grid.until), grid.parts)?))
        };
        workspace.read(|r| {
            Ok(Timeline {
                requests: bars_of(r, &requests)?,
                events: bars_of(r, &events)?,
                bucket_ms: to_ms(grid.width()),
            })
        })
    });
    Ok(answer.await?)
}

/// Bars of a timeline as they go over the wire.
pub(crate) fn bars(buckets: Vec<TimelineBucket>) -> Vec<Bucket> {
    buckets
        .into_iter()
        .map(|b| Bucket {
            start_at: to_ms(b.start),
            count: b.count.max(0) as u64,
            errors: b.errors.max(0) as u64,
            p95_ms: b.sketch.quantile(0.95).map(|n| n / 1e6),
        })
        .collect()
}
