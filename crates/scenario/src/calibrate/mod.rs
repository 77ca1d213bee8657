//! A scenario from what was observed: structure, times, arrivals, failures, each with how it is known.
//!
//! The method is that of the project's research on simulation (section 5): service times are self times (the union of
//! waited-for children taken out, so that parallel calls count once), the network is read off the client–server gap while a
//! participant is idle (what comes on top under load is queueing, which a model must reproduce, not sample), workers are a lower
//! bound, and no distribution goes beyond what was seen. What traces cannot tell is asked for, with a default marked assumed.

mod arrivals;
mod capacity;
mod design;
pub(crate) mod handlings;
mod index;
pub(crate) mod names;
pub(crate) mod sample;
mod steps;
mod text;
mod validate;
mod walk;

use std::sync::Arc;

use flowglass_model::{Layer, Nanos, NodeId, SpanFacts};
use serde::Serialize;
use thiserror::Error;

use crate::model::Source;

pub use validate::{Compared, Grade, Validation, validate};

/// A span as it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The span.
    pub facts: Arc<SpanFacts>,
    /// `service.instance.id` of its emitter.
    pub instance: Option<Arc<str>>,
}

/// What a scenario is made from. The order of the spans never matters; each stands once.
pub struct Observation<'a> {
    /// Title of the scenario.
    pub title: &'a str,
    /// All spans of the journeys chosen.
    pub spans: &'a [Seen],
    /// The layer of a participant.
    pub layers: &'a dyn Fn(&NodeId) -> Layer,
}

/// A scenario made from what was observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The scenario file, with a comment beside each figure.
    pub yaml: String,
    /// Every input with how it is known.
    pub inputs: Vec<Input>,
    /// What traces cannot tell.
    pub questions: Vec<Question>,
    /// What was left out or simplified, and what to be careful about.
    pub notes: Vec<String>,
    /// First and last arrival, nanoseconds since 1970.
    pub period: (Nanos, Nanos),
    /// Requests from outside that it rests on.
    pub requests: usize,
}

/// An input of the scenario and how it is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// JSON Pointer in the scenario file.
    pub path: String,
    /// What it is, in words.
    pub what: String,
    /// Its value as people read it.
    pub value: String,
    /// Observations behind it.
    pub n: usize,
    /// Measured or assumed.
    #[serde(serialize_with = "source_word")]
    pub source: Source,
}

/// Something that traces cannot tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// JSON Pointer in the scenario file.
    pub path: String,
    /// The question, in plain words, with what was taken until it is answered.
    pub text: String,
}

/// Why no scenario can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotEnough {
    /// No request from outside.
    #[error("among these spans there is no request from outside: choose journeys whose first span was received")]
    NoRequests,
    /// A single request has no rate.
    #[error("one request alone has no rate: choose a longer range, or more journeys")]
    OneRequest,
}

fn source_word<S: serde::Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(source.as_str())
}

/// Makes a scenario from what was observed.
///
/// # Errors
/// When there are fewer than two requests from outside.
pub fn calibrate(observation: &Observation<'_>) -> Result<Calibration, NotEnough> {
    let handled = handlings::Handled::new(observation.spans);
    let design = design::Design::new(&handled, observation.layers)?;
    Ok(text::write(observation.title, &design))
}
