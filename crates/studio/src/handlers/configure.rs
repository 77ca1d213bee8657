//! The settings as the window shows and edits them.

use flowglass_ingest::BUSINESS_KEYS;
use flowglass_model::{Config, Layer, SeriesSum, TraceStoreKind, default_noise};
use flowglass_topology::{default_patterns, folded_by};

use super::bad_request;
use super::decide::decisions;
use super::retention::shown;
use crate::api::*;
use crate::settings::Change;
use crate::workspace::{Settings, WorkspaceError};
use crate::{Studio, display, protobuf, rules};

/// See [`SettingsView`].
pub(crate) async fn settings(studio: &Studio, _: Nothing) -> Result<SettingsView, ApiError> {
    let revision = studio.0.configuration.revision();
    let view = studio.ask(move |workspace| {
        let sums = workspace.read(|r| r.series(None, None))?;
        Ok::<_, WorkspaceError>(view(revision, workspace.settings(), &sums))
    });
    Ok(view.await?)
}

fn view(revision: u32, settings: Settings, sums: &[SeriesSum]) -> SettingsView {
    let config: &Config = &settings.config;
    let patterns_built_in = config.layer_patterns.is_empty();
    let patterns = if patterns_built_in { default_patterns() } else { config.layer_patterns.clone() };
    let folded = folded_by(&config.noise, sums);
    SettingsView {
        revision,
        path: settings.path.display().to_string(),
        exists: settings.path.exists(),
        layers: config
            .layers
            .iter()
            .map(|(name, layer)| LayerRule { match_name: name.clone(), layer: layer.as_str().into() })
            .collect(),
        patterns: patterns
            .into_iter()
            .map(|p| PatternView { pattern: p.pattern, layer: p.layer.as_str().into() })
            .collect(),
        patterns_built_in,
        domains: config
            .domains
            .iter()
            .map(|(name, domain)| DomainRule { match_name: name.clone(), domain: domain.clone() })
            .collect(),
        aliases: config.aliases.iter().map(|a| AliasRule { from: a.from.clone(), to: a.to.clone() }).collect(),
        owners: config
            .owners
            .iter()
            .map(|o| OwnerRule {
                match_name: o.match_name.clone(),
                owner: o.owner.clone(),
                contact: o.contact.clone(),
                runbook: o.runbook.clone(),
            })
            .collect(),
        business_keys: config.business_keys.clone(),
        built_in_keys: BUSINESS_KEYS.map(str::to_owned).to_vec(),
        noise: config
            .noise
            .iter()
            .map(|p| NoiseRule { pattern: p.clone(), requests: folded.get(p).copied().unwrap_or(0) })
            .collect(),
        noise_built_in: config.noise == default_noise(),
        default_noise: default_noise(),
        redaction: display::rules(config),
        redaction_built_in: config.redaction.is_empty(),
        links: config.links.iter().map(|l| LinkRule { name: l.name.clone(), url: l.url.clone() }).collect(),
        protobuf: config
            .protobuf
            .iter()
            .map(|p| ProtobufView {
                subject: p.subject.clone(),
                message: p.message.clone(),
                descriptors: p.descriptors.clone(),
                problem: protobuf::problem(p, settings.path.parent().unwrap_or_else(|| std::path::Path::new(""))),
            })
            .collect(),
        trace_stores: config
            .trace_stores
            .iter()
            .map(|t| TraceStoreRule {
                name: t.name.clone(),
                url: t.url.clone(),
                kind: if t.kind == TraceStoreKind::Jaeger { "jaeger" } else { "tempo" }.into(),
            })
            .collect(),
        joins: decisions(&config.joins),
        retention: shown(&config.retention),
        text: settings.text,
        problem: settings.problem,
    }
}

/// Sets or clears a layer.
pub(crate) async fn set_layer(studio: &Studio, request: SetLayerRequest) -> Result<SettingsView, ApiError> {
    let layer = Some(request.layer.unwrap_or_default());
    set_participants(studio, SetParticipantsRequest { ids: vec![request.id], layer, domain: None, owner: None }).await
}

/// Sets or clears what is said of some participants.
pub(crate) async fn set_participants(
    studio: &Studio,
    request: SetParticipantsRequest,
) -> Result<SettingsView, ApiError> {
    let ids: Vec<String> = request.ids.iter().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(bad_request("no participant is named; select at least one"));
    }
    let cleared = |text: String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let layer: Option<Option<Layer>> = match request.layer.map(cleared) {
        Some(Some(word)) => Some(Some(rules::layer(&word).map_err(bad_request)?)),
        Some(None) => Some(None),
        None => None,
    };
    let (domain, owner) = (request.domain.map(cleared), request.owner.map(cleared));
    studio
        .edit_settings(move |document, now| {
            Change::participants(now, &ids, layer, domain.clone(), owner.clone()).apply(document, now, now);
        })
        .await?;
    settings(studio, Nothing {}).await
}

/// Replaces lists of the settings.
pub(crate) async fn edit_settings(studio: &Studio, request: EditSettingsRequest) -> Result<SettingsView, ApiError> {
    let revision = request.revision;
    let change = rules::change(request).map_err(bad_request)?;
    studio.change_settings(revision, change).await?;
    settings(studio, Nothing {}).await
}

/// See [`RuleMatches`].
pub(crate) async fn rule_matches(studio: &Studio, request: RuleMatchesRequest) -> Result<RuleMatches, ApiError> {
    let kind = rules::Kind::parse(&request.kind).map_err(bad_request)?;
    let matches = studio.ask(move |workspace| {
        let sums = workspace.read(|r| r.series(None, None))?;
        Ok::<_, WorkspaceError>(rules::matches(kind, &request.patterns, &sums, &workspace.settings().config))
    });
    Ok(RuleMatches { matches: matches.await? })
}
