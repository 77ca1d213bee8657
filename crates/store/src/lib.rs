//! One workspace is one SQLite file: durable batches, rollups per time bucket, typed questions.
//!
//! A [`Writer`] is the only one in the world for its file; everything goes in through a [`Tx`], which is durable when its
//! commit returns. Any number of [`Reader`]s, in this process or another, read beside it. No SQL and no database type
//! leaves this crate.

mod cache;
mod chunk;
mod counters;
mod db;
mod delivery_rows;
mod destinations;
mod error;
mod events;
mod fault;
mod filter;
mod find;
mod hash;
mod hints;
mod journeys;
mod lock;
mod message_rows;
mod names;
mod packing;
mod reader;
mod rollup;
mod schema;
mod series;
mod sparks;
mod tx;
mod types;
mod walk;
mod writer;

pub use chunk::Packer;
pub use error::{Result, StoreError};
pub use packing::Packed;
pub use reader::Reader;
pub use sparks::Spark;
pub use tx::Tx;
pub use types::{
    Access, Added, ConsumerCounts, ConsumerOutcome, DestinationRow, EventDetail, EventFilter, EventPage, EventRow,
    FindHit, JourneyFilter, JourneyPage, MessageRef, SeriesFilter, Stats, TimelineBucket, UnmatchedPublication,
};
pub use writer::Writer;
