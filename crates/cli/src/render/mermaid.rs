//! Mermaid text: a flow chart with one subgraph per layer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flowglass_studio::layer_title;
use flowglass_studio::model::{EdgeStats, Graph, InteractionKind, Layer, NodeKind};

use super::grouped;

/// The map as a Mermaid flow chart: core systems left, callers right, message flows dotted.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let names: BTreeMap<_, _> = graph.nodes.iter().enumerate().map(|(i, n)| (&n.id, format!("n{i}"))).collect();
    let mut out = String::from("flowchart RL\n");
    for layer in Layer::ALL {
        let members: Vec<_> = graph.nodes.iter().filter(|n| n.layer == layer).collect();
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(out, "  subgraph {}[\"{}\"]", layer.as_str(), escaped(layer_title(layer)));
        for node in members {
            let (open, close) = match node.kind {
                NodeKind::Topic => ("([", "])"),
                NodeKind::Backend => ("[(", ")]"),
                NodeKind::Service | NodeKind::External | NodeKind::Consumer => ("[", "]"),
            };
            let _ = writeln!(out, "    {}{open}\"{}\"{close}", names[&node.id], escaped(&node.name));
        }
        out.push_str("  end\n");
    }
    for edge in &graph.edges {
        let (Some(source), Some(target)) = (names.get(&edge.source), names.get(&edge.target)) else { continue };
        let arrow = match edge.kind {
            InteractionKind::Publish | InteractionKind::Consume => "-.->",
            InteractionKind::Call | InteractionKind::Access => "-->",
        };
        let _ = writeln!(out, "  {source} {arrow}|\"{}\"| {target}", figures(&edge.stats));
    }
    out
}

fn figures(stats: &EdgeStats) -> String {
    match stats.errors {
        0 => grouped(stats.count),
        1 => format!("{} (1 error)", grouped(stats.count)),
        n => format!("{} ({} errors)", grouped(stats.count), grouped(n)),
    }
}

/// Text inside double quotes, by Mermaid's entity codes (a leading backtick would start Markdown).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
