//! Sets of events that are found from what became of them: refused, delivered again, given up. They are few, so that a page over
//! much of the time begins with them.

use flowglass_model::Nanos;
use flowglass_model::filter::{Field, Term, Test};
use rusqlite::Connection;

use crate::EventFilter;
use crate::event_page::Where;
use crate::events::{events_of, given_up};
use crate::fault::Inner;

/// Whether a range covers at least a tenth of the time of what is stored.
pub(crate) fn is_wide(conn: &Connection, f: &EventFilter) -> Inner<bool> {
    let mut ends = conn.prepare_cached("SELECT (SELECT min(time) FROM message), (SELECT max(time) FROM message)")?;
    let (oldest, newest): (Option<Nanos>, Option<Nanos>) = ends.query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let Some((oldest, newest)) = oldest.zip(newest) else { return Ok(false) };
    let (since, until) = (f.since.unwrap_or(oldest).max(oldest), f.until.unwrap_or(newest).min(newest));
    Ok(until.saturating_sub(since) >= newest.saturating_sub(oldest) / 10)
}

/// Ids of all events that a term means, as a query that begins with what became of them; `None` where that says nothing.
pub(crate) fn set(w: &mut Where, f: &EventFilter, term: &Term) -> Option<String> {
    let Test::Is(field, values) = &term.test else { return None };
    let word = |word: &str| values.iter().any(|v| v.matches_folded(word));
    if term.negated {
        return None;
    }
    let refused = || {
        let of = "settlement s CROSS JOIN delivery d ON d.stream = s.stream AND d.consumer = s.consumer
            AND d.consumer_sequence = s.consumer_sequence";
        events_of(of, "s.acknowledgement IN (2, 3)")
    };
    let again = || events_of("delivery d", "d.delivered > 1");
    let parts = match field {
        Field::Retried if word("true") && !word("false") => vec![again()],
        Field::DeadLettered if word("true") && !word("false") => vec![given_up(), sent_to_dead(w, f)],
        Field::Outcome => {
            if ["acked", "unconsumed", "published"].into_iter().any(word) {
                return None;
            }
            let mut parts = Vec::new();
            if word("nak") || word("failed") {
                parts.push(refused());
            }
            if word("redelivered") {
                parts.push(again());
            }
            if word("dead-lettered") || word("failed") {
                parts.extend([given_up(), sent_to_dead(w, f)]);
            }
            parts
        }
        _ => return None,
    };
    (!parts.is_empty()).then(|| parts.join(" UNION "))
}

/// Events with a publication that went to where dead letters go.
fn sent_to_dead(w: &mut Where, f: &EventFilter) -> String {
    let mut any = vec!["0".to_owned()];
    for place in &f.dead {
        let Some((system, destination)) = place.split_once('/') else { continue };
        let of_system = w.bind("m.system = ??", system.to_owned());
        any.push(format!("({of_system} AND {})", w.bind("m.destination = ??", destination.to_owned())));
    }
    format!("SELECT m.id FROM message m WHERE {}", any.join(" OR "))
}
