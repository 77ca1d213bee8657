//! The real `flowglass` binary, driven as scripts drive it.

mod commands;
mod export;
mod halfway;
mod hostile;
mod scenarios;
mod serve;
mod support;
mod ui;
