//! The store through its public interface, on real files.

mod build;
mod crash;
mod events;
mod files;
mod journeys;
mod logs;
mod rollups;
mod spans;
