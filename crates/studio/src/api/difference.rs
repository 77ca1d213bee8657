//! Two ranges held against each other.

use super::{FindingParticipant, Range, dto};

dto! {
    /// Compares two ranges of the workspace.
    pub struct DifferenceRequest {
        /// The earlier one.
        pub before: Range,
        /// The later one.
        pub after: Range,
    }

    /// The comparison as a file.
    pub struct DifferenceExportRequest {
        /// The earlier one.
        pub before: Range,
        /// The later one.
        pub after: Range,
        /// `markdown`, `html` or `json`.
        pub format: String,
    }

    /// Figures of one side.
    #[derive(Copy)]
    pub struct DifferenceFigures {
        /// Occurrences.
        pub count: u64,
        /// Failed ones.
        pub errors: u64,
        /// Median.
        pub p50_ms: Option<f64>,
        /// 95th percentile.
        pub p95_ms: Option<f64>,
    }

    /// Something that has changed.
    pub struct DifferenceRow {
        /// Unique.
        pub id: String,
        /// `added`, `gone`, `slower`, `faster`, `more-errors`, `fewer-errors`.
        pub what: String,
        /// `participant`, `operation`, or the kind of an interaction: `call`, `publish`, `consume`, `access`.
        pub kind: String,
        /// The participant, or both ends of the interaction.
        pub subject: Vec<FindingParticipant>,
        /// Id of the interaction on the map.
        pub edge: Option<String>,
        /// The operation.
        pub operation: Option<String>,
        /// Figures before.
        pub before: Option<DifferenceFigures>,
        /// Figures after.
        pub after: Option<DifferenceFigures>,
        /// The median moved; false where only the slow end did.
        pub median: bool,
        /// How likely it is without any change, in words.
        pub chance: String,
    }

    /// A service with other versions.
    pub struct DifferenceVersions {
        /// The service.
        pub who: FindingParticipant,
        /// Versions before.
        pub before: Vec<String>,
        /// Versions after.
        pub after: Vec<String>,
    }

    /// What has changed.
    pub struct ChangesView {
        /// Unlikely to be chance, and large enough to matter.
        pub changes: Vec<DifferenceRow>,
        /// On one side only, but so rare that it may be chance.
        pub unsure: Vec<DifferenceRow>,
        /// Services with other versions.
        pub versions: Vec<DifferenceVersions>,
        /// Figures tested.
        pub tested: u32,
        /// Figures on both sides with too few occurrences.
        pub too_few: u32,
        /// Interactions before.
        pub before: u64,
        /// Interactions after.
        pub after: u64,
    }

    /// Asks which versions came in a range.
    pub struct VersionsRequest {
        /// The range.
        pub range: Range,
    }

    /// A version of a service that was not there from the beginning.
    pub struct VersionArrival {
        /// The service.
        pub who: FindingParticipant,
        /// Its `service.version`.
        pub version: String,
        /// What came before it.
        pub before: String,
        /// When its first span began, to 10 s.
        pub at: f64,
    }

    /// Versions that came in a range, oldest first.
    pub struct VersionArrivals {
        /// The versions.
        pub changes: Vec<VersionArrival>,
    }
}
