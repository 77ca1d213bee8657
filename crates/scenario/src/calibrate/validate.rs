//! Whether a scenario made from one stretch of time predicts another, under another load.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use flowglass_model::Nanos;
use serde::Serialize;

use super::design::Design;
use super::handlings::{Asked, Cause, Handled};
use super::names::quoted;
use super::sample::Sample;
use super::{Observation, Seen, text};
use crate::experiment::{RunOptions, run};
use crate::file::read_scenario;
use crate::model::Arrivals;

/// Stretches that the period is cut into; the quieter ones are learned from, the busier ones predicted.
const STRETCHES: i64 = 10;
/// Load from which on it counts as another.
const OTHER_LOAD: f64 = 1.3;
/// Requests that a percentile 95 of a workload needs.
const ENOUGH: usize = 40;
const REPLICATIONS: u32 = 5;

/// How much a prediction may be relied on (grades of the project's research: 15 % is what automatic extraction reaches at best,
/// 30 % is usual in capacity planning).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Grade {
    /// Within 15 % of the 95th percentile at another load.
    A,
    /// Within 30 %.
    B,
    /// Within 30 % at the same load only: no evidence for another.
    C,
    /// Further off, or nothing to compare with.
    D,
}

/// Observed beside predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The workload.
    pub workload: String,
    /// What is compared: `p50_ms`, `p95_ms` or `throughput_per_s`.
    pub figure: &'static str,
    /// As it was.
    pub observed: f64,
    /// As the scenario says; `None` where it has no value.
    pub predicted: Option<f64>,
    /// Observations.
    pub n: usize,
}

impl Compared {
    /// How far off the prediction is, as a share of what was observed.
    pub fn error(&self) -> Option<f64> {
        self.predicted.map(|p| (p - self.observed) / self.observed)
    }
}

/// The result of a validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// How much to rely on it.
    pub grade: Grade,
    /// Why, in a sentence.
    pub why: String,
    /// Load of what was predicted over that of what was learned from.
    pub load_ratio: Option<f64>,
    /// Figure by figure.
    pub compared: Vec<Compared>,
}

impl Validation {
    /// The lines that tell it in a scenario file.
    pub fn yaml(&self) -> String {
        format!("\nvalidation:\n  grade: {:?}\n  why: {}\n", self.grade, quoted(&self.why))
    }

    fn none(why: &str) -> Validation {
        Validation { grade: Grade::D, why: why.to_owned(), load_ratio: None, compared: Vec::new() }
    }
}

/// Learns from the quieter half of the period and predicts the busier half; where the load hardly varied, learns from the first
/// half and predicts the second. Set `cancel` to stop early: what is returned then says so.
pub fn validate(observation: &Observation<'_>, cancel: &AtomicBool) -> Validation {
    let Some(halves) = Halves::of(observation.spans) else {
        return Validation::none("There is too little to learn from one part of it and predict another.");
    };
    let Ok(design) = Design::new(&Handled::new(&halves.learned), observation.layers) else {
        return Validation::none("The quieter part of the period holds too few requests.");
    };
    let file = text::write(observation.title, &design).yaml;
    let Ok(mut scenario) = read_scenario(&file, &|_| Err("there are no recorded arrivals".into())) else {
        return Validation::none("The scenario of the quieter part could not be read.");
    };
    scenario.variants.truncate(1);
    let Some(variant) = scenario.variants.first().map(|v| v.name.clone()) else {
        return Validation::none("The scenario of the quieter part has no variant.");
    };
    let responses = responses(&halves.predicted);
    let mut of_workload: BTreeMap<&str, (f64, &Sample)> = BTreeMap::new();
    for (workload, known) in scenario.design.workloads.iter_mut().zip(&design.workloads) {
        let Some(sample) = responses.get(&known.to) else { continue };
        let rate = sample.n() as f64 / halves.predicted_seconds;
        workload.arrivals = Arrivals::Poisson(rate);
        of_workload.insert(&known.name, (rate, sample));
    }
    let mut options = RunOptions::of(&scenario);
    options.replications = REPLICATIONS;
    let outcome = match run(&scenario, &options, &|_| {}, cancel) {
        Ok(outcome) => outcome,
        Err(why) => return Validation::none(&format!("The prediction has no outcome: {why}.")),
    };
    let mut compared = Vec::new();
    let Some(found) = outcome.variants.get(&variant) else {
        return Validation::none("The prediction has no outcome.");
    };
    for (name, workload) in found.workloads.iter() {
        let Some((rate, sample)) = of_workload.get(name).filter(|(_, s)| s.n() >= ENOUGH) else { continue };
        let mut add = |figure, observed: f64, predicted| {
            compared.push(Compared { workload: name.to_owned(), figure, observed, predicted, n: sample.n() });
        };
        add("p50_ms", sample.quantile(0.5) / 1e6, workload.response_ms.p50.value);
        add("p95_ms", sample.quantile(0.95) / 1e6, workload.response_ms.p95.value);
        add("throughput_per_s", *rate, workload.throughput_per_s.value);
    }
    grade(compared, halves.load_ratio)
}

fn grade(compared: Vec<Compared>, load_ratio: f64) -> Validation {
    let errors: Vec<f64> =
        compared.iter().filter(|c| c.figure == "p95_ms").map(|c| c.error().map_or(f64::INFINITY, f64::abs)).collect();
    let Some(worst) = errors.iter().copied().reduce(f64::max) else {
        return Validation::none("No workload has enough requests in the part to be predicted.");
    };
    let other = load_ratio >= OTHER_LOAD;
    let grade = match worst {
        w if other && w <= 0.15 => Grade::A,
        w if other && w <= 0.30 => Grade::B,
        w if !other && w <= 0.30 => Grade::C,
        _ => Grade::D,
    };
    let off = if worst.is_finite() { format!("{:.0} %", worst * 100.0) } else { "without limit".to_owned() };
    let why = if other {
        format!(
            "Learned from the quieter part, it predicts the response time at {load_ratio:.1} times the load: the 95th percentile is off by {off} at most."
        )
    } else {
        format!(
            "The load hardly varied, so only the same load could be predicted: the 95th percentile is off by {off} at most."
        )
    };
    Validation { grade, why, load_ratio: Some(load_ratio), compared }
}

struct Halves {
    learned: Vec<Seen>,
    predicted: Vec<Seen>,
    predicted_seconds: f64,
    load_ratio: f64,
}

impl Halves {
    /// Cuts the period into stretches by when a trace began, and those into two halves by their load.
    fn of(spans: &[Seen]) -> Option<Halves> {
        let handled = Handled::new(spans);
        let starts: Vec<Nanos> = handled.all.iter().filter(|h| h.cause == Cause::Outside).map(|h| h.start).collect();
        let (first, last) = (starts.iter().min()?, starts.iter().max()?);
        let width = (last - first) / STRETCHES;
        if width <= 0 || starts.len() < 2 * ENOUGH {
            return None;
        }
        let stretch = |t: Nanos| ((t - first) / width).clamp(0, STRETCHES - 1) as usize;
        let mut counts = [0usize; STRETCHES as usize];
        starts.iter().for_each(|t| counts[stretch(*t)] += 1);
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|i| (counts[*i], *i));
        let half = counts.len() / 2;
        let sum = |list: &[usize]| list.iter().map(|i| counts[*i]).sum::<usize>() as f64;
        let mut ratio = sum(&order[half..]) / sum(&order[..half]).max(1.0);
        if ratio < OTHER_LOAD {
            order.sort_unstable();
            ratio = sum(&order[half..]) / sum(&order[..half]).max(1.0);
        }
        let busy: Vec<usize> = order[half..].to_vec();
        let mut begun: BTreeMap<_, Nanos> = BTreeMap::new();
        for seen in spans {
            let start = begun.entry(seen.facts.trace_id).or_insert(seen.facts.start);
            *start = (*start).min(seen.facts.start);
        }
        let is_busy = |seen: &&Seen| busy.contains(&stretch(begun[&seen.facts.trace_id]));
        let (predicted, learned): (Vec<&Seen>, Vec<&Seen>) = spans.iter().partition(is_busy);
        let owned = |list: Vec<&Seen>| list.into_iter().cloned().collect();
        Some(Halves {
            learned: owned(learned),
            predicted: owned(predicted),
            predicted_seconds: (width * (counts.len() - half) as i64) as f64 / 1e9,
            load_ratio: ratio,
        })
    }
}

/// Response times by what was asked from outside.
fn responses(spans: &[Seen]) -> BTreeMap<Asked, Sample> {
    let mut all: BTreeMap<Asked, Vec<i64>> = BTreeMap::new();
    for h in Handled::new(spans).all.into_iter().filter(|h| h.cause == Cause::Outside) {
        all.entry(h.asked).or_default().push(h.end - h.start);
    }
    all.into_iter().map(|(asked, values)| (asked, Sample::new(values))).collect()
}
