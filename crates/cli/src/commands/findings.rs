//! `flowglass findings`.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use flowglass_studio::model::{Rule, RulesConfig, Severity};
use flowglass_studio::rulings::Finding;
use flowglass_studio::{FindingsFormat, FindingsList, evaluate, system_clock};

use super::{StopSignals, open, range};
use crate::args::{FindingsArgs, FormatArg, SeverityArg};
use crate::output::print;

/// The check that `--fail-on` asked for did not pass: exit status 1, with this line on stderr.
#[derive(Debug)]
pub(crate) struct CheckFailed(pub(crate) String);

impl std::fmt::Display for CheckFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CheckFailed {}

/// Prints what breaks the rules of the workspace.
pub(crate) async fn run(args: FindingsArgs, config: Option<std::path::PathBuf>) -> anyhow::Result<()> {
    let mut signals = StopSignals::new()?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let work = tokio::task::spawn_blocking(move || judge(&args, config.as_deref(), &told));
    tokio::select! {
        outcome = work => outcome?,
        () = signals.next() => {
            stop.store(true, Ordering::Relaxed);
            bail!("stopped before all of it was checked; nothing is told")
        }
    }
}

fn judge(args: &FindingsArgs, config: Option<&Path>, stop: &AtomicBool) -> anyhow::Result<()> {
    let workspace = open(&args.workspace.workspace, config)?;
    let (since, until) = range(&args.range)?;
    let settings = workspace.settings().config;
    for id in &args.rule {
        known(id, &settings.rules)?;
    }
    let mut hear = |progress: flowglass_studio::Progress| {
        tracing::debug!(spans = progress.spans, messages = progress.messages, "checking");
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let Some(report) = evaluate(&workspace, since, until, system_clock(), &mut hear)? else {
        bail!("stopped before all of it was checked");
    };
    let wanted =
        |f: &&Finding| (args.rule.is_empty() || args.rule.contains(&f.rule)) && (args.waived || f.waiver.is_none());
    let fail_on = args.fail_on.map(severity);
    let name = args.workspace.workspace.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let list = FindingsList {
        findings: report.findings.iter().filter(wanted).collect(),
        checked: report.checked,
        rules: &settings.rules,
        workspace: &name,
        fails: fail_on.unwrap_or(Severity::Warning),
    };
    print(&list.render(match args.format {
        FormatArg::Json => FindingsFormat::Json,
        FormatArg::Sarif => FindingsFormat::Sarif,
        FormatArg::Junit => FindingsFormat::Junit,
        FormatArg::Markdown => FindingsFormat::Markdown,
    }))?;
    match fail_on {
        Some(least) if list.failures() > 0 => {
            let failures = list.failures();
            let word = if failures == 1 { "finding" } else { "findings" };
            Err(CheckFailed(format!("{failures} {word} of severity {} or worse", least.as_str())).into())
        }
        _ => Ok(()),
    }
}

fn severity(arg: SeverityArg) -> Severity {
    match arg {
        SeverityArg::Info => Severity::Info,
        SeverityArg::Warning => Severity::Warning,
        SeverityArg::Error => Severity::Error,
    }
}

/// A typing mistake must not look like a clean result.
fn known(id: &str, rules: &RulesConfig) -> anyhow::Result<()> {
    let mut own = rules.forbidden.iter().chain(&rules.allowed).map(|r| r.name.as_str());
    if Rule::parse(id).is_none() && !own.any(|name| name == id) {
        let ids: Vec<&str> = Rule::ALL.iter().map(|r| r.as_str()).collect();
        bail!("--rule: there is no rule `{id}`; rules are {} and those of the settings file", ids.join(", "));
    }
    Ok(())
}
