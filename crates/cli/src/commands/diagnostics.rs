//! `flowglass diagnostics`.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use flowglass_studio::{DIAGNOSTICS_FILES, diagnostics_bundle};
use serde::Serialize;

use super::open;
use crate::args::DiagnosticsArgs;
use crate::output::print_json;

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    bytes: usize,
    contents: Vec<&'static str>,
}

/// Writes the file for bug reports.
pub(crate) fn run(args: &DiagnosticsArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let workspace = args.workspace.as_deref().map(|path| open(path, config)).transpose()?;
    let zip = diagnostics_bundle(workspace.as_ref(), None, None)?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&args.output);
    file.and_then(|mut file| file.write_all(&zip)).with_context(|| {
        format!("{}: cannot be written; choose a file that is not there yet", args.output.display())
    })?;
    let has = |name: &&str| match *name {
        "counters.json" | "settings.toml" => workspace.is_some(),
        "sources.json" => false,
        _ => true,
    };
    let contents = DIAGNOSTICS_FILES.iter().copied().filter(|name| has(name)).collect();
    print_json(&Written { file: &args.output, bytes: zip.len(), contents })
}
