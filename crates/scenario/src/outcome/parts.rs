//! The parts of an outcome, named as in the contract.

use serde::{Serialize, Serializer};

use super::{Figure, Named};

/// A distribution of times, milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names say it: mean, nearest-rank percentiles, largest")]
pub struct Times {
    pub mean: Figure,
    pub p50: Figure,
    pub p90: Figure,
    pub p95: Figure,
    pub p99: Figure,
    pub max: Figure,
}

/// Only a mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mean {
    /// Mean.
    pub mean: Figure,
}

/// Mean over time, and the most there were at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanMax {
    /// Mean over time.
    pub mean: Figure,
    /// Largest.
    pub max: Figure,
}

/// Mean and 95th percentile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanP95 {
    /// Mean.
    pub mean: Figure,
    /// 95th percentile.
    pub p95: Figure,
}

/// How long something took after an outage.
#[derive(Debug, Clone, PartialEq)]
pub enum Reached {
    /// So long, milliseconds.
    After(Figure),
    /// In no replication within the run.
    BeyondHorizon,
}

impl Serialize for Reached {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reached::After(figure) => figure.serialize(serializer),
            Reached::BeyondHorizon => serializer.serialize_str("beyond_horizon"),
        }
    }
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantOutcome {
    /// Workloads, in the order of the file.
    pub workloads: Named<Workload>,
    /// Participants, by name.
    pub participants: Named<Participant>,
    /// Channels that the variant uses, by name.
    pub channels: Named<Channel>,
    /// Shares of requests that took at most so long, by workload.
    pub curves: Named<Curves>,
    /// What happened when.
    pub timeline: TimeLine,
}

/// Empirical distribution functions over all replications: pairs of milliseconds and the share that took at most so long, growing,
/// 100 at most. Empty where nothing was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// Arrival to answer.
    pub response_ms: Vec<[f64; 2]>,
    /// Arrival until every effect is done or given up.
    pub settled_ms: Vec<[f64; 2]>,
}

/// A planned outage of a participant, or of a channel's broker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trouble {
    /// Who is away.
    pub of: String,
    /// From then on, seconds after the warm-up.
    pub from_s: f64,
    /// Until then.
    pub to_s: f64,
}

/// A workload. Shares are of its arrivals in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workload {
    /// Arrival to answer, good or bad; those refused at the door excluded.
    pub response_ms: Times,
    /// Arrival to good answer.
    pub response_ok_ms: Times,
    /// Arrival until every effect is done or given up.
    pub settled_ms: Times,
    /// Good answers.
    pub throughput_per_s: Figure,
    /// Answered well.
    pub succeeded: Figure,
    /// Answered with an error, or timed out.
    pub failed: Figure,
    /// Turned away at the door.
    pub refused: Figure,
    /// The user left.
    pub abandoned: Figure,
    /// Not answered when the simulation ended.
    pub in_flight: Figure,
    /// Answered well, though an effect never came.
    pub false_success: Figure,
    /// Answered badly or left, though what mattered was done.
    pub false_failure: Figure,
    /// An effect came later than it may.
    pub late_effects: Figure,
    /// First effect to last effect, where there are several.
    pub inconsistent_ms: Times,
    /// Services started for a request.
    pub amplification: Figure,
    /// The state requests end in; `open` where something was still under way when the simulation ended.
    pub fates: Named<Figure>,
}

/// A participant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Participant {
    /// Share of its workers' time that they are taken.
    pub utilisation: Figure,
    /// Share of it that they work.
    pub computing: Figure,
    /// Share of it that they wait for a callee.
    pub held_waiting: Figure,
    /// Workers taken.
    pub in_service: Mean,
    /// Calls waiting.
    pub backlog: MeanMax,
    /// From arrival to a worker.
    pub wait_ms: MeanP95,
    /// Share of those started that had to wait.
    pub delayed: Figure,
    /// Attempts and messages for it.
    pub arrivals_per_s: Figure,
    /// Services started.
    pub started_per_s: Figure,
    /// Share of attempts turned away.
    pub refused: Figure,
    /// Share of attempts that timed out.
    pub timed_out: Figure,
    /// Attempts for each call.
    pub attempts: Mean,
    /// Share of the time it was up.
    pub up: Figure,
    /// For each planned outage: until good answers were back.
    pub recovery_ms: Vec<Reached>,
    /// For each planned outage: until nothing waited and nothing was in service.
    pub drain_ms: Vec<Reached>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Channel {
    /// Messages taken by the broker.
    pub published_per_s: Figure,
    /// Share of publications it did not take.
    pub refused: Figure,
    /// Consumer groups by operation.
    pub groups: Named<Group>,
}

/// A consumer group. Shares and means are per message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Deliveries of a message.
    pub deliveries: Mean,
    /// Handlings started.
    pub started_per_s: Figure,
    /// Given up after the last delivery.
    pub dead_lettered: Figure,
    /// Took effect more than once.
    pub duplicated: Figure,
    /// Effects beyond the first.
    pub duplicates: Mean,
    /// Gone without a trace.
    pub lost: Figure,
    /// Thrown away for its age.
    pub expired: Figure,
    /// Never handled well.
    pub no_effect: Figure,
    /// Messages taken at once.
    pub batch_size: Mean,
    /// Messages waiting.
    pub backlog: MeanMax,
    /// From publication to the begin of the first handling.
    pub lag_ms: MeanP95,
}

/// What happened when, from the end of the warm-up on; means over replications.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeLine {
    /// Length of a step, seconds.
    pub step_s: f64,
    /// Planned outages.
    pub outages: Vec<Trouble>,
    /// `arrivals_per_s`, `good_per_s`, `bad_per_s`, and `backlog/NAME` of each participant at the end of each step.
    pub series: Named<Vec<f64>>,
}
