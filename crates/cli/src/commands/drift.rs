//! `flowglass drift`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::bail;
use flowglass_studio::design::DeviationKind;
use flowglass_studio::{DriftFormat, DriftList, design_path, hold};

use super::findings::CheckFailed;
use super::{open, range, until_stopped};
use crate::args::{DriftArgs, DriftFormatArg};
use crate::output::print;

/// Prints where a design and the running system differ.
pub(crate) async fn run(args: DriftArgs, config: Option<PathBuf>) -> anyhow::Result<()> {
    let kinds = kinds(&args.fail_on)?;
    let (since, until) = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config.as_deref())?;
    let paths = match args.design.is_empty() {
        false => args.design.clone(),
        true => vec![beside(&args)?],
    };
    let design = super::design::read(&paths, args.allow_remote).await?.design;
    let held = until_stopped(move |cancel| {
        let mut hear =
            |_| if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        hold(&workspace, &design, since, until, &mut hear).map(|held| (held, design))
    });
    let (held, design) = held.await??;
    let Some(held) = held else { bail!("stopped before all of it was read; nothing is told") };
    held.notes.iter().for_each(|note| tracing::warn!("{note}"));
    let list = DriftList { drift: &held.drift, design: &design.title, notes: &held.notes };
    print(&list.render(match args.format {
        DriftFormatArg::Json => DriftFormat::Json,
        DriftFormatArg::Markdown => DriftFormat::Markdown,
    }))?;
    let Some(kinds) = kinds else { return Ok(()) };
    match list.open(&kinds) {
        0 => Ok(()),
        1 => Err(CheckFailed("1 open deviation of those asked for with --fail-on".into()).into()),
        n => Err(CheckFailed(format!("{n} open deviations of those asked for with --fail-on")).into()),
    }
}

fn beside(args: &DriftArgs) -> anyhow::Result<String> {
    let path = design_path(&args.workspace.workspace);
    if !path.is_file() {
        bail!(
            "{}: there is no design; make one with `flowglass design observe`, or name one with --design",
            path.display()
        );
    }
    Ok(path.to_string_lossy().into_owned())
}

/// Kinds that fail; `Some` of none is any, `None` is nothing.
fn kinds(words: &[String]) -> anyhow::Result<Option<Vec<DeviationKind>>> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::new();
    for word in words {
        if word == "any" {
            return Ok(Some(Vec::new()));
        }
        let Some(kind) = DeviationKind::ALL.into_iter().find(|k| k.as_str() == word) else {
            let all: Vec<&str> = DeviationKind::ALL.iter().map(|k| k.as_str()).collect();
            bail!("--fail-on: `{word}` is none of any, {}", all.join(", "));
        };
        out.push(kind);
    }
    Ok(Some(out))
}
