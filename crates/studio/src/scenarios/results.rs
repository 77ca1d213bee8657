//! What an experiment found, as screens show it.

use flowglass_scenario::model::{Indifference, Scenario};
use flowglass_scenario::outcome::{
    Curves, Difference, Figure, Outcome, Participant, Reached, TimeLine, Times, VariantOutcome, Verdict, Workload,
};

use super::words::fate;
use crate::api::{
    BacklogSeries, DifferenceView, Estimate, FateResult, GroupResult, OutageWindow, ParticipantResult, ScenarioResult,
    Spread, TimelineResult, VariantResult, WorkloadResult,
};

/// Points of a time line at most: more than any screen has pixels for.
const POINTS: usize = 300;

/// See [`ScenarioResult`]; verdict and sweep come later.
pub(super) fn result(scenario: &Scenario, outcome: &Outcome, planned: u32, at: f64, inputs: String) -> ScenarioResult {
    let seconds = scenario.run.duration as f64 / 1e9;
    let rate: f64 = outcome
        .variants
        .iter()
        .map(|(_, v)| {
            v.timeline.series.get("arrivals_per_s").map_or(0.0, |a| a.iter().sum::<f64>() / a.len().max(1) as f64)
        })
        .sum();
    ScenarioResult {
        inputs,
        at,
        wall_ms: outcome.wall_ms,
        seed: outcome.seed as f64,
        replications: outcome.replications as u32,
        planned,
        requests: (rate * seconds * outcome.replications as f64).round(),
        warm_up_s: outcome.warm_up_s,
        verdict: None,
        variants: outcome.variants.iter().map(|(name, v)| variant(name, v)).collect(),
        differences: outcome
            .differences
            .iter()
            .filter_map(|d| difference(d, outcome, &scenario.indifference))
            .collect(),
        sweep: None,
        study: None,
        warnings: outcome.warnings.clone(),
    }
}

/// A figure with its interval; shares stay between 0 and 1, nothing else goes below 0.
pub(super) fn estimate(figure: &Figure) -> Estimate {
    let bound = |sign: f64| figure.value.zip(figure.ci95).map(|(value, half)| (value + sign * half).max(0.0));
    Estimate { value: figure.value, low: bound(-1.0), high: bound(1.0), n: figure.n as u32, why: figure.why.clone() }
}

fn share(figure: &Figure) -> Estimate {
    let found = estimate(figure);
    Estimate { high: found.high.map(|h| h.min(1.0)), ..found }
}

fn spread(times: &Times) -> Spread {
    Spread {
        mean: estimate(&times.mean),
        p50: estimate(&times.p50),
        p90: estimate(&times.p90),
        p95: estimate(&times.p95),
        p99: estimate(&times.p99),
        max: estimate(&times.max),
    }
}

fn variant(name: &str, v: &VariantOutcome) -> VariantResult {
    let groups = v.channels.iter().flat_map(|(channel, found)| {
        found.groups.iter().map(move |(operation, g)| GroupResult {
            channel: channel.to_owned(),
            operation: operation.to_owned(),
            dead_lettered: share(&g.dead_lettered),
            duplicated: share(&g.duplicated),
            no_effect: share(&g.no_effect),
            backlog_max: estimate(&g.backlog.max),
            lag_p95: estimate(&g.lag_ms.p95),
        })
    });
    VariantResult {
        name: name.to_owned(),
        workloads: v.workloads.iter().map(|(name, w)| workload(name, w, v.curves.get(name))).collect(),
        participants: v.participants.iter().map(|(name, p)| participant(name, p)).collect(),
        groups: groups.collect(),
        timeline: timeline(&v.timeline),
    }
}

fn workload(name: &str, w: &Workload, curves: Option<&Curves>) -> WorkloadResult {
    let fates = w.fates.iter().map(|(state, figure)| {
        let (label, tone) = fate(state);
        FateResult { id: state.to_owned(), label, tone: tone.to_owned(), share: share(figure) }
    });
    WorkloadResult {
        name: name.to_owned(),
        response: spread(&w.response_ms),
        settled: spread(&w.settled_ms),
        response_curve: curves.map(|c| c.response_ms.clone()).unwrap_or_default(),
        settled_curve: curves.map(|c| c.settled_ms.clone()).unwrap_or_default(),
        throughput: estimate(&w.throughput_per_s),
        succeeded: share(&w.succeeded),
        failed: share(&w.failed),
        refused: share(&w.refused),
        abandoned: share(&w.abandoned),
        false_success: share(&w.false_success),
        false_failure: share(&w.false_failure),
        late: share(&w.late_effects),
        amplification: estimate(&w.amplification),
        fates: fates.collect(),
    }
}

fn participant(name: &str, p: &Participant) -> ParticipantResult {
    let reached = |all: &[Reached]| {
        let one = |r: &Reached| match r {
            Reached::After(figure) => Some(estimate(figure)),
            Reached::BeyondHorizon => None,
        };
        all.iter().map(one).collect()
    };
    ParticipantResult {
        name: name.to_owned(),
        computing: share(&p.computing),
        held_waiting: share(&p.held_waiting),
        utilisation: share(&p.utilisation),
        backlog_max: estimate(&p.backlog.max),
        wait_p95: estimate(&p.wait_ms.p95),
        refused: share(&p.refused),
        recovery_ms: reached(&p.recovery_ms),
        drain_ms: reached(&p.drain_ms),
    }
}

fn timeline(line: &TimeLine) -> TimelineResult {
    let series = |name: &str| line.series.get(name).map_or(&[][..], Vec::as_slice);
    let length = series("good_per_s").len();
    let fold = length.div_ceil(POINTS).max(1);
    let means =
        |values: &[f64]| -> Vec<f64> { values.chunks(fold).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect() };
    // What waits is known at the ends of steps.
    let ends = |values: &[f64]| -> Vec<f64> { values.chunks(fold).filter_map(|c| c.last().copied()).collect() };
    let backlogs = line.series.iter().filter_map(|(name, values)| {
        let name = name.strip_prefix("backlog/")?;
        let ever = values.iter().any(|v| *v >= 0.5);
        ever.then(|| BacklogSeries { name: name.to_owned(), values: ends(values) })
    });
    TimelineResult {
        step_ms: line.step_s * 1e3 * fold as f64,
        good: means(series("good_per_s")),
        bad: means(series("bad_per_s")),
        backlogs: backlogs.collect(),
        outages: line
            .outages
            .iter()
            .map(|o| OutageWindow { name: o.of.clone(), from_ms: o.from_s * 1e3, to_ms: o.to_s * 1e3 })
            .collect(),
    }
}

/// A difference in words. Its path is `/workloads/NAME/response_ms/p95`.
fn difference(d: &Difference, outcome: &Outcome, indifference: &Indifference) -> Option<DifferenceView> {
    let path: Vec<String> = d.metric.split('/').skip(2).map(|p| p.replace("~1", "/").replace("~0", "~")).collect();
    let (workload, metric) = path.split_first()?;
    let metric = metric.join("/");
    let (id, label, unit) = match metric.as_str() {
        "response_ms/p95" => ("response", "p95 response", "ms"),
        "settled_ms/p95" => ("settled", "p95 settled", "ms"),
        "succeeded" => ("succeeded", "Answered well", "share"),
        "false_success" => ("falseSuccess", "Promised but never done", "share"),
        "throughput_per_s" => ("throughput", "Good answers", "rate"),
        _ => return None,
    };
    let before = outcome.variants.get(&d.a)?.workloads.get(workload)?;
    let zone = match id {
        "response" => indifference.response_ms,
        "settled" => indifference.settled_ms,
        "throughput" => indifference.share * before.throughput_per_s.value.unwrap_or(0.0),
        _ => indifference.share,
    };
    let half = |sign: f64| d.value.zip(d.ci95).map(|(value, half)| value + sign * half);
    let n = outcome.replications as u32;
    let why = d.value.is_none().then(|| "one of the two does not exist".to_owned());
    Some(DifferenceView {
        a: d.a.clone(),
        b: d.b.clone(),
        workload: workload.clone(),
        metric: id.into(),
        label: label.into(),
        unit: unit.into(),
        value: Estimate { value: d.value, low: half(-1.0), high: half(1.0), n, why },
        indifference: zone,
        verdict: match d.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NoPracticalDifference => "no practical difference",
            Verdict::Undecided => "undecided",
        }
        .into(),
    })
}
