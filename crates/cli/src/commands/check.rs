//! `flowglass check`.

use std::sync::atomic::Ordering;

use anyhow::bail;
use flowglass_studio::check_workspace;
use tracing::Instrument as _;

use super::findings::CheckFailed;
use super::keep::progress_lines;
use super::until_stopped;
use crate::args::CheckArgs;
use crate::output::{print, print_json};

/// Prints whether a workspace is sound, and what was saved of it.
pub(crate) async fn run(args: CheckArgs) -> anyhow::Result<()> {
    let (file, save) = (args.file.clone(), args.repair);
    let checked = until_stopped(move |stop| {
        let mut told = progress_lines();
        check_workspace(&file, save, &mut |progress| {
            told(&progress);
            !stop.load(Ordering::Relaxed)
        })
    });
    let checked = checked.instrument(tracing::info_span!("command", otel.name = "check")).await?;
    let Some(report) = checked? else {
        bail!("interrupted; {} was only read, and no other file is left behind", args.file.display())
    };
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
