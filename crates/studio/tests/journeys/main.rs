//! Journeys through the whole of ingest, store and stitching.

mod recordings;
mod scene;
mod support;
mod traps;
