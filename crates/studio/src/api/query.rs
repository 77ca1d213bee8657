//! The one grammar of filters: completion, matching on the map, and the palette.

use super::{BusinessKey, EventRow, JourneyRow, Nearest, Range, dto};

dto! {
    /// Asks what could stand at the cursor of a filter.
    pub struct CompleteRequest {
        /// The expression so far.
        pub text: String,
        /// Cursor, in UTF-16 units as browsers count.
        pub cursor: u32,
        /// What is filtered: `journeys`, `events`, `logs`, `map`.
        pub view: String,
    }

    /// What could stand at the cursor.
    pub struct Completion {
        /// Start of the part that a suggestion replaces, UTF-16 units.
        pub from: u32,
        /// End of it.
        pub to: u32,
        /// Best first, at most 20.
        pub items: Vec<Suggestion>,
        /// What is wrong with the expression as it stands, in words; null when it can be used.
        pub problem: Option<FilterProblem>,
    }

    /// One suggestion.
    pub struct Suggestion {
        /// Text to put in.
        pub insert: String,
        /// What people read.
        pub label: String,
        /// What it means, or how often it occurs.
        pub detail: Option<String>,
        /// `field`, `value`, `operator`.
        pub kind: String,
    }

    /// Why an expression cannot be used.
    pub struct FilterProblem {
        /// What is wrong and what could stand there.
        pub message: String,
        /// Start of the term, UTF-16 units.
        pub from: u32,
        /// End of the term.
        pub to: u32,
    }

    /// Asks which participants and interactions of the map a filter means.
    pub struct MapMatchesRequest {
        /// The expression.
        pub filter: String,
        /// Time range.
        pub range: Range,
        /// Only this environment.
        pub environment: Option<String>,
    }

    /// What a filter means on the map.
    pub struct MapMatches {
        /// Node ids.
        pub nodes: Vec<String>,
        /// Edge ids between them or matching by themselves.
        pub edges: Vec<String>,
    }

    /// Asks the palette; time does not matter.
    pub struct SearchRequest {
        /// What was typed.
        pub text: String,
    }

    /// A participant or operation that was found.
    pub struct SearchNode {
        /// Node id.
        pub id: String,
        /// Name.
        pub name: String,
        /// Kind.
        pub kind: String,
        /// Technology.
        pub system: Option<String>,
        /// Layer.
        pub layer: String,
        /// Operation, when that is what matched.
        pub operation: Option<String>,
    }

    /// What the palette found, best first, at most 8 of each.
    pub struct SearchHits {
        /// Participants, subjects and operations.
        pub nodes: Vec<SearchNode>,
        /// Journeys by exact id or key, else by words.
        pub journeys: Vec<JourneyRow>,
        /// Whether the journeys were found by an exact id or key.
        pub exact: bool,
        /// Events by exact id that belong to no journey.
        pub events: Vec<EventRow>,
        /// Business keys whose value begins so.
        pub keys: Vec<BusinessKey>,
    }

    /// What a search without a hit looked through.
    pub struct Searched {
        /// What was looked for.
        pub text: String,
        /// Start of the period searched: of the range, else of the data.
        pub from_at: Option<f64>,
        /// End of it.
        pub to_at: Option<f64>,
        /// Parts of it in which nothing arrived.
        pub gaps: Vec<Range>,
        /// Technologies that events came from.
        pub sources: Vec<String>,
        /// Spans stored.
        pub spans: u64,
        /// Events stored.
        pub events: u64,
        /// Log records stored.
        pub logs: u64,
        /// Items that were refused or lost.
        pub lost: u64,
        /// Share of traces that senders say they keep; null when they say nothing.
        pub sampled: Option<f64>,
        /// Names of known business keys.
        pub keys: Vec<String>,
        /// Payloads of the newest events: `kept`, `left-out`, `partly`, `none` (no events).
        pub payloads: String,
        /// Spellings near to it that have hits.
        pub near: Vec<NearSpelling>,
        /// Where data is outside of the range.
        pub nearest: Nearest,
        /// Where else it can be looked for.
        pub offers: Vec<SearchOffer>,
    }

    /// Somewhere else to look.
    pub struct SearchOffer {
        /// `nats`, `jaeger`, `tempo`.
        pub kind: String,
        /// The connection, or the name of the trace store.
        pub id: String,
        /// What people call it.
        pub name: String,
        /// What would be done there, in words.
        pub words: String,
    }

    /// Looks for a text elsewhere and takes in what is found; progress and cancelling as with imports.
    pub struct ElsewhereRequest {
        /// `nats`, `jaeger`, `tempo`.
        pub kind: String,
        /// Which one.
        pub id: String,
        /// What to look for.
        pub text: String,
    }

    /// Another spelling.
    pub struct NearSpelling {
        /// The value.
        pub text: String,
        /// Name of the key it is known as.
        pub name: Option<String>,
        /// Journeys that carry it.
        pub journeys: u64,
    }
}
