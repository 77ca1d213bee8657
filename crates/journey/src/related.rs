//! Journeys that seem to belong together though no context says so: the same correlation id, or the same business key on a
//! destination that one published to and the other handled shortly after. They stay apart, in lists and figures too; what
//! relates them is told with how sure that is.

use flowglass_model::{CORRELATION_KEYS, JourneySummary, LinkHow, Nanos, Relation};

/// Journeys that one value may stand in; what more share tells nothing about any one of them.
pub const SHARED_BY: usize = 20;
/// How long after the other's start a handling may begin to be taken for its effect, nanoseconds: an hour.
const WINDOW: i64 = 3_600_000_000_000;
/// How much earlier it may seem to begin, clocks being what they are, nanoseconds.
const CLOCKS: i64 = 5_000_000_000;

/// How `others`, which carry the value of a key of `own` too, relate to it. `shared_by` is in how many journeys the value was
/// found; more than [`SHARED_BY`] make it a hub, and none is related by it.
pub fn relate(
    own: &JourneySummary,
    (name, value): (&str, &str),
    others: &[JourneySummary],
    shared_by: usize,
) -> Vec<Relation> {
    if shared_by > SHARED_BY || value.is_empty() {
        return Vec::new();
    }
    let others = others.iter().filter(|o| o.id != own.id);
    let mut out: Vec<Relation> = others.filter_map(|other| relation(own, name, value, other)).collect();
    out.sort_by_key(|r| r.journey);
    out.dedup_by_key(|r| r.journey);
    out
}

fn relation(own: &JourneySummary, name: &str, value: &str, other: &JourneySummary) -> Option<Relation> {
    if CORRELATION_KEYS.contains(&name) {
        let because = format!("both carry {name} {value}");
        return Some(Relation {
            journey: other.id,
            how: LinkHow::CorrelationId,
            sure: LinkHow::CorrelationId.sure(),
            because,
        });
    }
    let topic = caused(own, other).or_else(|| caused(other, own))?;
    let because = format!("both carry {name} {value}, and one handled {topic} after the other had published to it");
    Some(Relation { journey: other.id, how: LinkHow::Inferred, sure: LinkHow::Inferred.sure(), because })
}

/// The topic by which the first may have caused the second: published there, handled here without a sender, soon enough.
fn caused(first: &JourneySummary, second: &JourneySummary) -> Option<String> {
    let publishes = |j: &JourneySummary, topic| j.effects.iter().any(|e| e.topic == topic && e.handled_by.is_none());
    let handled = second.effects.iter().filter(|e| e.handled_by.is_some()).map(|e| e.topic.clone());
    let mut unsent = handled.filter(|t| !publishes(second, t.clone()) && publishes(first, t.clone()));
    in_time(first.start, second.start).then(|| unsent.next().map(|t| t.name().to_owned())).flatten()
}

pub(crate) fn in_time(first: Nanos, second: Nanos) -> bool {
    (-CLOCKS..WINDOW).contains(&second.saturating_sub(first))
}
