//! A report for people: a table, then each finding with why, what to do and where to look.

use std::fmt::Write as _;

use flowglass_model::Sure;
use flowglass_rules::{Evidence, Finding};

use super::FindingsList;
use crate::time::rfc3339;

/// Pieces of evidence shown with a finding.
const SHOWN: usize = 5;

/// A text in a table's cell or a heading: no character of it may end the cell or start markup.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '<' | '[' | ']' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn names(f: &Finding) -> String {
    plain(&f.subject.iter().map(|id| id.name()).collect::<Vec<_>>().join(" → "))
}

pub(super) fn report(list: &FindingsList<'_>) -> String {
    let checked = list.checked;
    let mut out = format!("# Architecture findings: {}\n\n", plain(list.workspace));
    let (open, waived): (Vec<&Finding>, Vec<&Finding>) = list.findings.iter().partition(|f| f.waiver.is_none());
    let (guessed, open): (Vec<&Finding>, Vec<&Finding>) = open.into_iter().partition(|f| f.layer_guessed);
    let _ = writeln!(
        out,
        "{} calls, {} messages and {} spans checked: {} open, {} waived.\n",
        checked.calls,
        checked.messages,
        checked.spans,
        open.len() + guessed.len(),
        waived.len()
    );
    table(&mut out, &open);
    if !guessed.is_empty() {
        out.push_str("## On guessed layers\n\nThese rest on a layer that was guessed from the graph. Set it in the settings if it is wrong.\n\n");
        table(&mut out, &guessed);
    }
    for f in open.iter().chain(&guessed) {
        detail(&mut out, f);
    }
    if !waived.is_empty() {
        out.push_str("## Waived\n\n| Rule | Where | Count | Why | Until |\n| --- | --- | ---: | --- | --- |\n");
        for f in waived {
            let Some(waiver) = &f.waiver else { continue };
            let until = waiver.expires.map_or("no end".to_owned(), |d| d.to_string());
            let _ = writeln!(out, "| {} | {} | {} | {} | {until} |", f.rule, names(f), f.count, plain(&waiver.reason));
        }
    }
    out.trim_end().to_owned()
}

fn table(out: &mut String, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    out.push_str("| Severity | Rule | Where | Count |\n| --- | --- | --- | ---: |\n");
    for f in findings {
        let _ = writeln!(out, "| {} | {} | {} | {} |", f.severity.as_str(), f.rule, names(f), f.count);
    }
    out.push('\n');
}

fn detail(out: &mut String, f: &Finding) {
    let _ = writeln!(out, "## {}: {}\n", plain(&f.title), names(f));
    let _ = writeln!(out, "{}\n", plain(&f.saw));
    let _ = writeln!(out, "**Why it matters.** {}\n", plain(&f.why));
    let _ = writeln!(out, "**What to do.** {}\n", plain(&f.advice));
    let sure = match f.sure {
        Sure::Certain => "certain",
        Sure::Strong => "strong",
        Sure::Weak => "weak",
    };
    let _ = writeln!(out, "**How sure.** {sure}. {}\n", plain(f.doubt.as_deref().unwrap_or_default()));
    let _ = writeln!(out, "{} offences from {} to {}.\n", f.count, rfc3339(f.first), rfc3339(f.last));
    for (_, evidence) in f.evidence.iter().take(SHOWN) {
        let _ = match evidence {
            Evidence::Span { trace, span } => writeln!(out, "- trace `{trace}`, span `{span}`"),
            Evidence::Event { id, .. } => writeln!(out, "- event `{}`", id.replace('`', "'")),
        };
    }
    if f.evidence.len() > SHOWN {
        let _ = writeln!(out, "- and {} more", f.evidence.len() - SHOWN);
    }
    out.push('\n');
}
