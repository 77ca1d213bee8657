//! What a workspace tells of the steps of a scenario: facts that count before those of the file.
//!
//! Participants are services of the same name, channels topics of the same name, operations narrow it where their names are met; a
//! step of which nothing was seen gets no facts. Each fact says how many observations it rests on, and too few give none.

mod calls;
mod messages;

use flowglass_model::{Graph, GraphEdge, InteractionKind, NodeId};

use super::{Fact, Facts};
use crate::calibrate::Seen;
use crate::calibrate::handlings::{Asked, Handled};
use crate::calibrate::names::slug;
use crate::model::{Do, Scenario};
use crate::program::participant_of;

/// What was observed.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The map.
    pub graph: &'a Graph,
    /// The time it was added up over, seconds.
    pub seconds: f64,
    /// Spans of journeys; the newest ones are enough.
    pub spans: &'a [Seen],
}

/// Who asks whom for what, and where it is published.
struct Pair<'s> {
    step: &'s Do,
    /// Participants.
    from: &'s str,
    to: &'s str,
    /// Name of the operation that is asked for, without its participant.
    operation: &'s str,
    channel: Option<&'s str>,
}

/// Facts of the steps of a scenario, by step id.
pub fn observed(evidence: &Evidence<'_>, scenario: &Scenario) -> Facts {
    let handled = Handled::new(evidence.spans);
    let mut facts = Facts::new();
    for (caller, step) in crate::study::steps(&scenario.design) {
        let pair = Pair {
            step,
            from: participant_of(caller),
            to: participant_of(&step.operation),
            operation: step.operation.split_once('.').map_or("", |(_, operation)| operation),
            channel: scenario.variants.iter().find_map(|v| v.events.get(&step.id)).map(String::as_str),
        };
        let mut of_step = of_map(evidence, &pair);
        of_step.extend(calls::facts(&handled, scenario, &pair));
        of_step.extend(messages::facts(evidence, &handled, &pair));
        if !of_step.is_empty() {
            facts.insert(step.id.clone(), of_step);
        }
    }
    facts
}

/// What the map tells.
fn of_map(evidence: &Evidence<'_>, pair: &Pair<'_>) -> Vec<Fact> {
    let mut found = Vec::new();
    let graph = evidence.graph;
    let consumers = pair
        .channel
        .map_or(0, |channel| edges(graph, InteractionKind::Consume).filter(|e| is(&e.source, channel)).count());
    if let Some(channel) = pair.channel.filter(|_| consumers > 0) {
        let (points, services) = match consumers {
            1 => (-1.0, "1 service was".to_owned()),
            2 => (1.0, "2 services were".to_owned()),
            n => (2.0, format!("{n} services were")),
        };
        found.push(fact("W1", points, format!("{services} seen to consume {channel}")));
    }
    let between = edges(graph, InteractionKind::Call).filter(|e| is(&e.source, pair.from) && is(&e.target, pair.to));
    let calls: u64 = between.map(|e| e.stats.count).sum();
    if calls > 0 && evidence.seconds > 0.0 {
        let rate = calls as f64 / evidence.seconds;
        let points = if rate >= 1000.0 { 1.0 } else { 0.0 };
        let evidence = format!("{rate:.1} calls of {} by {} a second were seen (n = {calls})", pair.to, pair.from);
        found.push(fact("W17", points, evidence));
    }
    found
}

fn fact(criterion: &str, points: f64, evidence: String) -> Fact {
    Fact { criterion: criterion.to_owned(), points, evidence }
}

fn edges(graph: &Graph, kind: InteractionKind) -> impl Iterator<Item = &GraphEdge> {
    graph.edges.iter().filter(move |e| e.kind == kind)
}

/// Whether a node is what a scenario calls by this name.
fn is(node: &NodeId, name: &str) -> bool {
    node.name() == name || slug(node.name()) == name
}

/// Of what a participant was asked for, whether this is the operation a scenario means; any is where none has its name.
fn means<'a>(asked: impl Iterator<Item = &'a Asked>, participant: &str, operation: &str) -> impl Fn(&Asked) -> bool {
    let named = |a: &Asked| is(&a.0, participant) && slug(&a.1) == operation;
    let narrow = asked.into_iter().any(named);
    move |a| is(&a.0, participant) && (!narrow || slug(&a.1) == operation)
}
