//! `flowglass design`.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use flowglass_studio::design::export::{Format, export, mermaid};
use flowglass_studio::design::{Imported, write};
use flowglass_studio::{Fetch, observed_design, read_designs};

use super::{open, range};
use crate::args::{DesignCommand, DesignExportArgs, DesignFormat, DesignImportArgs, DesignObserveArgs};
use crate::output::print;

pub(crate) async fn run(command: DesignCommand, config: Option<&Path>) -> anyhow::Result<()> {
    match command {
        DesignCommand::Observe(args) => observe(&args, config),
        DesignCommand::Import(args) => import(&args).await,
        DesignCommand::Export(args) => to_others(&args).await,
    }
}

fn observe(args: &DesignObserveArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let (since, until) = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config)?;
    out(args.output.as_deref(), &write(&observed_design(&workspace, since, until)?))
}

/// Reads a design and tells on stderr what could not be taken over.
pub(super) async fn read(paths: &[String], allow_remote: bool) -> anyhow::Result<Imported> {
    let fetch = if allow_remote { Fetch::Allowed } else { Fetch::Nothing };
    let read = read_designs(paths, fetch, &|what| tracing::debug!("{what}")).await?;
    read.notes.iter().for_each(|(path, note)| tracing::warn!("{path}: {note}"));
    Ok(read)
}

async fn import(args: &DesignImportArgs) -> anyhow::Result<()> {
    let read = read(&args.paths, args.allow_remote).await?;
    out(args.output.as_deref(), &write(&read.design))
}

async fn to_others(args: &DesignExportArgs) -> anyhow::Result<()> {
    let design = read(&args.paths, false).await?.design;
    let format = match args.format {
        DesignFormat::Mermaid => return out(args.output.as_deref(), &mermaid(&design)),
        DesignFormat::Asyncapi => Format::AsyncApi,
        DesignFormat::Openapi => Format::OpenApi,
        DesignFormat::Backstage => Format::Backstage,
    };
    let Some(folder) = args.output.as_deref() else {
        bail!("these are several files; name a folder with -o");
    };
    let files = export(&design, format);
    for file in &files {
        let path = folder.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        }
        std::fs::write(&path, &file.text).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    let names: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
    crate::output::print_json(&serde_json::json!({ "folder": folder, "files": names }))
}

/// To stdout, or to a new file.
fn out(path: Option<&Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = path else { return print(text) };
    let made = std::fs::File::options().write(true).create_new(true).open(path);
    let mut file =
        made.with_context(|| format!("{}: cannot be made; a file that is there is not overwritten", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("{}: cannot be written", path.display()))
}
