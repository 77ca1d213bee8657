//! `flowglass diff`.

use std::path::Path;

use anyhow::bail;
use flowglass_studio::topology::diff::{Limits, What};
use flowglass_studio::{DifferenceFormat, Differences, Part, parse_instant, system_clock};

use super::findings::CheckFailed;
use super::open;
use crate::args::{ChangeArg, DiffArgs, DiffFormat};
use crate::output::print;

/// Prints what has changed between two ranges or workspaces.
pub(crate) fn run(args: &DiffArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let limits =
        Limits { times: share("--times", args.times)?, errors: share("--errors", args.errors)?, ..Limits::default() };
    let before = part("A", &args.before, args.workspace.as_deref(), config)?;
    let after = part("B", &args.after, args.workspace.as_deref(), config)?;
    let all = Differences::between(&before, &after, limits)?;
    print(&all.render(match args.format {
        DiffFormat::Json => DifferenceFormat::Json,
        DiffFormat::Markdown => DifferenceFormat::Markdown,
        DiffFormat::Html => DifferenceFormat::Html,
    }))?;
    let fails: Vec<What> = args.fail_on.iter().copied().map(what).collect();
    match all.difference.changes.iter().filter(|c| fails.contains(&c.what)).count() {
        0 => Ok(()),
        1 => Err(CheckFailed("1 change of those asked for with --fail-on".into()).into()),
        n => Err(CheckFailed(format!("{n} changes of those asked for with --fail-on")).into()),
    }
}

fn share(flag: &str, value: f64) -> anyhow::Result<f64> {
    if !(0.0..=1e6).contains(&value) {
        bail!("{flag}: {value} is no share; write 0.1 for 10 %");
    }
    Ok(value)
}

/// `SINCE..UNTIL`, or a workspace file. A file of that name wins.
fn part(name: &str, text: &str, workspace: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Part> {
    let range = text.split_once("..").filter(|_| !Path::new(text).exists());
    let Some((since, until)) = range else {
        return Ok(Part { workspace: open(Path::new(text), config)?, since: None, until: None });
    };
    let Some(workspace) = workspace else {
        bail!("{name}: `{text}` is a range; name its workspace with --workspace FILE");
    };
    let now = system_clock();
    let instant = |text: &str| match text {
        "" => Ok(None),
        text => parse_instant(text, now).map(Some).map_err(|reason| anyhow::anyhow!("{name}: {reason}")),
    };
    let (since, until) = (instant(since)?, instant(until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        bail!("{name}: `{text}` ends before it begins; the earlier instant (the greater age) comes first");
    }
    Ok(Part { workspace: open(workspace, config)?, since, until })
}

fn what(argument: ChangeArg) -> What {
    match argument {
        ChangeArg::Added => What::Added,
        ChangeArg::Gone => What::Gone,
        ChangeArg::Slower => What::Slower,
        ChangeArg::Faster => What::Faster,
        ChangeArg::MoreErrors => What::MoreErrors,
        ChangeArg::FewerErrors => What::FewerErrors,
    }
}
