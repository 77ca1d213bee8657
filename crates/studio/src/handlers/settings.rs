use flowglass_model::{Layer, LayerPattern};
use flowglass_topology::default_patterns;

use super::bad_request;
use crate::api::{
    ApiError, Attribute, Nothing, PatternView, SetLayerRequest, SetPatternsRequest, SetRedactionRequest, SettingsView,
};
use crate::{Studio, display, settings as file};

/// See [`SettingsView`].
pub(crate) async fn settings(studio: &Studio, _: Nothing) -> Result<SettingsView, ApiError> {
    let settings = studio.0.workspace.settings();
    let built_in = settings.config.layer_patterns.is_empty();
    let patterns = if built_in { default_patterns() } else { settings.config.layer_patterns.clone() };
    Ok(SettingsView {
        path: settings.path.display().to_string(),
        patterns: patterns
            .into_iter()
            .map(|p| PatternView { pattern: p.pattern, layer: p.layer.as_str().into() })
            .collect(),
        patterns_built_in: built_in,
        layers: settings
            .config
            .layers
            .iter()
            .map(|(id, layer)| Attribute {
                key: id.clone(),
                value: layer.as_str().into(),
                redacted: false,
                removed: false,
            })
            .collect(),
        redaction: display::rules(&settings.config),
        domains: Vec::new(),
        aliases: Vec::new(),
        owners: Vec::new(),
        business_keys: Vec::new(),
        built_in_keys: Vec::new(),
        noise: Vec::new(),
        noise_built_in: true,
        text: settings.text,
        problem: settings.problem,
    })
}

fn layer(text: &str) -> Result<Layer, ApiError> {
    Layer::parse(text).ok_or_else(|| {
        bad_request(format!("`{text}` is no layer; it is one of {}", Layer::ALL.map(Layer::as_str).join(", ")))
    })
}

/// Sets or clears a layer.
pub(crate) async fn set_layer(studio: &Studio, request: SetLayerRequest) -> Result<SettingsView, ApiError> {
    let layer = request.layer.as_deref().map(layer).transpose()?;
    studio.edit_settings(move |d| file::set_layer(d, &request.id, layer)).await?;
    settings(studio, Nothing {}).await
}

/// Replaces the patterns.
pub(crate) async fn set_patterns(studio: &Studio, request: SetPatternsRequest) -> Result<SettingsView, ApiError> {
    let patterns = request
        .patterns
        .iter()
        .map(|p| {
            if p.pattern.trim_matches(['-', ' ']).is_empty() {
                return Err(bad_request("a layer pattern must contain a word, such as `-exp-api`"));
            }
            Ok(LayerPattern { pattern: p.pattern.trim().to_owned(), layer: layer(&p.layer)? })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let patterns = if patterns == default_patterns() { Vec::new() } else { patterns };
    studio.edit_settings(move |d| file::set_patterns(d, &patterns)).await?;
    settings(studio, Nothing {}).await
}

/// Replaces the hidden fields.
pub(crate) async fn set_redaction(studio: &Studio, request: SetRedactionRequest) -> Result<SettingsView, ApiError> {
    studio.edit_settings(move |d| file::set_redaction(d, &request.keys)).await?;
    settings(studio, Nothing {}).await
}
