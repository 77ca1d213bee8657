//! Series keys as columns, rollup levels, and the questions about them.

use std::collections::BTreeMap;

use flowglass_model::{InteractionKind, Nanos, NodeId, SeriesKey, SeriesSum, Sketch, UnresolvedReason, is_noise};
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::fault::{Fault, Inner};
use crate::thinned::Thinned;
use crate::{Around, SeriesFilter, TimelineBucket};

/// Length of the finest bucket, nanoseconds.
pub(crate) const FINEST: i64 = 10_000_000_000;
/// Bucket lengths by level, as multiples of the finest: 10 s, 10 min, 8 h. Each is a multiple of the one before.
pub(crate) const LEVELS: [i64; 3] = [1, 60, 2_880];

/// The columns `kind`, `a`, `b`, `c` of a key.
pub(crate) fn columns(key: &SeriesKey) -> (&'static str, &str, &str, &str) {
    match key {
        SeriesKey::Edge { kind, source, target } => ("edge", source.as_str(), target.as_str(), kind.as_str()),
        SeriesKey::Entry { source, target, operation } => ("entry", source.as_str(), target.as_str(), operation),
        SeriesKey::Operation { participant, operation } => ("operation", participant.as_str(), operation, ""),
        SeriesKey::Address { address, participant } => ("address", participant.as_str(), address, ""),
        SeriesKey::Group { topic, group, participant } => ("group", participant.as_str(), topic.as_str(), group),
        SeriesKey::Delivered { topic, consumer } => ("delivered", topic.as_str(), consumer, ""),
        SeriesKey::Unresolved { participant, reason } => ("unresolved", participant.as_str(), reason_text(*reason), ""),
        SeriesKey::Declared { participant, layer } => ("declared", participant.as_str(), layer, ""),
        SeriesKey::Version { participant, version } => ("version", participant.as_str(), version, ""),
    }
}

const REASONS: [(UnresolvedReason, &str); 6] = [
    (UnresolvedReason::CallerMissing, "caller-missing"),
    (UnresolvedReason::PeerUnnamed, "peer-unnamed"),
    (UnresolvedReason::PeerIsAddress, "peer-is-address"),
    (UnresolvedReason::DestinationUnnamed, "destination-unnamed"),
    (UnresolvedReason::ServiceUnnamed, "service-unnamed"),
    (UnresolvedReason::Settle, "settle"),
];

const KINDS: [InteractionKind; 4] =
    [InteractionKind::Call, InteractionKind::Publish, InteractionKind::Consume, InteractionKind::Access];

fn reason_text(reason: UnresolvedReason) -> &'static str {
    REASONS.iter().find(|(r, _)| *r == reason).map_or("", |(_, text)| text)
}

/// The inverse of [`columns`].
fn key(kind: &str, a: String, b: String, c: String) -> Option<SeriesKey> {
    let a = NodeId::from(a);
    Some(match kind {
        "edge" => {
            let kind = KINDS.into_iter().find(|k| k.as_str() == c)?;
            SeriesKey::Edge { kind, source: a, target: b.into() }
        }
        "entry" => SeriesKey::Entry { source: a, target: b.into(), operation: c },
        "operation" => SeriesKey::Operation { participant: a, operation: b },
        "address" => SeriesKey::Address { address: b, participant: a },
        "group" => SeriesKey::Group { topic: b.into(), group: c, participant: a },
        "delivered" => SeriesKey::Delivered { topic: a, consumer: b },
        "unresolved" => {
            let (reason, _) = REASONS.into_iter().find(|(_, text)| *text == b)?;
            SeriesKey::Unresolved { participant: a, reason }
        }
        "declared" => SeriesKey::Declared { participant: a, layer: b },
        "version" => SeriesKey::Version { participant: a, version: b },
        _ => return None,
    })
}

/// A row of the series table.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Row id.
    pub(crate) id: i64,
    /// Start of the first bucket ever used.
    pub(crate) first: Nanos,
    /// End of the last bucket ever used.
    pub(crate) last: Nanos,
    /// Rows, of all levels.
    pub(crate) live: i64,
}

/// All series, those taken back included.
pub(crate) fn all(conn: &Connection) -> Inner<Vec<(SeriesKey, Known)>> {
    let mut statement = conn.prepare_cached("SELECT kind, a, b, c, id, first, last, live FROM series")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let kind: String = r.get(0)?;
        let key = key(&kind, r.get(1)?, r.get(2)?, r.get(3)?)
            .ok_or_else(|| Fault::decode("a series", format!("unknown kind {kind}")))?;
        out.push((key, Known { id: r.get(4)?, first: r.get(5)?, last: r.get(6)?, live: r.get(7)? }));
    }
    Ok(out)
}

/// First and last bucket number (of the finest level) whose start lies in `[since, until)`.
fn finest(since: Option<Nanos>, until: Option<Nanos>) -> (i64, i64) {
    let least = i64::MIN / FINEST;
    let up = |t: Nanos| t.div_euclid(FINEST) + i64::from(t.rem_euclid(FINEST) != 0);
    (since.map_or(least, up), until.map_or(i64::MAX / FINEST, up))
}

/// Cuts a range of finest buckets into pieces `(level, from, to)`, as coarse as the range allows and as fine as is there.
fn pieces_of(from: i64, to: i64, thinned: Thinned) -> Vec<(usize, i64, i64)> {
    let mut out = Vec::new();
    // The ends of a part lie on buckets of its level: no finer one is needed for it.
    thinned.parts(from, to).into_iter().for_each(|(_, from, to)| pieces(from, to, LEVELS.len() - 1, &mut out));
    out
}

fn pieces(from: i64, to: i64, level: usize, out: &mut Vec<(usize, i64, i64)>) {
    if from >= to {
        return;
    }
    let Some(finer) = level.checked_sub(1) else {
        out.push((0, from, to));
        return;
    };
    let size = LEVELS[level];
    let first = from.div_euclid(size) + i64::from(from.rem_euclid(size) != 0);
    let end = to.div_euclid(size);
    if first >= end {
        return pieces(from, to, finer, out);
    }
    pieces(from, first * size, finer, out);
    out.push((level, first, end));
    pieces(end * size, to, finer, out);
}

struct Sum {
    count: i64,
    errors: i64,
    sketch: Sketch,
    first: Nanos,
    last: Nanos,
}

/// All series over a range.
pub(crate) fn sums(conn: &Connection, since: Option<Nanos>, until: Option<Nanos>) -> Inner<Vec<SeriesSum>> {
    let (from, to) = finest(since, until);
    let ranges = if since.is_none() && until.is_none() {
        // Nothing to cut off: the coarsest level has it all.
        vec![(LEVELS.len() - 1, i64::MIN, i64::MAX)]
    } else {
        pieces_of(from, to, Thinned::load(conn)?)
    };
    let mut by_id: FxHashMap<i64, Sum> = FxHashMap::default();
    let mut statement = conn.prepare_cached(
        "SELECT series, bucket, count, errors, sketch FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3",
    )?;
    for (level, from, to) in ranges {
        let length = LEVELS[level] * FINEST;
        let mut rows = statement.query(params![level as i64, from, to])?;
        while let Some(r) = rows.next()? {
            let start = r.get::<_, i64>(1)?.saturating_mul(length);
            let sum = by_id.entry(r.get(0)?).or_insert_with(|| Sum {
                count: 0,
                errors: 0,
                sketch: Sketch::default(),
                first: i64::MAX,
                last: i64::MIN,
            });
            sum.count += r.get::<_, i64>(2)?;
            sum.errors += r.get::<_, i64>(3)?;
            sum.sketch.merge(&Sketch::from_bytes(r.get_ref(4)?.as_blob().unwrap_or_default()));
            sum.first = sum.first.min(start);
            sum.last = sum.last.max(start.saturating_add(length));
        }
    }
    let mut out = Vec::new();
    for (key, known) in all(conn)? {
        if let Some(sum) = by_id.remove(&known.id) {
            let (first, last) = (sum.first.max(known.first), sum.last.min(known.last));
            out.push(SeriesSum { key, count: sum.count, errors: sum.errors, sketch: sum.sketch, first, last });
        }
    }
    out.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(out)
}

fn matches(filter: &SeriesFilter, key: &SeriesKey) -> bool {
    match (filter, key) {
        (SeriesFilter::Edge { source, target, kind }, key) => key.as_edge() == Some((*kind, source, target)),
        (SeriesFilter::OperationsOf(who), SeriesKey::Operation { participant, .. }) => who == participant,
        (SeriesFilter::Operations { noise, environment }, SeriesKey::Operation { participant, operation }) => {
            is_of(participant, environment.as_deref()) && !is_noise(noise, participant.name(), operation)
        }
        (SeriesFilter::Publishes { environment }, SeriesKey::Edge { kind, source, .. }) => {
            *kind == InteractionKind::Publish && is_of(source, environment.as_deref())
        }
        _ => false,
    }
}

/// The level for parts of a width: a coarse one only where several of its buckets make one part (else parts would be filled
/// unevenly), or where there is no finer one.
pub(crate) fn level_for(width: f64, since: Nanos, thinned: Thinned) -> usize {
    let wide = (0..LEVELS.len()).rev().find(|l| (LEVELS[*l] * FINEST) as f64 * 4.0 <= width).unwrap_or(0);
    wide.max(thinned.level_at(since))
}

fn is_of(participant: &NodeId, environment: Option<&str>) -> bool {
    environment.is_none_or(|e| participant.environment() == Some(e))
}

/// Bars of a timeline: the series of the filter, added up.
pub(crate) fn timeline(
    conn: &Connection,
    filter: &SeriesFilter,
    since: Option<Nanos>,
    until: Option<Nanos>,
    buckets: usize,
) -> Inner<Vec<TimelineBucket>> {
    let known: Vec<Known> =
        all(conn)?.into_iter().filter(|(k, s)| s.live > 0 && matches(filter, k)).map(|(_, s)| s).collect();
    let since = since.or_else(|| known.iter().map(|k| k.first).min());
    let until = until.or_else(|| known.iter().map(|k| k.last).max());
    let (Some(since), Some(until)) = (since, until) else { return Ok(Vec::new()) };
    if until <= since || buckets == 0 {
        return Ok(Vec::new());
    }
    let width = ((i128::from(until) - i128::from(since)) as f64 / buckets as f64).max(1.0);
    let start_of = |i: usize| since.saturating_add((width * i as f64) as i64);
    let mut bars: Vec<TimelineBucket> =
        (0..buckets).map(|i| TimelineBucket { start: start_of(i), ..TimelineBucket::default() }).collect();
    let level = level_for(width, since, Thinned::load(conn)?);
    let length = LEVELS[level] * FINEST;
    let ids: BTreeMap<i64, ()> = known.iter().map(|k| (k.id, ())).collect();
    let mut statement = conn.prepare_cached(
        "SELECT bucket, series, count, errors, sketch FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3",
    )?;
    let up = |t: Nanos| t.div_euclid(length) + i64::from(t.rem_euclid(length) != 0);
    // A coarse bucket belongs to the bar it starts in; the first one may start before the range.
    let from = if level == 0 { up(since) } else { since.div_euclid(length) };
    let mut rows = statement.query(params![level as i64, from, up(until)])?;
    while let Some(r) = rows.next()? {
        if !ids.contains_key(&r.get(1)?) {
            continue;
        }
        let offset = r.get::<_, i64>(0)?.saturating_mul(length).saturating_sub(since).max(0);
        let Some(bar) = bars.get_mut((offset as f64 / width) as usize) else { continue };
        bar.count += r.get::<_, i64>(2)?;
        bar.errors += r.get::<_, i64>(3)?;
        bar.sketch.merge(&Sketch::from_bytes(r.get_ref(4)?.as_blob().unwrap_or_default()));
    }
    Ok(bars)
}

/// Every participant with data, with the start of its first and the end of its last bucket.
pub(crate) fn participants(conn: &Connection) -> Inner<Vec<(NodeId, Nanos, Nanos)>> {
    let mut seen: BTreeMap<NodeId, (Nanos, Nanos)> = BTreeMap::new();
    for (key, known) in all(conn)?.into_iter().filter(|(_, k)| k.live > 0) {
        let (a, b) = match key {
            SeriesKey::Edge { source, target, .. } | SeriesKey::Entry { source, target, .. } => (source, Some(target)),
            SeriesKey::Group { topic, participant, .. } => (participant, Some(topic)),
            SeriesKey::Operation { participant, .. }
            | SeriesKey::Address { participant, .. }
            | SeriesKey::Unresolved { participant, .. }
            | SeriesKey::Declared { participant, .. }
            | SeriesKey::Version { participant, .. } => (participant, None),
            SeriesKey::Delivered { topic, .. } => (topic, None),
        };
        for node in std::iter::once(a).chain(b) {
            let range = seen.entry(node).or_insert((known.first, known.last));
            *range = (range.0.min(known.first), range.1.max(known.last));
        }
    }
    Ok(seen.into_iter().map(|(node, (first, last))| (node, first, last)).collect())
}

/// Start of the last bucket before a time, and of the first at or after another, in which a series that is wanted has data.
pub(crate) fn nearest(
    conn: &Connection,
    since: Option<Nanos>,
    until: Option<Nanos>,
    wanted: &dyn Fn(&SeriesKey) -> bool,
) -> Inner<Around> {
    let known: FxHashSet<i64> = all(conn)?.into_iter().filter(|(key, _)| wanted(key)).map(|(_, k)| k.id).collect();
    let thinned = Thinned::load(conn)?;
    let ask = |sql: &str, parts: &mut dyn Iterator<Item = (usize, i64, i64)>| -> Inner<Option<Nanos>> {
        let mut statement = conn.prepare_cached(sql)?;
        for (level, from, to) in parts {
            let size = LEVELS[level];
            let mut rows = statement.query(params![level as i64, from.div_euclid(size), to.div_euclid(size)])?;
            while let Some(r) = rows.next()? {
                if known.contains(&r.get(1)?) {
                    return Ok(Some(r.get::<_, i64>(0)?.saturating_mul(size * FINEST)));
                }
            }
        }
        Ok(None)
    };
    if known.is_empty() {
        return Ok((None, None));
    }
    let before =
        "SELECT bucket, series FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 ORDER BY bucket DESC";
    let after = "SELECT bucket, series FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 ORDER BY bucket";
    let ((low, end), (begin, high)) = (finest(None, since), finest(until, None));
    let earlier = since.map(|_| ask(before, &mut thinned.parts(low, end).into_iter().rev())).transpose()?.flatten();
    let later = until.map(|_| ask(after, &mut thinned.parts(begin, high).into_iter())).transpose()?.flatten();
    Ok((earlier, later))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_range_exactly_once() {
        for (from, to) in [(0, 1), (5, 70), (-3_000, 9_001), (2_880, 5_760), (59, 61)] {
            let mut out = Vec::new();
            pieces(from, to, LEVELS.len() - 1, &mut out);
            let covered: i64 = out.iter().map(|(l, a, b)| (b - a) * LEVELS[*l]).sum();
            assert_eq!(covered, to - from, "{out:?}");
            let joined = out.windows(2).all(|w| w[0].2 * LEVELS[w[0].0] == w[1].1 * LEVELS[w[1].0]);
            assert!(joined && out[0].1 * LEVELS[out[0].0] == from, "{out:?}");
        }
    }
}
