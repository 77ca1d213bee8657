//! Mermaid text: a sequence diagram by participant.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Story;
use super::text::{duration, plain, short, state, title};
use crate::api::{Item, JourneyView};
use crate::render::mermaid_text as escaped;

/// Messages of one diagram at most: beyond that nobody can read it.
const MESSAGES: usize = 400;

/// One diagram per journey, one behind the other.
pub(super) fn sequences(story: &Story) -> String {
    story.journeys.iter().map(sequence).collect::<Vec<_>>().join("\n")
}

/// A message between two participants.
struct Message<'a> {
    from: &'a str,
    to: &'a str,
    arrow: &'static str,
    words: String,
}

/// The journey as a sequence diagram: calls as solid arrows, messages as open dashed ones, failures crossed.
pub(super) fn sequence(journey: &JourneyView) -> String {
    let items: BTreeMap<&str, &Item> = journey.items.iter().map(|i| (i.uid.as_str(), i)).collect();
    let links: BTreeMap<&str, &str> = journey.links.iter().map(|l| (l.to.as_str(), l.from.as_str())).collect();
    let mut messages = Vec::new();
    for item in &journey.items {
        let cause = item.parent.as_deref().or(links.get(item.uid.as_str()).copied()).and_then(|p| items.get(p));
        let Some(cause) = cause.filter(|c| c.participant != item.participant) else { continue };
        messages.push((item.start_at, message(cause, item)));
    }
    messages.sort_by(|a, b| a.0.total_cmp(&b.0));
    let left_out = messages.len().saturating_sub(MESSAGES);
    messages.truncate(MESSAGES);

    let mut names: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let mut participants = String::new();
    for item in journey.items.iter().filter(|i| i.parent.is_none()).take(1).chain(&journey.items) {
        if names.contains_key(item.participant.as_str()) {
            continue;
        }
        let used = messages.iter().any(|(_, m)| m.from == item.participant || m.to == item.participant);
        if used || order.is_empty() {
            let n = order.len();
            order.push(&item.participant);
            names.insert(&item.participant, (n, item.participant_name.clone()));
            let kind = if item.role == "event" { "queue " } else { "" };
            let name = escaped(&plain(&short(&item.participant_name, 80))).replace(';', "#59;");
            let _ = writeln!(participants, "  participant p{n} as {kind}{name}");
        }
    }
    let mut out = format!("---\ntitle: {}\n---\nsequenceDiagram\n", serde_json::Value::from(plain(&title(journey))));
    out.push_str(&participants);
    for (_, m) in &messages {
        let (Some((from, _)), Some((to, _))) = (names.get(m.from), names.get(m.to)) else { continue };
        let _ = writeln!(out, "  p{from}{}p{to}: {}", m.arrow, m.words);
    }
    let last = order.len().saturating_sub(1);
    let words = format!("{}, {}", state(&journey.row.state), duration(journey.row.settled_ms));
    let _ = writeln!(out, "  Note over p0,p{last}: {words}");
    if left_out > 0 {
        let _ = writeln!(out, "  Note over p0,p{last}: {left_out} more messages are not drawn");
    }
    out
}

fn message<'a>(cause: &'a Item, item: &'a Item) -> Message<'a> {
    let by_event = item.role == "event" || cause.role == "event" || item.role == "consumer";
    let failed = item.status == "error";
    let arrow = match (by_event, failed) {
        (false, false) => "->>",
        (false, true) => "-x",
        (true, false) => "--)",
        (true, true) => "--x",
    };
    let mut words = escaped(&plain(&short(&item.name, 80))).replace(';', "#59;");
    if let Some(n) = item.delivery.filter(|n| *n > 1) {
        let _ = write!(words, " (delivery {n})");
    }
    if item.duration_ms > 0.0 {
        let _ = write!(words, " · {}", duration(Some(item.duration_ms)));
    }
    if let Some(badge) = &item.badge {
        let _ = write!(words, " · {}", escaped(&plain(badge)).replace(';', "#59;"));
    }
    Message { from: &cause.participant, to: &item.participant, arrow, words }
}
