//! How many a participant works on at once, how far away it is, and whether it slows down under load.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowglass_model::Nanos;

use super::handlings::{Attempt, Handling};
use super::sample::Sample;

/// Observations from which on load dependence is judged.
const JUDGED: usize = 200;
/// Busy self times above this multiple of quiet ones tell of contention inside.
const SLOWER: f64 = 1.5;

/// What is known of a participant's workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Workers {
    /// Most handlings at once in one instance: a lower bound of its workers.
    pub(super) seen_at_once: u32,
    /// Instances seen; at least 1.
    pub(super) instances: u32,
}

impl Workers {
    /// The default until somebody says better: a quarter more than was seen at once.
    pub(super) fn assumed(self) -> u32 {
        (self.seen_at_once * 5).div_ceil(4).max(1)
    }
}

/// A sweep over starts and ends, instance by instance.
pub(super) fn workers(handlings: &[&Handling]) -> Workers {
    let mut by_instance: BTreeMap<Option<&Arc<str>>, Vec<(Nanos, i32)>> = BTreeMap::new();
    for h in handlings {
        let steps = by_instance.entry(h.instance.as_ref()).or_default();
        // An end before a start at the same instant: they did not overlap.
        steps.push((h.start, 1));
        steps.push((h.end.max(h.start + 1), -1));
    }
    let instances = by_instance.len().max(1) as u32;
    let most = by_instance.into_values().map(|mut steps| {
        steps.sort_unstable();
        let mut now = 0;
        steps.iter().fold(0, |most, (_, step)| {
            now += step;
            most.max(now)
        })
    });
    Workers { seen_at_once: most.max().unwrap_or(0).max(1) as u32, instances }
}

/// Handlings in progress when each of some instants came, that of the instant itself not counted.
fn in_progress(handlings: &[&Handling], at: impl Iterator<Item = Nanos>) -> Vec<usize> {
    let mut starts: Vec<Nanos> = handlings.iter().map(|h| h.start).collect();
    let mut ends: Vec<Nanos> = handlings.iter().map(|h| h.end).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    at.map(|t| {
        let (begun, over) = (starts.partition_point(|s| *s < t), ends.partition_point(|e| *e <= t));
        begun.saturating_sub(over)
    })
    .collect()
}

/// The part of `values` that was seen while the participant was quiet: at or below the first quartile of what was in progress.
fn quiet<T: Copy>(values: &[(usize, T)]) -> Vec<T> {
    let mut levels: Vec<usize> = values.iter().map(|v| v.0).collect();
    levels.sort_unstable();
    let Some(level) = levels.get(levels.len() / 4).copied() else { return Vec::new() };
    values.iter().filter(|v| v.0 <= level).map(|v| v.1).collect()
}

/// One way to a participant: half of what the caller waited longer than the callee worked. Where that grows with what the callee has
/// in hand, only quiet times count: what comes on top under load is queueing, and the model's to reproduce. Only durations are used,
/// so that skewed clocks cancel.
pub(super) fn network(callee: &[&Handling], attempts: &[&Attempt]) -> Sample {
    let answered: Vec<(Nanos, i64)> = attempts
        .iter()
        .filter_map(|a| a.handled.map(|(start, duration)| (start, a.duration() - duration)))
        .filter(|(_, gap)| *gap >= 0)
        .collect();
    let levels = in_progress(callee, answered.iter().map(|a| a.0));
    let gaps: Vec<(usize, i64)> = levels.into_iter().zip(answered.iter().map(|a| a.1 / 2)).collect();
    let (quiet, slower) = under_load(&gaps);
    if slower || gaps.len() < JUDGED { quiet } else { Sample::new(gaps.into_iter().map(|gap| gap.1).collect()) }
}

/// What was seen in quiet times, and whether busy ones are slower by more than chance.
fn under_load(values: &[(usize, i64)]) -> (Sample, bool) {
    let quiet = Sample::new(quiet(values));
    let mut levels: Vec<usize> = values.iter().map(|v| v.0).collect();
    levels.sort_unstable();
    let (Some(low), Some(high)) = (levels.get(levels.len() / 4), levels.get(levels.len() * 3 / 4)) else {
        return (quiet, false);
    };
    let busy = Sample::new(values.iter().filter(|v| v.0 >= *high).map(|v| v.1).collect());
    let slower = high > low && quiet.n() >= JUDGED / 4 && busy.mean() > quiet.mean() * SLOWER;
    (quiet, slower)
}

/// Self times of an operation, and whether only quiet ones were taken because the participant slows down under load.
pub(super) fn own_times(of_operation: &[&Handling], of_participant: &[&Handling]) -> (Sample, bool) {
    let all = Sample::new(of_operation.iter().map(|h| h.own).collect());
    if all.n() < JUDGED {
        return (all, false);
    }
    let levels = in_progress(of_participant, of_operation.iter().map(|h| h.start));
    let with_level: Vec<(usize, i64)> = levels.into_iter().zip(of_operation.iter().map(|h| h.own)).collect();
    match under_load(&with_level) {
        (quiet, true) => (quiet, true),
        _ => (all, false),
    }
}

#[cfg(test)]
mod tests {
    use flowglass_model::NodeId;

    use super::super::handlings::Cause;
    use super::*;

    fn handling(start: i64, end: i64, instance: Option<&str>) -> Handling {
        Handling {
            asked: (NodeId::from("service:a"), "op".into()),
            start,
            end,
            instance: instance.map(Arc::from),
            own: end - start,
            failed: false,
            failed_itself: false,
            told_by_caller: false,
            acts: Vec::new(),
            cause: Cause::Outside,
        }
    }

    #[test]
    fn workers_are_counted_by_instance() {
        let all = [
            handling(0, 10, Some("a")),
            handling(5, 15, Some("a")),
            handling(10, 20, Some("a")),
            handling(6, 7, Some("b")),
        ];
        let of: Vec<&Handling> = all.iter().collect();
        let found = workers(&of);
        assert_eq!(found, Workers { seen_at_once: 2, instances: 2 });
        assert_eq!(found.assumed(), 3);
    }

    #[test]
    fn queueing_is_no_network() {
        let all: Vec<Handling> =
            (0..40).map(|i| handling(i * 100, i * 100 + if i < 20 { 50 } else { 500 }, None)).collect();
        let of: Vec<&Handling> = all.iter().collect();
        let attempts: Vec<Attempt> = all
            .iter()
            .enumerate()
            .map(|(i, h)| {
                let gap = if i <= 20 { 8 } else { 800 };
                Attempt::seen(h.start - gap / 2, h.end + gap / 2, h.start, h.end - h.start)
            })
            .collect();
        let attempts: Vec<&Attempt> = attempts.iter().collect();
        assert_eq!(network(&of, &attempts).quantile(1.0), 4.0);
    }
}
