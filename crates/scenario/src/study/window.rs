//! Shorter runs: for previews and searches, with the planned trouble kept whole.

use crate::model::{Arrivals, Design, InterruptedWork, Outage, OutageMode, Scenario, Time};

/// An outage that nobody planned: refusing, in the middle of the run.
pub(crate) fn assumed_outage(duration: Time, lasts: Time) -> Outage {
    Outage { at: duration / 10 * 3, lasts, mode: OutageMode::Refuse, work: InterruptedWork::Lose }
}

/// The scenario over a stretch that has about so many requests. Quiet time before the first and after the last planned change is
/// cut; outages, bursts and what lies between them keep their lengths, so the stretch may have more requests than asked for.
pub(crate) fn shortened(scenario: &Scenario, requests: f64) -> Scenario {
    let mut short = scenario.clone();
    let duration = scenario.run.duration;
    let rate = rate(&scenario.design, duration);
    if rate <= 0.0 {
        return short;
    }
    let wanted = (requests / rate * 1e9) as Time;
    let designs = || {
        let own = scenario.variants.iter().filter_map(|v| v.overridden.as_deref());
        std::iter::once(&scenario.design).chain(own)
    };
    let changes: Vec<(Time, Time)> = designs().flat_map(|d| changes(d, duration)).collect();
    let (from, to) = match (changes.iter().map(|c| c.0).min(), changes.iter().map(|c| c.1).max()) {
        (Some(first), Some(last)) => {
            // As much before and after as there is trouble, at least a tenth of what was asked for.
            let trouble = last - first;
            let room = wanted.saturating_sub(trouble) / 2;
            let around = room.max(trouble.min(wanted.max(trouble) / 2)).max(1_000_000);
            (first.saturating_sub(around), last.saturating_add(around).min(duration))
        }
        _ => (0, wanted.max(1_000_000)),
    };
    let to = to.min(duration);
    if to <= from || to - from >= duration {
        return short;
    }
    short.run.duration = to - from;
    move_to(&mut short.design, from, to - from);
    for design in short.variants.iter_mut().filter_map(|v| v.overridden.as_deref_mut()) {
        move_to(design, from, to - from);
    }
    short
}

/// Whether nothing planned happens in a run.
pub(crate) fn is_calm(scenario: &Scenario) -> bool {
    changes(&scenario.design, scenario.run.duration).is_empty()
}

/// Requests per second, all workloads together.
pub(crate) fn rate(design: &Design, duration: Time) -> f64 {
    let of = |arrivals: &Arrivals| match arrivals {
        Arrivals::Users { count, think } => f64::from(*count) * 1e9 / think.mean().max(1e6),
        other => other.mean_rate(duration).unwrap_or(0.0),
    };
    design.workloads.iter().map(|w| of(&w.arrivals)).sum()
}

/// Begin and end of everything planned within the run.
fn changes(design: &Design, duration: Time) -> Vec<(Time, Time)> {
    let planned = design.participants.values().flat_map(|p| &p.outages);
    let brokers = design.channels.values().flat_map(|c| &c.broker.outages);
    let outages = planned.chain(brokers).map(|o| (o.at, o.at.saturating_add(o.lasts)));
    let mut all: Vec<(Time, Time)> =
        outages.filter(|o| o.0 < duration).map(|(from, to)| (from, to.min(duration))).collect();
    for workload in &design.workloads {
        all.extend(workload.until.filter(|u| *u < duration).map(|u| (u, u)));
        match &workload.arrivals {
            Arrivals::Rates(steps) => {
                all.extend(steps.iter().skip(1).filter(|s| s.0 < duration).map(|s| (s.0, s.0)));
            }
            Arrivals::Times(times) => {
                let ends = times.first().zip(times.last());
                all.extend(ends.map(|(first, last)| ((*first).min(duration), (*last).min(duration))));
            }
            _ => {}
        }
    }
    all
}

/// Lets everything planned happen so much earlier.
fn move_to(design: &mut Design, from: Time, duration: Time) {
    let participants = design.participants.values_mut().map(|p| &mut p.outages);
    for outages in participants.chain(design.channels.values_mut().map(|c| &mut c.broker.outages)) {
        for outage in outages.iter_mut() {
            outage.at = outage.at.saturating_sub(from);
        }
        outages.retain(|o| o.at < duration);
    }
    for workload in &mut design.workloads {
        workload.until = workload.until.map(|u| u.saturating_sub(from));
        match &mut workload.arrivals {
            Arrivals::Rates(steps) => {
                let holds = steps.iter().rev().find(|s| s.0 <= from).map_or(0.0, |s| s.1);
                steps.retain(|s| s.0 > from);
                steps.iter_mut().for_each(|s| s.0 -= from);
                steps.insert(0, (0, holds));
            }
            Arrivals::Times(times) => {
                times.retain(|t| *t >= from);
                times.iter_mut().for_each(|t| *t -= from);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::read_scenario;

    fn read(rest: &str) -> Scenario {
        let text = format!(
            "flowglass: scenario/1
run: {{ duration: 10m, warm_up: 0s }}
operations: {{ a.run: {{ work: 1ms }} }}
{rest}"
        );
        read_scenario(&text, &|_| Err("no files".into())).unwrap()
    }

    #[test]
    fn quiet_time_is_cut_and_trouble_kept() {
        let s = read(
            "workloads: [{ to: a.run, arrivals: { poisson: 100/s } }]
participants: { a: { outages: [{ at: 3m, for: 60s }] } }",
        );
        let short = shortened(&s, 10_000.0);
        let outage = &short.design.participants["a"].outages[0];
        assert_eq!(outage.lasts, 60_000_000_000);
        assert!(outage.at >= 20_000_000_000, "{outage:?}");
        assert!(short.run.duration < 200_000_000_000 && short.run.duration > outage.at + outage.lasts);
        let steady = read(
            "workloads: [{ to: a.run, arrivals: { poisson: 100/s } }]
participants: { a: {} }",
        );
        assert_eq!(shortened(&steady, 10_000.0).run.duration, 100_000_000_000);
        assert_eq!(shortened(&steady, 1e9).run.duration, 600_000_000_000, "never longer than the run");
    }

    #[test]
    fn a_burst_keeps_its_length() {
        let s = read(
            "workloads: [{ to: a.run, arrivals: { rates: [[0s, 10/s], [300s, 400/s], [310s, 10/s]] } }]
participants: { a: {} }",
        );
        let short = shortened(&s, 1000.0);
        let Arrivals::Rates(steps) = &short.design.workloads[0].arrivals else { panic!("rates") };
        assert_eq!(steps.iter().map(|s| s.1).collect::<Vec<_>>(), [10.0, 400.0, 10.0]);
        assert_eq!(steps[2].0 - steps[1].0, 10_000_000_000);
        assert!(short.run.duration < 100_000_000_000);
    }
}
