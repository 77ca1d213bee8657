//! What was observed, taken as the design.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Design, DesignedParticipant, Graph, GraphNode, InteractionKind, LayerSource, NodeId, NodeKind};

/// Names in the design by node: short where that is enough, the same in every environment.
pub(crate) fn names(graph: &Graph) -> BTreeMap<NodeId, String> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in graph.nodes.iter().filter(|n| n.kind != NodeKind::Topic) {
        users.entry(&node.name).or_default().insert(node.id.without_environment());
    }
    let name = |node: &GraphNode| match node.kind {
        NodeKind::Topic => node.id.name().to_owned(),
        _ if users.get(node.name.as_str()).is_some_and(|u| u.len() == 1) => node.name.clone(),
        _ => node.id.without_environment().to_owned(),
    };
    graph.nodes.iter().map(|node| (node.id.clone(), name(node))).collect()
}

/// A participant as a design would have it, without its interactions.
pub(crate) fn participant(node: &GraphNode, name: &str) -> DesignedParticipant {
    let mut out = DesignedParticipant::new(node.kind);
    // A guess is no decision.
    out.layer = (node.layer_source != LayerSource::Inferred && node.kind == NodeKind::Service).then_some(node.layer);
    out.system = (node.kind == NodeKind::Backend).then(|| node.id.system().map(str::to_owned)).flatten();
    out.domain = node.domain.clone();
    out.owner = node.owner.clone();
    let id = node.id.without_environment();
    // What the name alone would not find again.
    if ![id, node.id.body(), node.id.name()].contains(&name) || node.kind == NodeKind::Backend && name != id {
        out.aliases.insert(id.to_owned());
    }
    out
}

/// The design that says what a map shows. `operations` are those that participants were asked for, `calls` those that each caller
/// asked a callee for.
pub fn observed(
    title: &str,
    graph: &Graph,
    operations: &BTreeMap<NodeId, BTreeSet<String>>,
    calls: &BTreeMap<(NodeId, NodeId), BTreeSet<String>>,
) -> Design {
    let names = names(graph);
    let name = |id: &NodeId| names.get(id).cloned();
    let mut design = Design { title: title.to_owned(), ..Design::default() };
    for node in &graph.nodes {
        let Some(name) = name(&node.id) else { continue };
        if node.kind == NodeKind::Topic {
            let channel = design.channels.entry(name).or_default();
            channel.system = node.id.system().map(str::to_owned);
            channel.owner = node.owner.clone();
            continue;
        }
        let fresh = participant(node, &name);
        let entry = design.participants.entry(name).or_insert(fresh);
        if let Some(operations) = operations.get(&node.id) {
            entry.operations.extend(operations.iter().map(|o| (o.clone(), String::new())));
        }
    }
    for edge in &graph.edges {
        let (Some(source), Some(target)) = (name(&edge.source), name(&edge.target)) else { continue };
        let who = if edge.kind == InteractionKind::Consume { &target } else { &source };
        let Some(p) = design.participants.get_mut(who) else { continue };
        match edge.kind {
            InteractionKind::Call => {
                let which = calls.get(&(edge.source.clone(), edge.target.clone())).cloned().unwrap_or_default();
                p.calls.entry(target).or_default().extend(which);
            }
            InteractionKind::Publish => drop(p.publishes.insert(target)),
            InteractionKind::Consume => drop(p.consumes.insert(source)),
            InteractionKind::Access => drop(p.uses.insert(target)),
        }
    }
    design
}
