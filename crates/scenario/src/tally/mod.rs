//! What a replication counts. Two replications with the same seed count the same, bit for bit.

mod histogram;

pub(crate) use histogram::Histogram;

use crate::model::Time;
use crate::program::Program;

/// The one state a request ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    Refused,
    FailedClean,
    Completed,
    Degraded,
    Compensated,
    Partial,
    DeadLettered,
    Lost,
    Stuck,
}

/// Names of the terminal states, in order.
pub(crate) const TERMINALS: [&str; 9] =
    ["refused", "failed_clean", "completed", "degraded", "compensated", "partial", "dead_lettered", "lost", "stuck"];

/// Counts of one replication.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) sources: Vec<SourceTally>,
    pub(crate) places: Vec<PlaceTally>,
    pub(crate) groups: Vec<GroupTally>,
    pub(crate) lines: Vec<LineTally>,
    pub(crate) series: Series,
    pub(crate) events: u64,
    /// Requests, handlings, calls, copies and strands left at the end.
    pub(crate) left: [usize; 5],
}

/// Counts of a workload, over the requests that arrived in the window. What every request counts in comes first.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct SourceTally {
    pub(crate) arrivals: u64,
    pub(crate) ok: u64,
    pub(crate) starts: u64,
    pub(crate) false_success: u64,
    pub(crate) false_failure: u64,
    pub(crate) late: u64,
    /// Requests that were answered well and settled at that very instant count in this one only, until the end.
    pub(crate) at_once: Histogram,
    pub(crate) fates: [u64; 9],
    pub(crate) failed: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    /// Not answered when the simulation ended.
    pub(crate) in_flight: u64,
    /// Something of them was still under way then.
    pub(crate) open: u64,
    pub(crate) response: Histogram,
    pub(crate) response_ok: Histogram,
    pub(crate) settled: Histogram,
    pub(crate) inconsistent: Histogram,
    /// Response times of the first requests by number, nanoseconds; `u64::MAX` where unknown.
    pub(crate) first: Vec<Time>,
    /// Their settled times, likewise.
    pub(crate) first_settled: Vec<Time>,
}

impl SourceTally {
    /// Records the response time of a request that settles later than it is answered, or not at all.
    pub(crate) fn record_answer(&mut self, flags: u32, took: Time) {
        use crate::engine::flag::{ERROR, OK};
        if flags & OK != 0 {
            self.response_ok.record(took);
        } else if flags & ERROR != 0 {
            self.response.record(took);
        }
    }

    /// Spreads what was recorded once over where it belongs.
    fn complete(&mut self) {
        for times in
            [&mut self.response, &mut self.response_ok, &mut self.at_once, &mut self.settled, &mut self.inconsistent]
        {
            times.settle();
        }
        let at_once = std::mem::take(&mut self.at_once);
        self.settled.merge(&at_once);
        self.response_ok.merge(&at_once);
        self.response.merge(&self.response_ok);
    }
}

/// Keeps a time by number.
pub(crate) fn keep(times: &mut Vec<Time>, number: u64, took: Time) {
    let number = number as usize;
    if times.len() <= number {
        times.resize(number + 1, Time::MAX);
    }
    times[number] = took;
}

/// Counts of a participant, over the window. What every call counts in comes first.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct PlaceTally {
    pub(crate) calls: u64,
    pub(crate) attempts: u64,
    pub(crate) started: u64,
    pub(crate) delayed: u64,
    pub(crate) wait: Histogram,
    pub(crate) refused: u64,
    pub(crate) timed_out: u64,
    pub(crate) expired: u64,
    /// Integrals over the window: workers × ns, jobs × ns.
    pub(crate) busy: f64,
    pub(crate) computing: f64,
    pub(crate) backlog: f64,
    pub(crate) backlog_max: u64,
    pub(crate) down: f64,
    /// For each outage, how long its backlog took to drain; `None` where it did not.
    pub(crate) drains: Vec<Option<Time>>,
}

/// Counts of a consumer group, over the messages published in the window.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupTally {
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
    /// Neither acknowledged nor given up when the simulation ended.
    pub(crate) open: u64,
    pub(crate) batches: u64,
    pub(crate) taken: u64,
    pub(crate) lag: Histogram,
    pub(crate) backlog: f64,
    pub(crate) backlog_max: u64,
}

/// Counts of a channel, over the window.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineTally {
    pub(crate) published: u64,
    pub(crate) refused: u64,
}

/// What happened when, in steps of equal length from the end of the warm-up on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) step: Time,
    /// Arrivals, good and bad answers of the running step.
    pub(crate) arrivals: u32,
    pub(crate) ok: u32,
    pub(crate) bad: u32,
    pub(crate) steps: Vec<[u32; 3]>,
    /// Waiting at the end of each step, by participant (its messages included).
    pub(crate) backlogs: Vec<Vec<u32>>,
}

/// Steps of a time line at most.
const STEPS: u64 = 600;

impl Series {
    fn new(duration: Time, places: usize) -> Series {
        let second = 1_000_000_000;
        let step = if duration <= 2 * second { (duration / 20).max(1) } else { second.max(duration.div_ceil(STEPS)) };
        Series { step, backlogs: vec![Vec::new(); places], ..Series::default() }
    }

    /// Ends a step.
    pub(crate) fn close(&mut self, backlogs: impl Iterator<Item = u64>) {
        self.steps.push([self.arrivals, self.ok, self.bad]);
        (self.arrivals, self.ok, self.bad) = (0, 0, 0);
        for (series, value) in self.backlogs.iter_mut().zip(backlogs) {
            series.push(u32::try_from(value).unwrap_or(u32::MAX));
        }
    }
}

impl Tally {
    pub(crate) fn new(program: &Program, duration: Time) -> Tally {
        let place = |outages: usize| PlaceTally { drains: vec![None; outages], ..PlaceTally::default() };
        Tally {
            sources: vec![SourceTally::default(); program.sources.len()],
            places: program.places.iter().map(|p| place(p.outages.len())).collect(),
            groups: vec![GroupTally::default(); program.groups.len()],
            lines: vec![LineTally::default(); program.lines.len()],
            series: Series::new(duration, program.places.len()),
            events: 0,
            left: [0; 5],
        }
    }

    /// Makes everything readable.
    pub(crate) fn complete(&mut self) {
        self.sources.iter_mut().for_each(SourceTally::complete);
        self.places.iter_mut().for_each(|place| place.wait.settle());
        self.groups.iter_mut().for_each(|group| group.lag.settle());
    }

    pub(crate) fn drained(&mut self, place: usize, outage: usize, took: Option<Time>) {
        if let Some(drain) = self.places[place].drains.get_mut(outage) {
            *drain = took;
        }
    }
}
