//! The program around the workspace: switching, what is kept for all workspaces, alerts, the file for bug reports.

mod alerts;
mod diagnostics;
mod room;
mod stranger;
mod support;
mod switching;
