//! Spans and events as a table (RFC 4180).

use super::Story;
use crate::api::to_nanos;
use crate::time::rfc3339;

const HEAD: [&str; 14] = [
    "journey",
    "type",
    "id",
    "trace_id",
    "participant",
    "layer",
    "name",
    "role",
    "start",
    "duration_ms",
    "status",
    "delivery",
    "badge",
    "on_critical_path",
];

/// One line per item, journey by journey. Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP,
/// "CSV Injection").
pub(super) fn csv(story: &Story) -> Result<Vec<u8>, String> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    out.write_record(HEAD).map_err(|e| e.to_string())?;
    for journey in &story.journeys {
        for item in &journey.items {
            let row = [
                journey.row.id.clone(),
                item.item_type.clone(),
                harmless(&item.id),
                item.trace_id.clone().unwrap_or_default(),
                harmless(&item.participant),
                item.layer.clone(),
                harmless(&item.name),
                item.role.clone(),
                rfc3339(to_nanos(item.start_at)),
                format!("{}", item.duration_ms),
                item.status.clone(),
                item.delivery.map(|d| d.to_string()).unwrap_or_default(),
                harmless(item.badge.as_deref().unwrap_or_default()),
                item.critical.to_string(),
            ];
            out.write_record(row).map_err(|e| e.to_string())?;
        }
    }
    out.into_inner().map_err(|e| e.to_string())
}

fn harmless(text: &str) -> String {
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        _ if text.starts_with(['\t', '\r']) => format!("'{text}"),
        _ => text.to_owned(),
    }
}
