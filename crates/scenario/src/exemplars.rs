//! Simulated requests as journeys, to open in the same waterfall as observed ones.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use flowglass_model::{
    CriticalStep, Failure, ItemKind, ItemStatus, Journey, JourneyItem, JourneyLink, JourneyState, JourneySummary,
    Layer, LinkHow, Nanos, NodeId, ServiceName, SpanId, Sure, TraceId,
};

use crate::engine::{Setup, SpanEnding, SpanOf, Stopped, ToldRequest, ToldSpan, Wanted, Why, tell};
use crate::experiment::RunError;
use crate::keyed;
use crate::model::{Design, Scenario, Time};
use crate::program::{Program, participant_of};
use crate::study::shortened;
use crate::tally::{TERMINALS, Terminal};

/// Which simulated requests are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemplarOptions {
    /// Seed of all randomness.
    pub seed: u64,
    /// Of each workload, so many of the slowest.
    pub slowest: usize,
    /// So many of each terminal state.
    pub of_each_fate: usize,
    /// So many chosen by chance.
    pub random: usize,
}

impl ExemplarOptions {
    /// A handful of each, with the scenario's seed.
    pub fn of(scenario: &Scenario) -> ExemplarOptions {
        ExemplarOptions { seed: scenario.run.seed, slowest: 5, of_each_fate: 1, random: 3 }
    }
}

/// A simulated request. Its instants count from the end of the warm-up; the key `simulated` of the journey holds the variant.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Exemplar {
    /// Workload.
    pub workload: String,
    /// Number of the request: the same one has the same chances in every variant.
    pub number: u64,
    /// `slowest`, `fate` or `random`.
    pub why: &'static str,
    /// The state it ended in, or `open`.
    pub fate: &'static str,
    /// What happened.
    pub journey: Journey,
}

/// Requests that are played to choose from.
const REQUESTS: f64 = 20_000.0;
const MOST_EVENTS: u64 = 50_000_000;

/// Plays a variant and tells some of its requests in full, the slowest first.
///
/// # Errors
/// When there is no such variant, or it was cancelled, or took too many events.
pub fn exemplars(
    scenario: &Scenario,
    variant: &str,
    options: &ExemplarOptions,
    cancel: &AtomicBool,
) -> Result<Vec<Exemplar>, RunError> {
    let short = shortened(scenario, REQUESTS);
    let Some(chosen) = short.variant(variant) else {
        let known = scenario.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(RunError::UnknownVariant { name: variant.to_owned(), known });
    };
    let design = short.design_of(chosen);
    let program = Program::new(design, chosen);
    let warm_up = short.run.warm_up.unwrap_or(short.run.duration / 10).min(short.run.duration);
    let setup = Setup { warm_up, duration: short.run.duration, events: MOST_EVENTS, ..Setup::new(options.seed, 0) };
    let wanted = Wanted { slowest: options.slowest, of_each_fate: options.of_each_fate, random: options.random };
    let told = tell(&program, setup, wanted, cancel).map_err(|stopped| match stopped {
        Stopped::Cancelled => RunError::Cancelled,
        _ => RunError::TooMuch { variant: variant.to_owned(), limit: MOST_EVENTS },
    })?;
    let telling = Telling { design, program: &program, spans: &told.spans, variant, seed: options.seed, warm_up };
    let mut all: Vec<Exemplar> = told.requests.iter().map(|r| telling.exemplar(r)).collect();
    let rank = |e: &Exemplar| (e.why != "slowest", std::cmp::Reverse(e.journey.summary.settled.unwrap_or(i64::MAX)));
    all.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.number.cmp(&b.number)));
    Ok(all)
}

struct Telling<'a> {
    design: &'a Design,
    program: &'a Program,
    spans: &'a [ToldSpan],
    variant: &'a str,
    seed: u64,
    warm_up: Time,
}

impl Telling<'_> {
    fn exemplar(&self, request: &ToldRequest) -> Exemplar {
        let source = &self.program.sources[request.source as usize];
        let why = match request.why {
            Why::Slowest => "slowest",
            Why::Fate => "fate",
            Why::Random => "random",
        };
        Exemplar {
            workload: source.name.clone(),
            number: request.number,
            why,
            fate: request.fate.map_or("open", |f| TERMINALS[f as usize]),
            journey: self.journey(request),
        }
    }

    fn journey(&self, request: &ToldRequest) -> Journey {
        let trace = self.trace_id(request);
        let mut items = Vec::new();
        let mut links = Vec::new();
        let mut depths: BTreeMap<usize, u32> = BTreeMap::new();
        for index in request.spans.iter().copied() {
            let depth = self.spans[index].parent.and_then(|p| depths.get(&p)).map_or(0, |d| d + 1);
            depths.insert(index, depth);
            self.item(request, trace, index, depth, &mut items, &mut links);
        }
        items.sort_by(|a, b| a.start.cmp(&b.start).then(a.depth.cmp(&b.depth)).then(a.id.cmp(&b.id)));
        let failure = self.failure(request);
        let critical_path = self.critical_path(request);
        let summary = self.summary(request, trace, &items, failure.as_ref());
        let settled_path = critical_path.clone();
        let (gaps, time_by, marks) = (Vec::new(), Vec::new(), Vec::new());
        let (traces, missing) = (vec![trace], Vec::new());
        Journey { summary, items, links, critical_path, settled_path, gaps, time_by, marks, failure, traces, missing }
    }

    fn trace_id(&self, request: &ToldRequest) -> TraceId {
        let high = keyed::below(keyed::below(request.key, self.seed), keyed::name(self.variant));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&keyed::mix(high | 1).to_be_bytes());
        bytes[15] |= 1; // Never all zero.
        TraceId::new(bytes).unwrap_or_else(|| unreachable!("the last bit is set"))
    }

    fn span_id(&self, request: &ToldRequest, index: usize, part: u64) -> String {
        let mut bytes = keyed::below(keyed::below(request.key, index as u64 + 1), part).to_be_bytes();
        bytes[7] |= 1;
        SpanId::new(bytes).map(|id| id.to_string()).unwrap_or_default()
    }

    fn at(&self, time: Time) -> Nanos {
        time as i64 - self.warm_up as i64
    }

    fn layer(&self, participant: &str) -> Layer {
        let layer = self.design.participants.get(participant).and_then(|p| p.layer.as_deref());
        layer.and_then(Layer::parse).unwrap_or(Layer::Process)
    }

    fn node(&self, participant: &str) -> NodeId {
        NodeId::service(&ServiceName { name: participant.into(), namespace: None }, None)
    }

    /// Who a span belongs to, as a participant, and its operation or channel.
    fn owner(&self, index: usize) -> (&str, &str) {
        match self.spans[index].of {
            SpanOf::Handling { routine, .. } => {
                let name = self.program.routines[routine as usize].name.as_str();
                (participant_of(name), name)
            }
            SpanOf::Attempt { call, .. } => {
                let callee = self.program.routines[self.program.calls[call as usize].routine as usize].name.as_str();
                let caller = self.spans[index].parent.map_or("", |p| self.owner(p).0);
                (caller, callee)
            }
            SpanOf::Message { line } => {
                let name = self.program.lines[line as usize].name.as_str();
                (name, name)
            }
        }
    }

    fn item(
        &self,
        request: &ToldRequest,
        trace: TraceId,
        index: usize,
        depth: u32,
        items: &mut Vec<JourneyItem>,
        links: &mut Vec<JourneyLink>,
    ) {
        let span = &self.spans[index];
        let id = self.span_id(request, index, 0);
        let parent = span.parent.map(|p| self.span_id(request, p, 0));
        let (owner, name) = self.owner(index);
        let is_event = matches!(span.of, SpanOf::Message { .. });
        let after_event = span.parent.is_some_and(|p| matches!(self.spans[p].of, SpanOf::Message { .. }));
        let (role, delivery, retry) = match span.of {
            SpanOf::Handling { delivery: 0, .. } => ("server", None, None),
            SpanOf::Handling { delivery, .. } => ("consumer", Some(delivery), None),
            SpanOf::Attempt { attempt, .. } => ("client", None, (attempt > 1).then(|| attempt - 1)),
            SpanOf::Message { .. } => ("event", None, None),
        };
        if let Some(parent) = &parent {
            let how = if is_event || after_event { LinkHow::Traceparent } else { LinkHow::Parent };
            links.push(JourneyLink { from: parent.clone(), to: id.clone(), how, sure: Sure::Certain });
        }
        let ended = if span.ending == SpanEnding::Open { request.settled.unwrap_or(span.ended) } else { span.ended };
        let item = JourneyItem {
            kind: if is_event { ItemKind::Event } else { ItemKind::Span },
            id: id.clone(),
            source: is_event.then(|| span.parent.map_or("", |p| self.owner(p).0).to_owned()),
            trace_id: Some(trace),
            participant: if is_event { NodeId::topic("simulated", name, None) } else { self.node(owner) },
            layer: if is_event { Layer::Event } else { self.layer(owner) },
            name: name.to_owned(),
            start: self.at(span.arrived),
            duration: if is_event { 0 } else { ended.saturating_sub(span.arrived) as i64 },
            status: status(span.ending),
            depth,
            parent,
            role: role.to_owned(),
            delivery,
            retry,
            badge: badge(span.ending).map(str::to_owned),
        };
        if span.begun > span.arrived {
            // The wait for a worker is a bar of its own below: it is what queueing looks like.
            let wait = JourneyItem {
                kind: ItemKind::Span,
                id: self.span_id(request, index, 1),
                source: None,
                name: "waiting for a worker".to_owned(),
                duration: (span.begun - span.arrived) as i64,
                status: ItemStatus::Unset,
                depth: depth + 1,
                parent: Some(id.clone()),
                role: "internal".to_owned(),
                delivery: None,
                retry: None,
                badge: None,
                ..item.clone()
            };
            links.push(JourneyLink { from: id, to: wait.id.clone(), how: LinkHow::Parent, sure: Sure::Certain });
            items.push(item);
            items.push(wait);
        } else {
            items.push(item);
        }
    }

    fn summary(
        &self,
        request: &ToldRequest,
        trace: TraceId,
        items: &[JourneyItem],
        failure: Option<&Failure>,
    ) -> JourneySummary {
        let source = &self.program.sources[request.source as usize];
        let operation = self.program.routines[source.routine as usize].name.as_str();
        let mut participants: Vec<NodeId> = items.iter().map(|i| i.participant.clone()).collect();
        participants.sort();
        participants.dedup();
        let count = |of: &dyn Fn(&JourneyItem) -> bool| items.iter().filter(|i| of(i)).count() as u64;
        let state = match request.fate {
            None => JourneyState::InProgress,
            Some(Terminal::Completed) => JourneyState::Ok,
            Some(Terminal::Degraded | Terminal::Compensated) => JourneyState::Degraded,
            Some(_) => JourneyState::Failed,
        };
        JourneySummary {
            id: trace,
            root: format!("{} {operation}", participant_of(operation)),
            root_participant: self.node(participant_of(operation)),
            start: self.at(request.arrived),
            response: request.answered.map(|t| (t - request.arrived) as i64),
            settled: request.settled.map(|t| (t - request.arrived) as i64),
            state,
            participants,
            spans: count(&|i| i.kind == ItemKind::Span),
            events: count(&|i| i.kind == ItemKind::Event),
            errors: count(&|i| i.status == ItemStatus::Error && i.kind == ItemKind::Span),
            retries: count(&|i| i.retry.is_some() || i.delivery.is_some_and(|d| d > 1)),
            dead_lettered: request.spans.iter().any(|s| self.spans[*s].ending == SpanEnding::Dead),
            keys: vec![
                ("request".to_owned(), request.number.to_string()),
                ("simulated".to_owned(), self.variant.to_owned()),
            ],
            failure: failure.map(|f| f.cause.clone()),
            effects: Vec::new(),
        }
    }

    /// The first thing that went wrong, and how it spread to those who waited for it.
    fn failure(&self, request: &ToldRequest) -> Option<Failure> {
        let wrong = |index: usize| status(self.spans[index].ending) == ItemStatus::Error;
        let first = request.spans.iter().copied().filter(|i| wrong(*i)).min_by_key(|i| (self.spans[*i].ended, *i))?;
        let (owner, name) = self.owner(first);
        let node = match self.spans[first].of {
            SpanOf::Message { .. } => NodeId::topic("simulated", name, None),
            SpanOf::Attempt { .. } => self.node(participant_of(name)),
            SpanOf::Handling { .. } => self.node(owner),
        };
        let cause = match self.spans[first].ending {
            SpanEnding::TimedOut => format!("{name} did not answer in time"),
            SpanEnding::Refused => format!("{} refused {name}", participant_of(name)),
            SpanEnding::Lost => format!("{name} was lost when {owner} went down"),
            SpanEnding::Dead => format!("a message on {name} was dead-lettered"),
            SpanEnding::Gone => format!("a message on {name} was lost"),
            _ => format!("{name} failed after its work"),
        };
        let mut chain = vec![self.span_id(request, first, 0)];
        let mut at = self.spans[first].parent;
        while let Some(index) = at.filter(|i| wrong(*i)) {
            chain.push(self.span_id(request, index, 0));
            at = self.spans[index].parent;
        }
        let for_customer = "The simulated request could not be completed.".to_owned();
        Some(Failure { first: chain[0].clone(), participant: node, cause, chain, for_customer, logged: None })
    }

    /// What the response time went into: backwards from the answer, always the one that was waited for last.
    fn critical_path(&self, request: &ToldRequest) -> Vec<CriticalStep> {
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut root = None;
        for index in request.spans.iter().copied() {
            match self.spans[index].parent {
                Some(parent) => children.entry(parent).or_default().push(index),
                None => root = root.or(Some(index)),
            }
        }
        let mut steps = Vec::new();
        let Some(root) = root else { return steps };
        let end = request.answered.unwrap_or(self.spans[root].ended).min(self.spans[root].ended);
        let mut open = vec![(root, end)];
        while let Some((index, until)) = open.pop() {
            let mut cursor = until;
            let mut own = 0;
            let mut below: Vec<usize> = children.get(&index).cloned().unwrap_or_default();
            below.retain(|c| !matches!(self.spans[*c].of, SpanOf::Message { .. }));
            below.sort_by_key(|c| std::cmp::Reverse((self.spans[*c].ended, *c)));
            for child in below {
                let span = &self.spans[child];
                if span.ended > cursor || span.ending == SpanEnding::Open {
                    continue; // Nobody waited for it any more.
                }
                own += cursor - span.ended;
                open.push((child, span.ended));
                cursor = span.arrived;
            }
            own += cursor.saturating_sub(self.spans[index].arrived);
            steps.push(CriticalStep { id: self.span_id(request, index, 0), self_time: own as i64 });
        }
        steps
    }
}

fn status(ending: SpanEnding) -> ItemStatus {
    match ending {
        SpanEnding::Fine => ItemStatus::Ok,
        SpanEnding::Open => ItemStatus::Unset,
        _ => ItemStatus::Error,
    }
}

fn badge(ending: SpanEnding) -> Option<&'static str> {
    match ending {
        SpanEnding::Fine | SpanEnding::Failed => None,
        SpanEnding::Open => Some("open"),
        SpanEnding::Refused => Some("refused"),
        SpanEnding::TimedOut => Some("timeout"),
        SpanEnding::Lost => Some("lost"),
        SpanEnding::Dead => Some("dead letter"),
        SpanEnding::Gone => Some("gone"),
    }
}
