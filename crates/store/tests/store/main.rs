//! The store through its public interface, on real files.

mod build;
mod copy;
mod crash;
mod erase;
mod events;
mod files;
mod journeys;
mod logs;
mod rollups;
mod spans;
