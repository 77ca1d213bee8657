//! Model types as text.

use std::collections::BTreeMap;

use flowglass_model::{Delta, Graph, SeriesKey, TraceJoin};

fn key_text(key: &SeriesKey) -> String {
    match key {
        SeriesKey::Edge { kind, source, target } => format!("{} {source} -> {target}", kind.as_str()),
        // By operation only where somebody asks for it: an entry is an edge.
        SeriesKey::Entry { source, target, .. } => format!("call {source} -> {target}"),
        SeriesKey::Operation { participant, operation } => format!("operation {participant} {operation}"),
        SeriesKey::Address { address, participant } => format!("address {address} = {participant}"),
        SeriesKey::Group { topic, group, participant } => format!("group {topic} {group} = {participant}"),
        SeriesKey::Delivered { topic, consumer } => format!("delivered {topic} to {consumer}"),
        SeriesKey::Unresolved { participant, reason } => format!("unresolved {participant} {reason:?}"),
        SeriesKey::Declared { participant, layer } => format!("declared {participant} {layer}"),
        SeriesKey::Version { participant, version } => format!("version {participant} {version}"),
    }
}

/// One line per series, sorted: key, count, errors if any, durations in milliseconds if any.
pub fn render_deltas(deltas: &[Delta]) -> String {
    let mut sums: BTreeMap<String, (i64, i64, Vec<i64>)> = BTreeMap::new();
    for d in deltas {
        let sum = sums.entry(key_text(&d.key)).or_default();
        sum.0 += d.count;
        sum.1 += if d.error { d.count } else { 0 };
        sum.2.extend(d.duration.map(|nanos| nanos / 1_000_000));
    }
    let mut out = String::new();
    for (key, (count, errors, mut times)) in sums {
        times.sort_unstable();
        out.push_str(&format!("{key} {count}"));
        if errors != 0 {
            out.push_str(&format!(" err={errors}"));
        }
        if !times.is_empty() {
            let times: Vec<String> = times.iter().map(|t| format!("{t}ms")).collect();
            out.push_str(&format!(" {}", times.join(",")));
        }
        out.push('\n');
    }
    out
}

/// One line per join, in the order given.
pub fn render_joins(joins: &[TraceJoin]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\u{1}').to_owned();
    joins
        .iter()
        .map(|j| {
            let (parent, child) = (text(j.parent_span.as_bytes()), text(j.child_span.as_bytes()));
            let (from, to) = (text(j.parent_trace.as_bytes()), text(j.child_trace.as_bytes()));
            format!("{from}.{parent} -> {to}.{child} {}\n", j.how.as_str())
        })
        .collect()
}

/// Nodes with layers and edges with counts, one line each.
pub fn render_graph(graph: &Graph) -> String {
    let mut out = String::new();
    for node in &graph.nodes {
        out.push_str(&format!("{} [{}]\n", node.id, node.layer.as_str()));
    }
    for edge in &graph.edges {
        let errors = if edge.stats.errors > 0 { format!(" err={}", edge.stats.errors) } else { String::new() };
        out.push_str(&format!(
            "{} {} -> {} {}{errors}\n",
            edge.kind.as_str(),
            edge.source,
            edge.target,
            edge.stats.count
        ));
    }
    for u in &graph.unresolved {
        out.push_str(&format!("unresolved {} {:?} {}\n", u.participant, u.reason, u.count));
    }
    out
}
