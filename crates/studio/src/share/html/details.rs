//! What stands behind the bars: events with their payloads and deliveries, log lines, spans with their attributes.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Attributes, LogRecord, Message, Span};
use maud::{Markup, html};

use crate::api::{JourneyView, to_ms};
use crate::share::Story;
use crate::share::text::{clock, duration, instant, lines, plain, short};
use crate::words;

/// Spans, log lines and events of one journey shown in full, each at most.
const SHOWN: usize = 500;
/// Characters of one payload or attribute at most.
const CHARACTERS: usize = 20_000;

fn more(all: usize) -> Markup {
    html! {
        @if all > SHOWN { p.warn { (all - SHOWN) " more are not shown here; a case file of this journey holds all." } }
    }
}

fn attributes(title: &str, attributes: &Attributes) -> Markup {
    html! {
        @if !attributes.is_empty() {
            h3 { (title) }
            dl { @for (name, value) in attributes {
                dt.mono { (plain(name)) } dd.mono { (lines(&short(&value.to_string(), CHARACTERS))) }
            } }
        }
    }
}

/// Publications of a journey's events.
pub(super) fn events(story: &Story, journey: &JourneyView) -> Markup {
    let traces: BTreeSet<&str> = journey.traces.iter().map(String::as_str).collect();
    let ids: BTreeSet<&str> = journey.items.iter().filter(|i| i.role == "event").map(|i| i.id.as_str()).collect();
    let of_journey = |m: &&Message| {
        let context = [m.hop, m.origin].into_iter().flatten().any(|c| traces.contains(c.trace_id.to_string().as_str()));
        context || m.event_id.as_deref().is_some_and(|id| ids.contains(id))
    };
    let messages: Vec<&Message> = story.records.messages.iter().filter(of_journey).collect();
    html! {
        @if !messages.is_empty() {
            h2 { "Events" }
            @for message in messages.iter().take(SHOWN) { (event(story, message)) }
            (more(messages.len()))
        }
    }
}

fn event(story: &Story, m: &Message) -> Markup {
    let place = m.stream.as_deref().zip(m.sequence);
    let deliveries: Vec<_> = story
        .records
        .deliveries
        .iter()
        .filter(|d| {
            let by_place = place.is_some_and(|(stream, n)| d.key.stream == stream && d.stream_sequence == n);
            by_place
                || (d.event_id.is_some() && d.event_id == m.event_id && d.destination.as_ref() == Some(&m.destination))
        })
        .collect();
    html! {
        details {
            summary {
                span.mono { (clock(to_ms(m.time))) } " " (plain(&m.destination))
                @if let Some(event_type) = &m.event_type { " " span.quiet { (plain(event_type)) } }
                " " span.quiet { (m.payload_size) " bytes, " (deliveries.len()) " deliveries" }
            }
            dl {
                @if let Some(id) = &m.event_id { dt { "Event id" } dd.mono { (plain(id)) } }
                @if let Some(source) = &m.source { dt { "Source" } dd.mono { (plain(source)) } }
                @if let Some((stream, n)) = place { dt { "Stored" } dd { (plain(stream)) " sequence " (n) } }
                @for (name, value) in &m.headers { dt.mono { (plain(name)) } dd.mono { (plain(value)) } }
            }
            (payload(&m.payload))
            @if !deliveries.is_empty() {
                table {
                    thead { tr { th { "Delivered to" } th.w-num { "Number" } th { "At" } th { "Answer" } } }
                    tbody { @for d in deliveries { tr {
                        td { (plain(&d.key.consumer)) }
                        td { (d.delivered) }
                        td { (instant(to_ms(d.time))) }
                        td {
                            @let said = story.records.settlements.iter().rfind(|s| s.key == d.key);
                            @match said {
                                Some(s) => { (words::acknowledgement(s.acknowledgement)) " after " (duration(Some((s.time - d.time) as f64 / 1e6))) }
                                None => { "none seen" }
                            }
                        }
                    } } }
                }
            }
        }
    }
}

fn payload(bytes: &[u8]) -> Markup {
    let text = match std::str::from_utf8(bytes) {
        Ok("") => return html! {},
        Ok(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned()),
            Err(_) => text.to_owned(),
        },
        Err(_) => bytes.chunks(16).take(64).map(hex).collect::<Vec<_>>().join("\n"),
    };
    html! { pre { (lines(&short(&text, CHARACTERS))) } }
}

fn hex(line: &[u8]) -> String {
    line.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

/// Log lines of a journey's traces.
pub(super) fn logs(story: &Story, journey: &JourneyView) -> Markup {
    let of_journey = |l: &&LogRecord| l.trace_id.is_some_and(|t| journey.traces.contains(&t.to_string()));
    let mut logs: Vec<&LogRecord> = story.records.logs.iter().filter(of_journey).collect();
    logs.sort_by_key(|l| l.time);
    html! {
        @if !logs.is_empty() {
            h2 { "Log lines" }
            table {
                thead { tr { th.w-time { "At" } th.w-badge { "Level" } th { "Line" } } }
                tbody { @for log in logs.iter().take(SHOWN) { tr {
                    td.mono { (clock(to_ms(log.time))) }
                    td class=(if log.severity >= 17 { "error" } else { "quiet" }) { (plain(&log.severity_text)) }
                    td.wrap { span.who { (plain(&log.resource.service.name)) } " " (lines(&short(&log.body.to_string(), CHARACTERS))) }
                } } }
            }
            (more(logs.len()))
        }
    }
}

/// Spans of a journey, failed ones first.
pub(super) fn spans(story: &Story, journey: &JourneyView) -> Markup {
    let known: BTreeMap<(String, String), &Span> =
        story.records.spans.iter().map(|s| ((s.facts.trace_id.to_string(), s.facts.span_id.to_string()), s)).collect();
    let items = journey.items.iter().filter_map(|i| Some((i, *known.get(&(i.trace_id.clone()?, i.id.clone()))?)));
    let mut spans: Vec<_> = items.collect();
    spans.sort_by_key(|(item, _)| item.status != "error");
    html! {
        @if !spans.is_empty() {
            h2 { "Spans" }
            @for (item, span) in spans.iter().take(SHOWN) {
                details {
                    summary {
                        span.mono { (clock(item.start_at)) } " "
                        span class=(if item.status == "error" { "error" } else { "" }) { (plain(&span.name)) } " "
                        span.quiet { (plain(&item.participant_name)) ", " (duration(Some(item.duration_ms))) }
                    }
                    dl {
                        dt { "Span" } dd.mono { (span.facts.span_id) " of trace " (span.facts.trace_id) }
                        dt { "Kind" } dd { (words::span_kind(span.facts.kind)) }
                        @if let Some(message) = span.facts.error.as_ref().and_then(|e| e.message.as_ref()) {
                            dt { "Error" } dd.error { (lines(message)) }
                        }
                    }
                    (attributes("Attributes", &span.attributes))
                    @for event in &span.events {
                        (attributes(&format!("{} at {}", plain(&event.name), clock(to_ms(event.time))), &event.attributes))
                    }
                    (attributes("Resource", &span.resource.attributes))
                }
            }
            (more(spans.len()))
        }
    }
}
