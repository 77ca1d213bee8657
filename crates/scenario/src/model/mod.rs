//! The scenario as plain data: what a file says, read, checked and with every default filled in.
//!
//! The format and the meaning of each key stand in the scenario file contract (`scenario/1`). Times are nanoseconds, rates are
//! per second, shares lie between 0 and 1.

mod channel;
mod participant;
mod step;
mod workload;

pub use channel::{Acknowledge, Broker, Channel, WhenFull};
pub use participant::{
    Breakdowns, Discipline, EventCapability, Hold, InterruptedWork, Outage, OutageMode, Participant, QueuePer,
};
pub use step::{Breaker, Choice, Do, FailureKind, Intent, Jitter, Needs, Operation, Retry, Step};
pub use workload::{Arrivals, BatchSize, Workload};

use std::collections::BTreeMap;

/// A duration or an instant, nanoseconds.
pub type Time = u64;

/// How long, how often, from which seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Measured stretch.
    pub duration: Time,
    /// Stretch before it; `None` finds it by MSER-5.
    pub warm_up: Option<Time>,
    /// Independent repetitions.
    pub replications: u32,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for Run {
    fn default() -> Self {
        Run { duration: 600_000_000_000, warm_up: None, replications: 20, seed: 1 }
    }
}

/// How well a scenario predicted what it was not made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// `A` to `D`, the best first.
    pub grade: char,
    /// What it rests on, in a sentence.
    pub why: String,
}

/// What the design is to reach; drawn, searched for, and used by the decision.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Targets {
    /// 95th percentile of the response time.
    pub response_p95: Option<Time>,
    /// 95th percentile of the settled time.
    pub settled_p95: Option<Time>,
    /// Share of successes.
    pub success: Option<f64>,
}

/// Differences smaller than these do not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indifference {
    /// Of response times, milliseconds.
    pub response_ms: f64,
    /// Of settled times, milliseconds.
    pub settled_ms: f64,
    /// Of shares.
    pub share: f64,
}

impl Default for Indifference {
    fn default() -> Self {
        Indifference { response_ms: 10.0, settled_ms: 500.0, share: 0.001 }
    }
}

/// One way of building the scenario: which steps become events, and what else differs. Overrides by pointer are already applied
/// in `scenario`.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Step id to channel: these steps are events.
    pub events: BTreeMap<String, String>,
    /// Steps with an answer or success needed whose caller goes on at once (202, the outcome comes later).
    pub accept: Vec<String>,
    /// The design with this variant's overrides; `None` where there are none.
    pub overridden: Option<Box<Design>>,
}

/// The design that all variants share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Design {
    /// Who asks.
    pub workloads: Vec<Workload>,
    /// Participants by name.
    pub participants: BTreeMap<String, Participant>,
    /// Operations by `participant.operation`.
    pub operations: BTreeMap<String, Operation>,
    /// Channels by name, those that variants use without listing them included.
    pub channels: BTreeMap<String, Channel>,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// How well it predicts, where somebody has tried.
    pub validation: Option<Validated>,
    /// Its title.
    pub title: String,
    /// How it is run.
    pub run: Run,
    /// The shared design.
    pub design: Design,
    /// Its variants, in the order of the file.
    pub variants: Vec<Variant>,
    /// Whether the file named its variants (else they are the three usual ones).
    pub variants_named: bool,
    /// What it is to reach.
    pub targets: Targets,
    /// What does not matter.
    pub indifference: Indifference,
    /// JSON Pointers of inputs that nobody measured or declared, sorted.
    pub assumed: Vec<String>,
    /// Where inputs are from, by JSON Pointer, as declared in the file.
    pub sources: BTreeMap<String, Source>,
    /// What is odd but not wrong, in words.
    pub warnings: Vec<String>,
}

/// Where an input is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Measured on the running system.
    Measured,
    /// Declared by somebody.
    Declared,
    /// Assumed: nobody knows.
    Assumed,
}

impl Source {
    /// The word of the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Measured => "measured",
            Source::Declared => "declared",
            Source::Assumed => "assumed",
        }
    }
}

impl Variant {
    /// The variant in which every step is a call.
    pub fn calls(name: &str) -> Variant {
        Variant::of(name, BTreeMap::new())
    }

    /// The shared design with these events.
    pub fn of(name: &str, events: BTreeMap<String, String>) -> Variant {
        Variant { name: name.to_owned(), events, accept: Vec::new(), overridden: None }
    }
}

impl Scenario {
    /// The design as a variant has it.
    pub fn design_of<'a>(&'a self, variant: &'a Variant) -> &'a Design {
        variant.overridden.as_deref().unwrap_or(&self.design)
    }

    /// A variant by name.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|v| v.name == name)
    }
}
