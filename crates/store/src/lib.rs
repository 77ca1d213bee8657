//! One workspace is one SQLite file: durable batches, rollups per time bucket, typed questions.
//!
//! A [`Writer`] is the only one in the world for its file; everything goes in through a [`Tx`], which is durable when its
//! commit returns. Any number of [`Reader`]s, in this process or another, read beside it. No SQL and no database type
//! leaves this crate.

mod belongings;
mod bloom;
mod cache;
mod carried;
mod check;
mod chunk;
mod closed;
mod compression;
mod copy;
mod counters;
mod db;
mod delivery_rows;
mod destinations;
mod erase;
mod erase_rows;
mod error;
mod event_page;
mod event_sets;
mod events;
mod expect;
mod fault;
mod filter;
mod filters;
mod find;
mod hash;
mod held;
mod hints;
mod journey_page;
mod journeys;
mod judged;
mod lock;
mod logs;
mod lookup;
mod message_rows;
mod names;
mod packing;
mod progress;
mod reader;
mod records;
mod retention;
mod rollup;
mod schema;
mod seen;
mod senders;
mod series;
mod sought;
mod space;
mod sparks;
mod stranger;
mod text;
mod thinned;
mod tx;
mod types;
mod value;
mod version;
mod waiting;
mod walk;
mod writer;

pub use belongings::Extent;
pub use cache::ChunkCache;
pub use carried::{Carried, correlation_ids};
pub use check::{Checked, Lost, Problem, Repaired, check, repair};
pub use chunk::{Packer, probe_chunk};
pub use copy::{Copied, compact};
pub use erase::{ErasedTraces, Sweep};
pub use error::{Result, StoreError};
pub use expect::Lack;
pub use held::Held;
pub use judged::{Scan, Sighting, TroubleKind, TroubleRow};
pub use packing::Packed;
pub use progress::{GoOn, Progress, Unit};
pub use reader::Reader;
pub use retention::{Loose, LooseAt, Space, Stored};
pub use seen::{Counted, Seen};
pub use space::free_bytes;
pub use sparks::Spark;
pub use thinned::Figures;
pub use tx::Tx;
pub use types::{
    Access, Added, Around, ConsumerCounts, ConsumerOutcome, DestinationRow, EventDetail, EventFilter, EventPage,
    EventRow, FindHit, JourneyFilter, JourneyPage, LogFilter, LogId, LogPage, MessageRef, SeriesFilter, Stats,
    TimelineBucket, UnmatchedPublication,
};
pub use version::sqlite_version;
pub use waiting::{Waiting, WaitingPage};
pub use writer::Writer;
