//! Participants, channels, operations and payloads.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{GraphNode, InteractionKind, NodeId, NodeKind};

use super::Deviation;
use super::{Bench, DeviationKind, Edit, new};
use crate::matching;
use crate::seen::Evidence;

/// What takes its interactions with it.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// Designed participants and channels that were not seen.
    pub(super) unseen: BTreeSet<String>,
    /// Observed participants and topics that are not in the design.
    pub(super) undesigned: BTreeSet<NodeId>,
}

/// Participants and channels on one side only.
pub(super) fn judge(bench: &mut Bench<'_>) -> Absent {
    let mut absent = Absent::default();
    let seen: BTreeSet<String> = bench.matching.all().map(|m| m.designed).collect();
    let (design, scope) = (bench.design, bench.scope);
    for (name, participant) in &design.participants {
        if seen.contains(name) || !scope.judges(participant.kind) {
            continue;
        }
        absent.unseen.insert(name.clone());
        let with = interactions_of(bench, name);
        let saw = match with {
            0 => format!("{name} is in the design and was not seen."),
            1 => format!("{name} is in the design and was not seen, nor the interaction it has there."),
            n => format!("{name} is in the design and was not seen, nor the {n} interactions it has there."),
        };
        bench.tell(new(DeviationKind::NotSeen, name.clone(), saw, vec![Edit::RemoveParticipant(name.clone())]));
    }
    for address in design.channels.keys().filter(|a| scope.events && !seen.contains(*a)) {
        absent.unseen.insert(address.clone());
        let saw = format!("The channel {address} is in the design; nothing was published to it or consumed from it.");
        bench.tell(new(DeviationKind::NotSeen, address.clone(), saw, vec![Edit::RemoveChannel(address.clone())]));
    }
    let nodes: Vec<&GraphNode> = bench.seen.graph.nodes.iter().collect();
    absent.undesigned = nodes.iter().filter(|n| bench.matching.of(&n.id).is_none()).map(|n| n.id.clone()).collect();
    for node in nodes {
        if absent.undesigned.contains(&node.id) && scope.judges(node.kind) {
            undesigned(bench, node, &absent.undesigned);
        }
    }
    absent
}

/// Interactions of the design that a participant has.
fn interactions_of(bench: &Bench<'_>, name: &str) -> usize {
    let own = bench
        .design
        .participants
        .get(name)
        .map_or(0, |p| p.calls.len() + p.publishes.len() + p.consumes.len() + p.uses.len());
    let others = bench.design.participants.values();
    own + others.filter(|p| p.calls.contains_key(name) || p.uses.contains(name)).count()
}

/// A participant or destination that the design does not know, with all it does.
fn undesigned(bench: &mut Bench<'_>, node: &GraphNode, others: &BTreeSet<NodeId>) {
    let name = bench.name(&node.id);
    let graph = bench.seen.graph;
    let touching = graph.edges.iter().filter(|e| e.source == node.id || e.target == node.id);
    let (mut count, mut evidence, mut said) = (0, Vec::<Evidence>::new(), Vec::new());
    let mut edits = match node.kind {
        NodeKind::Topic => {
            vec![Edit::AddChannel { address: name.clone(), system: node.id.system().map(str::to_owned) }]
        }
        _ => vec![Edit::AddParticipant(name.clone(), Box::new(crate::observed::participant(node, &name)))],
    };
    for edge in touching {
        let key = (edge.source.clone(), edge.target.clone(), edge.kind);
        evidence.extend(bench.evidence(&key));
        count += edge.stats.count;
        let other = if edge.source == node.id { &edge.target } else { &edge.source };
        said.push(verb(edge.kind, edge.source == node.id, &bench.name(other)));
        if !others.contains(other) {
            let from = bench.name(&edge.source);
            edits.push(Edit::add(edge.kind, from, bench.name(&edge.target), None));
        }
    }
    evidence.truncate(5);
    let did = said.join(", ");
    let (kind, saw) = match node.kind {
        NodeKind::Topic => {
            (DeviationKind::UndocumentedSubject, format!("{name} is no channel of the design. It {did}."))
        }
        _ if did.is_empty() => (DeviationKind::NotDesigned, format!("{name} is not in the design.")),
        _ => (DeviationKind::NotDesigned, format!("{name} is not in the design. It {did}.")),
    };
    let nodes = vec![node.id.clone()];
    bench.tell(Deviation { nodes, count, evidence, ..new(kind, name, saw, edits) });
}

fn verb(kind: InteractionKind, outgoing: bool, other: &str) -> String {
    match (kind, outgoing) {
        (InteractionKind::Call, true) => format!("calls {other}"),
        (InteractionKind::Call, false) => format!("is called by {other}"),
        (InteractionKind::Publish, true) => format!("publishes to {other}"),
        (InteractionKind::Publish, false) => format!("is published to by {other}"),
        (InteractionKind::Consume, true) => format!("is consumed by {other}"),
        (InteractionKind::Consume, false) => format!("consumes {other}"),
        (InteractionKind::Access, true) => format!("uses {other}"),
        (InteractionKind::Access, false) => format!("is used by {other}"),
    }
}

/// Operations of participants whose operations the design lists.
pub(super) fn operations(bench: &mut Bench<'_>) {
    let (design, observer) = (bench.design, bench.seen.observer);
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut told: Vec<Deviation> = Vec::new();
    for ((id, operation), sightings) in &observer.operations {
        let Some((name, p)) = bench.matching.of(id).and_then(|name| design.participants.get_key_value(name)) else {
            continue;
        };
        let servers: Vec<String> = p.servers.iter().cloned().collect();
        let used = used.entry(name).or_default();
        if let Some(designed) = matching::operation(p.operations.keys(), &servers, operation) {
            used.insert(designed.to_owned());
        } else if !p.operations.is_empty() {
            let subject = format!("{name} {operation}");
            let saw = format!("{name} answered {operation}, which the design does not list among its operations.");
            let edits = vec![Edit::AddOperation { participant: name.clone(), operation: operation.clone() }];
            told.push(Deviation {
                nodes: vec![id.clone()],
                count: sightings.count,
                evidence: sightings.evidence.clone(),
                ..new(DeviationKind::UndocumentedOperation, subject, saw, edits)
            });
        }
    }
    for (name, used) in &used {
        let Some(p) = design.participants.get(*name) else { continue };
        for operation in p.operations.keys().filter(|o| !used.contains(*o)) {
            let saw = format!("{name} offers {operation} in the design; nobody asked for it.");
            let edits = vec![Edit::RemoveOperation { participant: (*name).to_owned(), operation: operation.clone() }];
            told.push(new(DeviationKind::NotSeen, format!("{name} {operation}"), saw, edits));
        }
    }
    told.into_iter().for_each(|d| bench.tell(d));
}

/// Payloads that no schema of their channel allows.
pub(super) fn payloads(bench: &mut Bench<'_>) {
    let graph = bench.seen.graph;
    for (address, broken) in bench.seen.payloads.iter().filter(|(_, b)| b.broken > 0) {
        let mut reasons: Vec<(&String, &u64)> = broken.reasons.iter().collect();
        reasons.sort_by_key(|(reason, n)| (std::cmp::Reverse(**n), (*reason).clone()));
        let most = reasons.first().map(|(reason, _)| reason.as_str()).unwrap_or_default();
        let saw = format!(
            "{} of {} payloads on {address} break its schema; most often {most}.",
            broken.broken, broken.checked
        );
        let topics = graph.nodes.iter().filter(|n| n.kind == NodeKind::Topic);
        let nodes = topics.filter(|n| bench.matching.of(&n.id) == Some(address)).map(|n| n.id.clone()).collect();
        let evidence =
            broken.evidence.iter().map(|(at, id, row)| Evidence::Event { at: *at, id: id.clone(), row: *row });
        bench.tell(Deviation {
            nodes,
            count: broken.broken,
            evidence: evidence.collect(),
            ..new(DeviationKind::BrokenSchema, address.clone(), saw, Vec::new())
        });
    }
}
