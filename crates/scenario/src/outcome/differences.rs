//! What differs between variants: paired by replication, since both saw the same chances.

use serde::Serialize;

use super::figure::{mean_and_half_width, t975};
use super::{Figure, Named, VariantOutcome, Workload};
use crate::experiment::{Observed, Plan, SourceSummary, Summary};
use crate::math::{normal_cdf, student_cdf};
use crate::model::{Indifference, Scenario};

/// A difference between two variants.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// One variant.
    pub a: String,
    /// The other.
    pub b: String,
    /// JSON Pointer of the metric inside a variant.
    pub metric: String,
    /// `b − a`; `None` where one of the two does not exist.
    pub value: Option<f64>,
    /// Half-width of its 95 % interval; `None` where it is not known.
    pub ci95: Option<f64>,
    /// What it means.
    pub verdict: Verdict,
}

/// What a difference means. Several are judged at once, so each has to be clearer than one alone would (Holm 1979).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The second variant is better.
    #[serde(rename = "better")]
    Better,
    /// The second variant is worse.
    #[serde(rename = "worse")]
    Worse,
    /// The whole interval is smaller than what matters.
    #[serde(rename = "no practical difference")]
    NoPracticalDifference,
    /// More replications are needed.
    #[serde(rename = "undecided")]
    Undecided,
}

/// A metric that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Response,
    Settled,
    Succeeded,
    FalseSuccess,
    Throughput,
}

impl Metric {
    pub(crate) const ALL: [Metric; 5] =
        [Metric::Response, Metric::Settled, Metric::Succeeded, Metric::FalseSuccess, Metric::Throughput];

    fn path(self) -> &'static str {
        match self {
            Metric::Response => "response_ms/p95",
            Metric::Settled => "settled_ms/p95",
            Metric::Succeeded => "succeeded",
            Metric::FalseSuccess => "false_success",
            Metric::Throughput => "throughput_per_s",
        }
    }

    pub(crate) fn figure(self, workload: &Workload) -> &Figure {
        match self {
            Metric::Response => &workload.response_ms.p95,
            Metric::Settled => &workload.settled_ms.p95,
            Metric::Succeeded => &workload.succeeded,
            Metric::FalseSuccess => &workload.false_success,
            Metric::Throughput => &workload.throughput_per_s,
        }
    }

    /// What does not matter; of a throughput, the same share of it that does not matter of shares.
    pub(crate) fn indifference(self, declared: &Indifference, value: f64) -> f64 {
        match self {
            Metric::Response => declared.response_ms,
            Metric::Settled => declared.settled_ms,
            Metric::Succeeded | Metric::FalseSuccess => declared.share,
            Metric::Throughput => declared.share * value.abs(),
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Metric::Succeeded | Metric::Throughput)
    }

    fn of(self, s: &SourceSummary, seconds: f64) -> f64 {
        match self {
            Metric::Response => s.response.p95,
            Metric::Settled => s.settled.p95,
            Metric::Succeeded => s.ok as f64 / s.arrivals.max(1) as f64,
            Metric::FalseSuccess => s.false_success as f64 / s.arrivals.max(1) as f64,
            Metric::Throughput => s.ok as f64 / seconds,
        }
    }

    /// How many of how many, for shares.
    fn counted(self, all: &[&SourceSummary]) -> Option<(u64, u64)> {
        let part = |s: &&SourceSummary| match self {
            Metric::Succeeded => Some(s.ok),
            Metric::FalseSuccess => Some(s.false_success),
            _ => None,
        };
        let hits: Option<u64> = all.iter().map(part).sum();
        Some((hits?, all.iter().map(|s| s.arrivals).sum()))
    }
}

/// A comparison before it is judged.
struct Compared {
    difference: Difference,
    metric: Metric,
    indifference: f64,
    /// How likely so large a difference would be if there were none; `None` where nothing can be said.
    p: Option<f64>,
}

/// Every pair of variants, every workload, every metric that decides.
pub(crate) fn differences(
    scenario: &Scenario,
    plan: &Plan<'_>,
    observed: &Observed,
    outcomes: &Named<VariantOutcome>,
) -> Vec<Difference> {
    let mut all = Vec::new();
    for a in 0..outcomes.0.len() {
        for b in a + 1..outcomes.0.len() {
            for (name, in_a) in outcomes.0[a].1.workloads.iter() {
                let Some(in_b) = outcomes.0[b].1.workloads.get(name) else { continue };
                let pairs = pairs(plan, observed, [a, b], name);
                for metric in Metric::ALL {
                    let figures = [metric.figure(in_a), metric.figure(in_b)];
                    let mut compared =
                        compare(metric, &pairs, figures, &scenario.indifference, plan.duration as f64 / 1e9);
                    compared.difference.a.clone_from(&outcomes.0[a].0);
                    compared.difference.b.clone_from(&outcomes.0[b].0);
                    compared.difference.metric = format!("/workloads/{}/{}", escaped(name), metric.path());
                    all.push(compared);
                }
            }
        }
    }
    judge(all)
}

/// RFC 6901.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Replications that both variants finished.
fn pairs<'a>(
    plan: &Plan<'_>,
    observed: &'a Observed,
    variants: [usize; 2],
    workload: &str,
) -> Vec<[&'a SourceSummary; 2]> {
    let [a, b] = variants;
    let index = |v: usize| plan.entries[v].program.sources.iter().position(|s| s.name == workload);
    let (Some(in_a), Some(in_b)) = (index(a), index(b)) else { return Vec::new() };
    let both = observed.summaries[a].iter().zip(&observed.summaries[b]);
    let pair = |(a, b): (&'a Option<Summary>, &'a Option<Summary>)| {
        Some([&a.as_ref()?.sources[in_a], &b.as_ref()?.sources[in_b]])
    };
    both.filter_map(pair).collect()
}

fn compare(
    metric: Metric,
    pairs: &[[&SourceSummary; 2]],
    figures: [&Figure; 2],
    declared: &Indifference,
    seconds: f64,
) -> Compared {
    let larger = figures.iter().filter_map(|f| f.value).fold(0.0, |a: f64, b| a.max(b.abs()));
    let difference = Difference {
        a: String::new(),
        b: String::new(),
        metric: String::new(),
        value: None,
        ci95: None,
        verdict: Verdict::Undecided,
    };
    let mut compared = Compared { difference, metric, indifference: metric.indifference(declared, larger), p: None };
    if pairs.is_empty() || figures.iter().any(|f| f.value.is_none()) {
        return compared;
    }
    let values: Vec<f64> = pairs.iter().map(|[a, b]| metric.of(b, seconds) - metric.of(a, seconds)).collect();
    let (value, half) = mean_and_half_width(&values);
    compared.difference.value = Some(value);
    compared.difference.ci95 = half;
    if pairs.iter().all(|[a, b]| a == b) {
        // Every request fared the same.
        compared.difference.ci95 = Some(0.0);
        compared.p = Some(1.0);
        return compared;
    }
    let Some(half) = half else { return compared };
    compared.p = Some(p_of_t(value, half, values.len() - 1));
    let sides = [0, 1].map(|side| pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>());
    if let (Some(a), Some(b)) = (metric.counted(&sides[0]), metric.counted(&sides[1]))
        && (is_rare(a) || is_rare(b))
    {
        // Few events: their counts say more than how the replications scatter.
        let wide = newcombe(a, b, value);
        compared.difference.ci95 = Some(wide);
        compared.p = Some(2.0 * (1.0 - normal_cdf(1.959_963_984_540_054 * value.abs() / wide)));
    }
    compared
}

/// Two-sided, from the half-width of a 95 % interval.
fn p_of_t(value: f64, half: f64, df: usize) -> f64 {
    if half == 0.0 {
        return if value == 0.0 { 1.0 } else { 0.0 };
    }
    2.0 * (1.0 - student_cdf(value.abs() / half * t975(df), df as f64))
}

/// Whether a share is so near 0 or 1 that its mean is not nearly normal.
fn is_rare((hits, of): (u64, u64)) -> bool {
    hits < 30 || of - hits < 30
}

/// Half-width of the interval of a difference of shares, from Wilson's intervals of the two (Newcombe 1998, method 10); the wider
/// side.
fn newcombe(a: (u64, u64), b: (u64, u64), value: f64) -> f64 {
    let (a_low, a_high) = wilson(a);
    let (b_low, b_high) = wilson(b);
    let share = |(hits, of): (u64, u64)| hits as f64 / of.max(1) as f64;
    let (pa, pb) = (share(a), share(b));
    let below = ((pb - b_low) * (pb - b_low) + (a_high - pa) * (a_high - pa)).sqrt();
    let above = ((b_high - pb) * (b_high - pb) + (pa - a_low) * (pa - a_low)).sqrt();
    if value > 0.0 && below > above { below } else { below.max(above) }
}

/// Wilson's 95 % interval of a share.
fn wilson((hits, of): (u64, u64)) -> (f64, f64) {
    let z2 = 1.959_963_984_540_054 * 1.959_963_984_540_054;
    let n = of.max(1) as f64;
    let p = hits as f64 / n;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// Holm's steps: the clearest difference against all, the next against all but one, …
fn judge(mut all: Vec<Compared>) -> Vec<Difference> {
    let mut order: Vec<(f64, usize)> = all.iter().enumerate().filter_map(|(i, c)| c.p.map(|p| (p, i))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut clear = vec![false; all.len()];
    for (rank, (p, index)) in order.iter().enumerate() {
        if *p > 0.05 / (order.len() - rank) as f64 {
            break;
        }
        clear[*index] = true;
    }
    for (compared, clear) in all.iter_mut().zip(clear) {
        compared.difference.verdict = verdict(compared, clear);
    }
    all.into_iter().map(|c| c.difference).collect()
}

fn verdict(c: &Compared, clear: bool) -> Verdict {
    let (Some(value), Some(half)) = (c.difference.value, c.difference.ci95) else { return Verdict::Undecided };
    if value.abs() + half <= c.indifference {
        Verdict::NoPracticalDifference
    } else if !clear || value.abs() <= c.indifference {
        Verdict::Undecided
    } else if (value > 0.0) == c.metric.more_is_better() {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(metric: Metric, value: f64, half: f64, indifference: f64, p: f64) -> Compared {
        let difference = Difference {
            a: String::new(),
            b: String::new(),
            metric: String::new(),
            value: Some(value),
            ci95: Some(half),
            verdict: Verdict::Undecided,
        };
        Compared { difference, metric, indifference, p: Some(p) }
    }

    #[test]
    fn verdicts_need_size_and_clarity() {
        let all = vec![
            compared(Metric::Response, -30.0, 5.0, 10.0, 1e-9),
            compared(Metric::Succeeded, -0.2, 0.01, 0.001, 1e-9),
            compared(Metric::Settled, 100.0, 50.0, 500.0, 1e-3),
            compared(Metric::Response, 12.0, 11.5, 10.0, 0.04),
        ];
        let verdicts: Vec<Verdict> = judge(all).into_iter().map(|d| d.verdict).collect();
        let expected = [Verdict::Better, Verdict::Worse, Verdict::NoPracticalDifference, Verdict::Worse];
        assert_eq!(verdicts, expected, "the last of four needs p ≤ 0.05 only");
        let crowd = (0..10).map(|_| compared(Metric::Response, 30.0, 25.0, 10.0, 0.02)).collect();
        assert!(judge(crowd).iter().all(|d| d.verdict == Verdict::Undecided), "ten at p = 0.02 are chance");
    }

    #[test]
    fn rare_events_are_wilson_wide() {
        let (low, high) = wilson((0, 1000));
        assert!(low == 0.0 && (high - 0.003_827).abs() < 1e-5, "{high}");
        let (low, high) = wilson((50, 100));
        assert!((low - 0.403_83).abs() < 1e-4 && (high - 0.596_17).abs() < 1e-4);
        // Newcombe's own example: 56/70 − 48/80 = 0.2, interval 0.0524 to 0.3339.
        assert!((newcombe((48, 80), (56, 70), 0.2) - 0.1476).abs() < 2e-4);
        assert!(newcombe((0, 1000), (0, 1000), 0.0) > 0.003);
    }
}
