//! A variant as a Mermaid flowchart: core systems left, users right.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::flow;
use crate::model::{Scenario, Variant};
use crate::program::participant_of;

/// The flowchart. Calls are solid arrows from caller to callee, events dotted ones through their channel.
pub fn mermaid(scenario: &Scenario, variant: &Variant) -> String {
    let design = scenario.design_of(variant);
    let mut text = String::from("flowchart RL\n");
    let names: BTreeMap<&str, usize> = design.participants.keys().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    let node = |name: &str| names.get(name).map_or("x".to_owned(), |i| format!("p{i}"));
    for workload in &design.workloads {
        let _ = writeln!(
            text,
            "    w_{}([\"{}\"])",
            super::key(&workload.name).replace(['.', '-'], "_"),
            quoted(&workload.name)
        );
    }
    for (name, participant) in &design.participants {
        let layer = participant.layer.as_deref().map_or(String::new(), |l| format!("<br/><small>{l}</small>"));
        let _ = writeln!(text, "    {}[\"{}{layer}\"]", node(name), quoted(name));
    }
    let channels: Vec<&String> =
        variant.events.values().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    for (i, channel) in channels.iter().enumerate() {
        let _ = writeln!(text, "    c{i}[/\"{}\"/]", quoted(channel));
    }
    for workload in &design.workloads {
        let from = super::key(&workload.name).replace(['.', '-'], "_");
        let _ = writeln!(text, "    w_{from} -->|{}| {}", quoted(&workload.to), node(participant_of(&workload.to)));
    }
    // One arrow for each pair, with all steps that go along it.
    let mut arrows: BTreeMap<(String, String, &str), Vec<&str>> = BTreeMap::new();
    for (caller, step) in crate::study::steps(design) {
        let (from, to) = (node(participant_of(caller)), node(participant_of(&step.operation)));
        match variant.events.get(&step.id) {
            None => arrows.entry((from, to, "-->")).or_default().push(&step.id),
            Some(channel) => {
                let middle = channels.binary_search(&channel).map_or("x".to_owned(), |i| format!("c{i}"));
                arrows.entry((from, middle.clone(), "-.->")).or_default();
                let waits = if flow::is_awaited(variant, step) { "<-.->" } else { "-.->" };
                arrows.entry((middle, to, waits)).or_default().push(&step.id);
            }
        }
    }
    for ((from, to, arrow), steps) in arrows {
        if steps.is_empty() {
            let _ = writeln!(text, "    {from} {arrow} {to}");
        } else {
            let _ = writeln!(text, "    {from} {arrow}|\"{}\"| {to}", quoted(&steps.join(", ")));
        }
    }
    text
}

/// Text that stands between quotes.
fn quoted(text: &str) -> String {
    text.replace('"', "#quot;").replace(['\n', '\r'], " ")
}
