//! What a workspace tells of the steps of a scenario: facts that count before those of the file.

use flowglass_model::{Graph, GraphEdge, InteractionKind, NodeId};

use super::{Fact, Facts};
use crate::model::Scenario;
use crate::program::participant_of;

/// Facts from the map of a workspace over so many seconds. Participants are services of the same name, channels topics of the same
/// name; a step of which nothing was seen gets none.
pub fn observed(graph: &Graph, seconds: f64, scenario: &Scenario) -> Facts {
    let mut facts = Facts::new();
    for (caller, step) in crate::study::steps(&scenario.design) {
        let mut of_step = Vec::new();
        let channel = scenario.variants.iter().find_map(|v| v.events.get(&step.id));
        let consumers = channel
            .map_or(0, |channel| edges(graph, InteractionKind::Consume).filter(|e| is(&e.source, channel)).count());
        if let Some(channel) = channel.filter(|_| consumers > 0) {
            let points = match consumers {
                1 => -1.0,
                2 => 1.0,
                _ => 2.0,
            };
            let evidence = format!("{consumers} services were seen to consume {channel}");
            of_step.push(Fact { criterion: "W1".to_owned(), points, evidence });
        }
        let (from, to) = (participant_of(caller), participant_of(&step.operation));
        let calls: u64 = edges(graph, InteractionKind::Call)
            .filter(|e| is(&e.source, from) && is(&e.target, to))
            .map(|e| e.stats.count)
            .sum();
        if calls > 0 && seconds > 0.0 {
            let rate = calls as f64 / seconds;
            let points = if rate >= 1000.0 { 1.0 } else { 0.0 };
            let evidence = format!("{rate:.1} calls of {to} by {from} a second were seen (n = {calls})");
            of_step.push(Fact { criterion: "W17".to_owned(), points, evidence });
        }
        if !of_step.is_empty() {
            facts.insert(step.id.clone(), of_step);
        }
    }
    facts
}

fn edges(graph: &Graph, kind: InteractionKind) -> impl Iterator<Item = &GraphEdge> {
    graph.edges.iter().filter(move |e| e.kind == kind)
}

fn is(node: &NodeId, name: &str) -> bool {
    node.name() == name
}
