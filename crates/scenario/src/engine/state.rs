//! What is under way.

use std::collections::VecDeque;

use super::level::Level;
use crate::model::Time;
use crate::program::NONE;

/// The main strand of a handling (branches of a fork have strands of their own).
pub(crate) const MAIN: u32 = u32::MAX;

/// A request of a user.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) source: u32,
    pub(crate) flags: u32,
    pub(crate) number: u64,
    pub(crate) key: u64,
    pub(crate) arrived: Time,
    /// Handlings, messages and the answer that are still to come.
    pub(crate) open: u32,
    /// Services started for it.
    pub(crate) starts: u32,
    pub(crate) replied: Time,
    pub(crate) first_effect: Time,
    pub(crate) last_effect: Time,
}

/// What is known of a request.
pub(crate) mod flag {
    pub(crate) const COHORT: u32 = 1;
    pub(crate) const OK: u32 = 2;
    pub(crate) const ERROR: u32 = 4;
    pub(crate) const REFUSED: u32 = 8;
    pub(crate) const ABANDONED: u32 = 16;
    pub(crate) const DEAD: u32 = 32;
    pub(crate) const LOST: u32 = 64;
    /// A step failed and was survived.
    pub(crate) const DEGRADED: u32 = 128;
    /// Something was changed.
    pub(crate) const APPLIED: u32 = 256;
    /// What must succeed first did.
    pub(crate) const PRIMARY: u32 = 512;
    pub(crate) const LATE: u32 = 1024;
    pub(crate) const COMPENSATED: u32 = 2048;
    pub(crate) const STUCK: u32 = 4096;
    pub(crate) const ANSWERED: u32 = OK | ERROR | REFUSED | ABANDONED;
}

/// Who waits for a handling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// The user.
    Root,
    /// A call, in this generation.
    Call { call: u32, generation: u32 },
    /// The broker: a copy, in this delivery (more of the same batch are in the extras).
    Copies { first: u32, delivery: u32 },
}

/// Waiting calls of one line and class of priority, with their places in the order of arrivals.
pub(crate) type Queue = VecDeque<(u32, u64)>;

/// Where a handling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Travelling,
    Waiting,
    Working,
    /// Interrupted by an outage; `work` is what is left.
    Interrupted,
    Stepping,
}

/// A participant at work on one request.
#[derive(Debug, Clone)]
pub(crate) struct Handling {
    pub(crate) routine: u32,
    pub(crate) request: u32,
    pub(crate) key: u64,
    pub(crate) waiter: Waiter,
    pub(crate) phase: Phase,
    pub(crate) replied: bool,
    pub(crate) holds: bool,
    pub(crate) failed: bool,
    pub(crate) undoing: bool,
    /// Among all lines of all participants.
    pub(crate) lane: u32,
    pub(crate) class: u32,
    pub(crate) effect: u32,
    pub(crate) pc: u32,
    /// Branches of the main strand that are not back.
    pub(crate) pending: u32,
    /// Call of the main strand.
    pub(crate) call: u32,
    /// Newest of its strands.
    pub(crate) strands: u32,
    pub(crate) arrived: Time,
    pub(crate) deadline: Time,
    pub(crate) work: Time,
    pub(crate) done_at: Time,
    /// Place in its station's list of those in hand.
    pub(crate) seat: u32,
    pub(crate) extras: u32,
    /// When the step it was asked by was reached.
    pub(crate) reached: Time,
}

/// What only some handlings have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    /// Calls to make undone, oldest first.
    pub(crate) undo: Vec<u32>,
    /// The other copies of its batch, with their deliveries.
    pub(crate) batch: Vec<(u32, u32)>,
    /// Publications made: specification and message.
    pub(crate) published: Vec<(u32, u32)>,
}

/// A branch of a fork.
#[derive(Debug, Clone)]
pub(crate) struct Strand {
    pub(crate) parent: u32,
    pub(crate) pc: u32,
    pub(crate) pending: u32,
    pub(crate) call: u32,
    pub(crate) next: u32,
}

/// A call (or a publication, or the wait for a reply) that a strand waits for.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) spec: u32,
    pub(crate) handling: u32,
    pub(crate) strand: u32,
    pub(crate) attempt: u32,
    pub(crate) reached: Time,
    pub(crate) wait: Time,
    /// Whether it is the publication `spec`, not the call.
    pub(crate) publishes: bool,
    /// Whether an attempt is on its way (it then counts in a bulkhead).
    pub(crate) out: bool,
    pub(crate) measured: bool,
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) request: u32,
    pub(crate) line: u32,
    pub(crate) key: u64,
    /// Class of priority of what published it.
    pub(crate) class: u32,
    /// Which of several publications of one handling it is.
    pub(crate) repetition: u64,
    /// Place of the publisher.
    pub(crate) place: u32,
    pub(crate) published: Time,
    /// Copies and handlings that refer to it.
    pub(crate) references: u32,
    /// Its first copy; those of the other groups follow it.
    pub(crate) copies: u32,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// On its way, waiting, or in hand.
    Open,
    Acked,
    Dead,
    Dropped,
    Expired,
    Lost,
}

/// Where an open copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Coming,
    Queued,
    Buffered,
    InHand,
    BackOff,
}

/// A message on its way to one group.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) message: u32,
    pub(crate) group: u32,
    pub(crate) fate: Fate,
    pub(crate) spot: Spot,
    pub(crate) measured: bool,
    /// Deliveries so far; the current one is the last.
    pub(crate) deliveries: u32,
    pub(crate) applied: u32,
    /// Handlings and queue entries that refer to it.
    pub(crate) references: u32,
    /// When it first was ready for its group.
    pub(crate) ready: Time,
    /// Place in the order of arrivals of its valid queue entry.
    pub(crate) order: u64,
    /// When an acknowledgement of the current delivery is due, and whether a timer watches it.
    pub(crate) ack_at: Time,
    pub(crate) clocked: bool,
    /// Next of the same message.
    pub(crate) sibling: u32,
    /// Who waits for its outcome: call and generation.
    pub(crate) asker: Option<(u32, u32)>,
    /// Outcome so far, for who asks later.
    pub(crate) outcome: Option<bool>,
    pub(crate) partition: u32,
}

/// A queue entry of a group. A copy that was queued again has a newer order than its old entries: those are void.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) copy: u32,
    pub(crate) generation: u32,
    pub(crate) order: u64,
}

/// One line of workers.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) busy: u32,
    pub(crate) waiting: u32,
    /// Strands that go on as soon as a worker is free: handling, generation, strand.
    pub(crate) resuming: VecDeque<(u32, u32, u32)>,
    pub(crate) in_flight: u32,
}

/// A participant at work. What every event looks at comes first: with many participants each line of the cache counts.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Station {
    pub(crate) next_lane: u32,
    /// Messages that wait in its groups, all together.
    pub(crate) queued: u32,
    /// Outages that stop work now: refusing, silent, pausing.
    pub(crate) refusing: u32,
    pub(crate) silent: u32,
    pub(crate) pausing: u32,
    pub(crate) busy: Level,
    pub(crate) computing: Level,
    pub(crate) backlog: Level,
    pub(crate) slow: Vec<f64>,
    pub(crate) errors: Vec<f64>,
    pub(crate) down: Level,
    /// Handlings in hand, where it may be interrupted.
    pub(crate) seats: Vec<u32>,
    /// Processor sharing.
    pub(crate) sharing: Sharing,
    /// Outages whose backlog is not gone yet: index and end.
    pub(crate) draining: Vec<(usize, Time)>,
    pub(crate) ordinal: u64,
}

impl Station {
    pub(crate) fn is_stopped(&self) -> bool {
        self.refusing + self.silent + self.pausing > 0
    }
}

/// Jobs that share workers: attained service grows evenly, so the one with the least goal is next.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) jobs: Vec<(f64, u64, u32, u32)>,
    pub(crate) attained: f64,
    pub(crate) since: Time,
    pub(crate) generation: u32,
}

/// A group at work.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) queue: VecDeque<Entry>,
    /// With prefetch: handed over, not yet in work.
    pub(crate) buffer: VecDeque<(Entry, u32)>,
    pub(crate) partitions: Vec<Partition>,
    /// Partitions that have something to do, in order of arrival.
    pub(crate) ready: VecDeque<u32>,
    pub(crate) backlog: Level,
}

/// A partition of an ordered channel.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    pub(crate) queue: VecDeque<Entry>,
    pub(crate) busy: bool,
}

/// A channel at work.
#[derive(Debug, Default)]
pub(crate) struct LineState {
    pub(crate) down: u32,
    /// Publishers waiting for room: call and generation.
    pub(crate) blocked: VecDeque<(u32, u32)>,
    /// Messages kept by an outbox until the broker is back.
    pub(crate) kept: VecDeque<u32>,
    pub(crate) ordinal: u64,
}

/// A breaker at work.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BreakerState {
    pub(crate) failures: u32,
    pub(crate) open_until: Time,
    pub(crate) probing: bool,
}

/// A workload at work.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceState {
    /// Requests so far.
    pub(crate) number: u64,
    /// When the next request (or batch) comes, of those not planned yet.
    pub(crate) next: Option<Time>,
    /// Batches or gaps drawn so far.
    pub(crate) ordinal: u64,
    /// Time (or accumulated intensity) the next gap counts from.
    pub(crate) at: Time,
    pub(crate) intensity: f64,
    /// End of the busy period.
    pub(crate) busy_until: Time,
    /// Periods of it so far.
    pub(crate) periods: u64,
}

impl Default for Handling {
    fn default() -> Self {
        Handling {
            routine: 0,
            request: 0,
            key: 0,
            waiter: Waiter::Root,
            phase: Phase::Travelling,
            replied: false,
            holds: false,
            failed: false,
            undoing: false,
            lane: 0,
            class: 0,
            effect: NONE,
            pc: 0,
            pending: 0,
            call: NONE,
            strands: NONE,
            arrived: 0,
            deadline: Time::MAX,
            work: 0,
            done_at: 0,
            seat: NONE,
            extras: NONE,
            reached: 0,
        }
    }
}
