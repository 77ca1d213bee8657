//! What the tests of the whole product share: starting its programs, asking them, driving its window and a browser.
//!
//! Nothing here is mocked: programs are the built ones, ports and files are scratch, everything ends with the value that
//! stands for it.

pub mod demo;
pub mod drag;
pub mod figures;
pub mod frames;
pub mod graph;
pub mod live;
pub mod multiply;
pub mod names;
pub mod picture;
pub mod process;
pub mod product;
pub mod screen;
pub mod session;
pub mod usage;
pub mod views;
pub mod webdriver;
