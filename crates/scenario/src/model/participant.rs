//! Who does the work.

use super::Time;
use crate::Dist;

/// A participant.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// `backend`, `system`, `process`, `experience`, `consumer` or `event`, where the file says so.
    pub layer: Option<String>,
    /// Workers of each replica; `None` is unlimited.
    pub workers: Option<u32>,
    /// Replicas.
    pub replicas: u32,
    /// Whether they share a queue.
    pub queue_per: QueuePer,
    /// Waiting places (of each queue); `None` is unlimited, 0 lets nobody wait.
    pub queue: Option<u32>,
    /// Who is next.
    pub discipline: Discipline,
    /// Calls whose caller has stopped waiting are thrown away when their turn comes.
    pub drop_expired: bool,
    /// Share of attempts that fail after their work.
    pub fails: f64,
    /// Share of requests that fail on every attempt.
    pub poison: f64,
    /// Planned outages; instants count from the end of the warm-up.
    pub outages: Vec<Outage>,
    /// Random outages.
    pub breakdowns: Option<Breakdowns>,
    /// What it can do with events.
    pub events: EventCapability,
    /// What happens to a worker that waits for a callee.
    pub hold: Hold,
    /// Handlings it has in hand at most, those that wait for a callee included.
    pub max_in_flight: Option<u32>,
    /// One way to it.
    pub network: Dist,
    /// Keeps messages that the broker cannot take, and sends them this long after it can again.
    pub outbox: Option<Dist>,
    /// Without an outbox: share of messages lost between the commit and the publication.
    pub dual_write: f64,
}

impl Default for Participant {
    fn default() -> Self {
        Participant {
            layer: None,
            workers: None,
            replicas: 1,
            queue_per: QueuePer::Participant,
            queue: None,
            discipline: Discipline::Fifo,
            drop_expired: false,
            fails: 0.0,
            poison: 0.0,
            outages: Vec::new(),
            breakdowns: None,
            events: EventCapability::Both,
            hold: Hold::Worker,
            max_in_flight: None,
            network: Dist::Constant(0.0),
            outbox: None,
            dual_write: 0.0,
        }
    }
}

impl Participant {
    /// Queues it has.
    pub fn lanes(&self) -> u32 {
        if self.queue_per == QueuePer::Replica { self.replicas.max(1) } else { 1 }
    }

    /// How long it is away at a time, at most: its longest outage that stops work, or the mean of its breakdowns; 0 for never.
    pub fn longest_absence(&self) -> Time {
        let planned = self.outages.iter().filter(|o| o.mode.stops_work()).map(|o| o.lasts).max();
        let random = self.breakdowns.as_ref().filter(|b| b.mode.stops_work()).map(|b| b.down.mean() as Time);
        planned.max(random).unwrap_or(0)
    }

    /// Workers of all replicas; `None` is unlimited.
    pub fn servers(&self) -> Option<u32> {
        self.workers.map(|w| w.saturating_mul(self.replicas))
    }
}

/// How many queues a participant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuePer {
    /// One.
    Participant,
    /// One for each replica, filled in turn.
    Replica,
}

/// Who is served next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// Last come, first served; nobody is interrupted.
    Lifo,
    /// Lowest number first, in each class first come, first served; nobody is interrupted.
    Priority,
    /// All at once, sharing the workers.
    Ps,
}

/// What a participant can do with events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventCapability {
    /// Publishes and consumes.
    Both,
    /// Only publishes.
    Publish,
    /// Only consumes.
    Consume,
    /// Neither.
    None,
}

/// What happens to a worker that waits for a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It waits, too: a blocked thread.
    Worker,
    /// It is free meanwhile; the rest queues before new work.
    Async,
}

/// A planned outage.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Begin, after the warm-up.
    pub at: Time,
    /// Length.
    pub lasts: Time,
    /// What callers notice.
    pub mode: OutageMode,
    /// What becomes of the work in hand.
    pub work: InterruptedWork,
}

/// Random outages: up, down, up, …
#[derive(Debug, Clone, PartialEq)]
pub struct Breakdowns {
    /// How long it is up.
    pub up: Dist,
    /// How long it is down.
    pub down: Dist,
    /// What callers notice.
    pub mode: OutageMode,
    /// What becomes of the work in hand.
    pub work: InterruptedWork,
}

/// What callers of a participant in trouble notice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutageMode {
    /// New calls are refused at once.
    Refuse,
    /// New calls are never answered.
    Silent,
    /// New calls wait in the queue.
    Pause,
    /// Work takes so many times as long.
    Slow(f64),
    /// So large a share of the work fails.
    Errors(f64),
}

impl OutageMode {
    /// Whether no work is done meanwhile.
    pub fn stops_work(self) -> bool {
        matches!(self, OutageMode::Refuse | OutageMode::Silent | OutageMode::Pause)
    }
}

/// What becomes of work that an outage interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptedWork {
    /// It goes on where it was.
    Resume,
    /// It begins again.
    Restart,
    /// It is gone: callers get an error, messages come back after the broker's wait.
    Lose,
}
