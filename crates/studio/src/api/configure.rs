//! Editing the settings file from the window.

use super::dto;

dto! {
    /// A domain rule.
    pub struct DomainRule {
        /// Node id or name; `*` at the end matches any rest.
        pub match_name: String,
        /// Domain.
        pub domain: String,
    }

    /// Two names of one participant.
    pub struct AliasRule {
        /// As seen.
        pub from: String,
        /// As shown.
        pub to: String,
    }

    /// Who runs a participant.
    pub struct OwnerRule {
        /// Node id or name; `*` at the end matches any rest.
        pub match_name: String,
        /// Team or person.
        pub owner: String,
        /// How to reach them.
        pub contact: Option<String>,
        /// What to do when it fails.
        pub runbook: Option<String>,
    }

    /// Changes what is said of some participants; absent parts stay, `""` clears.
    pub struct SetParticipantsRequest {
        /// Node ids.
        pub ids: Vec<String>,
        /// Layer.
        pub layer: Option<String>,
        /// Domain.
        pub domain: Option<String>,
        /// Owner.
        pub owner: Option<String>,
    }

    /// Replaces a list of the settings; absent lists stay.
    #[derive(Default)]
    pub struct EditSettingsRequest {
        /// Domains.
        pub domains: Option<Vec<DomainRule>>,
        /// Aliases.
        pub aliases: Option<Vec<AliasRule>>,
        /// Owners.
        pub owners: Option<Vec<OwnerRule>>,
        /// Names of fields that carry business keys, besides the built-in ones.
        pub business_keys: Option<Vec<String>>,
        /// Operations that are noise, as patterns with `*`.
        pub noise: Option<Vec<String>>,
    }

    /// A noise pattern in use.
    pub struct NoiseRule {
        /// Pattern.
        pub pattern: String,
        /// Journeys it folds now.
        pub journeys: u64,
    }
}
