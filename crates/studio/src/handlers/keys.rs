use flowglass_ingest::business_key;
use flowglass_journey::{Proposal, Sighting, propose};
use flowglass_model::{TraceId, Value};
use flowglass_store::JourneyFilter;
use serde_json::Value as Json;

use crate::Studio;
use crate::api::{ApiError, KeyProposal, KeyProposals, Nothing};
use crate::words::grouped;
use crate::workspace::{Workspace, WorkspaceError};

/// Journeys looked at, the newest.
const JOURNEYS: usize = 300;
/// Spans and events of one journey looked at.
const ITEMS: usize = 200;
/// Depth to which JSON is looked into.
const DEPTH: usize = 5;

/// See [`KeyProposals`].
pub(crate) async fn propose_keys(studio: &Studio, _: Nothing) -> Result<KeyProposals, ApiError> {
    Ok(studio.ask(found).await?)
}

fn found(workspace: &Workspace) -> Result<KeyProposals, WorkspaceError> {
    let newest = workspace.read(|r| r.journeys(&JourneyFilter { limit: JOURNEYS, ..JourneyFilter::default() }))?;
    let mut out = KeyProposals { rows: Vec::new(), journeys: newest.rows.len() as u64, spans: 0, events: 0 };
    let mut seen = Vec::new();
    for journey in &newest.rows {
        workspace.read(|r| {
            let traces = r.traces_of_journey(journey.id)?;
            let own = if traces.is_empty() { vec![journey.id] } else { traces };
            for trace in &own {
                for span in r.trace(*trace)?.into_iter().take(ITEMS) {
                    out.spans += 1;
                    let place = span.facts.service.name();
                    let add = |(name, value): &(String, Value)| note_value(&mut seen, place, name, value, *trace);
                    span.attributes.iter().for_each(add);
                }
            }
            for row in r.events_of_traces(&own)?.into_iter().take(ITEMS) {
                let Some(event) = r.event(row.row)? else { continue };
                out.events += 1;
                let m = event.message;
                let mut put = |name: &str, value: &str| note(&mut seen, &m.destination, name, value, journey.id);
                m.headers.iter().for_each(|(name, value)| put(name, value));
                if let Some(subject) = &m.key {
                    put("subject", subject);
                }
                if let Ok(json) = serde_json::from_slice::<Json>(&m.payload) {
                    fields(&json, "data", DEPTH, &mut put);
                }
            }
            Ok(())
        })?;
    }
    let configured = workspace.settings().config.business_keys.clone();
    let known = |p: &Proposal| {
        let names = || p.spellings.iter().chain([&p.name]);
        let field = |n: &String| n.rsplit('.').next().unwrap_or(n).to_owned();
        names().any(|n| business_key(n).is_some() || business_key(&field(n)).is_some())
            || names()
                .any(|n| configured.iter().any(|c| c.eq_ignore_ascii_case(n) || c.eq_ignore_ascii_case(&field(n))))
    };
    out.rows = propose(&seen).into_iter().filter(|p| !known(p)).map(row).collect();
    Ok(out)
}

fn note(seen: &mut Vec<Sighting>, place: &str, name: &str, value: &str, trace: TraceId) {
    seen.push(Sighting { place: place.to_owned(), name: name.to_owned(), value: value.to_owned(), trace: Some(trace) });
}

fn note_value(seen: &mut Vec<Sighting>, place: &str, name: &str, value: &Value, trace: TraceId) {
    match value {
        Value::String(text) => note(seen, place, name, text, trace),
        Value::Int(number) => note(seen, place, name, &number.to_string(), trace),
        // Captured headers are lists of texts.
        Value::Array(items) if items.len() == 1 => note_value(seen, place, name, &items[0], trace),
        _ => {}
    }
}

/// Texts and numbers of a JSON document with their paths.
fn fields(json: &Json, path: &str, depth: usize, put: &mut dyn FnMut(&str, &str)) {
    match json {
        Json::String(text) => put(path, text),
        Json::Number(number) => put(path, &number.to_string()),
        Json::Object(members) if depth > 0 => {
            members.iter().for_each(|(name, value)| fields(value, &format!("{path}.{name}"), depth - 1, put));
        }
        Json::Array(items) if depth > 0 => {
            items.iter().take(8).for_each(|value| fields(value, &format!("{path}[]"), depth - 1, put));
        }
        _ => {}
    }
}

fn row(p: Proposal) -> KeyProposal {
    let (example, at) = p.example;
    let evidence = format!(
        "{} of {} values recur, at most {} {} share one; {example} in {}",
        grouped(p.recurring),
        grouped(p.values),
        p.traces_of_one,
        if p.traces_of_one == 1 { "trace" } else { "traces" },
        at.join(", ")
    );
    KeyProposal {
        name: p.name,
        spellings: p.spellings,
        values: p.values,
        recurring: p.recurring,
        places: p.places,
        example,
        evidence,
    }
}
