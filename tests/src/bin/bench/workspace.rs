//! A workspace of a million spans: the recorded sample landscape, multiplied and imported.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::live::now;
use flowglass_tests::multiply::Recording;
use flowglass_tests::product::{flowglass, root};

/// Nanoseconds between two copies of the recording, which is five seconds long.
const GAP: u64 = 500_000_000;
/// Copies written and imported at a time: as text, spans take twenty times the room.
const COPIES: u64 = 250;

/// The recording that everything is made of.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn recording() -> Result<Recording> {
    Recording::read(&root().join("tests/fixtures/landscape"))
}

/// Makes a workspace of so many spans in a file, or takes the one that is there.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn make(file: &Path, recording: &Recording, spans: u64) -> Result<()> {
    if !file.is_file() {
        let copies = spans.div_ceil(recording.spans().max(1));
        let (end, length) = (now(), recording.length() + GAP);
        let (mut written, mut took) = (0, 0.0);
        for first in (0..copies).step_by(COPIES as usize) {
            let part = first..copies.min(first + COPIES);
            let bytes = import(file, recording, part.clone(), end - (copies - part.end) * length, &mut took)?;
            written += bytes;
        }
        crate::large::import(file, end as i64)?;
        println!(
            "{copies} copies of the recorded landscape, fresh ids, keys and times: {} MB imported in {took:.0} s",
            written / 1_000_000,
        );
    }
    let stats = flowglass(&["stats".as_ref(), "--workspace".as_ref(), file.as_os_str(), "--json".as_ref()])?;
    println!("{}: {stats}", file.display());
    Ok(())
}

/// Writes these copies beside the file and imports them; answers their size in bytes, and adds how long the import took, seconds.
fn import(file: &Path, recording: &Recording, copies: Range<u64>, end: u64, took: &mut f64) -> Result<u64> {
    let folder = file.with_extension("recording");
    std::fs::create_dir_all(&folder)?;
    let written = recording.write(&folder, copies, GAP, end)?;
    let started = Instant::now();
    let arguments: [PathBuf; 5] = ["import".into(), "--workspace".into(), file.into(), "--json".into(), folder.clone()];
    let report = flowglass(&arguments)?;
    *took += started.elapsed().as_secs_f64();
    let rejected = report["rejected_total"].as_u64().context("a report")?;
    std::fs::remove_dir_all(&folder)?;
    if rejected > 0 {
        bail!("{rejected} things of the recording were refused: {report}");
    }
    Ok(written.bytes)
}
