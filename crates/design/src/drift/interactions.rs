//! Who interacts with whom, and in which style.

use std::collections::BTreeSet;

use flowglass_model::{InteractionKind, NodeId};

use super::parts::Absent;
use super::{Bench, Deviation, DeviationKind, Edit, new};
use crate::matching;

/// An interaction of the design, in its names.
type Designed = (String, String, InteractionKind);

pub(super) fn judge(bench: &mut Bench<'_>, absent: &Absent) {
    let designed = designed(bench);
    let seen = seen(bench);
    let observed: BTreeSet<Designed> = seen.iter().map(|(d, _)| d.clone()).collect();
    // What another style explains is neither missing nor undesigned.
    let mut explained: BTreeSet<Designed> = BTreeSet::new();
    styles(bench, &designed, &observed, &seen, &mut explained);
    for (interaction, edge) in &seen {
        if designed.contains(interaction) || explained.contains(interaction) || !judged(bench, interaction.2) {
            continue;
        }
        let (source, target) = (absent.undesigned.contains(&edge.0), absent.undesigned.contains(&edge.1));
        if interaction.2 == InteractionKind::Consume && !source {
            let (channel, consumer) = (&interaction.0, &interaction.1);
            let saw = format!("{consumer} consumes {channel}; the design names no such consumer.");
            let edits = match target {
                // Accepting the participant itself brings this along.
                true => Vec::new(),
                false => vec![Edit::add(interaction.2, channel.clone(), consumer.clone(), None)],
            };
            bench.tell_edge(DeviationKind::UnknownConsumer, edge.clone(), saw, edits);
        } else if !source && !target {
            let (from, to) = (&interaction.0, &interaction.1);
            let saw = match interaction.2 {
                InteractionKind::Call => format!("{from} calls {to}; the design does not say so."),
                InteractionKind::Publish => format!("{from} publishes to {to}; the design does not say so."),
                InteractionKind::Consume => format!("{to} consumes {from}; the design does not say so."),
                InteractionKind::Access => format!("{from} uses {to}; the design does not say so."),
            };
            let edits = vec![Edit::add(interaction.2, from.clone(), to.clone(), None)];
            bench.tell_edge(DeviationKind::NotDesigned, edge.clone(), saw, edits);
        }
    }
    for interaction in designed.iter().filter(|d| !observed.contains(*d) && !explained.contains(*d)) {
        let (from, to, kind) = interaction;
        if absent.unseen.contains(from) || absent.unseen.contains(to) || !judged(bench, *kind) {
            continue;
        }
        let saw = match kind {
            InteractionKind::Call => format!("{from} calls {to} in the design; it was not seen to."),
            InteractionKind::Publish => format!("{from} publishes to {to} in the design; it was not seen to."),
            InteractionKind::Consume => format!("{to} consumes {from} in the design; it was not seen to."),
            InteractionKind::Access => format!("{from} uses {to} in the design; it was not seen to."),
        };
        let nodes = ends(bench, from, to);
        let edits = vec![Edit::remove(*kind, from.clone(), to.clone(), None)];
        bench.tell(Deviation { nodes, ..new(DeviationKind::NotSeen, format!("{from} → {to}"), saw, edits) });
    }
    operations_of_calls(bench);
}

fn judged(bench: &Bench<'_>, kind: InteractionKind) -> bool {
    match kind {
        InteractionKind::Call => bench.scope.calls,
        InteractionKind::Publish | InteractionKind::Consume => bench.scope.events,
        InteractionKind::Access => bench.scope.backends,
    }
}

/// Observed nodes of two names of the design.
fn ends(bench: &Bench<'_>, from: &str, to: &str) -> Vec<NodeId> {
    let of = |name: &str| bench.matching.all().filter(|m| m.designed == name).map(|m| m.observed).collect::<Vec<_>>();
    of(from).into_iter().chain(of(to)).collect()
}

fn designed(bench: &Bench<'_>) -> BTreeSet<Designed> {
    let mut out = BTreeSet::new();
    for (name, p) in &bench.design.participants {
        out.extend(p.calls.keys().map(|c| (name.clone(), c.clone(), InteractionKind::Call)));
        out.extend(p.publishes.iter().map(|c| (name.clone(), c.clone(), InteractionKind::Publish)));
        out.extend(p.consumes.iter().map(|c| (c.clone(), name.clone(), InteractionKind::Consume)));
        out.extend(p.uses.iter().map(|b| (name.clone(), b.clone(), InteractionKind::Access)));
    }
    out
}

/// Interactions that were seen, in the design's names as far as there are any. Users are left out where the design has none.
fn seen(bench: &Bench<'_>) -> Vec<(Designed, (NodeId, NodeId, InteractionKind))> {
    let judged = |id: &NodeId| bench.scope.judges(id.kind());
    let edges = bench.seen.graph.edges.iter().filter(|e| judged(&e.source) && judged(&e.target));
    edges
        .map(|e| {
            let named = (bench.name(&e.source), bench.name(&e.target), e.kind);
            (named, (e.source.clone(), e.target.clone(), e.kind))
        })
        .collect()
}

/// Channels that lead from one participant to another.
fn ways<'s>(all: &'s BTreeSet<Designed>, from: &str, to: &str) -> Vec<&'s str> {
    let publishes = all.iter().filter(|(p, _, kind)| p == from && *kind == InteractionKind::Publish);
    let leads = |channel: &str| all.contains(&(channel.to_owned(), to.to_owned(), InteractionKind::Consume));
    publishes.map(|(_, channel, _)| channel.as_str()).filter(|channel| leads(channel)).collect()
}

/// Calls where events were designed, and events where calls were.
fn styles(
    bench: &mut Bench<'_>,
    designed: &BTreeSet<Designed>,
    observed: &BTreeSet<Designed>,
    seen: &[(Designed, (NodeId, NodeId, InteractionKind))],
    explained: &mut BTreeSet<Designed>,
) {
    for (interaction, edge) in seen.iter().filter(|((_, _, kind), _)| *kind == InteractionKind::Call) {
        let (from, to, _) = interaction;
        if designed.contains(interaction) {
            continue;
        }
        let missing = |channel: &&&str| !ways(observed, from, to).contains(*channel);
        let Some(channel) = ways(designed, from, to).iter().find(missing).map(|c| (*c).to_owned()) else { continue };
        let (publish, consume) = (
            (from.clone(), channel.clone(), InteractionKind::Publish),
            (channel.clone(), to.clone(), InteractionKind::Consume),
        );
        let saw = format!("{from} calls {to}; the design has it publish to {channel}, which {to} consumes.");
        let mut edits = vec![Edit::add(InteractionKind::Call, from.clone(), to.clone(), None)];
        for part in [&publish, &consume].into_iter().filter(|part| !observed.contains(*part)) {
            edits.push(Edit::remove(part.2, part.0.clone(), part.1.clone(), None));
        }
        // A channel that is there for nothing else goes with them.
        let others = designed.iter().any(|d| (d.0 == channel || d.1 == channel) && *d != publish && *d != consume);
        if !others {
            bench.untell(DeviationKind::NotSeen, &channel);
            edits.push(Edit::RemoveChannel(channel.clone()));
        }
        explained.extend([publish, consume, interaction.clone()]);
        bench.tell_edge(DeviationKind::OtherStyle, edge.clone(), saw, edits);
    }
    let calls = designed.iter().filter(|(_, _, kind)| *kind == InteractionKind::Call);
    for call in calls.filter(|call| !observed.contains(*call)) {
        let (from, to, _) = call;
        let undesigned = |channel: &&&str| !ways(designed, from, to).contains(*channel);
        let Some(channel) = ways(observed, from, to).iter().find(undesigned).map(|c| (*c).to_owned()) else { continue };
        let (publish, consume) = (
            (from.clone(), channel.clone(), InteractionKind::Publish),
            (channel.clone(), to.clone(), InteractionKind::Consume),
        );
        let Some((_, edge)) = seen.iter().find(|(d, _)| *d == publish) else { continue };
        let saw = format!("{from} publishes to {channel}, which {to} consumes; the design has it call {to}.");
        let edits = vec![
            Edit::remove(InteractionKind::Call, from.clone(), to.clone(), None),
            Edit::add(publish.2, publish.0.clone(), publish.1.clone(), None),
            Edit::add(consume.2, consume.0.clone(), consume.1.clone(), None),
        ];
        let edge = edge.clone();
        explained.extend([publish, consume, call.clone()]);
        let subject = format!("{from} → {to}");
        let count = bench.edge(&edge.0, &edge.1, edge.2).map_or(0, |s| s.count);
        let (evidence, nodes) = (bench.evidence(&edge), vec![edge.0.clone(), edge.1.clone()]);
        bench.tell(Deviation {
            edge: Some(edge),
            count,
            evidence,
            nodes,
            ..new(DeviationKind::OtherStyle, subject, saw, edits)
        });
    }
}

/// Calls for which the design says what is asked.
fn operations_of_calls(bench: &mut Bench<'_>) {
    let (design, observer) = (bench.design, bench.seen.observer);
    let mut told = Vec::new();
    let mut used: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    for ((caller, callee, operation), sightings) in &observer.calls {
        let (Some(from), Some(to)) = (bench.matching.of(caller), bench.matching.of(callee)) else { continue };
        let Some(which) = design.participants.get(from).and_then(|p| p.calls.get(to)).filter(|w| !w.is_empty()) else {
            continue;
        };
        pairs.insert((from.to_owned(), to.to_owned()));
        let servers: Vec<String> =
            design.participants.get(to).map(|p| p.servers.iter().cloned().collect()).unwrap_or_default();
        if let Some(designed) = matching::operation(which.iter(), &servers, operation) {
            used.insert((from.to_owned(), to.to_owned(), designed.to_owned()));
            continue;
        }
        let saw = format!("{from} asks {to} for {operation}; the design names other operations only.");
        let edits = vec![Edit::add(InteractionKind::Call, from.to_owned(), to.to_owned(), Some(operation.clone()))];
        told.push(Deviation {
            nodes: vec![caller.clone(), callee.clone()],
            edge: Some((caller.clone(), callee.clone(), InteractionKind::Call)),
            count: sightings.count,
            evidence: sightings.evidence.clone(),
            ..new(DeviationKind::NotDesigned, format!("{from} → {to} {operation}"), saw, edits)
        });
    }
    for (from, to) in &pairs {
        let which = design.participants.get(from).and_then(|p| p.calls.get(to));
        for operation in which.into_iter().flatten() {
            if used.contains(&(from.clone(), to.clone(), operation.clone())) {
                continue;
            }
            let saw = format!("{from} asks {to} for {operation} in the design; it was not seen to.");
            let edits = vec![Edit::remove(InteractionKind::Call, from.clone(), to.clone(), Some(operation.clone()))];
            let nodes = ends(bench, from, to);
            told.push(Deviation {
                nodes,
                ..new(DeviationKind::NotSeen, format!("{from} → {to} {operation}"), saw, edits)
            });
        }
    }
    told.into_iter().for_each(|d| bench.tell(d));
}
