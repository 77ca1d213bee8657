//! Two journeys side by side, aligned by structure.
//!
//! Steps are the same when they hang below the same step and are the same participant's, of the same role and name; of several the
//! first goes with the first. Times are compared by what a step took itself, so that one slow step does not make all above it slow.

use std::collections::HashMap;

use flowglass_model::{ItemStatus, Journey, JourneyItem};

/// Own time must grow by this share of itself …
const SHARE: f64 = 0.25;
/// … and by this share of the longer journey's way from its first start to its last end, to be a difference.
const OF_ALL: f64 = 0.03;
/// Smaller differences are none, nanoseconds.
const LEAST: i64 = 1_000_000;

/// How a step of the second journey differs from that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// As before.
    Same,
    /// Took longer itself.
    Slower,
    /// Took less time itself.
    Faster,
    /// Failed, and did not before.
    Failed,
    /// Did not fail, and did before.
    Recovered,
    /// Only in the first journey.
    Missing,
    /// Only in the second one.
    Added,
}

impl Change {
    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Same => "same",
            Change::Slower => "slower",
            Change::Faster => "faster",
            Change::Failed => "failed",
            Change::Recovered => "recovered",
            Change::Missing => "missing",
            Change::Added => "added",
        }
    }
}

/// A step of both journeys, or of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aligned {
    /// Position among the first journey's items.
    pub left: Option<usize>,
    /// Position among the second journey's items.
    pub right: Option<usize>,
    /// Depth in the tree, from 0.
    pub depth: u32,
    /// The difference.
    pub change: Change,
    /// What the step took itself in the first journey, nanoseconds.
    pub left_own: Option<i64>,
    /// The same in the second one.
    pub right_own: Option<i64>,
}

/// A journey as a tree.
struct Side<'a> {
    items: &'a [JourneyItem],
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
    own: Vec<i64>,
    length: i64,
}

impl<'a> Side<'a> {
    fn new(journey: &'a Journey) -> Side<'a> {
        let items = &journey.items;
        let by_id: HashMap<&str, usize> =
            items.iter().enumerate().rev().map(|(i, item)| (item.id.as_str(), i)).collect();
        let mut children = vec![Vec::new(); items.len()];
        let mut roots = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match item.parent.as_deref().and_then(|p| by_id.get(p)).filter(|p| **p != i) {
                Some(parent) => children[*parent].push(i),
                None => roots.push(i),
            }
        }
        let own = (0..items.len()).map(|i| own_time(items, i, &children[i])).collect();
        let start = items.iter().map(|i| i.start).min().unwrap_or_default();
        let end = items.iter().map(|i| i.start.saturating_add(i.duration)).max().unwrap_or_default();
        Side { items, children, roots, own, length: end.saturating_sub(start) }
    }

    fn label(&self, i: usize) -> (&'a str, &'a str, &'a str) {
        let item = &self.items[i];
        (item.participant.body(), &item.role, &item.name)
    }
}

/// Nanoseconds of an item that none of its children covers.
fn own_time(items: &[JourneyItem], of: usize, children: &[usize]) -> i64 {
    let (from, to) = (items[of].start, items[of].start.saturating_add(items[of].duration));
    let mut spans: Vec<(i64, i64)> = children
        .iter()
        .map(|c| (items[*c].start.max(from), items[*c].start.saturating_add(items[*c].duration).min(to)))
        .collect();
    spans.sort_unstable();
    let (mut covered, mut reached) = (0, from);
    for (start, end) in spans {
        covered += (end - start.max(reached)).max(0);
        reached = reached.max(end);
    }
    items[of].duration - covered
}

/// Work left: what hangs below a pair, in reverse order.
type Open = (Option<usize>, Option<usize>, u32);

/// Aligns two journeys: parents before children, siblings in the order of the first journey, what only the second one has where it
/// happened. O(n).
pub fn compare(left: &Journey, right: &Journey) -> Vec<Aligned> {
    let (left, right) = (Side::new(left), Side::new(right));
    let least = LEAST.max((left.length.max(right.length) as f64 * OF_ALL) as i64);
    let mut out = Vec::with_capacity(left.items.len().max(right.items.len()));
    let (mut seen_left, mut seen_right) = (vec![false; left.items.len()], vec![false; right.items.len()]);
    let mut open: Vec<Open> = pairs(&left, &left.roots, &right, &right.roots, 0);
    open.reverse();
    while let Some((l, r, depth)) = open.pop() {
        // Spans that name each other as parent go round once.
        let again = |seen: &mut Vec<bool>, i: Option<usize>| i.is_some_and(|i| std::mem::replace(&mut seen[i], true));
        if again(&mut seen_left, l) | again(&mut seen_right, r) {
            continue;
        }
        let change = change(&left, l, &right, r, least);
        let (left_own, right_own) = (l.map(|i| left.own[i]), r.map(|i| right.own[i]));
        out.push(Aligned { left: l, right: r, depth, change, left_own, right_own });
        let below = |side: &Side<'_>, i: Option<usize>| i.map_or_else(Vec::new, |i| side.children[i].clone());
        let mut next = pairs(&left, &below(&left, l), &right, &below(&right, r), depth + 1);
        next.reverse();
        open.extend(next);
    }
    out
}

fn change(left: &Side<'_>, l: Option<usize>, right: &Side<'_>, r: Option<usize>, least: i64) -> Change {
    let (l, r) = match (l, r) {
        (Some(l), Some(r)) => (l, r),
        (Some(_), None) => return Change::Missing,
        _ => return Change::Added,
    };
    let failed = |side: &Side<'_>, i: usize| side.items[i].status == ItemStatus::Error;
    match (failed(left, l), failed(right, r)) {
        (false, true) => return Change::Failed,
        (true, false) => return Change::Recovered,
        _ => {}
    }
    let grown = |from: i64, to: i64| to - from >= least && (to - from) as f64 >= SHARE * from as f64;
    match (left.own[l], right.own[r]) {
        (a, b) if grown(a, b) => Change::Slower,
        (a, b) if grown(b, a) => Change::Faster,
        _ => Change::Same,
    }
}

/// Siblings of both sides as pairs, in the first side's order; what only the second has stands behind the sibling it followed.
fn pairs(left: &Side<'_>, of_left: &[usize], right: &Side<'_>, of_right: &[usize], depth: u32) -> Vec<Open> {
    let mut waiting: HashMap<_, std::collections::VecDeque<usize>> = HashMap::new();
    for l in of_left {
        waiting.entry(left.label(*l)).or_default().push_back(*l);
    }
    let mut partner: HashMap<usize, usize> = HashMap::new();
    // What stands behind a left sibling, or (`None`) in front of all.
    let mut behind: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    let mut last = None;
    for r in of_right {
        match waiting.get_mut(&right.label(*r)).and_then(|queue| queue.pop_front()) {
            Some(l) => {
                partner.insert(l, *r);
                last = Some(l);
            }
            None => behind.entry(last).or_default().push(*r),
        }
    }
    let mut out = Vec::with_capacity(of_left.len() + of_right.len());
    let mut added = |after: Option<usize>, out: &mut Vec<Open>| {
        out.extend(behind.remove(&after).into_iter().flatten().map(|r| (None, Some(r), depth)));
    };
    added(None, &mut out);
    for l in of_left {
        out.push((Some(*l), partner.get(l).copied(), depth));
        added(Some(*l), &mut out);
    }
    out
}
