//! Pictures of a record: differences, what they hang on, outages, how requests end.

use super::bars::{self, Bar, Interval};
use super::document::Block;
use super::picture::{self, Line};
use crate::model::Scenario;
use crate::outcome::{Outcome, VariantOutcome};
use crate::study::Tornado;

/// Rows of a forest and bars of a tornado at most.
const MOST_ROWS: usize = 24;
pub(super) const MOST_BARS: usize = 12;

/// Differences to the first variant, with their intervals.
pub(super) fn forest(scenario: &Scenario, outcome: &Outcome) -> Option<Block> {
    let indifference = &scenario.indifference;
    let rows = outcome.differences.iter().filter_map(|d| {
        // `/workloads/NAME/metric`, in the unit of what does not matter of it.
        let parts: Vec<&str> = d.metric.trim_start_matches("/workloads/").splitn(2, '/').collect();
        let [workload, metric] = parts.as_slice() else { return None };
        let (name, matters, less_is_better) = match *metric {
            "response_ms/p95" => ("p95 response", indifference.response_ms, true),
            "settled_ms/p95" => ("p95 settled", indifference.settled_ms, true),
            "succeeded" => ("success", indifference.share, false),
            _ => return None,
        };
        let (value, half) = (d.value?, d.ci95?);
        let sign = if less_is_better { -1.0 } else { 1.0 };
        let matters = sign * matters.max(1e-9);
        let ends = ((value - half) / matters, (value + half) / matters);
        let words = match less_is_better {
            true => format!("{value:+.0} ± {half:.0} ms"),
            false => format!("{:+.2} ± {:.2} %", value * 100.0, half * 100.0),
        };
        let of = if scenario.design.workloads.len() > 1 { format!(" of {workload}") } else { String::new() };
        let label = format!("{} against {}: {name}{of}", d.b, d.a);
        Some(Interval { label, low: ends.0.min(ends.1), value: value / matters, high: ends.0.max(ends.1), words })
    });
    let rows: Vec<Interval> = rows.take(MOST_ROWS).collect();
    let says =
        "Differences between variants with their 95 % intervals, measured in what the file says does not matter.";
    (!rows.is_empty()).then(|| Block::Picture(bars::forest("Differences between variants", &rows), says.into()))
}

/// How far each input moves the difference of the response.
pub(super) fn tornado(tornado: &Tornado) -> Option<Block> {
    let rows = tornado.bars.iter().take(MOST_BARS).filter_map(|bar| {
        let (low, high) = bar.low.1.response_p95_ms.zip(bar.high.1.response_p95_ms)?;
        let label = if bar.flips { format!("{} (turns it over)", bar.label) } else { bar.label.clone() };
        Some(Bar { label, low, high, flips: bar.flips })
    });
    let rows: Vec<Bar> = rows.collect();
    let now = tornado.now.response_p95_ms.filter(|_| !rows.is_empty())?;
    let title = format!("p95 response of {} less that of {}", tornado.b, tornado.a);
    let says = "How far the difference moves with each input a fifth lower and a fifth higher, one at a time.";
    Some(Block::Picture(bars::tornado(&title, now, &rows), says.into()))
}

/// Good answers over time, where somebody is away.
pub(super) fn outages(outcome: &Outcome, all: &mut Vec<Block>) {
    let Some((_, first)) = outcome.variants.iter().next() else { return };
    if first.timeline.outages.is_empty() {
        return;
    }
    let lines = outcome.variants.iter().map(|(name, v)| {
        let good = v.timeline.series.get("good_per_s").map_or(&[][..], Vec::as_slice);
        let points = good.iter().enumerate().map(|(i, rate)| (i as f64 * v.timeline.step_s, *rate));
        Line { name: name.to_owned(), points: points.collect() }
    });
    let ends = first.timeline.outages.iter().flat_map(|o| [(o.from_s, "away"), (o.to_s, "back")]);
    let picture =
        picture::lines("good answers a second", " s", &lines.collect::<Vec<_>>(), None, &ends.collect::<Vec<_>>());
    let who: Vec<&str> = first.timeline.outages.iter().map(|o| o.of.as_str()).collect();
    all.push(Block::Picture(
        picture,
        format!("Good answers while {} is away, mean over replications.", who.join(", ")),
    ));
}

/// Fates of all workloads together, by their first one's order.
pub(super) fn fates(variant: &VariantOutcome) -> Vec<(String, f64)> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    let workloads = variant.workloads.0.len().max(1) as f64;
    for (_, workload) in variant.workloads.iter() {
        for (name, figure) in workload.fates.iter() {
            let share = figure.value.unwrap_or(0.0) / workloads;
            match sums.iter_mut().find(|s| s.0 == name) {
                Some(sum) => sum.1 += share,
                None => sums.push((name.to_owned(), share)),
            }
        }
    }
    sums
}
