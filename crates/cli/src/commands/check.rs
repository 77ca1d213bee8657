//! `flowglass check`.

use flowglass_studio::check_workspace;

use super::findings::CheckFailed;
use crate::args::CheckArgs;
use crate::output::{print, print_json};

/// Prints whether a workspace is sound, and what was saved of it.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "check").entered();
    let report = check_workspace(&args.file, args.repair)?;
    if args.json {
        print_json(&report.json())?
    } else {
        print(&report.text())?
    }
    match report.verdict() {
        None => Ok(()),
        Some(words) => Err(CheckFailed(words).into()),
    }
}
