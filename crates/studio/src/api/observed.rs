//! A scenario made from what was observed.

use super::{Range, dto};

dto! {
    /// Journeys to make a scenario from.
    pub struct ObservedRequest {
        /// Title of the scenario.
        pub title: String,
        /// A filter of journeys; null takes all.
        pub filter: Option<String>,
        /// When they began.
        pub range: Range,
        /// At most this many, the newest.
        pub limit: u32,
    }

    /// What if a call became an event.
    pub struct WhatIfRequest {
        /// Node id of the caller.
        pub source: String,
        /// Node id of the callee.
        pub target: String,
        /// When it was observed.
        pub range: Range,
        /// Journeys read at most, the newest.
        pub limit: u32,
    }

    /// A scenario made from observed journeys.
    pub struct ObservedScenario {
        /// The scenario file, with how each figure is known in a comment.
        pub yaml: String,
        /// Every input with how it is known.
        pub inputs: Vec<ObservedInput>,
        /// What traces cannot tell, and what was taken for it.
        pub questions: Vec<ObservedQuestion>,
        /// What was left out, and what to be careful about.
        pub notes: Vec<String>,
        /// First arrival.
        pub since_at: f64,
        /// Last arrival.
        pub until_at: f64,
        /// Requests from outside.
        pub requests: u64,
        /// Journeys read.
        pub journeys: u64,
        /// Spans read.
        pub spans: u64,
        /// Whether older journeys were left out because there were too many spans.
        pub cut: bool,
        /// Whether it predicts what it was not made from.
        pub validation: Option<ObservedValidation>,
    }

    /// An input of a scenario.
    pub struct ObservedInput {
        /// JSON Pointer in the file.
        pub path: String,
        /// What it is.
        pub what: String,
        /// Its value, with unit.
        pub value: String,
        /// Observations behind it.
        pub n: u64,
        /// `measured` or `assumed`.
        pub source: String,
    }

    /// Something that traces cannot tell.
    pub struct ObservedQuestion {
        /// JSON Pointer in the file.
        pub path: String,
        /// The question.
        pub text: String,
    }

    /// How well a scenario learned from one part of the period predicts another.
    pub struct ObservedValidation {
        /// `A` (within 15 % at another load), `B` (30 %), `C` (same load only), `D` (worse, or nothing to compare).
        pub grade: String,
        /// Why, in a sentence.
        pub why: String,
        /// Load of what was predicted over that of what was learned from.
        pub load_ratio: Option<f64>,
        /// Figure by figure.
        pub compared: Vec<ObservedComparison>,
    }

    /// Observed beside predicted.
    pub struct ObservedComparison {
        /// Workload.
        pub workload: String,
        /// `p50_ms`, `p95_ms` or `throughput_per_s`.
        pub figure: String,
        /// As it was.
        pub observed: f64,
        /// As the scenario says.
        pub predicted: Option<f64>,
        /// Observations.
        pub n: u64,
    }
}
