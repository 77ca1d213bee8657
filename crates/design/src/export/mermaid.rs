//! A design as a Mermaid flowchart: core systems left, users right.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flowglass_model::{Design, NodeKind};

/// The flowchart. Calls are solid arrows from caller to callee, events dotted ones through their channel.
pub fn mermaid(design: &Design) -> String {
    let mut text = String::from("flowchart RL\n");
    let ids: BTreeMap<&str, String> =
        design.participants.keys().enumerate().map(|(i, name)| (name.as_str(), format!("p{i}"))).collect();
    let mut addresses: Vec<&String> = design.channels.keys().collect();
    addresses.extend(design.participants.values().flat_map(|p| p.publishes.iter().chain(&p.consumes)));
    addresses.sort();
    addresses.dedup();
    let channels: BTreeMap<&str, String> =
        addresses.iter().enumerate().map(|(i, address)| (address.as_str(), format!("c{i}"))).collect();
    for (name, p) in &design.participants {
        let (open, close) = match p.kind {
            NodeKind::Backend => ("[(", ")]"),
            NodeKind::Consumer => ("([", "])"),
            NodeKind::External => ("[[", "]]"),
            _ => ("[", "]"),
        };
        let layer = p.layer.map_or(String::new(), |l| format!("<br/><small>{}</small>", l.as_str()));
        let _ = writeln!(text, "    {}{open}\"{}{layer}\"{close}", ids[name.as_str()], quoted(name));
    }
    for (address, id) in &channels {
        let _ = writeln!(text, "    {id}[/\"{}\"/]", quoted(address));
    }
    for (name, p) in &design.participants {
        let from = &ids[name.as_str()];
        for to in p.calls.keys().chain(&p.uses).filter_map(|c| ids.get(c.as_str())) {
            let _ = writeln!(text, "    {from} --> {to}");
        }
        for to in p.publishes.iter().filter_map(|c| channels.get(c.as_str())) {
            let _ = writeln!(text, "    {from} -.-> {to}");
        }
        for channel in p.consumes.iter().filter_map(|c| channels.get(c.as_str())) {
            let _ = writeln!(text, "    {channel} -.-> {from}");
        }
    }
    text
}

/// Text that stands between quotes.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "#quot;").replace(['\n', '\r'], " ")
}
