//! `flowglass journey`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::anyhow;
use flowglass_studio::api::JoinView;
use flowglass_studio::model::{Config, Graph, ItemKind, Journey, Layer, NodeId, NodeKind, Relation, TraceId};
use flowglass_studio::{gap_kind, item_status, journey_state, mark_kind, rfc3339, sure, system_clock};
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
    let (mut journey, _) = workspace.journey(id, &|node| layers.get(node))?;
    let lacking = workspace.judge_journey(&mut journey, system_clock())?;
    let (related, _) = workspace.related(&journey.summary)?;
    let joins = workspace.joins_of(journey.summary.id)?;
    print_json(&JourneyOut::new(&journey, &lacking, &related, &joins, &workspace.settings().config))
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
    settled_path: Vec<StepOut<'a>>,
    gaps: Vec<GapOut<'a>>,
    time_by: Vec<TimeOut<'a>>,
    marks: Vec<MarkOut<'a>>,
    lacking: &'a [String],
    related: Vec<RelatedOut<'a>>,
    joins: Vec<JoinOut<'a>>,
}

/// An id that joins parts of the journey without a trace context, or would if fewer shared it.
#[derive(Serialize)]
struct JoinOut<'a> {
    entry: &'a str,
    traces: u32,
    held_back: bool,
    words: &'a str,
}

#[derive(Serialize)]
struct RelatedOut<'a> {
    id: String,
    how: &'static str,
    sure: &'static str,
    because: &'a str,
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
    for_customer: &'a str,
    logged: Option<&'a str>,
    owner: Option<&'a str>,
    contact: Option<&'a str>,
    runbook: Option<&'a str>,
}

#[derive(Serialize)]
struct GapOut<'a> {
    kind: &'static str,
    from: &'a str,
    to: &'a str,
    participant: &'a str,
    start: String,
    duration_ms: f64,
    critical: bool,
}

#[derive(Serialize)]
struct TimeOut<'a> {
    participant: &'a str,
    ms: f64,
}

#[derive(Serialize)]
struct MarkOut<'a> {
    id: &'a str,
    kind: &'static str,
    words: &'a str,
}

impl<'a> JourneyOut<'a> {
    fn new(
        journey: &'a Journey,
        lacking: &'a [String],
        related: &'a [Relation],
        joins: &'a [JoinView],
        config: &'a Config,
    ) -> Self {
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
        let step = |s: &'a flowglass_studio::model::CriticalStep| StepOut { id: &s.id, self_ms: ms(s.self_time) };
        JourneyOut {
            id: journey.summary.id.to_string(),
            status: journey_status(journey.summary.state.status()),
            state: journey_state(journey.summary.state),
            items: items.into_iter().map(item).collect(),
            links: links
                .map(|l| LinkOut { from: &l.from, to: &l.to, how: l.how.as_str(), sure: sure(l.sure) })
                .collect(),
            critical_path: journey.critical_path.iter().map(step).collect(),
            failure: journey.failure.as_ref().map(|f| {
                let owner = config.owner_of(&f.participant);
                FailureOut {
                    first: &f.first,
                    participant: f.participant.as_str(),
                    cause: &f.cause,
                    chain: &f.chain,
                    for_customer: &f.for_customer,
                    logged: f.logged.as_deref(),
                    owner: owner.map(|o| o.owner.as_str()),
                    contact: owner.and_then(|o| o.contact.as_deref()),
                    runbook: owner.and_then(|o| o.runbook.as_deref()),
                }
            }),
            settled_path: journey.settled_path.iter().map(step).collect(),
            gaps: (journey.gaps.iter())
                .map(|g| GapOut {
                    kind: gap_kind(g.kind),
                    from: &g.from,
                    to: &g.to,
                    participant: g.participant.as_str(),
                    start: rfc3339(g.start),
                    duration_ms: ms(g.duration),
                    critical: g.critical,
                })
                .collect(),
            time_by: journey.time_by.iter().map(|(who, n)| TimeOut { participant: who.as_str(), ms: ms(*n) }).collect(),
            marks: (journey.marks.iter())
                .map(|m| MarkOut { id: &m.id, kind: mark_kind(m.kind), words: &m.words })
                .collect(),
            lacking,
            related: (related.iter())
                .map(|r| RelatedOut {
                    id: r.journey.to_string(),
                    how: r.how.as_str(),
                    sure: sure(r.sure),
                    because: &r.because,
                })
                .collect(),
            joins: (joins.iter())
                .map(|j| JoinOut { entry: &j.entry, traces: j.traces, held_back: j.held_back, words: &j.words })
                .collect(),
        }
    }
}
