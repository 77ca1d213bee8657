//! Who sends telemetry of its own, and when.

use std::collections::BTreeMap;

use flowglass_model::{InteractionKind, Nanos, NodeId, NodeKind, SeriesKey};
use rusqlite::{Connection, params};

use crate::fault::Inner;
use crate::series::{FINEST, LEVELS, all};
use crate::thinned::Thinned;

/// Whose own telemetry a series comes from: what a service handled, called or published. Consuming may be told by a broker.
fn sender(key: &SeriesKey) -> Option<&NodeId> {
    match key {
        SeriesKey::Operation { participant, .. } => Some(participant),
        SeriesKey::Edge { kind, source, .. } if *kind != InteractionKind::Consume => Some(source),
        _ => None,
    }
    .filter(|id| id.kind() == NodeKind::Service)
}

/// Every service that sent something itself, with the end of its last bucket.
pub(crate) fn senders(conn: &Connection) -> Inner<Vec<(NodeId, Nanos)>> {
    let mut seen: BTreeMap<NodeId, Nanos> = BTreeMap::new();
    for (key, known) in all(conn)?.iter().filter(|(_, k)| k.live > 0) {
        let Some(id) = sender(key) else { continue };
        let last = seen.entry(id.clone()).or_insert(known.last);
        *last = (*last).max(known.last);
    }
    Ok(seen.into_iter().collect())
}

/// Starts of the finest buckets that there are in `[since, until)` in which a service sent something itself, sorted. Looks every bucket up by its
/// key: a range of buckets holds the figures of everybody.
pub(crate) fn activity(conn: &Connection, who: &NodeId, since: Nanos, until: Nanos) -> Inner<Vec<Nanos>> {
    let mut has = conn.prepare_cached("SELECT 1 FROM rollup WHERE level = ?1 AND bucket = ?2 AND series = ?3")?;
    let own: Vec<i64> =
        all(conn)?.iter().filter(|(key, k)| k.live > 0 && sender(key) == Some(who)).map(|(_, k)| k.id).collect();
    let up = |t: Nanos| t.div_euclid(FINEST) + i64::from(t.rem_euclid(FINEST) != 0);
    let mut starts = Vec::new();
    for (level, from, to) in Thinned::load(conn)?.parts(up(since), up(until)) {
        for bucket in from.div_euclid(LEVELS[level])..to.div_euclid(LEVELS[level]) {
            for series in &own {
                if has.exists(params![level as i64, bucket, series])? {
                    starts.push(bucket.saturating_mul(LEVELS[level] * FINEST));
                    break;
                }
            }
        }
    }
    Ok(starts)
}
