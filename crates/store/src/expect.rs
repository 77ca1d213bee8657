//! What journeys of a kind usually do, learnt from all of them, and which ones have yet to do it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_model::{Effect, InteractionKind, JourneyState, JourneySummary, Nanos, NodeId, SeriesKey, TraceId};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

use crate::fault::Inner;
use crate::{Reader, Result, names, series};

/// Journeys of a kind that must publish to a topic before it is learnt who handles it.
const LEARNT_FROM: u64 = 20;
/// Share of them in which somebody must handle it, per cent, to be expected in the rest.
const EXPECTED: u64 = 95;
/// A handling counts as late after this many times what nearly all took.
const PATIENCE: f64 = 3.0;
/// No handling counts as late before this, nanoseconds.
const PATIENCE_LEAST: i64 = 5_000_000_000;
/// What nearly all took.
const NEARLY_ALL: f64 = 0.998;

/// An effect that a journey lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What was published.
    pub topic: NodeId,
    /// Who handles that in nearly all journeys of the kind.
    pub service: NodeId,
    /// In how many.
    pub have: u64,
    /// Of how many such journeys: those that begin the same way and publish to the topic.
    pub of: u64,
    /// Within what time nearly all of them did, from publication to handling, nanoseconds, where known.
    pub within: Option<i64>,
}

impl Lack {
    /// How long to wait before it counts as missing, nanoseconds.
    pub fn patience(&self) -> i64 {
        self.within.map_or(PATIENCE_LEAST, |n| ((n as f64 * PATIENCE) as i64).max(PATIENCE_LEAST))
    }
}

/// What is learnt, for one question.
#[derive(Default)]
pub(crate) struct Expectations {
    /// By root and shape.
    lacks: FxHashMap<(i64, i64), Arc<Vec<Lack>>>,
    now: Nanos,
    waiting: BTreeSet<TraceId>,
}

impl Expectations {
    /// Learns from all journeys. `waiting` are those of which a message is known to wait for a consumer.
    pub(crate) fn load(conn: &Connection, now: Nanos, waiting: BTreeSet<TraceId>) -> Inner<Expectations> {
        let mut lacks = lacks(conn)?;
        if !lacks.is_empty() {
            let mut within: BTreeMap<(String, NodeId), i64> = BTreeMap::new();
            for sum in series::sums(conn, None, None)? {
                if let SeriesKey::Edge { kind: InteractionKind::Consume, source, target } = &sum.key
                    && let Some(n) = sum.sketch.quantile(NEARLY_ALL)
                {
                    let longest = within.entry((source.body().to_owned(), target.clone())).or_default();
                    *longest = (*longest).max(n as i64);
                }
            }
            for lack in lacks.values_mut().flatten() {
                lack.within = within.get(&(lack.topic.body().to_owned(), lack.service.clone())).copied();
            }
        }
        let lacks = lacks.into_iter().map(|(kind, lacks)| (kind, Arc::new(lacks))).collect();
        Ok(Expectations { lacks, now, waiting })
    }

    /// What journeys of a root and shape lack.
    pub(crate) fn of(&self, root: i64, shape: i64) -> &[Lack] {
        self.lacks.get(&(root, shape)).map(|l| l.as_slice()).unwrap_or_default()
    }

    /// The state of a journey, now.
    pub(crate) fn state(
        &self,
        id: TraceId,
        kind: (Option<i64>, Option<i64>),
        stored: JourneyState,
        last: Nanos,
    ) -> JourneyState {
        if matches!(stored, JourneyState::Failed | JourneyState::InProgress) {
            return stored;
        }
        if self.waiting.contains(&id) {
            return JourneyState::InProgress;
        }
        let (Some(root), Some(shape)) = kind else { return stored };
        let Some(patience) = self.of(root, shape).iter().map(Lack::patience).max() else { return stored };
        if self.now.saturating_sub(last) < patience { JourneyState::InProgress } else { JourneyState::Incomplete }
    }
}

/// What each kind lacks, times left out.
fn lacks(conn: &Connection) -> Inner<FxHashMap<(i64, i64), Vec<Lack>>> {
    let mut statement = conn.prepare_cached(
        "SELECT k.root, k.shape, k.count + k.gone, s.text FROM journey_kind k JOIN journey_shape s ON s.id = k.shape
         WHERE k.count + k.gone > 0 ORDER BY k.root",
    )?;
    let mut rows = statement.query([])?;
    let mut by_root: BTreeMap<i64, Vec<(i64, u64, Vec<Effect>)>> = BTreeMap::new();
    while let Some(r) = rows.next()? {
        let effects = names::effects(r.get_ref(3)?.as_str().unwrap_or_default());
        by_root.entry(r.get(0)?).or_default().push((r.get(1)?, r.get::<_, i64>(2)? as u64, effects));
    }
    let mut out: FxHashMap<(i64, i64), Vec<Lack>> = FxHashMap::default();
    for (root, shapes) in &by_root {
        let mut published: BTreeMap<&NodeId, u64> = BTreeMap::new();
        let mut handled: BTreeMap<(&NodeId, &NodeId), u64> = BTreeMap::new();
        for (_, count, effects) in shapes {
            for effect in effects {
                match &effect.handled_by {
                    None => *published.entry(&effect.topic).or_default() += count,
                    Some(service) => *handled.entry((&effect.topic, service)).or_default() += count,
                }
            }
        }
        for ((topic, service), have) in handled {
            let of = published.get(topic).copied().unwrap_or_default();
            if of < LEARNT_FROM || have >= of || have * 100 < of * EXPECTED {
                continue;
            }
            for (shape, _, effects) in shapes {
                let has =
                    |by: Option<&NodeId>| effects.iter().any(|e| e.topic == *topic && e.handled_by.as_ref() == by);
                if has(None) && !has(Some(service)) {
                    let lack = Lack { topic: topic.clone(), service: service.clone(), have, of, within: None };
                    out.entry((*root, *shape)).or_default().push(lack);
                }
            }
        }
    }
    Ok(out)
}

impl Reader {
    /// Sets the state that journeys have now, and tells what each lacks. `waiting` are journeys of which a message is known to
    /// wait for a consumer.
    pub fn judge(
        &self,
        journeys: &mut [JourneySummary],
        now: Nanos,
        waiting: &BTreeSet<TraceId>,
    ) -> Result<Vec<Vec<Lack>>> {
        self.ask(|db| {
            let expected = Expectations::load(db.conn, now, waiting.clone())?;
            let mut kind_of = db.conn.prepare_cached("SELECT root, shape FROM journey WHERE id = ?1")?;
            let mut out = Vec::with_capacity(journeys.len());
            for j in journeys {
                let kind = kind_of.query_row([j.id.as_bytes()], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
                let kind: (Option<i64>, Option<i64>) = kind.unwrap_or_default();
                let last = j.start.saturating_add(j.settled.unwrap_or_default());
                j.state = expected.state(j.id, kind, j.state, last);
                let (Some(root), Some(shape)) = kind else {
                    out.push(Vec::new());
                    continue;
                };
                out.push(expected.of(root, shape).to_vec());
            }
            Ok(out)
        })
    }
}
