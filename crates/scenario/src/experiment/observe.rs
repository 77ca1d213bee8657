//! What one replication says, in the few numbers that an outcome needs.

use super::recovery::{Recovery, recovery};
use super::steady::{Segment, slopes};
use crate::model::{Arrivals, Design, Time};
use crate::program::{NONE, Program};
use crate::tally::{GroupTally, Histogram, PlaceTally, Series, SourceTally, Tally};

/// Milliseconds.
pub(crate) fn ms(nanoseconds: f64) -> f64 {
    nanoseconds / 1e6
}

/// A distribution of times in one replication, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Times {
    fn new(histogram: &Histogram) -> Times {
        let [p50, p90, p95, p99] = histogram.percentiles([0.5, 0.9, 0.95, 0.99]).map(ms);
        Times {
            count: histogram.count(),
            mean: ms(histogram.mean().unwrap_or(0.0)),
            p50,
            p90,
            p95,
            p99,
            max: ms(histogram.max().unwrap_or(0.0)),
        }
    }
}

/// A workload in one replication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceSummary {
    pub(crate) arrivals: u64,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) in_flight: u64,
    pub(crate) response: Times,
    pub(crate) response_ok: Times,
    pub(crate) settled: Times,
    pub(crate) inconsistent: Times,
    pub(crate) false_success: u64,
    pub(crate) false_failure: u64,
    pub(crate) late: u64,
    pub(crate) starts: u64,
    pub(crate) open: u64,
    pub(crate) fates: [u64; 9],
}

impl SourceSummary {
    fn new(t: &SourceTally) -> SourceSummary {
        SourceSummary {
            arrivals: t.arrivals,
            ok: t.ok,
            failed: t.failed,
            refused: t.refused,
            abandoned: t.abandoned,
            in_flight: t.in_flight,
            response: Times::new(&t.response),
            response_ok: Times::new(&t.response_ok),
            settled: Times::new(&t.settled),
            inconsistent: Times::new(&t.inconsistent),
            false_success: t.false_success,
            false_failure: t.false_failure,
            late: t.late,
            starts: t.starts,
            open: t.open,
            fates: t.fates,
        }
    }

    /// Requests of which nothing is under way any more.
    pub(crate) fn settled_requests(&self) -> u64 {
        self.fates.iter().sum()
    }
}

/// A participant in one replication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlaceSummary {
    pub(crate) calls: u64,
    pub(crate) attempts: u64,
    pub(crate) refused: u64,
    pub(crate) timed_out: u64,
    pub(crate) started: u64,
    pub(crate) delayed: u64,
    pub(crate) wait: Times,
    /// Means over the window.
    pub(crate) busy: f64,
    pub(crate) computing: f64,
    pub(crate) backlog: f64,
    pub(crate) backlog_max: u64,
    pub(crate) down: f64,
    pub(crate) drains: Vec<Option<Time>>,
    pub(crate) recoveries: Vec<Recovery>,
    /// Growth of what waits, per second: over the judged stretch, and over its second half.
    pub(crate) growth: Option<[f64; 2]>,
}

/// A group in one replication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupSummary {
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    pub(crate) started: u64,
    pub(crate) acked: u64,
    pub(crate) dead: u64,
    pub(crate) duplicated: u64,
    pub(crate) duplicates: u64,
    pub(crate) lost: u64,
    pub(crate) expired: u64,
    pub(crate) no_effect: u64,
    pub(crate) batches: u64,
    pub(crate) taken: u64,
    pub(crate) lag: Times,
    pub(crate) backlog: f64,
    pub(crate) backlog_max: u64,
}

impl GroupSummary {
    fn new(t: &GroupTally, length: f64) -> GroupSummary {
        GroupSummary {
            messages: t.messages,
            deliveries: t.deliveries,
            started: t.started,
            acked: t.acked,
            dead: t.dead,
            duplicated: t.duplicated,
            duplicates: t.duplicates,
            lost: t.lost,
            expired: t.expired,
            no_effect: t.no_effect,
            batches: t.batches,
            taken: t.taken,
            lag: Times::new(&t.lag),
            backlog: t.backlog / length,
            backlog_max: t.backlog_max,
        }
    }
}

/// A channel in one replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineSummary {
    pub(crate) published: u64,
    pub(crate) refused: u64,
}

/// One replication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) sources: Vec<SourceSummary>,
    pub(crate) places: Vec<PlaceSummary>,
    pub(crate) groups: Vec<GroupSummary>,
    pub(crate) lines: Vec<LineSummary>,
    pub(crate) events: u64,
}

/// What is looked for in the series of a replication.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    /// Stretch of the window without planned changes, in which a backlog is watched for growth.
    pub(crate) segment: Segment,
    /// Planned outages by place: begin and end.
    outages: Vec<Vec<(Time, Time)>>,
    /// For each workload, the places that its answers, and its effects, have to go through.
    pub(crate) reach: Vec<Reach>,
}

/// Places that a workload depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    pub(crate) answer: Vec<bool>,
    pub(crate) effects: Vec<bool>,
}

impl Watch {
    pub(crate) fn new(design: &Design, program: &Program, duration: Time) -> Watch {
        let mut from = 0;
        let mut to = duration;
        let mut change = |at: Time| {
            if at < duration {
                from = from.max(at);
            } else {
                from = duration;
            }
        };
        for outage in program.places.iter().flat_map(|p| &p.outages) {
            change(outage.at.saturating_add(outage.lasts));
        }
        for outage in program.lines.iter().flat_map(|l| &l.spec.broker.outages) {
            change(outage.at.saturating_add(outage.lasts));
        }
        for workload in &design.workloads {
            to = to.min(workload.until.unwrap_or(duration));
            if let Arrivals::Rates(steps) = &workload.arrivals {
                steps.iter().filter(|s| s.0 < duration).for_each(|s| change(s.0));
            }
        }
        let outages = program
            .places
            .iter()
            .map(|p| p.outages.iter().map(|o| (o.at, o.at.saturating_add(o.lasts))).collect())
            .collect();
        let reach = program.sources.iter().map(|s| reach(program, s.routine)).collect();
        Watch { segment: Segment { from, to: to.max(from) }, outages, reach }
    }
}

/// Follows calls and messages from an operation.
fn reach(program: &Program, routine: u32) -> Reach {
    use crate::program::Instruction::{Await, Call, End, Publish};
    let places = program.places.len();
    let mut seen = vec![[false; 2]; program.routines.len()];
    let mut reach = Reach { answer: vec![false; places], effects: vec![false; places] };
    let mut open = vec![(routine, true)];
    while let Some((routine, answers)) = open.pop() {
        if std::mem::replace(&mut seen[routine as usize][usize::from(answers)], true) {
            continue;
        }
        let spec = &program.routines[routine as usize];
        reach.effects[spec.place as usize] = true;
        reach.answer[spec.place as usize] |= answers;
        if spec.entry == NONE {
            continue;
        }
        let waits = answers && !spec.reply_early;
        let code = program.code[spec.entry as usize..].iter().take_while(|i| **i != End);
        for instruction in code {
            match instruction {
                Call(call) | Await(call) => open.push((program.calls[*call as usize].routine, waits)),
                Publish(publication) => {
                    let line = program.publications[*publication as usize].line;
                    let groups = &program.lines[line as usize].groups;
                    open.extend(groups.iter().map(|g| (program.groups[*g as usize].routine, false)));
                }
                _ => {}
            }
        }
    }
    reach
}

impl Summary {
    pub(crate) fn new(tally: &Tally, watch: &Watch, duration: Time) -> Summary {
        let length = duration as f64;
        let places = tally.places.iter().enumerate().map(|(index, place)| {
            let growth = slopes(&tally.series, index, watch.segment, duration);
            let outages = &watch.outages[index];
            let recoveries = outages.iter().map(|(begin, end)| recovery(&tally.series, *begin, *end)).collect();
            place_summary(place, length, growth, recoveries)
        });
        Summary {
            sources: tally.sources.iter().map(SourceSummary::new).collect(),
            places: places.collect(),
            groups: tally.groups.iter().map(|g| GroupSummary::new(g, length)).collect(),
            lines: tally.lines.iter().map(|l| LineSummary { published: l.published, refused: l.refused }).collect(),
            events: tally.events,
        }
    }
}

fn place_summary(t: &PlaceTally, length: f64, growth: Option<[f64; 2]>, recoveries: Vec<Recovery>) -> PlaceSummary {
    PlaceSummary {
        calls: t.calls,
        attempts: t.attempts,
        refused: t.refused,
        timed_out: t.timed_out,
        started: t.started,
        delayed: t.delayed,
        wait: Times::new(&t.wait),
        busy: t.busy / length,
        computing: t.computing / length,
        backlog: t.backlog / length,
        backlog_max: t.backlog_max,
        down: t.down / length,
        drains: t.drains.clone(),
        recoveries,
        growth,
    }
}

/// What happened when, summed over replications: whole numbers, so that the order does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    /// Step, nanoseconds.
    pub(crate) step: Time,
    pub(crate) replications: u64,
    /// Arrivals, good and bad answers by step.
    pub(crate) steps: Vec<[u64; 3]>,
    /// What waits at the end of each step, by place.
    pub(crate) backlogs: Vec<Vec<u64>>,
}

impl Timeline {
    pub(crate) fn new(series: &Series) -> Timeline {
        Timeline {
            step: series.step,
            replications: 1,
            steps: series.steps.iter().map(|s| s.map(u64::from)).collect(),
            backlogs: series.backlogs.iter().map(|b| b.iter().map(|v| u64::from(*v)).collect()).collect(),
        }
    }

    pub(crate) fn add(&mut self, other: &Timeline) {
        if self.replications == 0 {
            *self = other.clone();
            return;
        }
        self.replications += other.replications;
        for (sum, more) in self.steps.iter_mut().zip(&other.steps) {
            sum.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        }
        for (sum, more) in self.backlogs.iter_mut().zip(&other.backlogs) {
            sum.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        }
    }
}
