//! Words of a study.

use super::candidate::Candidate;
use super::comparison::counted;
use crate::model::{Indifference, Scenario};

/// Milliseconds as people read them.
pub(crate) fn ms(value: Option<f64>) -> String {
    match value {
        None => "no end (its backlog grows)".to_owned(),
        Some(v) if v >= 120_000.0 => format!("{:.1} min", v / 60_000.0),
        Some(v) if v >= 10_000.0 => format!("{:.1} s", v / 1000.0),
        Some(v) if v >= 1000.0 => format!("{:.2} s", v / 1000.0),
        Some(v) if v >= 10.0 => format!("{v:.0} ms"),
        Some(v) => format!("{v:.1} ms"),
    }
}

/// A share in percent, near 100 with more digits.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p == 0.0 || p == 100.0 => format!("{p:.0} %"),
        p if !(1.0..99.0).contains(&p) => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// What a set of events is called.
pub(crate) fn called(c: &Candidate) -> String {
    match &c.name {
        Some(name) => name.clone(),
        None if c.events.is_empty() => "all calls".to_owned(),
        None => format!("{} as events", c.events.keys().cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// Why a candidate is recommended.
pub(super) fn reason(scenario: &Scenario, chosen: &Candidate, rule: &Candidate, calls: &Candidate) -> String {
    let names = |missed: &[&str]| missed.iter().map(|m| m.replace('_', " ")).collect::<Vec<_>>().join(" and ");
    let targets = scenario.targets;
    let wanted = targets.response_p95.is_some() || targets.settled_p95.is_some() || targets.success.is_some();
    let reached = match (wanted, chosen.missed.is_empty()) {
        (false, _) => String::new(),
        (true, true) => " and reaches all targets".to_owned(),
        (true, false) => format!(", though it misses {} (so does every other)", names(&chosen.missed)),
    };
    let figures = format!(
        "95 % are answered within {} and settled within {}, {} succeed entirely",
        ms(chosen.response_p95_ms),
        ms(chosen.settled_p95_ms),
        percent(chosen.success)
    );
    let instead = if chosen.events == calls.events {
        String::new()
    } else {
        format!(
            " ({}: {}, {}, {})",
            // What a gate makes an event is one in every assignment.
            called(calls),
            ms(calls.response_p95_ms),
            ms(calls.settled_p95_ms),
            percent(calls.success)
        )
    };
    if chosen.events == rule.events {
        return format!("It follows the verdict of every step{reached}: {figures}{instead}.");
    }
    let why = if rule.missed.len() > chosen.missed.len() {
        format!("the verdicts of the steps together miss {}", names(&rule.missed))
    } else {
        "it is better than the verdicts of the steps together in what matters and worse in nothing".to_owned()
    };
    format!("It is the nearest to the verdicts of the steps that does better: {why}{reached}; {figures}{instead}.")
}

/// What others on the front do better, by more than does not matter.
pub(super) fn given_up(declared: &Indifference, chosen: &Candidate, front: &[Candidate]) -> Vec<String> {
    let mut all = Vec::new();
    let slow = |v: Option<f64>| v.unwrap_or(f64::INFINITY);
    let others = || front.iter().filter(|c| c.events != chosen.events);
    if let Some(best) = others().min_by(|a, b| slow(a.response_p95_ms).total_cmp(&slow(b.response_p95_ms)))
        && slow(chosen.response_p95_ms) - slow(best.response_p95_ms) > declared.response_ms
    {
        let (here, there) = (ms(chosen.response_p95_ms), ms(best.response_p95_ms));
        all.push(format!("answers within {there} ({}) instead of {here}", called(best)));
    }
    if let Some(best) = others().min_by(|a, b| slow(a.settled_p95_ms).total_cmp(&slow(b.settled_p95_ms)))
        && slow(chosen.settled_p95_ms) - slow(best.settled_p95_ms) > declared.settled_ms
    {
        let (here, there) = (ms(chosen.settled_p95_ms), ms(best.settled_p95_ms));
        all.push(format!("everything done within {there} ({}) instead of {here}", called(best)));
    }
    if let Some(best) = others().max_by(|a, b| a.success.total_cmp(&b.success))
        && best.success - chosen.success > declared.share
    {
        let (here, there) = (percent(chosen.success), percent(best.success));
        all.push(format!("{there} succeed entirely ({}) instead of {here}", called(best)));
    }
    let carried = |c: &Candidate| c.peak_load_per_s.unwrap_or(f64::INFINITY);
    if let Some(best) = others().max_by(|a, b| carried(a).total_cmp(&carried(b)))
        && carried(best) > carried(chosen) * 1.05
    {
        let room = best.peak_load_per_s.map_or("any load".to_owned(), |l| format!("{l:.0}/s"));
        all.push(format!("room for {room} ({}) instead of {:.0}/s", called(best), carried(chosen)));
    }
    let parts = |c: &Candidate| c.channels + c.consumers;
    if let Some(best) = others().min_by_key(|c| parts(c))
        && parts(best) < parts(chosen)
    {
        let told = |c: &Candidate| {
            format!("{} and {}", counted(c.channels, "channel"), counted(c.consumers, "consumer group"))
        };
        all.push(format!("fewer parts: {} ({}) instead of {}", told(best), called(best), told(chosen)));
    }
    all
}
