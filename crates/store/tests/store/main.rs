//! The store through its public interface, on real files.

mod build;
mod check;
mod copy;
mod crash;
mod erase;
mod events;
mod faults;
mod files;
mod halfway;
mod journeys;
mod load;
mod logs;
mod rollups;
mod spans;
mod stranger;
mod versions;
