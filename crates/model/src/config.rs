//! Settings people keep: layers, domains, aliases, owners, business keys, noise, redaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Layer;

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

/// All settings, in one commented TOML file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Operations that are noise (health checks), as patterns with `*`.
    pub noise: Vec<String>,
    /// What to hide on display and export.
    pub redaction: Vec<RedactionRule>,
}
