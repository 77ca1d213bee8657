//! Criteria are weighed; each says what it saw. What is unknown adds nothing.

use super::figures::Figures;
use super::words::{percent, time};
use super::{CRITERIA, Fact, Reason};
use crate::model::{Do, Intent, Needs};
use crate::program::participant_of;

/// The criteria whose points are known for a step. What was observed or declared besides the file comes first.
pub(super) fn reasons(f: &Figures<'_>, caller: &str, step: &Do, declared: &[Fact]) -> Vec<Reason> {
    let mut all = of_file(f, caller, step);
    for fact in declared {
        let Some(criterion) = CRITERIA.into_iter().find(|id| **id == fact.criterion) else { continue };
        let points = if fact.points.is_finite() { fact.points.clamp(-2.0, 2.0) } else { 0.0 };
        all.retain(|r| r.criterion != criterion);
        all.push(Reason { criterion, points, evidence: fact.evidence.clone() });
    }
    all.sort_by_key(|r| r.criterion[1..].parse::<u32>().unwrap_or(0));
    all
}

fn of_file(f: &Figures<'_>, caller: &str, step: &Do) -> Vec<Reason> {
    let mut all = Vec::new();
    let mut reason = |criterion, points: f64, evidence: String| all.push(Reason { criterion, points, evidence });
    let targets = f.scenario.targets;
    let nothing = step.needs == Some(Needs::Nothing);
    let others = f.needing_nothing(caller, step);

    if step.needs.is_some() && (nothing || others > 0) {
        let points = match others {
            0 | 1 => -1.0,
            2 => 1.0,
            _ => 2.0,
        };
        let plural = if others == 1 { "" } else { "s" };
        reason("W1", points, format!("{others} independent consumer{plural} of what {caller} did"));
    }
    if let Some(intent) = step.intent {
        let (points, word) = match intent {
            Intent::Notify => (1.0, "it tells that something happened"),
            Intent::Write => (0.0, "it changes something"),
            Intent::Read => (-2.0, "it reads"),
        };
        reason("W3", points, word.to_owned());
    }
    if let Some(within) = step.within {
        let lag = expected_lag(f, step);
        let ratio = within as f64 / lag.max(1.0);
        let points = match ratio {
            r if r >= 10.0 => 2.0,
            r if r >= 1.0 => 1.0,
            _ => -2.0,
        };
        let evidence =
            format!("the effect may be {} late, an event would take about {}", time(within as f64), time(lag));
        reason("W4", points, evidence);
    }
    if let (Some(target), Some(found)) = (targets.response_p95, f.sync.response_p95_ms) {
        let target = target as f64 / 1e6;
        let missed = found > target;
        let verb = if missed { "misses" } else { "meets" };
        let points = if missed && nothing { 2.0 } else { 0.0 };
        let p95 =
            if found.is_finite() { format!("p95 is {found:.0} ms") } else { "there is no steady state".to_owned() };
        reason("W6", points, format!("all as calls, {p95}, which {verb} the {target:.0} ms wanted"));
    }
    if let (Some(target), Some(found)) = (targets.success, f.sync.success) {
        let missed = found < target;
        let verb = if missed { "misses" } else { "meets" };
        let points = if missed && nothing { 2.0 } else { 0.0 };
        let evidence = format!("all as calls, {} succeed, which {verb} the {} wanted", percent(found), percent(target));
        reason("W7", points, evidence);
    }
    if step.needs.is_some() {
        let fails_for_nothing = nothing && !step.optional && !step.fallback;
        let evidence = if fails_for_nothing {
            "as a call, its fault would fail a caller that does not need it"
        } else if nothing {
            "its fault is survived already"
        } else {
            "the caller needs it, so its fault is the caller's, too"
        };
        reason("W8", f64::from(u8::from(fails_for_nothing)), evidence.to_owned());
    }
    let (mean, peak) = f.rate(&step.operation);
    if mean > 0.0 {
        let burst = f.burstiness(&step.operation);
        let capacity = f.capacity(&step.operation);
        let over = capacity.is_some_and(|c| c < peak);
        let points = if burst >= 5.0 && over { 2.0 } else { 0.0 };
        let room = capacity.map_or("no limit".to_owned(), |c| format!("{c:.0}/s"));
        let callee = participant_of(&step.operation);
        reason("W9", points, format!("peak {burst:.1} times the mean ({peak:.0}/s), {callee} can do {room}"));
        if let (Some(callee), Some(own)) = (f.utilisation(&step.operation), f.utilisation(caller)) {
            let points = if callee >= 3.0 * own && callee > 0.0 { 1.0 } else { 0.0 };
            let (who, whose) = (participant_of(&step.operation), participant_of(caller));
            let evidence = format!(
                "its work takes {} of the workers of {who}, {} of those of {whose}",
                percent(callee),
                percent(own)
            );
            reason("W10", points, evidence);
        }
        let points = if mean >= 1000.0 { 1.0 } else { 0.0 };
        reason("W17", points, format!("{mean:.1} of them a second"));
    }
    if step.needs.is_some() {
        let points = if others >= 3 { 1.0 } else { 0.0 };
        reason("W11", points, format!("{others} calls of {caller} need nothing back"));
    }
    if let Some(idempotent) = step.idempotent {
        let evidence = if idempotent { "doing it twice is the same as once" } else { "doing it twice does harm" };
        reason("W14", if idempotent { 0.0 } else { -1.0 }, evidence.to_owned());
    }
    if let Some(ordered) = step.order_by_key {
        let points = if ordered && others >= 2 { -1.0 } else { 0.0 };
        let evidence = if ordered { "the order of one key must be kept" } else { "order does not matter" };
        reason("W15", points, evidence.to_owned());
    }
    if let Some(sensitive) = step.sensitive {
        let points = if sensitive && others >= 2 { -1.0 } else { 0.0 };
        let evidence = if sensitive { "not everybody may see the payload" } else { "everybody may see the payload" };
        reason("W19", points, evidence.to_owned());
    }
    all
}

/// Time from publication to effect without a backlog, nanoseconds.
pub(super) fn expected_lag(f: &Figures<'_>, step: &Do) -> f64 {
    let (_, channel) = f.channel(step);
    channel.publish.mean() + channel.deliver.mean() + f.mean_alone(&step.operation)
}
