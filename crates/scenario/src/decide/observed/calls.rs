//! What the calls of a step tell: whether callers survive failures, how bursty they are, polling, reading, repeating.

use flowglass_model::{Nanos, NodeKind};

use super::{Fact, Pair, fact, is, means};
use crate::calibrate::handlings::{Act, Call, Handled, Handling};
use crate::calibrate::names::is_read;
use crate::calibrate::sample::Sample;
use crate::decide::words::{percent, time};
use crate::model::{Needs, Scenario};

const SECOND: i64 = 1_000_000_000;
/// Failed calls from which on is told what callers make of them.
const FAILURES: usize = 10;
/// Observations from which on shares and intervals are told.
const ENOUGH: usize = 20;
/// Calls from which on bursts are told, and how much longer than a second they were watched.
const BURSTS: usize = 100;
const WATCHED: i64 = 10 * SECOND;
/// A caller that fails with at most this share of failed calls ignores them; with at least that share it passes them on.
const IGNORED: f64 = 0.2;
const PASSED_ON: f64 = 0.8;
/// Intervals that vary less than this (standard deviation over mean) are those of a timer.
const STEADY: f64 = 0.2;
/// Share of handlings that read what they just wrote, from which on somebody relies on it.
const RELIED_ON: f64 = 0.05;

/// The facts of a pair's calls.
pub(super) fn facts(handled: &Handled, scenario: &Scenario, pair: &Pair<'_>) -> Vec<Fact> {
    let meant = means(handled.all.iter().map(|h| &h.asked), pair.to, pair.operation);
    let callers: Vec<&Handling> = handled.all.iter().filter(|h| is(&h.asked.0, pair.from)).collect();
    let calls: Vec<(&Handling, &Call)> =
        callers.iter().flat_map(|h| calls_of(h).filter(|call| meant(&call.asked)).map(|call| (*h, call))).collect();
    let all = [
        failures(&calls, pair),
        bursts(handled, &calls, scenario, pair),
        polling(&calls, pair),
        reads(handled, pair),
        repeats(&calls),
        own_writes(&calls, pair),
    ];
    all.into_iter().flatten().collect()
}

fn calls_of(handling: &Handling) -> impl Iterator<Item = &Call> {
    handling.acts.iter().filter_map(|act| match act {
        Act::Call(call) => Some(call),
        Act::Publish { .. } => None,
    })
}

fn reads_by_name(call: &Call) -> bool {
    is_read(&call.asked.1, call.asked.0.kind() == NodeKind::Backend)
}

/// W8: what callers make of a failed call.
fn failures(calls: &[(&Handling, &Call)], pair: &Pair<'_>) -> Option<Fact> {
    let failed: Vec<&Handling> = calls.iter().filter(|(_, call)| call.failed()).map(|(h, _)| *h).collect();
    if failed.len() < FAILURES {
        return None;
    }
    let passed_on = failed.iter().filter(|h| h.failed).count();
    let share = passed_on as f64 / failed.len() as f64;
    let points = match share {
        s if s <= IGNORED => 2.0,
        s if s >= PASSED_ON && pair.step.needs == Some(Needs::Nothing) => 1.0,
        s if s >= PASSED_ON => -1.0,
        _ => 0.0,
    };
    let (from, to, n) = (pair.from, pair.to, failed.len());
    Some(fact("W8", points, format!("{from} failed in {passed_on} of {n} cases in which its call of {to} had failed")))
}

/// W9: the busiest second against the mean, and against what the callee can do.
fn bursts(handled: &Handled, calls: &[(&Handling, &Call)], scenario: &Scenario, pair: &Pair<'_>) -> Option<Fact> {
    let mut starts: Vec<Nanos> = calls.iter().flat_map(|(_, call)| call.attempts.iter().map(|a| a.start)).collect();
    starts.sort_unstable();
    let watched = starts.last()? - starts.first()?;
    if starts.len() < BURSTS || watched < WATCHED {
        return None;
    }
    // The busiest second, wherever it begins.
    let mut from = 0;
    let mut peak = 0;
    for (to, t) in starts.iter().enumerate() {
        while t - starts[from] >= SECOND {
            from += 1;
        }
        peak = peak.max(to + 1 - from);
    }
    let mean = starts.len() as f64 * SECOND as f64 / watched as f64;
    let burst = peak as f64 / mean;
    let busy = Sample::new(handled.all.iter().filter(|h| is(&h.asked.0, pair.to)).map(|h| h.end - h.start).collect());
    let workers = scenario.design.participants.get(pair.to).and_then(|p| p.servers());
    let capacity = workers.filter(|_| busy.mean() > 0.0).map(|w| f64::from(w) * SECOND as f64 / busy.mean());
    let points = if burst >= 5.0 && capacity.is_some_and(|c| c < peak as f64) { 2.0 } else { 0.0 };
    let room = capacity.map_or("without a known limit".to_owned(), |c| format!("which can do {c:.0} a second"));
    let (n, to) = (starts.len(), pair.to);
    let evidence = format!("{peak} calls in the busiest second, {burst:.1} times the mean, of {to}, {room} (n = {n})");
    Some(fact("W9", points, evidence))
}

/// W12: reads by a timer.
fn polling(calls: &[(&Handling, &Call)], pair: &Pair<'_>) -> Option<Fact> {
    let mut starts: Vec<Nanos> = calls
        .iter()
        .filter(|(_, call)| reads_by_name(call))
        .filter_map(|(_, c)| Some(c.attempts.first()?.start))
        .collect();
    starts.sort_unstable();
    let gaps = Sample::new(starts.windows(2).map(|w| w[1] - w[0]).collect());
    if gaps.n() < ENOUGH || gaps.mean() <= 0.0 {
        return None;
    }
    let polls = gaps.variation() <= STEADY;
    let (from, to, n) = (pair.from, pair.to, gaps.n());
    let evidence = if polls {
        format!("{from} asks {to} every {} by a timer (n = {n})", time(gaps.mean()))
    } else {
        format!("{from} asks {to} when it needs to, not by a timer (n = {n})")
    };
    Some(fact("W12", if polls { 2.0 } else { 0.0 }, evidence))
}

/// W13: how much of what the callee is asked for only reads.
fn reads(handled: &Handled, pair: &Pair<'_>) -> Option<Fact> {
    let asked: Vec<&Call> = handled.all.iter().flat_map(calls_of).filter(|call| is(&call.asked.0, pair.to)).collect();
    if asked.len() < ENOUGH {
        return None;
    }
    let share = asked.iter().filter(|call| reads_by_name(call)).count() as f64 / asked.len() as f64;
    let points = if share > 0.9 { -1.0 } else { 0.0 };
    Some(fact(
        "W13",
        points,
        format!("{} of what {} is asked for reads (n = {})", percent(share), pair.to, asked.len()),
    ))
}

/// W14: methods that may be repeated by their definition (RFC 9110, section 9.2.2). Others tell nothing by their name.
fn repeats(calls: &[(&Handling, &Call)]) -> Option<Fact> {
    let idempotent = |call: &Call| {
        let method = call.asked.1.split(' ').next().unwrap_or_default();
        ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(&method)
    };
    let (_, first) = calls.first()?;
    let all = calls.len() >= ENOUGH && calls.iter().all(|(_, call)| idempotent(call));
    let evidence = || format!("{} may be repeated by the meaning of its method (n = {})", first.asked.1, calls.len());
    all.then(|| fact("W14", 0.0, evidence()))
}

/// W5: whether the caller reads from the callee what it has just written there.
fn own_writes(calls: &[(&Handling, &Call)], pair: &Pair<'_>) -> Option<Fact> {
    let writes: Vec<&(&Handling, &Call)> = calls.iter().filter(|(_, call)| !reads_by_name(call)).collect();
    if writes.len() < ENOUGH {
        return None;
    }
    let ended = |call: &Call| call.attempts.last().map_or(0, |a| a.end);
    let reads_back = |(handling, write): &&&(&Handling, &Call)| {
        let later = |read: &Call| read.attempts.first().is_some_and(|a| a.start >= ended(write));
        calls_of(handling).any(|read| is(&read.asked.0, pair.to) && reads_by_name(read) && later(read))
    };
    let n = writes.iter().filter(reads_back).count();
    let share = n as f64 / writes.len() as f64;
    let evidence = || {
        format!("{} reads from {} what it has just written there in {n} of {} cases", pair.from, pair.to, writes.len())
    };
    // That nobody reads it back at once does not say how long two systems may disagree.
    (share >= RELIED_ON).then(|| fact("W5", -2.0, evidence()))
}
