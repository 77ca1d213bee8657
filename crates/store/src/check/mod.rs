//! Whether a workspace is sound, and what can be saved of one that is not.
//!
//! Checking asks the database engine first, then holds everything against what it should agree with. Saving reads the pages of
//! the file itself, so that a damaged one costs only what it held, and writes the rest into a new file: spans and log records
//! as if they came anew (their filters and places with them), rows as they were.

mod copy;
mod filters;
mod look;
mod lost;
mod pages;
mod parts;
mod rebuild;
mod repair;
mod rollups;
mod tree;

pub use look::{Checked, Problem, check};
pub use lost::Lost;
pub use repair::{Repaired, repair};

/// What a table or index holds, for people.
pub(crate) fn plain(name: &str) -> &'static str {
    match name {
        "chunk" => "spans and log records",
        "chunk_kind" => "the list of parts with spans and log records",
        "chunk_filter" | "message_filter" | "value_filter" | "value_slice" => "search filters",
        "trace_chunk" => "where traces lie",
        "log_hash" => "what tells repeated log records",
        "span_link" | "span_message" | "trace_carries" | "message_carries" | "unmatched" => "what joins traces",
        "trace_join" | "trace_join_parent" => "joins of traces",
        "message_body" => "payloads and headers of events",
        "delivery" | "delivery_message" | "delivery_event" | "delivery_time" => "deliveries",
        "settlement" => "acknowledgements",
        "advisory" | "advisory_message" => "notices of brokers",
        "series" | "rollup" => "figures of the map",
        "name" | "meta" | "counter" => "names, notes and counters",
        "rejected" => "refused input",
        "closed_trace" => "what is known of expired traces",
        "sqlite_schema" => "the list of tables",
        name if name.contains("series") => "figures of the map",
        name if name.contains("journey") => "journeys",
        name if name.contains("message") => "events",
        _ => "tables",
    }
}
