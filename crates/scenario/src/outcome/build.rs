//! From the summaries of replications to figures.

use super::differences::{Metric, differences};
use super::figure::{Sample, fold};
use super::{
    Channel, Curves, Figure, Group, Mean, MeanMax, MeanP95, Named, Outcome, Participant, Reached, TimeLine, Times,
    Trouble, VariantOutcome, Workload,
};
use crate::experiment::{Entry, GroupSummary, Observed, PlaceSummary, Plan, Recovery, SourceSummary, Summary, growth};
use crate::experiment::{LineSummary, Reach, Times as Seen};
use crate::model::Scenario;
use crate::program::{NONE, Program};
use crate::tally::{Histogram, TERMINALS};

/// Observations that a percentile needs in each replication: five beyond it, and ten for the median.
const NEEDED: [(f64, u64); 4] = [(0.5, 10), (0.9, 50), (0.95, 100), (0.99, 500)];

/// Replications of one variant, and what a second of its window is worth.
struct Fold<'a> {
    all: Vec<&'a Summary>,
    seconds: f64,
    program: &'a Program,
    /// Growth of what waits, per second, by place.
    growing: Vec<Option<f64>>,
}

/// The outcome of all variants.
pub(crate) fn build(scenario: &Scenario, plan: &Plan<'_>, observed: &Observed, mut warnings: Vec<String>) -> Outcome {
    let folds = folds(plan, observed);
    let mut variants = Vec::new();
    let observations = observed.timelines.iter().zip(&observed.curves);
    for ((entry, fold), (timeline, curves)) in plan.entries.iter().zip(&folds).zip(observations) {
        for (place, growth) in entry.program.places.iter().zip(&fold.growing) {
            if let Some(growth) = growth {
                warnings.push(format!("{}: no steady state, {}", entry.variant.name, grows(&place.name, *growth)));
            }
        }
        let series = time_line(entry, timeline);
        variants.push((entry.variant.name.clone(), fold.variant(entry, series, curves)));
    }
    let variants = Named(variants);
    Outcome {
        scenario: scenario.title.clone(),
        seed: plan.seed,
        replications: folds.iter().map(|f| f.all.len()).max().unwrap_or(0),
        warm_up_s: plan.warm_up as f64 / 1e9,
        assumed: scenario.assumed.clone(),
        warnings,
        simulated_events: observed.events,
        wall_ms: 0.0,
        differences: differences(scenario, plan, observed, &variants),
        variants,
    }
}

/// For each variant, whether the answers and whether the effects of a workload wait for something whose backlog has no end.
pub(crate) fn unsteady(plan: &Plan<'_>, observed: &Observed) -> Vec<[bool; 2]> {
    let of = |(entry, fold): (&Entry<'_>, Fold<'_>)| {
        let any = |needs: fn(&Reach) -> &[bool]| entry.watch.reach.iter().any(|r| fold.unsteady(needs(r)).is_some());
        [any(|r| &r.answer), any(|r| &r.effects)]
    };
    plan.entries.iter().zip(folds(plan, observed)).map(of).collect()
}

/// The figures that decide, each with what does not matter of it.
pub(crate) fn decision_figures(scenario: &Scenario, plan: &Plan<'_>, observed: &Observed) -> Vec<(Figure, f64)> {
    let mut figures = Vec::new();
    for (entry, fold) in plan.entries.iter().zip(folds(plan, observed)) {
        for source in 0..entry.program.sources.len() {
            let outcome = fold.workload(entry, source);
            for metric in Metric::ALL {
                let figure = metric.figure(&outcome).clone();
                let indifference = metric.indifference(&scenario.indifference, figure.value.unwrap_or(0.0));
                figures.push((figure, indifference));
            }
        }
    }
    figures
}

fn folds<'a>(plan: &'a Plan<'_>, observed: &'a Observed) -> Vec<Fold<'a>> {
    let seconds = plan.duration as f64 / 1e9;
    let fold = |(entry, all): (&'a Entry<'_>, &'a Vec<Option<Summary>>)| {
        let mut fold =
            Fold { all: all.iter().flatten().collect(), seconds, program: &entry.program, growing: Vec::new() };
        let length = (entry.watch.segment.to - entry.watch.segment.from) as f64 / 1e9;
        fold.growing = (0..entry.program.places.len()).map(|place| fold.growth(place, length)).collect();
        fold
    };
    plan.entries.iter().zip(&observed.summaries).map(fold).collect()
}

fn grows(place: &str, growth: f64) -> String {
    let growth = if growth < 10.0 { format!("{growth:.1}") } else { format!("{growth:.0}") };
    format!("backlog of {place} grows by {growth}/s")
}

impl Fold<'_> {
    /// Growth of what waits at a place, where it has no end.
    fn growth(&self, place: usize, length: f64) -> Option<f64> {
        let slopes: Option<Vec<[f64; 2]>> = self.all.iter().map(|s| s.places[place].growth).collect();
        let groups = &self.program.places[place].groups;
        let arrivals = |s: &&Summary| {
            let messages: u64 =
                groups.iter().map(|g| s.lines[self.program.groups[*g as usize].line as usize].published).sum();
            (s.places[place].attempts + messages) as f64 / self.seconds
        };
        let flow = self.all.iter().map(arrivals).sum::<f64>() / (self.all.len() as f64).max(1.0);
        growth(&slopes?, flow, length)
    }

    fn variant(&self, entry: &Entry<'_>, timeline: TimeLine, curves: &[[Histogram; 2]]) -> VariantOutcome {
        let program = self.program;
        VariantOutcome {
            workloads: (0..program.sources.len())
                .map(|i| (program.sources[i].name.clone(), self.workload(entry, i)))
                .collect(),
            participants: (0..program.places.len())
                .map(|i| (program.places[i].name.clone(), self.participant(i)))
                .collect(),
            channels: (0..program.lines.len())
                .filter(|i| !program.lines[*i].groups.is_empty())
                .map(|i| (program.lines[i].name.clone(), self.channel(i)))
                .collect(),
            curves: program.sources.iter().zip(curves).map(|(s, [r, d])| (s.name.clone(), curves_of(r, d))).collect(),
            timeline,
        }
    }

    fn figure(&self, sample: impl Fn(&Summary) -> Sample) -> Figure {
        fold(self.all.iter().map(|s| sample(s)))
    }

    /// Times, where a steady state lets them exist.
    fn times(&self, unsteady: Option<&str>, of: impl Fn(&Summary) -> Seen) -> Times {
        let needed = |index: usize, value: fn(&Seen) -> f64| {
            let need = NEEDED[index].1;
            self.timed(unsteady, &of, need, value)
        };
        Times {
            mean: self.timed(unsteady, &of, 1, |t| t.mean),
            p50: needed(0, |t| t.p50),
            p90: needed(1, |t| t.p90),
            p95: needed(2, |t| t.p95),
            p99: needed(3, |t| t.p99),
            max: self.timed(unsteady, &of, 1, |t| t.max),
        }
    }

    fn timed(
        &self,
        unsteady: Option<&str>,
        of: &impl Fn(&Summary) -> Seen,
        need: u64,
        value: fn(&Seen) -> f64,
    ) -> Figure {
        if let Some(why) = unsteady {
            return Figure::none(self.all.len(), why);
        }
        // Where it happened in no replication, "nothing" says more than "too few".
        let most = self.all.iter().map(|s| of(s).count).max().unwrap_or(0);
        self.figure(|s| {
            let times = of(s);
            match times.count {
                0 if most == 0 || need == 1 => Sample::Nothing,
                have if have < need => Sample::TooFew(have, need),
                _ => Sample::Value(value(&times)),
            }
        })
    }

    fn mean_p95(&self, unsteady: Option<&str>, of: impl Fn(&Summary) -> Seen) -> MeanP95 {
        let Times { mean, p95, .. } = self.times(unsteady, of);
        MeanP95 { mean, p95 }
    }

    /// Why times do not exist that depend on some places.
    fn unsteady(&self, needs: &[bool]) -> Option<String> {
        let all: Vec<String> = self
            .growing
            .iter()
            .zip(needs)
            .zip(&self.program.places)
            .filter_map(|((growth, needed), place)| growth.filter(|_| *needed).map(|g| grows(&place.name, g)))
            .collect();
        (!all.is_empty()).then(|| format!("no steady state: {}", all.join(", ")))
    }

    fn workload(&self, entry: &Entry<'_>, index: usize) -> Workload {
        let reach = &entry.watch.reach[index];
        let (answer, effects) = (self.unsteady(&reach.answer), self.unsteady(&reach.effects));
        let (answer, effects) = (answer.as_deref(), effects.as_deref());
        let share = |part: fn(&SourceSummary) -> u64| {
            self.figure(|s| Sample::ratio(part(&s.sources[index]) as f64, s.sources[index].arrivals))
        };
        let fate = |state: usize| {
            self.figure(|s| Sample::ratio(s.sources[index].fates[state] as f64, s.sources[index].arrivals))
        };
        let mut fates: Vec<(String, Figure)> =
            TERMINALS.iter().enumerate().map(|(state, name)| ((*name).to_owned(), fate(state))).collect();
        fates.push(("open".to_owned(), share(|s| s.open)));
        Workload {
            response_ms: self.times(answer, |s| s.sources[index].response),
            response_ok_ms: self.times(answer, |s| s.sources[index].response_ok),
            settled_ms: self.times(effects, |s| s.sources[index].settled),
            throughput_per_s: self.figure(|s| Sample::Value(s.sources[index].ok as f64 / self.seconds)),
            succeeded: share(|s| s.ok),
            failed: share(|s| s.failed),
            refused: share(|s| s.refused),
            abandoned: share(|s| s.abandoned),
            in_flight: share(|s| s.in_flight),
            false_success: share(|s| s.false_success),
            false_failure: share(|s| s.false_failure),
            late_effects: share(|s| s.late),
            inconsistent_ms: self.times(effects, |s| s.sources[index].inconsistent),
            amplification: self
                .figure(|s| Sample::ratio(s.sources[index].starts as f64, s.sources[index].settled_requests())),
            fates: Named(fates),
        }
    }

    fn participant(&self, index: usize) -> Participant {
        let spec = &self.program.places[index];
        let workers = (spec.servers != NONE).then(|| f64::from(spec.servers) * f64::from(spec.lanes));
        let per_worker = |part: fn(&PlaceSummary) -> f64| {
            self.figure(|s| match workers {
                Some(workers) if workers > 0.0 => Sample::Value(part(&s.places[index]) / workers),
                Some(_) => Sample::Undefined("it has no workers"),
                None => Sample::Undefined("its workers are unlimited"),
            })
        };
        let of = |part: fn(&PlaceSummary) -> f64| self.figure(|s| Sample::Value(part(&s.places[index])));
        let share = |part: fn(&PlaceSummary) -> u64, whole: fn(&PlaceSummary) -> u64| {
            self.figure(|s| Sample::ratio(part(&s.places[index]) as f64, whole(&s.places[index])))
        };
        let rate = |count: &dyn Fn(&Summary) -> u64| self.figure(|s| Sample::Value(count(s) as f64 / self.seconds));
        let messages = |s: &Summary| spec.groups.iter().map(|g| s.groups[*g as usize].messages).sum::<u64>();
        let growing = self.growing[index].map(|g| format!("no steady state: {}", grows(&spec.name, g)));
        let unsteady = growing.as_deref();
        let recoveries = (0..spec.outages.len()).map(|outage| {
            self.reached(|s| match s.places[index].recoveries[outage] {
                Recovery::After(ms) => Ok(ms),
                Recovery::Never => Err(true),
                Recovery::NothingBefore => Err(false),
            })
        });
        let drains = (0..spec.outages.len())
            .map(|outage| self.reached(|s| s.places[index].drains[outage].map(|t| t as f64 / 1e6).ok_or(true)));
        Participant {
            utilisation: per_worker(|p| p.busy),
            computing: per_worker(|p| p.computing),
            held_waiting: per_worker(|p| (p.busy - p.computing).max(0.0)),
            in_service: Mean { mean: of(|p| p.busy) },
            backlog: MeanMax {
                mean: unsteady.map_or_else(|| of(|p| p.backlog), |why| Figure::none(self.all.len(), why)),
                max: unsteady.map_or_else(|| of(|p| p.backlog_max as f64), |why| Figure::none(self.all.len(), why)),
            },
            wait_ms: self.mean_p95(unsteady, |s| s.places[index].wait),
            delayed: share(|p| p.delayed, |p| p.started),
            arrivals_per_s: rate(&|s| s.places[index].attempts + messages(s)),
            started_per_s: rate(&|s| s.places[index].started),
            refused: share(|p| p.refused, |p| p.attempts),
            timed_out: share(|p| p.timed_out, |p| p.attempts),
            attempts: Mean { mean: share(|p| p.attempts, |p| p.calls) },
            up: of(|p| 1.0 - p.down),
            recovery_ms: recoveries.collect(),
            drain_ms: drains.collect(),
        }
    }

    /// Times after an outage; `Err(true)` where the run ended before.
    fn reached(&self, of: impl Fn(&Summary) -> Result<f64, bool>) -> Reached {
        let seen: Vec<Result<f64, bool>> = self.all.iter().map(|s| of(s)).collect();
        let beyond = seen.iter().filter(|s| **s == Err(true)).count();
        let values: Vec<f64> = seen.iter().filter_map(|s| s.ok()).collect();
        match (beyond, values.len()) {
            (0, 0) => Reached::After(Figure::none(seen.len(), "there were no good answers before the outage")),
            (0, _) => Reached::After(Figure::of(&values)),
            (_, 0) => Reached::BeyondHorizon,
            _ => {
                let why = format!("not reached within the run in {beyond} of {} replications", seen.len());
                Reached::After(Figure::none(seen.len(), why))
            }
        }
    }

    fn channel(&self, index: usize) -> Channel {
        let of = |part: fn(&LineSummary) -> Sample| self.figure(|s| part(&s.lines[index]));
        let groups = self.program.lines[index].groups.iter().map(|g| {
            let name = &self.program.routines[self.program.groups[*g as usize].routine as usize].name;
            (name.clone(), self.group(*g as usize))
        });
        Channel {
            published_per_s: self.figure(|s| Sample::Value(s.lines[index].published as f64 / self.seconds)),
            refused: of(|l| Sample::ratio(l.refused as f64, l.published + l.refused)),
            groups: groups.collect(),
        }
    }

    fn group(&self, index: usize) -> Group {
        let place = self.program.groups[index].place as usize;
        let growing =
            self.growing[place].map(|g| format!("no steady state: {}", grows(&self.program.places[place].name, g)));
        let unsteady = growing.as_deref();
        let share = |part: fn(&GroupSummary) -> u64| {
            self.figure(|s| Sample::ratio(part(&s.groups[index]) as f64, s.groups[index].messages))
        };
        let of = |part: fn(&GroupSummary) -> f64| match unsteady {
            Some(why) => Figure::none(self.all.len(), why),
            None => self.figure(|s| Sample::Value(part(&s.groups[index]))),
        };
        Group {
            deliveries: Mean { mean: share(|g| g.deliveries) },
            started_per_s: self.figure(|s| Sample::Value(s.groups[index].started as f64 / self.seconds)),
            dead_lettered: share(|g| g.dead),
            duplicated: share(|g| g.duplicated),
            duplicates: Mean { mean: share(|g| g.duplicates) },
            lost: share(|g| g.lost),
            expired: share(|g| g.expired),
            no_effect: share(|g| g.no_effect),
            batch_size: Mean {
                mean: self.figure(|s| Sample::ratio(s.groups[index].taken as f64, s.groups[index].batches)),
            },
            backlog: MeanMax { mean: of(|g| g.backlog), max: of(|g| g.backlog_max as f64) },
            lag_ms: self.mean_p95(unsteady, |s| s.groups[index].lag),
        }
    }
}

/// Points of a curve at most.
const CURVE: usize = 100;

fn curves_of(response: &Histogram, settled: &Histogram) -> Curves {
    let of = |histogram: &Histogram| {
        histogram.curve(CURVE).into_iter().map(|(ns, share)| [ns / 1e6, share]).collect::<Vec<_>>()
    };
    Curves { response_ms: of(response), settled_ms: of(settled) }
}

fn time_line(entry: &Entry<'_>, timeline: &crate::experiment::Timeline) -> TimeLine {
    let step_s = timeline.step as f64 / 1e9;
    let runs = timeline.replications.max(1) as f64;
    let rate = |kind: usize| timeline.steps.iter().map(|s| s[kind] as f64 / (runs * step_s)).collect();
    let mut series: Vec<(String, Vec<f64>)> = vec![
        ("arrivals_per_s".to_owned(), rate(0)),
        ("good_per_s".to_owned(), rate(1)),
        ("bad_per_s".to_owned(), rate(2)),
    ];
    for (place, backlog) in entry.program.places.iter().zip(&timeline.backlogs) {
        series.push((format!("backlog/{}", place.name), backlog.iter().map(|v| *v as f64 / runs).collect()));
    }
    let mut outages = Vec::new();
    for place in &entry.program.places {
        for outage in &place.outages {
            let (from, to) = (outage.at, outage.at.saturating_add(outage.lasts));
            outages.push(Trouble { of: place.name.clone(), from_s: from as f64 / 1e9, to_s: to as f64 / 1e9 });
        }
    }
    for line in entry.program.lines.iter().filter(|l| !l.groups.is_empty()) {
        for outage in &line.spec.broker.outages {
            let (from, to) = (outage.at, outage.at.saturating_add(outage.lasts));
            outages.push(Trouble { of: line.name.clone(), from_s: from as f64 / 1e9, to_s: to as f64 / 1e9 });
        }
    }
    TimeLine { step_s, outages, series: Named(series) }
}
