//! `flowglass backup` and `flowglass compact`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::bail;
use flowglass_studio::store::{self, Copied};

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
        let mut told = progress("copied");
        workspace.copy_to(&to, &mut |written, of| {
            told(written, of);
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
        let mut told = progress("written");
        store::compact(&file, &mut |written, of| {
            told(written, of);
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
fn progress(what: &'static str) -> impl FnMut(u64, u64) {
    let mut last = Instant::now();
    move |written, of| {
        if last.elapsed() >= TELL_EVERY {
            last = Instant::now();
            eprintln!("{:.0} of about {:.0} MB {what}", written as f64 / 1e6, of as f64 / 1e6);
        }
    }
}
