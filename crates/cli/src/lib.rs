//! The `flowglass` command: the same studio and workspace as the window, without one.
//!
//! JSON goes to stdout, logs and progress to stderr. Exit status: 0 done, 2 unusable arguments or input, with one line on
//! stderr. Each command is a module of [`commands`]; nothing here decides what data means.

mod args;
mod commands;
mod output;
mod run;
mod ui;

pub use run::run;
