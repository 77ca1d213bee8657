//! Names and values of the newest data: what a filter being typed can be completed with.

use std::collections::BTreeMap;

use flowglass_model::Attributes;

use crate::chunk::Kind;
use crate::db::Db;
use crate::fault::Inner;
use crate::journeys;
use crate::message_rows::{COLUMNS, fill_body, message_at};
use crate::names::Texts;

/// Values longer than this are not worth suggesting, bytes.
const LONG: usize = 120;
/// Events looked at for whether payloads are kept.
const PAYLOADS: u64 = 50;
/// Different values kept per name.
const VALUES: usize = 400;

/// Names with their values and how often each was met.
pub type Counted = BTreeMap<String, BTreeMap<String, u64>>;

/// What the newest data carries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Business keys.
    pub keys: Counted,
    /// Attributes of spans, log records and their resources.
    pub attributes: Counted,
    /// Columns of events: `subject`, `type`, `system`, `stream`, `source`.
    pub events: Counted,
    /// Operations that journeys began with.
    pub operations: BTreeMap<String, u64>,
    /// Of some events with a payload, those whose payload was kept, and those whose payload was not.
    pub payloads: (u64, u64),
    /// Share of traces that the senders of spans say they keep; `None` where none says so.
    pub sampled: Option<f64>,
}

fn note(into: &mut Counted, name: &str, value: &str) {
    if value.len() > LONG || value.is_empty() {
        return;
    }
    if !into.contains_key(name) {
        into.insert(name.to_owned(), BTreeMap::new());
    }
    let Some(values) = into.get_mut(name) else { return };
    let room = values.len() < VALUES;
    match values.get_mut(value) {
        Some(n) => *n += 1,
        None if room => drop(values.insert(value.to_owned(), 1)),
        None => {}
    }
}

fn note_all(into: &mut Counted, attributes: &Attributes) {
    for (name, value) in attributes {
        match value.as_str() {
            Some(text) => note(into, name, text),
            None => note(into, name, &value.to_string()),
        }
    }
}

/// Looks at the newest of each sort.
pub(crate) fn seen(db: Db<'_>, sample: usize) -> Inner<Seen> {
    let mut out = Seen::default();
    let texts = Texts::new(db.conn);
    let sql = format!("SELECT {} FROM journey ORDER BY start DESC LIMIT ?1", journeys::COLUMNS);
    let mut statement = db.conn.prepare_cached(&sql)?;
    let mut rows = statement.query([sample as i64])?;
    while let Some(r) = rows.next()? {
        let j = journeys::read(r, &texts)?;
        j.keys.iter().for_each(|(name, value)| note(&mut out.keys, name, value));
        *out.operations.entry(flowglass_model::filter::operation_of(&j).to_owned()).or_default() += 1;
    }
    let sql = format!("SELECT {COLUMNS} FROM message m ORDER BY m.time DESC, m.id DESC LIMIT ?1");
    let mut statement = db.conn.prepare_cached(&sql)?;
    let mut rows = statement.query([sample as i64])?;
    while let Some(r) = rows.next()? {
        let (id, _, mut m) = message_at(r)?;
        if m.payload_size > 0 && out.payloads.0 + out.payloads.1 < PAYLOADS {
            fill_body(db.conn, id, &mut m)?;
            *(if m.payload.is_empty() { &mut out.payloads.1 } else { &mut out.payloads.0 }) += 1;
        }
        let columns = [("subject", Some(&m.destination)), ("system", Some(&m.system)), ("type", m.event_type.as_ref())];
        let more = [("stream", m.stream.as_ref()), ("source", m.source.as_ref())];
        for (name, value) in columns.into_iter().chain(more) {
            if let Some(value) = value {
                note(&mut out.events, name, value);
            }
        }
        m.keys.iter().for_each(|(name, value)| note(&mut out.keys, name, value));
    }
    let mut kept: Vec<f64> = Vec::new();
    for kind in [Kind::Spans, Kind::Logs] {
        let mut statement = db.conn.prepare_cached("SELECT id FROM chunk WHERE kind = ?1 ORDER BY id DESC LIMIT 2")?;
        let ids: Vec<i64> = statement.query_map([kind as i64], |r| r.get(0))?.collect::<Result<_, _>>()?;
        let mut left = sample;
        for id in ids {
            let chunk = db.chunk(id)?;
            for index in 0..chunk.len().min(left) {
                let (attributes, resource) = match kind {
                    Kind::Spans => {
                        let span = chunk.span(index)?;
                        kept.extend(kept_share(&span.trace_state));
                        (span.attributes, span.resource)
                    }
                    Kind::Logs => {
                        let log = chunk.log(index)?;
                        (log.attributes, log.resource)
                    }
                };
                note_all(&mut out.attributes, &attributes);
                note_all(&mut out.attributes, &resource.attributes);
            }
            left = left.saturating_sub(chunk.len());
        }
    }
    out.sampled = (!kept.is_empty()).then(|| kept.len() as f64 / kept.iter().map(|share| 1.0 / share).sum::<f64>());
    Ok(out)
}

/// The share of traces that is kept where this one comes from (OpenTelemetry, *TraceState: Probability Sampling*: `ot=th:` is the
/// rejection threshold, up to 14 hex digits of 56 bits).
fn kept_share(trace_state: &str) -> Option<f64> {
    let members = trace_state.split(',').filter_map(|member| member.trim().strip_prefix("ot="));
    let threshold = members.flat_map(|m| m.split(';')).find_map(|entry| entry.trim().strip_prefix("th:"))?;
    if threshold.is_empty() || threshold.len() > 14 {
        return None;
    }
    let value = u64::from_str_radix(threshold, 16).ok()? << (4 * (14 - threshold.len()));
    Some(1.0 - value as f64 / (1u64 << 56) as f64).filter(|share| *share > 0.0)
}

#[cfg(test)]
mod tests {
    use super::kept_share;

    #[test]
    fn the_threshold_says_how_much_is_kept() {
        for (state, share) in [
            ("ot=th:8", Some(0.5)),
            ("vendor=x, ot=rv:abc;th:c", Some(0.25)),
            ("ot=th:0", Some(1.0)),
            ("ot=th:zz", None),
            ("ot=p:3", None),
            ("", None),
        ] {
            assert_eq!(kept_share(state), share, "{state}");
        }
    }
}
