//! Text for a ticket: what failed, where and why, first; then the facts, the way of the request, the diagram.

use std::fmt::Write as _;

use super::Story;
use super::html::made;
use super::mermaid::sequence;
use super::text::{clock, duration, instant, item, keys, plain, short, state, title, wait};
use crate::api::{Item, JourneyView};
use crate::notes::about_journey;

/// Lines of the way of a request at most.
const LINES: usize = 60;
/// Waits told at most.
const WAITS: usize = 20;

/// The ticket.
pub(super) fn ticket(story: &Story) -> String {
    let mut out = story.journeys.iter().map(|j| one(story, j)).collect::<Vec<_>>().join("\n");
    let _ = writeln!(out, "\n_{}_", escaped(&made(story)));
    out
}

fn one(story: &Story, journey: &JourneyView) -> String {
    let row = &journey.row;
    let mut out = format!("# {}\n\n**{}** · {}\n", escaped(&title(journey)), state(&row.state), instant(row.start_at));
    if let Some(words) = &row.failure {
        let _ = writeln!(out, "\n> {}", escaped(words));
    }
    if let Some(failure) = &journey.failure {
        let _ = writeln!(out, "\n- First failure: **{}**", escaped(&failure.participant_name));
        if !row.failure.as_ref().is_some_and(|words| words.starts_with(&failure.cause)) {
            let _ = writeln!(out, "- Cause: {}", escaped(&failure.cause));
        }
        if let Some(line) = &failure.logged {
            let _ = writeln!(out, "- It logged: {}", escaped(line));
        }
        if row.state == "failed" {
            let _ = writeln!(out, "- For the customer: {}", escaped(&failure.for_customer));
        }
        let way = failure.chain.iter().filter_map(|uid| item(journey, uid));
        let way: Vec<String> = way.map(|i| escaped(&format!("{} {}", i.participant_name, i.name))).collect();
        if way.len() > 1 {
            let _ = writeln!(out, "- From there to the caller: {}", way.join(" → "));
        }
        if let Some(owner) = story.owners.get(&failure.participant) {
            let told = [Some(&owner.owner), owner.contact.as_ref(), owner.runbook.as_ref()];
            let told: Vec<String> = told.into_iter().flatten().map(|t| escaped(t)).collect();
            let _ = writeln!(out, "- Owner: {}", told.join(", "));
        }
    }
    out.push_str("\n| | |\n| --- | --- |\n");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(out, "| {} | {} |", escaped(name), escaped(value));
    };
    fact("Journey", &row.id);
    for (name, value) in keys(journey) {
        fact(name, value);
    }
    fact("Response", &duration(row.response_ms));
    fact("Settled", &duration(row.settled_ms));
    fact("Parts", &format!("{} spans, {} events, {} services", row.spans, row.events, row.services));
    waits(journey, &mut out);
    for note in story.notes.iter().filter(|n| n.about == about_journey(&row.id) && !n.text.is_empty()) {
        out.push_str("\n## Note\n\n");
        note.text.lines().for_each(|line| {
            let _ = writeln!(out, "> {}", escaped(line));
        });
    }
    out.push_str("\n## What happened\n\n");
    let (told, left_out) = way(journey);
    told.iter().for_each(|i| out.push_str(&line(i)));
    if left_out > 0 {
        let _ = writeln!(out, "- … and {left_out} more");
    }
    let _ = write!(out, "\n```mermaid\n{}```\n", sequence(journey));
    out
}

/// The longest waits for messages.
fn waits(journey: &JourneyView, out: &mut String) {
    let mut gaps: Vec<_> = journey.gaps.iter().collect();
    gaps.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms));
    if gaps.is_empty() {
        return;
    }
    out.push_str("\n## Waits\n\n| Waited | Where | From | How long |\n| --- | --- | --- | ---: |\n");
    for gap in gaps.iter().take(WAITS) {
        let (name, from) = (escaped(&gap.participant_name), clock(gap.start_at));
        let _ = writeln!(out, "| {} | {name} | {from} | {} |", wait(&gap.kind), duration(Some(gap.duration_ms)));
    }
    if gaps.len() > WAITS {
        let _ = writeln!(out, "\n{} shorter waits are left out.", gaps.len() - WAITS);
    }
}

/// Failed items, the critical path and events: what tells the story in few lines; in order of time.
fn way(journey: &JourneyView) -> (Vec<&Item>, usize) {
    let tells = |i: &&Item| i.status == "error" || i.critical || i.role == "event" || i.parent.is_none();
    let mut items: Vec<&Item> = journey.items.iter().filter(tells).collect();
    items.sort_by(|a, b| a.start_at.total_cmp(&b.start_at));
    let left_out = items.len().saturating_sub(LINES);
    items.truncate(LINES);
    (items, left_out)
}

fn line(item: &Item) -> String {
    let mark = if item.status == "error" { "❌ " } else { "" };
    let mut out = format!(
        "- `{}` {mark}**{}** {}",
        clock(item.start_at),
        escaped(&item.participant_name),
        escaped(&short(&item.name, 120))
    );
    if item.role != "event" {
        let _ = write!(out, ", {}", duration(Some(item.duration_ms)));
    }
    if let Some(badge) = &item.badge {
        let _ = write!(out, " ({})", escaped(badge));
    }
    if let Some(n) = item.delivery.filter(|n| *n > 1) {
        let _ = write!(out, " delivery {n}");
    }
    out + "\n"
}

/// Text that Markdown shows as it is: every character with a meaning is escaped (CommonMark, backslash escapes), HTML and
/// mentions of people are defused.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner keeps trackers from telling people that they were mentioned.
            '@' => out.push_str("@\u{2060}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // Addresses become links by themselves.
    out.replace("://", ":\u{2060}//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(
            escaped("<img src=x> | [a](b) `c` @all\n# x"),
            "&lt;img src=x&gt; \\| \\[a\\](b) \\`c\\` @\u{2060}all \\# x"
        );
        assert_eq!(escaped("https://x.example"), "https:\u{2060}//x.example");
    }
}
