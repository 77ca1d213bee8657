//! Journeys through the whole of ingest, store and stitching.

mod expected;
mod recordings;
mod scene;
mod support;
mod traps;
