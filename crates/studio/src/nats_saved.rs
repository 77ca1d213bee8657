//! NATS connections the workspace remembers, without secrets.

use flowglass_ingest::nats::NatsConfig;

use crate::Studio;

const META_NATS: &str = "nats_connections";

/// Connections of the last time.
pub(crate) async fn load(studio: &Studio) -> Vec<NatsConfig> {
    let text = studio.ask(|w| w.read(|r| r.meta(META_NATS))).await;
    match text {
        Ok(Some(text)) => serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the remembered NATS connections cannot be read; add them again in Settings");
            Vec::new()
        }),
        Ok(None) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "the remembered NATS connections cannot be read");
            Vec::new()
        }
    }
}

/// Remembers the present connections.
pub(crate) async fn save(studio: &Studio) {
    let configs = studio.0.nats.configs();
    let Ok(text) = serde_json::to_string(&configs) else { return };
    if let Err(error) = studio.note(META_NATS, text).await {
        tracing::warn!(%error, "the NATS connections could not be remembered");
    }
}
