//! Mermaid text: a flow chart with one subgraph per layer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flowglass_model::Layer;

use super::route::is_event;
use super::{Caption, grouped};
use crate::api::{Figures, TopologyView};
use crate::words::layer_title;

/// The map as a Mermaid flow chart: core systems left, callers right, message flows dotted. With a title it begins with front
/// matter, which Mermaid draws as a heading.
pub fn mermaid(view: &TopologyView, caption: &Caption) -> String {
    let names: BTreeMap<&str, String> =
        view.nodes.iter().enumerate().map(|(i, n)| (n.id.as_str(), format!("n{i}"))).collect();
    let mut out = String::new();
    if !caption.title.is_empty() {
        let parts = [caption.title.as_str(), caption.range.as_str()];
        let title = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
        let _ = writeln!(out, "---\ntitle: {}\n---", serde_json::Value::from(title));
    }
    out.push_str("flowchart RL\n");
    for layer in Layer::ALL {
        let members: Vec<_> = view.nodes.iter().filter(|n| n.layer == layer.as_str()).collect();
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(out, "  subgraph {}[\"{}\"]", layer.as_str(), escaped(layer_title(layer)));
        for node in members {
            let (open, close) = match node.kind.as_str() {
                "topic" => ("([", "])"),
                "backend" => ("[(", ")]"),
                "group" => ("[[", "]]"),
                _ => ("[", "]"),
            };
            let _ = writeln!(out, "    {}{open}\"{}\"{close}", names[node.id.as_str()], escaped(&node.name));
        }
        out.push_str("  end\n");
    }
    for edge in &view.edges {
        let (Some(source), Some(target)) = (names.get(edge.source.as_str()), names.get(edge.target.as_str())) else {
            continue;
        };
        let arrow = if is_event(&edge.kind) { "-.->" } else { "-->" };
        let _ = writeln!(out, "  {source} {arrow}|\"{}\"| {target}", figures(&edge.figures));
    }
    out
}

fn figures(figures: &Figures) -> String {
    match figures.errors {
        0 => grouped(figures.count),
        1 => format!("{} (1 error)", grouped(figures.count)),
        n => format!("{} ({} errors)", grouped(figures.count), grouped(n)),
    }
}

/// Text inside double quotes, by Mermaid's entity codes (a leading backtick would start Markdown).
pub(crate) fn escaped(text: &str) -> String {
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
