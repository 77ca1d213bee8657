//! The wire contract between the studio and whatever shows it: one list of requests, one stream of updates.
//!
//! Conventions: ids are hex or node-id strings, instants are milliseconds since the Unix epoch as numbers (`…_at`), durations are
//! milliseconds (`…_ms`), unknown is null. Nothing here is a `bigint` in TypeScript. Field names are camelCase on the wire.

mod arrival;
mod common;
mod compare;
mod configure;
mod design;
mod difference;
mod event;
mod exemplars;
mod factors;
mod findings;
mod host;
mod journey;
mod keys;
mod kinds;
mod logs;
mod marks;
mod observed;
mod pull;
mod query;
mod redrive;
mod requests;
mod retention;
mod scenario;
mod scenario_result;
mod scenario_verdict;
mod share;
mod sources;
mod subject;
mod topology;
mod update;
mod waiting;

pub use arrival::*;
pub use common::*;
pub use compare::*;
pub use configure::*;
pub use design::*;
pub use difference::*;
pub use event::*;
pub use exemplars::*;
pub use factors::*;
pub use findings::*;
pub use host::*;
pub use journey::*;
pub use keys::*;
pub use kinds::*;
pub use logs::*;
pub use marks::*;
pub use observed::*;
pub use pull::*;
pub use query::*;
pub use redrive::*;
pub use requests::{answer, dispatch, typescript_files};
pub use retention::*;
pub use scenario::*;
pub use scenario_result::*;
pub use scenario_verdict::*;
pub use share::*;
pub use sources::*;
pub use subject::*;
pub use topology::*;
pub use update::*;
pub use waiting::*;

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
