//! What journeys have in common.

use super::{Range, dto};

dto! {
    /// Asks what some journeys have in common that the others of the range have not.
    #[derive(Default)]
    pub struct CommonRequest {
        /// Range.
        pub range: Range,
        /// What both sides must fit, such as an environment.
        #[serde(default)]
        pub within: Option<String>,
        /// The group: journeys that fit this expression …
        #[serde(default)]
        pub filter: Option<String>,
        /// … and started in this range; without it in all of the range.
        #[serde(default)]
        pub picked: Option<Range>,
        /// Health checks and polls too.
        #[serde(default)]
        pub noise: bool,
    }

    /// What tells the group from the rest.
    pub struct CommonView {
        /// Journeys in the group.
        pub group: u32,
        /// All others.
        pub rest: u32,
        /// How many of the group were looked at: all, or so many picked evenly.
        pub group_read: u32,
        /// The same of the rest.
        pub rest_read: u32,
        /// Different traits that were tested; what `chance` is adjusted for.
        pub looks: u32,
        /// How it was found, in a sentence, with its source.
        pub method: String,
        /// First what is more frequent, by effect; then what is rarer; then what followed from failures.
        pub factors: Vec<FactorView>,
    }

    /// A trait of journeys.
    pub struct TraitView {
        /// `first-failure`, `version`, `own-time`, `participant`, `operation`, `event-type`, `attribute`, `resource`, `payload`.
        pub kind: String,
        /// Service or subject; empty for the journey as a whole.
        pub at: String,
        /// Attribute or payload path; empty for the other kinds.
        pub name: String,
        /// Value.
        pub value: String,
        /// Expression that finds journeys with it; null where the value is hidden.
        pub filter: Option<String>,
    }

    /// A trait with its frequency on both sides.
    pub struct FactorView {
        /// The trait.
        pub what: TraitView,
        /// For `own-time`: from this value on.
        pub from_ms: Option<f64>,
        /// Journeys of the group with it.
        pub group: u32,
        /// Journeys of the rest with it.
        pub rest: u32,
        /// How closely it goes with being of the group: φ coefficient, −1 to 1.
        pub effect: f64,
        /// Probability of such a difference by chance, adjusted for the number of looks.
        pub chance: f64,
        /// It appeared only after the first failure, or passed it on.
        pub followed: bool,
        /// Traits that stand in exactly the same journeys.
        pub same: Vec<TraitView>,
    }
}
