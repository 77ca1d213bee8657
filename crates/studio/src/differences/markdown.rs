//! The report for a pull request.

use std::fmt::Write as _;

use super::Differences;
use super::words::{Row, method, rows, side, versions};
use crate::findings::plain_markdown as plain;

pub(super) fn report(all: &Differences) -> String {
    let d = &all.difference;
    let [before, after] = &all.sides;
    let mut out = String::from("# What has changed\n\n");
    let _ = writeln!(out, "- Before: {} ({} interactions)", plain(&side(before)), d.occurrences.0);
    let _ = writeln!(out, "- After: {} ({} interactions)\n", plain(&side(after)), d.occurrences.1);
    table(
        &mut out,
        rows(all, &d.changes).collect(),
        "Nothing that is unlikely to be chance and large enough to matter.",
    );
    if !d.versions.is_empty() {
        out.push_str("## Versions\n\n| Service | Before | After |\n| --- | --- | --- |\n");
        for v in &d.versions {
            let [service, before, after] =
                [all.name(&v.participant), &versions(&v.before), &versions(&v.after)].map(plain);
            let _ = writeln!(out, "| {service} | {before} | {after} |");
        }
        out.push('\n');
    }
    if !d.unsure.is_empty() {
        out.push_str("## On one side only, but rare\n\nThese may be missing by chance.\n\n");
        table(&mut out, rows(all, &d.unsure).collect(), "");
    }
    out.push_str("## How to read this\n\n");
    out.push_str(&method(all).join("\n\n"));
    out
}

fn table(out: &mut String, rows: Vec<Row>, none: &str) {
    if rows.is_empty() {
        let _ = writeln!(out, "{none}\n");
        return;
    }
    let _ = writeln!(out, "| {} |\n| --- | --- | ---: | ---: | ---: |", Row::HEAD.join(" | "));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.cells().map(plain).join(" | "));
    }
    out.push('\n');
}
