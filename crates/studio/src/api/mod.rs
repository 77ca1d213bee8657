//! The wire contract between the studio and whatever shows it: one list of requests, one stream of updates.
//!
//! Conventions: ids are hex or node-id strings, instants are milliseconds since the Unix epoch as numbers (`…_at`), durations are
//! milliseconds (`…_ms`), unknown is null. Nothing here is a `bigint` in TypeScript. Field names are camelCase on the wire.

mod arrival;
mod common;
mod compare;
mod configure;
mod event;
mod factors;
mod host;
mod journey;
mod kinds;
mod logs;
mod marks;
mod observed;
mod query;
mod requests;
mod sources;
mod topology;
mod update;

pub use arrival::*;
pub use common::*;
pub use compare::*;
pub use configure::*;
pub use event::*;
pub use factors::*;
pub use host::*;
pub use journey::*;
pub use kinds::*;
pub use logs::*;
pub use marks::*;
pub use observed::*;
pub use query::*;
pub use requests::{answer, dispatch, typescript_files};
pub use sources::*;
pub use topology::*;
pub use update::*;

/// A data-transfer object: serialised in camelCase, exported to TypeScript.
macro_rules! dto {
    ($($item:item)*) => { $(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
        #[serde(rename_all = "camelCase")]
        #[ts(rename_all = "camelCase")]
        $item
    )* };
}
pub(crate) use dto;
