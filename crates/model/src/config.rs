//! Settings people keep: layers, domains, aliases, owners, business keys, noise, redaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{JoinsConfig, Layer, NodeId, RetentionConfig, RulesConfig, default_noise};

/// A name pattern that decides a layer. Matches whole tokens of a name (split at `- _ . /` and camelCase), never substrings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerPattern {
    /// Tokens in order, joined by `-`, case ignored; a leading `-` ties them to the end of the name, a trailing `-` to its start.
    pub pattern: String,
    /// The layer it gives.
    pub layer: Layer,
}

/// Another name for a participant: both are drawn as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// Node id, or name, as seen.
    pub from: String,
    /// Node id, or name, to show instead.
    pub to: String,
}

/// Who runs a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Node id or name; `*` at the end matches any rest.
    pub match_name: String,
    /// Team or person.
    pub owner: String,
    /// How to reach them.
    #[serde(default)]
    pub contact: Option<String>,
    /// What to do when it fails.
    #[serde(default)]
    pub runbook: Option<String>,
}

/// A value to hide on display and export (what is stored stays).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactionRule {
    /// Attribute, header or JSON field name, case ignored; `*` matches any run of characters.
    pub key: String,
}

/// Where else the same moment can be seen (Grafana, Kibana, Splunk, …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTemplate {
    /// What people call it.
    pub name: String,
    /// Web address with `{trace}`, `{service}`, `{key}`, `{from}`, `{to}` (RFC 3339), `{from_ms}`, `{to_ms}`, `{from_s}`, `{to_s}`.
    pub url: String,
}

/// A Jaeger or Tempo that can be asked for traces that are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceStore {
    /// What people call it.
    pub name: String,
    /// Address of its HTTP query API.
    pub url: String,
    /// Which of the two it is.
    pub kind: TraceStoreKind,
}

/// What answers at the address of a [`TraceStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceStoreKind {
    /// Jaeger's query service.
    Jaeger,
    /// Grafana Tempo.
    Tempo,
}

/// How protobuf payloads of some subjects are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtobufRule {
    /// Subjects, as NATS matches them: `*` for one token, `>` for the rest.
    pub subject: String,
    /// Full name of the message: `shop.OrderPlaced`.
    pub message: String,
    /// File of the descriptor set, from the folder of the settings file.
    pub descriptors: String,
}

/// All settings, in one commented TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Layer by node id or name: the user's own choice.
    pub layers: BTreeMap<String, Layer>,
    /// Layers by name pattern, tried in order.
    pub layer_patterns: Vec<LayerPattern>,
    /// Domain by node id or name; `*` at the end matches any rest.
    pub domains: BTreeMap<String, String>,
    /// Other names.
    pub aliases: Vec<Alias>,
    /// Who runs what.
    pub owners: Vec<Owner>,
    /// Attribute, header and payload field names that carry business keys.
    pub business_keys: Vec<String>,
    /// Operations that are noise (health checks), as patterns with `*`. A file without this list has [`default_noise`]; an empty
    /// list means that nothing is noise.
    pub noise: Vec<String>,
    /// What to hide on display and export.
    pub redaction: Vec<RedactionRule>,
    /// Rules of the architecture.
    pub rules: RulesConfig,
    /// Links to the same moment elsewhere.
    pub links: Vec<LinkTemplate>,
    /// Protobuf payloads, tried in order.
    pub protobuf: Vec<ProtobufRule>,
    /// Where traces that are not here can be asked for.
    pub trace_stores: Vec<TraceStore>,
    /// How traces without a common context become one journey.
    pub joins: JoinsConfig,
    /// How long what came in is kept.
    pub retention: RetentionConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            layers: BTreeMap::new(),
            layer_patterns: Vec::new(),
            domains: BTreeMap::new(),
            aliases: Vec::new(),
            owners: Vec::new(),
            business_keys: Vec::new(),
            noise: default_noise(),
            redaction: Vec::new(),
            rules: RulesConfig::default(),
            links: Vec::new(),
            protobuf: Vec::new(),
            trace_stores: Vec::new(),
            joins: JoinsConfig::default(),
            retention: RetentionConfig::default(),
        }
    }
}

/// Whether the name of a rule fits a participant: its id, its id without the environment, or its name; `*` at the end matches
/// any rest.
pub fn name_rule_fits(pattern: &str, id: &NodeId) -> bool {
    let names = names(id);
    match pattern.strip_suffix('*') {
        Some(start) => names.iter().any(|n| n.starts_with(start)),
        None => names.contains(&pattern),
    }
}

/// What a rule may call a participant, the most exact first.
fn names(id: &NodeId) -> [&str; 3] {
    [id.as_str(), id.without_environment(), id.name()]
}

impl Config {
    /// The layer chosen by hand.
    pub fn layer_of(&self, id: &NodeId) -> Option<Layer> {
        names(id).iter().find_map(|n| self.layers.get(*n)).copied()
    }

    /// The domain a rule gives: one for exactly this participant wins, then the longest pattern.
    pub fn domain_of(&self, id: &NodeId) -> Option<&str> {
        let exact = names(id).iter().find_map(|n| self.domains.get(*n));
        let fits = self.domains.iter().filter(|(pattern, _)| name_rule_fits(pattern, id));
        exact.or_else(|| fits.max_by_key(|(p, _)| p.len()).map(|(_, d)| d)).map(String::as_str)
    }

    /// Who runs it: a rule for exactly this participant wins, then the first that fits.
    pub fn owner_of(&self, id: &NodeId) -> Option<&Owner> {
        let exact = names(id).iter().find_map(|n| self.owners.iter().find(|o| o.match_name == *n));
        exact.or_else(|| self.owners.iter().find(|o| name_rule_fits(&o.match_name, id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_rules_win_over_patterns() {
        let owner = |name: &str| Owner { match_name: name.into(), owner: name.into(), contact: None, runbook: None };
        let domain = |name: &str| (name.to_owned(), name.to_owned());
        let config = Config {
            domains: ["pay*", "payments-*", "payments-b", "service:x/*"].map(domain).into(),
            owners: ["pay*", "payments-*", "payments-b"].map(owner).to_vec(),
            ..Config::default()
        };
        for (id, domain, owner) in [
            ("service:payments-b@prod", Some("payments-b"), Some("payments-b")),
            ("service:n/payments-a", Some("payments-*"), Some("pay*")),
            ("service:x/other", Some("service:x/*"), None),
            ("service:other", None, None),
        ] {
            let id = NodeId::from(id);
            assert_eq!(
                (config.domain_of(&id), config.owner_of(&id).map(|o| o.owner.as_str())),
                (domain, owner),
                "{id}"
            );
        }
    }
}
