//! `flowglass journey`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::anyhow;
use flowglass_studio::model::{Graph, ItemKind, Journey, Layer, NodeId, NodeKind, TraceId};
use flowglass_studio::{item_status, journey_state, rfc3339, sure};
use serde::Serialize;

use super::open;
use crate::args::JourneyArgs;
use crate::output::{journey_status, ms, print_json};

/// Prints one journey in full.
pub(crate) fn run(args: &JourneyArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "journey").entered();
    let id: TraceId = args.id.trim().to_ascii_lowercase().parse().map_err(|reason| {
        anyhow!("`{}` is no journey id ({reason}); take one from `flowglass journeys`", args.id.escape_debug())
    })?;
    let workspace = open(&args.workspace.workspace, config)?;
    let layers = Layers::of(&workspace.graph(None, None, None)?);
    let (journey, _) = workspace.journey(id, &|node| layers.get(node))?;
    print_json(&JourneyOut::from(&journey))
}

/// Layers as the map gives them.
struct Layers {
    exact: BTreeMap<NodeId, Layer>,
    any_environment: BTreeMap<String, Layer>,
}

impl Layers {
    fn of(graph: &Graph) -> Layers {
        Layers {
            exact: graph.nodes.iter().map(|n| (n.id.clone(), n.layer)).collect(),
            any_environment: graph.nodes.iter().map(|n| (n.id.without_environment().to_owned(), n.layer)).collect(),
        }
    }

    /// The layer of a participant; topics told by messages know no environment, and what is not on the map goes by its kind.
    fn get(&self, id: &NodeId) -> Layer {
        let known = self.exact.get(id).or_else(|| self.any_environment.get(id.without_environment()));
        known.copied().unwrap_or(match id.kind() {
            NodeKind::Topic => Layer::Event,
            NodeKind::Backend | NodeKind::External => Layer::Backend,
            NodeKind::Consumer => Layer::Consumer,
            NodeKind::Service => Layer::Process,
        })
    }
}

#[derive(Serialize)]
struct JourneyOut<'a> {
    id: String,
    status: &'static str,
    state: &'static str,
    items: Vec<ItemOut<'a>>,
    links: Vec<LinkOut<'a>>,
    critical_path: Vec<StepOut<'a>>,
    failure: Option<FailureOut<'a>>,
}

#[derive(Serialize)]
struct ItemOut<'a> {
    r#type: &'static str,
    id: &'a str,
    source: Option<&'a str>,
    trace_id: Option<String>,
    participant: &'a str,
    layer: &'static str,
    name: &'a str,
    start: String,
    duration_ms: f64,
    status: &'static str,
}

#[derive(Serialize)]
struct LinkOut<'a> {
    from: &'a str,
    to: &'a str,
    how: &'static str,
    sure: &'static str,
}

#[derive(Serialize)]
struct StepOut<'a> {
    id: &'a str,
    self_ms: f64,
}

#[derive(Serialize)]
struct FailureOut<'a> {
    first: &'a str,
    participant: &'a str,
    cause: &'a str,
    chain: &'a [String],
}

impl<'a> From<&'a Journey> for JourneyOut<'a> {
    fn from(journey: &'a Journey) -> Self {
        let mut items: Vec<_> = journey.items.iter().collect();
        items.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        let item = |i: &'a flowglass_studio::model::JourneyItem| ItemOut {
            r#type: match i.kind {
                ItemKind::Span => "span",
                ItemKind::Event => "event",
            },
            id: &i.id,
            source: i.source.as_deref(),
            trace_id: i.trace_id.map(|t| t.to_string()),
            participant: i.participant.as_str(),
            layer: i.layer.as_str(),
            name: &i.name,
            start: rfc3339(i.start),
            duration_ms: ms(i.duration),
            status: item_status(i.status),
        };
        let links = journey.links.iter();
        let steps = journey.critical_path.iter();
        JourneyOut {
            id: journey.summary.id.to_string(),
            status: journey_status(journey.summary.state.status()),
            state: journey_state(journey.summary.state),
            items: items.into_iter().map(item).collect(),
            links: links
                .map(|l| LinkOut { from: &l.from, to: &l.to, how: l.how.as_str(), sure: sure(l.sure) })
                .collect(),
            critical_path: steps.map(|s| StepOut { id: &s.id, self_ms: ms(s.self_time) }).collect(),
            failure: journey.failure.as_ref().map(|f| FailureOut {
                first: &f.first,
                participant: f.participant.as_str(),
                cause: &f.cause,
                chain: &f.chain,
            }),
        }
    }
}
