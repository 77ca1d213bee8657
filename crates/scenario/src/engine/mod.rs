//! One replication of one variant, event by event.
//!
//! The rules are those of layered queueing (a worker is held through the calls it waits for) with time-outs, retries, brokers
//! and outages. Everything that can happen at one instant happens in a fixed order: state changes, work that ends, what arrives,
//! new requests, time-outs, samples; then by creation. Nothing depends on hashing, threads or a clock.

mod arrivals;
mod calendar;
mod calls;
mod copies;
mod deliveries;
mod handlings;
mod level;
mod messages;
mod requests;
mod sharing;
mod slab;
mod state;
mod stations;
mod told;
mod troubles;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use self::calendar::{Calendar, Event, Kind};
use self::level::Level;
use self::slab::Slab;
pub(crate) use self::state::flag;
use self::state::*;
pub(crate) use self::told::Ending as SpanEnding;
use self::told::{Ending, Told};
pub(crate) use self::told::{SpanOf, ToldRequest, ToldSpan, Wanted, Why, tell};
use crate::keyed;
use crate::model::Time;
use crate::program::Program;
use crate::tally::Tally;

/// What a replication needs besides the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) replication: u32,
    pub(crate) warm_up: Time,
    pub(crate) duration: Time,
    /// Events at most.
    pub(crate) events: u64,
    /// Keep the response times of so many first requests, in the order of arrival (to find the warm-up).
    pub(crate) keep: usize,
}

impl Setup {
    /// A replication of no length yet, that may take as long as it likes.
    pub(crate) fn new(seed: u64, replication: u32) -> Setup {
        Setup { seed, replication, warm_up: 0, duration: 0, events: u64::MAX, keep: 0 }
    }
}

/// Why a replication ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Somebody wanted it.
    Cancelled,
    /// More happened than is allowed.
    TooMuch,
    /// More was under way at once than memory is meant for.
    TooManyOpen,
}

/// Requests and messages under way at once at most: less than 1 GB.
pub(crate) const MOST_OPEN: usize = 2_000_000;

/// What is to be done at this very instant.
#[derive(Debug, Clone, Copy)]
enum Task {
    /// Work of no length is over.
    Done(u32, u32),
    /// A wait of a strand is over.
    Resume(u32, u32, u32),
    /// A step of a strand failed for good.
    Fail(u32, u32, u32),
    /// Workers of a place may have something to do.
    Dispatch(u32),
}

struct Sim<'p> {
    program: &'p Program,
    setup: Setup,
    now: Time,
    horizon: Time,
    measuring: bool,
    calendar: Calendar,
    agenda: VecDeque<Task>,
    requests: Slab<Request>,
    handlings: Slab<Handling>,
    extras: Slab<Extras>,
    strands: Slab<Strand>,
    calls: Slab<Call>,
    messages: Slab<Message>,
    copies: Slab<Copy>,
    stations: Vec<Station>,
    lanes: Vec<Lane>,
    /// By line and class of priority.
    queues: Vec<Queue>,
    groups: Vec<Group>,
    lines: Vec<LineState>,
    sources: Vec<SourceState>,
    breakers: Vec<BreakerState>,
    tokens: Vec<f64>,
    permits: Vec<u32>,
    seed_key: u64,
    order: u64,
    /// Measured requests and copies that are not over.
    pending: u64,
    running: Vec<u32>,
    tally: Tally,
    /// Requests told in full, where somebody wants that.
    told: Option<Box<Told>>,
}

/// Runs one replication.
pub(crate) fn simulate(program: &Program, setup: Setup, cancel: &AtomicBool) -> Result<Tally, Stopped> {
    let mut sim = Sim::new(program, setup);
    sim.begin();
    sim.run(cancel)?;
    Ok(sim.finish())
}

impl<'p> Sim<'p> {
    fn new(program: &'p Program, setup: Setup) -> Sim<'p> {
        let lanes: usize = program.places.iter().map(|p| p.lanes as usize).sum();
        let group = |partitions: u32| Group {
            queue: VecDeque::new(),
            buffer: VecDeque::new(),
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            ready: VecDeque::new(),
            backlog: Level::default(),
        };
        Sim {
            program,
            setup,
            now: 0,
            horizon: setup.warm_up + setup.duration,
            measuring: false,
            calendar: Calendar::new(&program.delays),
            agenda: VecDeque::new(),
            requests: Slab::new(),
            handlings: Slab::new(),
            extras: Slab::new(),
            strands: Slab::new(),
            calls: Slab::new(),
            messages: Slab::new(),
            copies: Slab::new(),
            stations: program.places.iter().map(|_| Station::default()).collect(),
            lanes: (0..lanes).map(|_| Lane::default()).collect(),
            queues: vec![Queue::new(); lanes * program.classes],
            groups: program
                .groups
                .iter()
                .map(|g| group(program.lines[g.line as usize].spec.partitions.unwrap_or(0)))
                .collect(),
            lines: program.lines.iter().map(|_| LineState::default()).collect(),
            sources: program.sources.iter().map(|_| SourceState::default()).collect(),
            breakers: vec![BreakerState::default(); program.breakers.len()],
            tokens: vec![10.0; program.budgets.len()],
            permits: vec![0; program.bulkheads.len()],
            seed_key: keyed::below(keyed::below(keyed::name("flowglass/1"), setup.seed), u64::from(setup.replication)),
            order: 0,
            pending: 0,
            running: Vec::new(),
            tally: Tally::new(program, setup.duration),
            told: None,
        }
    }

    fn begin(&mut self) {
        self.calendar.at(self.setup.warm_up, Kind::Measure, 0, 0);
        self.calendar.at(self.horizon, Kind::Finish, 0, 0);
        self.calendar.at(self.setup.warm_up + self.tally.series.step, Kind::Sample, 0, 0);
        self.begin_troubles();
        for source in 0..self.program.sources.len() {
            self.begin_source(source as u32);
        }
    }

    fn run(&mut self, cancel: &AtomicBool) -> Result<(), Stopped> {
        // What is still open long after the horizon is reported as in flight: an overloaded system never empties.
        let end = self.horizon.saturating_add(self.setup.duration.max(120_000_000_000));
        while let Some(event) = self.calendar.next() {
            if event.time > self.horizon && (self.pending == 0 || event.time > end) {
                break;
            }
            self.tally.events += 1;
            if self.tally.events & 0x3ff == 0 {
                if cancel.load(Ordering::Relaxed) {
                    return Err(Stopped::Cancelled);
                }
                if self.requests.len() + self.copies.len() > MOST_OPEN {
                    return Err(Stopped::TooManyOpen);
                }
            }
            if self.tally.events > self.setup.events {
                return Err(Stopped::TooMuch);
            }
            self.now = event.time;
            self.handle(event);
            while let Some(task) = self.agenda.pop_front() {
                self.perform(task);
            }
        }
        Ok(())
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        let Event { a, b, .. } = event;
        match event.kind() {
            Kind::Arrival => self.request_arrives(a, b),
            Kind::WorkDone => {
                if self.handlings.is(a, b) {
                    self.work_done(a);
                }
            }
            Kind::SharedDone => self.shared_done(a, b),
            Kind::CallArrives => {
                if self.handlings.is(a, b) {
                    self.arrive(a);
                }
            }
            Kind::Replied => self.reply_arrives(a >> 2, b, a & 3),
            Kind::RootReplied => self.answer_arrives(a >> 1, b, a & 1 == 1),
            Kind::Confirmed => {
                if self.calls.is(a, b) {
                    self.confirm(a);
                }
            }
            Kind::Relayed => self.relay(a),
            Kind::Delivered => {
                if self.copies.is(a, b) {
                    self.delivered(a);
                }
            }
            Kind::Again => {
                if self.calls.is(a, b) {
                    self.attempt(a);
                }
            }
            Kind::ThinkDone => self.think_done(a, b),
            Kind::Redeliver => self.redeliver(a, b),
            Kind::Timeout => self.timed_out(a, b),
            Kind::Patience => self.patience_ends(a, b),
            Kind::AckExpired => self.ack_expired(a, b),
            Kind::TooOld => {
                if self.copies.is(a, b) {
                    self.too_old(a);
                }
            }
            Kind::Sample => self.sample(),
            Kind::Measure => self.measure(),
            Kind::Finish => self.close_window(),
            other => self.trouble(other, a, b),
        }
    }

    #[inline]
    fn perform(&mut self, task: Task) {
        match task {
            Task::Done(handling, generation) => {
                if self.handlings.is(handling, generation) {
                    self.work_done(handling);
                }
            }
            Task::Resume(handling, generation, strand) => {
                if self.handlings.is(handling, generation) {
                    self.resume(handling, strand);
                }
            }
            Task::Fail(handling, generation, strand) => {
                if self.handlings.is(handling, generation) {
                    self.strand_failed(handling, strand);
                }
            }
            Task::Dispatch(place) => self.dispatch(place),
        }
    }

    /// Place of a handling's participant.
    #[inline]
    fn place_of(&self, handling: u32) -> u32 {
        self.program.routines[self.handlings[handling].routine as usize].place
    }

    #[inline]
    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn measure(&mut self) {
        self.measuring = true;
        let now = self.now;
        for station in &mut self.stations {
            for level in [&mut station.busy, &mut station.computing, &mut station.backlog, &mut station.down] {
                level.restart(now);
            }
        }
        for group in &mut self.groups {
            group.backlog.restart(now);
        }
    }

    fn close_window(&mut self) {
        self.measuring = false;
        let now = self.now;
        for (station, tally) in self.stations.iter().zip(&mut self.tally.places) {
            tally.busy = station.busy.read(now).0;
            tally.computing = station.computing.read(now).0;
            (tally.backlog, tally.backlog_max) = station.backlog.read(now);
            tally.down = station.down.read(now).0;
        }
        for (group, tally) in self.groups.iter().zip(&mut self.tally.groups) {
            (tally.backlog, tally.backlog_max) = group.backlog.read(now);
        }
    }

    fn sample(&mut self) {
        let backlog = self.program.places.iter().zip(&self.stations).map(|(place, station)| {
            let queued: u64 = place.groups.iter().map(|g| self.groups[*g as usize].backlog.value()).sum();
            station.backlog.value() + queued
        });
        self.tally.series.close(backlog);
        if self.now + self.tally.series.step <= self.horizon {
            self.calendar.at(self.now + self.tally.series.step, Kind::Sample, 0, 0);
        }
    }

    fn finish(mut self) -> Tally {
        for request in self.requests.places().filter(|r| r.flags & flag::COHORT != 0) {
            let source = &mut self.tally.sources[request.source as usize];
            source.open += 1;
            source.in_flight += u64::from(request.flags & flag::ANSWERED == 0);
            source.record_answer(request.flags, request.replied.saturating_sub(request.arrived));
        }
        self.tally.complete();
        for copy in self.copies.places().filter(|c| c.measured) {
            self.tally.groups[copy.group as usize].open += 1;
        }
        for (place, station) in self.stations.iter().enumerate() {
            for (outage, _) in &station.draining {
                self.tally.drained(place, *outage, None);
            }
        }
        self.tally.left =
            [self.requests.len(), self.handlings.len(), self.calls.len(), self.copies.len(), self.strands.len()];
        self.tally
    }
}
