//! What an operation does, step by step.

use super::Time;
use crate::Dist;

/// An operation of a participant.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Work of its own, first; a worker is busy.
    pub work: Dist,
    /// Then these, in order.
    pub steps: Vec<Step>,
    /// Answers before the steps: the caller is free, the worker stays busy.
    pub reply_early: bool,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Asks another participant.
    Do(Box<Do>),
    /// All at once; all are awaited.
    Parallel(Vec<Step>),
    /// One of these, or (for the rest of the shares) nothing.
    Choose(Vec<Choice>),
    /// These, several times, one round after the other.
    Repeat {
        /// What is repeated.
        steps: Vec<Step>,
        /// How often.
        count: u32,
    },
    /// Time passes without a worker.
    Think {
        /// How long.
        time: Dist,
        /// How often, one after the other.
        count: u32,
    },
}

/// A branch of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// How often it is taken.
    pub share: f64,
    /// What then happens.
    pub steps: Vec<Step>,
}

/// A call or, if a variant says so, an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Do {
    /// Id, unique in the file; `caller → callee` where the file names none.
    pub id: String,
    /// Operation asked for.
    pub operation: String,
    /// How often, one after the other.
    pub count: u32,
    /// What it is for, where the file says so.
    pub intent: Option<Intent>,
    /// What the business needs before going on, where the file says so (else as for `success`).
    pub needs: Option<Needs>,
    /// How late the effect may be, counted from when the step is reached.
    pub within: Option<Time>,
    /// The caller stops waiting after this long, per attempt.
    pub timeout: Option<Time>,
    /// Further attempts.
    pub retry: Retry,
    /// Stops asking for a while after failures.
    pub breaker: Option<Breaker>,
    /// Its failure is survived with something else in its place.
    pub fallback: bool,
    /// Share of calls that a cache answers.
    pub cache: Option<f64>,
    /// Its failure is survived without it.
    pub optional: bool,
    /// Whether doing it twice is the same as once, where known.
    pub idempotent: Option<bool>,
    /// Whether effects on one key must keep their order, where known.
    pub order_by_key: Option<bool>,
    /// One way to the callee, for this step; `None` is that of the callee. The answer takes as long as the question did: how far two
    /// are apart belongs to the two, and what is slow at a moment is slow both ways.
    pub network: Option<Dist>,
    /// Payload, bytes.
    pub size: Option<u64>,
    /// Whether the payload holds data that not everybody may see, where known.
    pub sensitive: Option<bool>,
    /// Priority of the work asked for; `None` is that of the request.
    pub priority: Option<u32>,
    /// Operation that undoes it when a later step fails.
    pub compensate: Option<String>,
    /// Calls of this kind at once at most, for each caller participant; more fail at once.
    pub bulkhead: Option<u32>,
}

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// A safe read.
    Read,
    /// A create, update or delete.
    Write,
    /// Tells that something happened.
    Notify,
}

/// What the business needs of a step before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Its data.
    Answer,
    /// That it succeeded.
    Success,
    /// Nothing.
    Nothing,
}

impl Needs {
    /// Whether the caller has to wait for the outcome.
    pub fn waits(self) -> bool {
        self != Needs::Nothing
    }
}

/// Further attempts of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// All tries, the first included.
    pub attempts: u32,
    /// Waits before the second, third, … try; the last repeats. One value grows by `factor`.
    pub backoff: Vec<Time>,
    /// Growth of a single back-off.
    pub factor: f64,
    /// Longest back-off.
    pub cap: Time,
    /// How waits are spread.
    pub jitter: Jitter,
    /// What is tried again.
    pub when: Vec<FailureKind>,
    /// Retries allowed as a share of successes (a token bucket that holds ten); `None` is no limit.
    pub budget: Option<f64>,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 1,
            backoff: vec![100_000_000],
            factor: 2.0,
            cap: 30_000_000_000,
            jitter: Jitter::Full,
            when: vec![FailureKind::Timeout, FailureKind::Refused, FailureKind::Error],
            budget: None,
        }
    }
}

/// How waits before retries are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Evenly between nothing and the back-off.
    Full,
    /// Evenly between half of it and all of it.
    Equal,
    /// Evenly between the first back-off and three times the last wait.
    Decorrelated,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// No answer in time.
    Timeout,
    /// Turned away before any work.
    Refused,
    /// Answered with an error.
    Error,
}

/// Stops asking after failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub open_after: u32,
    /// How long it stays open; then one call tries.
    pub lasts: Time,
}
