//! Names that look like business keys.

use super::dto;

dto! {
    /// A name that carries a business key, as far as the data tells. To use it, add it to the business keys of the settings.
    pub struct KeyProposal {
        /// Attribute, header or JSON field, as it is written most often.
        pub name: String,
        /// Its other spellings.
        pub spellings: Vec<String>,
        /// Different values seen.
        pub values: u64,
        /// How many of them recur across services or messages.
        pub recurring: u64,
        /// Services and topics that carry it.
        pub places: Vec<String>,
        /// A value that recurs.
        pub example: String,
        /// Why it is proposed, in words.
        pub evidence: String,
    }

    /// What was found, and in what.
    pub struct KeyProposals {
        /// Those whose values recur most first; names that are keys already are left out.
        pub rows: Vec<KeyProposal>,
        /// Journeys looked at, the newest.
        pub journeys: u64,
        /// Spans looked at.
        pub spans: u64,
        /// Events looked at.
        pub events: u64,
    }
}
