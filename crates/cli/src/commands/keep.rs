//! `flowglass backup` and `flowglass compact`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::bail;
use flowglass_studio::store::{self, Copied, Progress};

use super::{open, until_stopped};
use crate::args::{BackupArgs, CompactArgs};
use crate::output::{CopiedOut, print_json};

/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Writes a copy, while others go on writing.
pub(crate) async fn backup(args: BackupArgs) -> anyhow::Result<()> {
    let workspace = open(&args.from, None)?;
    let to = args.to.clone();
    let copied = until_stopped(move |stop| {
        let mut told = progress_lines();
        workspace.copy_to(&to, &mut |progress| {
            told(&progress);
            !stop.load(Ordering::Relaxed)
        })
    });
    match copied.await?? {
        Some(copied) => told(&args.to.display().to_string(), copied),
        None => bail!("interrupted; nothing is left of {}", args.to.display()),
    }
}

/// Writes a workspace anew, in its own place.
pub(crate) async fn compact(args: CompactArgs) -> anyhow::Result<()> {
    let file = args.file.clone();
    let copied = until_stopped(move |stop| {
        let mut told = progress_lines();
        store::compact(&file, &mut |progress| {
            told(&progress);
            !stop.load(Ordering::Relaxed)
        })
    });
    match copied.await?? {
        Some(copied) => told(&args.file.display().to_string(), copied),
        None => bail!("interrupted; {} is as it was", args.file.display()),
    }
}

fn told(file: &str, Copied { before, after }: Copied) -> anyhow::Result<()> {
    print_json(&CopiedOut { file, before, after })
}

/// Says on stderr how far it is, once a second.
pub(super) fn progress_lines() -> impl FnMut(&Progress) {
    let mut last = Instant::now();
    move |progress| {
        if last.elapsed() >= TELL_EVERY {
            last = Instant::now();
            eprintln!("{progress}");
        }
    }
}
