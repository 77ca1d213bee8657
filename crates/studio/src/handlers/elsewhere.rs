//! Looking elsewhere for what is not here: in what connected streams keep, in Jaeger, in Tempo.

use flowglass_ingest::pull::{PullAuth, PullConfig, Wanted};
use flowglass_model::{Config, TraceId, TraceStore, TraceStoreKind};

use super::{bad_request, not_found};
use crate::Studio;
use crate::api::{ApiError, ElsewhereRequest, ImportView, SearchOffer};

/// Names of keys that Tempo is asked for at most.
const KEYS: usize = 12;
/// Traces fetched at most.
const TRACES: usize = 100;

/// Where a text can be looked for: connections with streams, and the trace stores of the settings that can be asked for it.
pub(super) fn offers(studio: &Studio, text: &str) -> Vec<SearchOffer> {
    let streams = studio.0.nats.searchable().into_iter().map(|(id, name, streams)| SearchOffer {
        kind: "nats".into(),
        words: format!(
            "look through the newest messages of {}",
            if streams == 1 { "1 stream".into() } else { format!("{streams} streams") }
        ),
        id,
        name,
    });
    let config = studio.workspace().settings().config;
    let is_trace = trace(text).is_some();
    let asked = |store: &&TraceStore| is_trace || store.kind == TraceStoreKind::Tempo;
    let stores = config.trace_stores.iter().filter(asked).map(|store| SearchOffer {
        kind: word(store.kind).into(),
        id: store.name.clone(),
        name: store.name.clone(),
        words: if is_trace {
            "fetch the trace of this id".into()
        } else {
            "search its attributes for this value".into()
        },
    });
    streams.chain(stores).collect()
}

fn word(kind: TraceStoreKind) -> &'static str {
    match kind {
        TraceStoreKind::Jaeger => "jaeger",
        TraceStoreKind::Tempo => "tempo",
    }
}

fn trace(text: &str) -> Option<TraceId> {
    text.trim().to_ascii_lowercase().parse().ok()
}

/// See [`ElsewhereRequest`].
pub(crate) async fn search_elsewhere(studio: &Studio, request: ElsewhereRequest) -> Result<ImportView, ApiError> {
    let text = request.text.trim().to_owned();
    if text.is_empty() {
        return Err(bad_request("say what to look for"));
    }
    if request.kind == "nats" {
        let Some(config) = studio.0.nats.config(&request.id) else { return Err(not_found("this connection")) };
        return Ok(studio.start_stream_search(config, text));
    }
    let config = studio.workspace().settings().config;
    let store = config.trace_stores.iter().find(|s| s.name == request.id && word(s.kind) == request.kind);
    let Some(store) = store else { return Err(not_found("this trace store")) };
    let keys: Vec<String> = studio
        .ask(|workspace| workspace.read(|r| r.seen(SAMPLE)).map(|seen| seen.keys.keys().cloned().collect()))
        .await?;
    let wanted = wanted(store, &text, keys_of(&config, keys))
        .ok_or_else(|| bad_request("Jaeger can only be asked for a trace id here; search it in Settings, Import"))?;
    wanted.ask(studio.now()).map_err(|e| bad_request(e.to_string()))?;
    let title = format!("{text} in {}", store.name);
    Ok(studio.start_pull(PullConfig { wanted, auth: PullAuth::None, tenant: None }, title))
}

/// Newest journeys and events whose key names are asked for.
const SAMPLE: usize = 500;

/// Keys of the settings first, then those that were seen.
fn keys_of(config: &Config, seen: Vec<String>) -> Vec<String> {
    let mut out = config.business_keys.clone();
    out.extend(seen.into_iter().filter(|k| !config.business_keys.contains(k)));
    out.truncate(KEYS);
    out
}

fn wanted(store: &TraceStore, text: &str, keys: Vec<String>) -> Option<Wanted> {
    let base = Wanted { url: store.url.clone(), limit: TRACES, ..Wanted::default() };
    if let Some(trace) = trace(text) {
        return Some(Wanted { trace: Some(trace.to_string()), ..base });
    }
    if store.kind == TraceStoreKind::Jaeger {
        return None;
    }
    // TraceQL: quotes and backslashes are escaped in names and values.
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let names: Vec<String> = if keys.is_empty() { vec!["orderId".to_owned()] } else { keys };
    let terms: Vec<String> = names.iter().map(|name| format!(".{} = {}", quoted(name), quoted(text))).collect();
    Some(Wanted { query: Some(format!("{{ {} }}", terms.join(" || "))), ..base })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_depends_on_who_is_asked() {
        let store = |kind| TraceStore { name: "t".into(), url: "http://t:3200".into(), kind };
        let keys = || vec!["orderId".to_owned(), "order.id".to_owned()];
        let tempo = wanted(&store(TraceStoreKind::Tempo), "o\"17", keys()).and_then(|w| w.query);
        assert_eq!(tempo.as_deref(), Some(r#"{ ."orderId" = "o\"17" || ."order.id" = "o\"17" }"#));
        assert!(wanted(&store(TraceStoreKind::Jaeger), "o-17", keys()).is_none());
        let id = "0AF7651916CD43DD8448EB211C80319C";
        let jaeger = wanted(&store(TraceStoreKind::Jaeger), id, keys()).and_then(|w| w.trace);
        assert_eq!(jaeger.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    }
}
