//! Simulated requests, told as journeys.

use super::{JourneyView, dto};

dto! {
    /// Asks for simulated requests of a variant.
    pub struct ExemplarsRequest {
        /// Scenario.
        pub id: String,
        /// Its variant.
        pub variant: String,
    }

    /// Simulated requests of a variant.
    pub struct Exemplars {
        /// The slowest first, then one of each way to end, then some chosen by chance.
        pub items: Vec<ExemplarView>,
    }

    /// A simulated request. Its times count from the end of the warm-up.
    pub struct ExemplarView {
        /// Workload.
        pub workload: String,
        /// Number of the request; the same one has the same chances in every variant.
        pub number: f64,
        /// Why it was chosen, in words.
        pub why: String,
        /// How it ended, in words.
        pub fate: String,
        /// What happened.
        pub journey: JourneyView,
    }
}
