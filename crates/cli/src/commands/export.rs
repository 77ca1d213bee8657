//! `flowglass export`.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, anyhow, bail};
use flowglass_studio::model::TraceId;
use flowglass_studio::share::{self, Format, Wish, is_case_file};
use flowglass_studio::system_clock;
use serde::Serialize;
use tracing::Instrument as _;

use super::{open, until_stopped};
use crate::args::ExportArgs;
use crate::output::print_json;

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    format: &'static str,
    journeys: usize,
    bytes: usize,
    /// Values taken out; null when asked not to.
    redacted: Option<u64>,
}

/// Writes journeys into a file of the form that its name asks for.
pub(crate) async fn run(args: &ExportArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let ending = args.output.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let format: Format = ending.parse().map_err(|reason: String| anyhow!("-o {}: {reason}", args.output.display()))?;
    let journeys = args.ids.iter().map(|id| journey_id(id)).collect::<anyhow::Result<Vec<TraceId>>>()?;
    if format == Format::Case {
        spare(&args.output, &args.workspace.workspace)?;
    }
    let workspace = open(&args.workspace.workspace, config)?;
    let wish = Wish { journeys, format, unredacted: args.unredacted, now: system_clock() };
    let made = until_stopped(move |stop| {
        let exported = share::export(&workspace, &wish);
        // It is bounded and leaves nothing behind, so that it may end first; the file is what counts.
        exported.map(|exported| (!stop.load(Ordering::Relaxed)).then_some(exported))
    });
    let Some(exported) = made.instrument(tracing::info_span!("command", otel.name = "export")).await?? else {
        bail!("interrupted; nothing was written to {}", args.output.display())
    };
    write(&args.output, &exported.bytes).with_context(|| {
        format!("{}: cannot be written; name a file in a folder that is there", args.output.display())
    })?;
    print_json(&Written {
        file: &args.output,
        format: format.ending(),
        journeys: exported.journeys,
        bytes: exported.bytes.len(),
        redacted: (!args.unredacted).then_some(exported.redacted),
    })
}

fn journey_id(id: &str) -> anyhow::Result<TraceId> {
    let bare = id.trim().strip_prefix("flowglass://journey/").unwrap_or(id.trim());
    bare.to_ascii_lowercase().parse().map_err(|reason| {
        anyhow!("`{}` is no journey id ({reason}); take one from `flowglass journeys`", id.escape_debug())
    })
}

/// A workspace that is no case file is nobody's to overwrite.
fn spare(output: &Path, workspace: &Path) -> anyhow::Result<()> {
    let same = |a: &Path, b: &Path| {
        std::fs::canonicalize(a).ok().zip(std::fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
    };
    let empty = std::fs::metadata(output).is_ok_and(|m| m.len() == 0);
    if same(output, workspace) || (output.exists() && !empty && !is_case_file(output)) {
        bail!("{}: is there already and is no case file; name another file", output.display());
    }
    Ok(())
}

/// Writes beside the file first: what was there stays whole until the new one is.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What is left when this process is killed says what it is.
    let mut beside = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|e| e.error)?;
    Ok(())
}
