//! A report of one self-contained page: no script, nothing loaded, nothing that leaves it. Every text goes through [`maud`], which
//! escapes it, and through [`plain`] or [`lines`].

mod details;
mod waits;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Story;
use super::text::{clock, duration, extent, instant, item, keys, lines, plain, state, title};
use crate::api::{Item, JourneyView};
use crate::notes::about_journey;

/// Even if a text got out of its place, the page could neither run nor load anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// How every report looks.
const STYLE: &str = include_str!("report.css");
/// Bars of one journey at most.
const BARS: usize = 2_000;
/// Width of the drawing, in its own units.
const WIDTH: f64 = 1_000.0;

/// The page.
pub(super) fn report(story: &Story) -> String {
    let heading = match story.journeys.as_slice() {
        [one] => plain(&title(one)),
        many => format!("{} journeys", many.len()),
    };
    page(
        &heading,
        html! {
            @if story.journeys.len() > 1 { h1 { (heading) } }
            @for journey in &story.journeys { (section(story, journey)) }
            footer { (made(story)) }
        },
    )
}

/// A page that stands alone: its style within it, nothing fetched, nothing run.
pub(crate) fn page(title: &str, main: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) " · Flowglass" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (main) } }
        }
    };
    page.into_string()
}

/// When it was made, and what was taken out.
pub(super) fn made(story: &Story) -> String {
    let when = instant(crate::api::to_ms(story.now));
    let what = match story.redacted {
        None => "not redacted: values hidden by rules are readable here".to_owned(),
        Some(0) => "redacted: no value was hidden".to_owned(),
        Some(1) => "redacted: 1 value was taken out".to_owned(),
        Some(n) => format!("redacted: {n} values were taken out"),
    };
    format!("Flowglass {}, {when}; {what}. All times are UTC.", env!("CARGO_PKG_VERSION"))
}

fn section(story: &Story, journey: &JourneyView) -> Markup {
    let row = &journey.row;
    html! {
        section.journey {
            h1 { (plain(&title(journey))) }
            p {
                span class={ "pill " (row.state) } { (state(&row.state)) } " "
                span.quiet { (instant(row.start_at)) }
            }
            (failure(story, journey))
            dl {
                dt { "Journey" } dd.mono { (row.id) }
                dt { "Response" } dd { (duration(row.response_ms)) span.quiet { " what the caller waited" } }
                dt { "Settled" } dd { (duration(row.settled_ms)) span.quiet { " until the last effect" } }
                dt { "Parts" } dd { (row.spans) " spans, " (row.events) " events, " (row.services) " services" }
                @if row.retries > 0 { dt { "Retries" } dd { (row.retries) " retries and redeliveries" } }
                @if row.dead_lettered { dt { "Messages" } dd.error { "A message was dead-lettered" } }
                @if journey.missing > 0 { dt { "Missing" } dd.warn { (journey.missing) " spans were named but never arrived" } }
                @for (name, value) in keys(journey) { dt { (plain(name)) } dd.mono { (plain(value)) } }
            }
            @for note in story.notes.iter().filter(|n| n.about == about_journey(&row.id) && !n.text.is_empty()) {
                h3 { "Note" }
                blockquote { (lines(&note.text)) }
            }
            (waits::time(journey))
            (waterfall(journey))
            (details::events(story, journey))
            (details::logs(story, journey))
            (details::spans(story, journey))
        }
    }
}

fn failure(story: &Story, journey: &JourneyView) -> Markup {
    let Some(failure) = &journey.failure else {
        return html! { @if let Some(words) = &journey.row.failure { div.failure { (plain(words)) } } };
    };
    let owner = story.owners.get(&failure.participant);
    html! {
        div.failure {
            p { b { (plain(&failure.participant_name)) } " failed first: " (plain(&failure.cause)) }
            @if let Some(line) = &failure.logged { p { "It logged: " span.mono { (plain(line)) } } }
            @if journey.row.state == "failed" { p { b { "For the customer: " } (plain(&failure.for_customer)) } }
            @if let Some(words) = journey.row.failure.as_ref().filter(|w| !w.starts_with(&failure.cause)) { p { (plain(words)) } }
            @if failure.chain.len() > 1 {
                p.quiet {
                    "From there to the caller: "
                    @for (i, uid) in failure.chain.iter().enumerate() {
                        @if i > 0 { " → " }
                        @if let Some(item) = item(journey, uid) { (plain(&item.participant_name)) " " (plain(&item.name)) }
                    }
                }
            }
            @if let Some(owner) = owner {
                p {
                    "Owner: " (plain(&owner.owner))
                    @if let Some(contact) = &owner.contact { ", " (plain(contact)) }
                    @if let Some(runbook) = &owner.runbook { ". Runbook: " (link(runbook)) }
                }
            }
        }
    }
}

/// A web address as a link, anything else as text.
fn link(address: &str) -> Markup {
    match address.starts_with("https://") || address.starts_with("http://") {
        true => html! { a href=(address) rel="noreferrer noopener" { (plain(address)) } },
        false => html! { (plain(address)) },
    }
}

fn waterfall(journey: &JourneyView) -> Markup {
    let (first, last) = extent(&journey.items);
    let span = (last - first).max(1e-6);
    let left_out = journey.items.len().saturating_sub(BARS);
    html! {
        h2 { "What happened" }
        table {
            thead { tr {
                th.w-name { "Operation" } th.w-time { "At" } th { "" } th.w-num.num { "Took" } th.w-badge { "" }
            } }
            tbody { @for item in journey.items.iter().take(BARS) { (bar(item, first, span)) } }
        }
        @if left_out > 0 {
            p.warn { (left_out) " more are not drawn here; a case file or OTLP file of this journey holds all." }
        }
    }
}

fn bar(item: &Item, first: f64, span: f64) -> Markup {
    let x = (item.start_at - first) / span * WIDTH;
    let width = (item.duration_ms / span * WIDTH).clamp(3.0, WIDTH);
    let bad = if item.status == "error" { "bad" } else { item.layer.as_str() };
    let indent = "\u{2003}".repeat(item.depth.min(24) as usize);
    html! {
        tr {
            td title=(plain(&item.name)) {
                (indent)
                @if item.role == "event" { "✉ " }
                (plain(&item.name)) " " span.who { (plain(&item.participant_name)) }
            }
            td.mono { (clock(item.start_at)) }
            td {
                svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" {
                    rect class=(bad) x=(format!("{:.1}", x.min(WIDTH - 3.0))) y="3" width=(format!("{width:.1}")) height="8" {}
                }
            }
            td.num { @if item.role != "event" { (duration(Some(item.duration_ms))) } }
            td class=(if item.status == "error" { "error" } else { "quiet" }) {
                @if let Some(badge) = &item.badge { (plain(badge)) " " }
                @if let Some(n) = item.delivery.filter(|n| *n > 1) { "delivery " (n) " " }
                @if let Some(n) = item.retry { "retry " (n) }
            }
        }
    }
}
