//! The store through its public interface, on real files.

mod build;
mod crash;
mod events;
mod files;
mod journeys;
mod rollups;
mod spans;
