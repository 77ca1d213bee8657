//! What the workspace remembers of NATS: connections made in the window (without secrets), and how far each stream was read.

use std::collections::BTreeMap;

use flowglass_ingest::nats::NatsConfig;
use serde::de::DeserializeOwned;

use crate::Studio;

pub(crate) const META_CONNECTIONS: &str = "nats_connections";
const META_READ: &str = "nats_read";

/// By address: up to which sequence each stream was seen.
pub(crate) type ReadUpTo = BTreeMap<String, BTreeMap<String, u64>>;

/// The connections to start: those remembered, and `asked` (which win over a remembered one to the same address), each going on
/// where it was last time.
pub(crate) async fn load(studio: &Studio, asked: Vec<NatsConfig>, also_remembered: bool) -> Vec<(NatsConfig, bool)> {
    let remembered: Vec<NatsConfig> = if also_remembered { read(studio, META_CONNECTIONS).await } else { Vec::new() };
    let read_up_to: ReadUpTo = read(studio, META_READ).await;
    let mut all: Vec<(NatsConfig, bool)> = remembered
        .into_iter()
        .filter(|r| asked.iter().all(|a| a.url != r.url))
        .map(|config| (config, true))
        .chain(asked.iter().cloned().map(|config| (config, false)))
        .collect();
    for (config, _) in &mut all {
        config.resume = read_up_to.get(&config.url).cloned().unwrap_or_default();
    }
    all
}

async fn read<T: DeserializeOwned + Default>(studio: &Studio, key: &'static str) -> T {
    match studio.ask(move |w| w.read(|r| r.meta(key))).await {
        Ok(Some(text)) => serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was remembered of NATS cannot be read; add connections again in Settings");
            T::default()
        }),
        Ok(None) => T::default(),
        Err(error) => {
            tracing::warn!(%error, "what was remembered of NATS cannot be read");
            T::default()
        }
    }
}

/// Remembers the present connections and how far they are.
pub(crate) async fn save(studio: &Studio) {
    let (connections, now_read) = studio.0.nats.to_remember();
    let mut read_up_to: ReadUpTo = read(studio, META_READ).await;
    read_up_to.extend(now_read);
    let texts =
        [(META_CONNECTIONS, serde_json::to_string(&connections)), (META_READ, serde_json::to_string(&read_up_to))];
    for (key, text) in texts {
        let Ok(text) = text else { continue };
        if let Err(error) = studio.note(key, text).await {
            tracing::warn!(%error, "the NATS connections could not be remembered");
        }
    }
}
