//! Journeys through the whole of ingest, store and stitching.

mod any_arrival;
mod bridges;
mod expected;
mod recordings;
mod scene;
mod support;
mod traps;
