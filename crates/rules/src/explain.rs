//! Sums to findings: what was seen and how sure it is, in words.

use std::collections::BTreeMap;

use flowglass_model::{Nanos, NodeId, Rule, Sure};
use rustc_hash::FxHashMap;

use crate::book::Rulebook;
use crate::catalogue::rule_text;
use crate::finding::Finding;
use crate::landscape::{Landscape, Who};
use crate::tally::{Key, Sum, Which};

/// What rules know of their findings besides the sums.
#[derive(Default)]
pub(crate) struct Details {
    /// The circle in words, its members, whether one request goes all round.
    pub(crate) circles: BTreeMap<Key, (String, Vec<Who>, bool)>,
    /// Reads, median age of the answer, share looked at.
    pub(crate) repeats: BTreeMap<Key, (u64, Nanos, f64)>,
    /// Which systems are written to.
    pub(crate) fan_outs: BTreeMap<Key, String>,
    /// Requests of a system API with credentials, and all.
    pub(crate) credentials: FxHashMap<Who, (u64, u64)>,
    /// The most calls in one handling.
    pub(crate) most_calls: FxHashMap<(Who, Who), u32>,
}

/// The finding of a sum; `None` when its rule is off.
pub(crate) fn finding(key: Key, sum: Sum, land: &Landscape, book: &Rulebook, details: &Details) -> Option<Finding> {
    let (which, who, other) = key;
    let severity = book.severity(which)?;
    let whos: Vec<Who> = std::iter::once(who).chain(other).collect();
    let subject: Vec<NodeId> = whos.iter().map(|w| land.get(*w).id.clone()).collect();
    let mut participants: Vec<NodeId> = subject.clone();
    participants
        .extend(details.circles.get(&key).into_iter().flat_map(|(_, round, _)| round).map(|w| land.get(*w).id.clone()));
    participants.sort();
    participants.dedup();
    let layer_guessed =
        rests_on_layers(which) && whos.iter().any(|w| land.get(*w).guessed && land.get(*w).rank().is_some());
    let estimated = (sum.weight > sum.count as f64 * 1.001).then(|| sum.weight.round() as u64);
    let (mut sure, mut doubt) = certainty(key, &sum, land, details);
    if layer_guessed && sure < Sure::Weak {
        sure = Sure::Weak;
        doubt = Some("A layer was guessed from the place in the graph; set it if it is wrong.".into());
    }
    let mut saw = saw(key, &sum, land, book, details);
    if let Some(estimated) = estimated {
        saw.push_str(&format!(" Traces are sampled: about {estimated} in all."));
    }
    let (title, area, why, advice) = texts(which, book);
    let ids: Vec<&NodeId> = subject.iter().collect();
    let waiver = book.waiver(book.id(which), &ids);
    Some(Finding {
        rule: book.id(which).to_owned(),
        title,
        area,
        severity,
        participants,
        count: sum.count,
        estimated,
        evidence: sum.evidence.into_keys().collect(),
        layer_guessed,
        sure,
        doubt,
        saw,
        why,
        advice,
        first: sum.first,
        last: sum.last,
        parts: sum.parts,
        waiver,
        subject,
    })
}

fn texts(which: Which, book: &Rulebook) -> (String, &'static str, String, String) {
    match which {
        Which::BuiltIn(rule) => {
            let text = rule_text(rule);
            (text.title.to_owned(), text.area, text.why.to_owned(), text.advice.to_owned())
        }
        Which::Own(i) => {
            let own = &book.own[i];
            let kind = if own.allowed { "Dependency that is not allowed" } else { "Forbidden dependency" };
            let because = own.rows.iter().find_map(|r| r.because.clone());
            let why = because.unwrap_or_else(|| "The settings of this workspace lay this rule down.".to_owned());
            let rows: Vec<String> =
                own.rows.iter().map(|r| format!("`{}` → `{}`", r.from.as_str(), r.to.as_str())).collect();
            let advice = match own.allowed {
                true => format!("Depend on what is allowed only ({}), or allow this too.", rows.join(", ")),
                false => format!("Remove the dependency ({}), or waive it with a reason.", rows.join(", ")),
            };
            (format!("{kind}, {}", own.name), "Own rules", why, advice)
        }
    }
}

fn rests_on_layers(which: Which) -> bool {
    let Which::BuiltIn(rule) = which else { return false };
    matches!(
        rule,
        Rule::LayerBypass
            | Rule::UpwardCall
            | Rule::LogicInSystemLayer
            | Rule::SyncWriteFanOut
            | Rule::UnauthorizedSystemCall
            | Rule::NonRfc3339Date
    )
}

fn certainty((which, who, other): Key, sum: &Sum, land: &Landscape, details: &Details) -> (Sure, Option<String>) {
    let Which::BuiltIn(rule) = which else { return (Sure::Certain, None) };
    let strong = |why: &str| (Sure::Strong, Some(why.to_owned()));
    let weak = |why: &str| (Sure::Weak, Some(why.to_owned()));
    match rule {
        Rule::Cycle => match details.circles.get(&(which, who, other)) {
            Some((.., true)) => (Sure::Certain, None),
            _ => strong(
                "The calls were seen in different requests: nobody waits for himself, but neither side stands alone.",
            ),
        },
        Rule::ReadOverEvent => {
            strong("The subject's name asks a question and a reply is waited for; what is answered is not judged.")
        }
        Rule::SyncWriteFanOut => weak(
            "Traces cannot show whether an answer was used: systems whose failures fail the caller are left out, the others may still be needed.",
        ),
        Rule::CacheableRead => weak("Whether an older answer would have done is for the owner of the data to say."),
        Rule::ChattyCalls => {
            strong("Calls of one operation were counted; a loop that must stop in between looks the same.")
        }
        Rule::UnauthorizedSystemCall => {
            let (with, all) = details.credentials.get(&other.unwrap_or(who)).copied().unwrap_or_default();
            match with * 2 >= all {
                true => strong(
                    "Judged by the request headers that spans captured; most requests of this service show credentials.",
                ),
                false => weak(
                    "Most requests of this service show no credentials: perhaps only some of its operations ask for them.",
                ),
            }
        }
        Rule::NonRfc3339Date => strong("Judged by how the value is written."),
        Rule::MissingTraceContext => (Sure::Certain, None),
        Rule::EventWithoutConsumer => match land.get(who).id.system() {
            Some("nats" | "http") if sum.count > 0 => {
                strong("A consumer without telemetry on a core subject (not stored in a stream) would not be seen.")
            }
            _ => strong("A consumer without telemetry would not be seen."),
        },
        Rule::ConsumerLag => strong("From the 95th percentile of all waits; which messages they were is not kept."),
        _ => (Sure::Certain, None),
    }
}

/// `a, b and 3 more`.
fn listed(names: &[&str], shown: usize) -> String {
    let head = names.iter().take(shown).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(shown) {
        0 => head,
        more => format!("{head} and {more} more"),
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn saw((which, who, other): Key, sum: &Sum, land: &Landscape, book: &Rulebook, details: &Details) -> String {
    let key = (which, who, other);
    let me = land.name(who);
    let it = other.map_or("", |o| land.name(o));
    let names = sum.names();
    let operations = if names.is_empty() { String::new() } else { format!(" ({})", listed(&names, 3)) };
    let n = sum.count;
    let Which::BuiltIn(rule) = which else {
        let Which::Own(i) = which else { return String::new() };
        return format!("{me} depends on {it}, {}{operations}: rule `{}`.", times(n), book.own[i].name);
    };
    let layer = |w: Who| land.get(w).layer.as_str();
    match rule {
        Rule::LayerBypass => format!("{me} (experience) called {it} (system) directly, {}{operations}.", times(n)),
        Rule::UpwardCall => {
            let o = other.unwrap_or(who);
            format!("{me} ({}) called {it} ({}), {}{operations}.", layer(who), layer(o), times(n))
        }
        Rule::Cycle => {
            let round = details.circles.get(&key).map_or("", |c| c.0.as_str());
            format!("{round}: the circle is closed by {me} calling {it}, {}{operations}.", times(n))
        }
        Rule::LogicInSystemLayer => format!("{}: {}.", counted(n, "handling", "handlings"), listed(&names, 3)),
        Rule::ReadOverEvent => {
            let from = if other.is_some() { me } else { "Somebody" };
            format!(
                "{from} asked {} over the event system and waited for the reply{operations}.",
                counted(n, "question", "questions")
            )
        }
        Rule::SyncWriteFanOut => {
            let told = details.fan_outs.get(&key).map_or("", String::as_str);
            format!("{}{operations}: {me} {told}.", counted(n, "write", "writes"))
        }
        Rule::CacheableRead => {
            let (reads, age, looked_at) = details.repeats.get(&key).copied().unwrap_or((n, 0, 1.0));
            let share = n as f64 / reads.max(1) as f64 * 100.0;
            let part = if looked_at < 1.0 {
                format!(" Looked at {:.1} % of the questions.", looked_at * 100.0)
            } else {
                String::new()
            };
            format!(
                "{n} of {reads} reads of {it} by {me} ({share:.0} %) repeated an earlier one{operations}; the answer was {:.1} s old (median), and nothing was written to it in between.{part}",
                age as f64 / 1e9
            )
        }
        Rule::ChattyCalls => {
            let most = details.most_calls.get(&(who, other.unwrap_or(who))).copied().unwrap_or(0);
            format!(
                "{me} asked {it} up to {most} times in one handling, in {}{operations}.",
                counted(n, "handling", "handlings")
            )
        }
        Rule::UnauthorizedSystemCall => {
            let callee = other.unwrap_or(who);
            let (with, all) = details.credentials.get(&callee).copied().unwrap_or_default();
            let by = if other.is_some() { me } else { "an unknown caller" };
            format!(
                "{} was called by {by} without credentials, {}{operations}. Of {all} requests it answered, {with} carried some.",
                land.name(callee),
                times(n)
            )
        }
        Rule::NonRfc3339Date => {
            let what = if other.is_some() { ("message", "messages") } else { ("payload", "payloads") };
            let on = if it.is_empty() { String::new() } else { format!(" on {it}") };
            format!(
                "{} of {me}{on} with a date of one place or channel: {}.",
                counted(n, what.0, what.1),
                listed(&names, 3)
            )
        }
        Rule::MissingTraceContext => {
            let by = if other.is_some() { format!(" by {me}") } else { String::new() };
            let topic = if other.is_some() { it } else { me };
            format!("{} published{by} to {topic} without trace context{operations}.", counted(n, "message", "messages"))
        }
        Rule::EventWithoutConsumer => {
            let publishers: Vec<&str> =
                land.publishers(who).iter().filter(|p| **p != who).map(|p| land.name(*p)).collect();
            let by = if publishers.is_empty() { String::new() } else { format!(" by {}", listed(&publishers, 3)) };
            format!("{} published to {me}{by}, and nobody was seen to consume from it.", counted(n, "event", "events"))
        }
        Rule::DeadLettered => match other {
            Some(_) => format!("{} of {me} given up at {it}.", counted(n, "message", "messages")),
            None => format!("{} went to {me}.", counted(n, "message", "messages")),
        },
        Rule::Redelivered => {
            let at = if it.is_empty() { String::new() } else { format!(" to {it}") };
            format!("{} of {me} delivered{at} more than once.", counted(n, "message", "messages"))
        }
        Rule::DuplicateEvent => {
            let by = if other.is_some() { format!("{me} published ") } else { String::new() };
            let topic = if other.is_some() { it } else { me };
            format!("{by}{} to {topic} again with the same id{operations}.", counted(n, "event", "events"))
        }
        Rule::ConsumerLag => {
            format!("One in twenty messages of {me} waited {} or longer for {it}: {n} or more.", listed(&names, 1))
        }
    }
}
