//! Tempo's answers.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    traces: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "traceID")]
    trace_id: String,
}

/// Ids of the traces that a search found; an error in words.
pub(super) fn found(body: &[u8]) -> Result<Vec<String>, String> {
    let search: Search = serde_json::from_slice(body).map_err(|e| {
        format!("the answer to the search is none of Tempo's: {e}; is this address that of Tempo's HTTP API?")
    })?;
    Ok(search.traces.into_iter().map(|t| t.trace_id).filter(|id| is_id(id)).collect())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A trace in Tempo's JSON as OTLP/JSON: groups are called `batches`, ids are base64 (protobuf's plain JSON mapping). Anything
/// else stays as it is.
pub(super) fn otlp(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Json>(&body) else { return body };
    if let Some(trace) =
        json.get_mut("trace").filter(|t| t.get("resourceSpans").is_some() || t.get("batches").is_some())
    {
        json = trace.take();
    }
    let groups = json.as_object_mut().and_then(|o| o.remove("batches").or_else(|| o.remove("resourceSpans")));
    let Some(mut groups) = groups else { return body };
    ids(&mut groups);
    serde_json::json!({ "resourceSpans": groups }).to_string().into_bytes()
}

fn ids(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(ids),
        Json::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("traceId" | "spanId" | "parentSpanId", Json::String(text)) => hex(text),
                    // Attributes hold no ids of this sort.
                    ("attributes", _) => {}
                    (_, other) => ids(other),
                }
            }
        }
        _ => {}
    }
}

/// 8 or 16 bytes in base64 become hexadecimal; what is hexadecimal already stays.
fn hex(text: &mut String) {
    let bytes = BASE64_STANDARD.decode(text.as_str()).ok().filter(|b| matches!(b.len(), 8 | 16));
    if let Some(bytes) = bytes.filter(|_| text.ends_with('=') || !is_id(text)) {
        *text = bytes.iter().map(|b| format!("{b:02x}")).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_hexadecimal() {
        for (text, want) in [
            ("S/kvNXezTaajzpKdDg5HNg==", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("APBnqgupArc=", "00f067aa0ba902b7"),
            ("00f067aa0ba902b7", "00f067aa0ba902b7"),
            ("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ] {
            let mut id = text.to_owned();
            hex(&mut id);
            assert_eq!(id, want);
        }
    }
}
