//! The report as one page by itself: no script, nothing loaded.

use maud::{Markup, html};

use super::Differences;
use super::words::{Row, method, rows, side, versions};
use crate::share::page;

pub(super) fn report(all: &Differences) -> String {
    let d = &all.difference;
    let [before, after] = &all.sides;
    page(
        "What has changed",
        html! {
            h1 { "What has changed" }
            ul {
                li { "Before: " (side(before)) " (" (d.occurrences.0) " interactions)" }
                li { "After: " (side(after)) " (" (d.occurrences.1) " interactions)" }
            }
            @if d.changes.is_empty() { p { "Nothing that is unlikely to be chance and large enough to matter." } }
            @else { (table(rows(all, &d.changes).collect())) }
            @if !d.versions.is_empty() {
                h2 { "Versions" }
                table {
                    thead { tr { th { "Service" } th { "Before" } th { "After" } } }
                    tbody { @for v in &d.versions {
                        tr { td.wrap { (all.name(&v.participant)) } td.wrap { (versions(&v.before)) } td.wrap { (versions(&v.after)) } }
                    } }
                }
            }
            @if !d.unsure.is_empty() {
                h2 { "On one side only, but rare" }
                p { "These may be missing by chance." }
                (table(rows(all, &d.unsure).collect()))
            }
            h2 { "How to read this" }
            @for text in method(all) { p { (text) } }
        },
    )
}

fn table(rows: Vec<Row>) -> Markup {
    html! {
        table {
            thead { tr { @for head in Row::HEAD { th { (head) } } } }
            tbody { @for row in rows { tr { @for cell in row.cells() { td.wrap { (cell) } } } } }
        }
    }
}
