use flowglass_model::{Nanos, NodeId, SeriesKey, is_noise};
use std::collections::BTreeMap;

use super::scene::scene;
use super::{around, bounds};
use crate::Studio;
use crate::api::{ApiError, Nearest, QuietSource, Range, TopologyRequest, TopologyView, to_ms};
use crate::views::{LOOK_BACK, Material, Scene, Wishes, may_be_quiet, usual_pause};
use crate::workspace::{Workspace, WorkspaceError};

/// Silence is looked for this often, nanoseconds.
const QUIET_EVERY: Nanos = 5_000_000_000;

/// See [`TopologyView`].
pub(crate) async fn topology(studio: &Studio, request: TopologyRequest) -> Result<TopologyView, ApiError> {
    let inner = studio.0.clone();
    let now = studio.now();
    let view = studio.ask(move |workspace| {
        let scene = scene(workspace, request.range, request.environment.as_deref(), now)?;
        let nearest = match scene.graph.nodes.is_empty() {
            true => nearest(workspace, request.range, request.environment.as_deref())?,
            false => Nearest::default(),
        };
        let mut quiet = inner.views.quiet(now, QUIET_EVERY, || quiet(workspace, &scene, now))?;
        quiet.retain(|q| request.environment.is_none() || environment(q) == request.environment);
        let (since, until) = bounds(request.range);
        let length = until.zip(since).map(|(u, s)| (u - s) / 1_000_000);
        let material = Material {
            scope: format!("{:?} {length:?}", request.environment),
            known: request.known_revision,
            wishes: Wishes { relayout: request.relayout, folded: request.folded, keep: request.keep },
            scene: &scene,
            nearest,
            quiet,
        };
        Ok(inner.views.view(material))
    });
    Ok(view.await?)
}

/// Where the nearest traffic that a map of the environment would show lies.
fn nearest(workspace: &Workspace, range: Range, environment: Option<&str>) -> Result<Nearest, WorkspaceError> {
    let noise = workspace.settings().config.noise.clone();
    let drawn = |key: &SeriesKey| {
        if let Some((service, operation)) = key.operation() {
            return environment.is_none_or(|e| service.environment() == Some(e))
                && !is_noise(&noise, service.name(), operation);
        }
        let of = |id: &NodeId| environment.is_none_or(|e| id.environment() == Some(e));
        key.as_edge().is_some_and(|(_, source, target)| of(source) || of(target))
    };
    let (since, until) = bounds(range);
    Ok(around(workspace.read(|r| r.nearest_series(since, until, &drawn))?))
}

fn environment(quiet: &QuietSource) -> Option<String> {
    NodeId::from(quiet.participant.as_str()).environment().map(str::to_owned)
}

/// Participants that used to send and stopped, newest silence first, while others still send.
fn quiet(workspace: &Workspace, scene: &Scene, now: Nanos) -> Result<Vec<QuietSource>, WorkspaceError> {
    let senders = workspace.read(|r| r.senders())?;
    let Some(newest) = senders.iter().map(|(_, last)| *last).max() else { return Ok(Vec::new()) };
    // Several names of one participant: it is quiet when all of them are.
    let mut shown: BTreeMap<NodeId, (Nanos, Vec<NodeId>)> = BTreeMap::new();
    for (id, last) in senders {
        let Some(node) = scene.folding.node(&id) else { continue };
        let entry = shown.entry(node).or_insert((last, Vec::new()));
        entry.0 = entry.0.max(last);
        entry.1.push(id);
    }
    let mut out = Vec::new();
    for (node, (last, names)) in shown {
        if !may_be_quiet(last, newest, now) {
            continue;
        }
        let mut starts = Vec::new();
        for name in &names {
            starts.extend(workspace.read(|r| r.activity(name, last - LOOK_BACK, last))?);
        }
        starts.sort_unstable();
        starts.dedup();
        if let Some(usual) = usual_pause(&starts, last, now) {
            out.push(QuietSource {
                name: scene.folding.title(&node).to_owned(),
                participant: node.to_string(),
                last_at: to_ms(last),
                usual_ms: to_ms(usual),
            });
        }
    }
    out.sort_by(|a, b| b.last_at.total_cmp(&a.last_at));
    Ok(out)
}
