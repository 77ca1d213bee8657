//! Payloads held against the schemas of their channels.

use std::collections::BTreeMap;

use flowglass_model::{Design, Message};
use jsonschema::Validator;
use serde_json::Value;

use crate::matching;

/// What was found of one message of a channel: how many payloads, and how many of them break every schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Broken {
    /// Payloads looked at.
    pub checked: u64,
    /// Payloads that no schema of the channel allows.
    pub broken: u64,
    /// What was wrong, and how often; at most ten sentences.
    pub reasons: BTreeMap<String, u64>,
    /// Where: time, event id, row; the first ones.
    pub evidence: Vec<(i64, String, i64)>,
}

/// Validators of a design's channels, and what they found.
pub struct Payloads<'d> {
    design: &'d Design,
    validators: BTreeMap<&'d str, Vec<(&'d str, Validator)>>,
    /// Channels whose schemas cannot be used, and why.
    pub unusable: BTreeMap<String, String>,
    /// By channel.
    pub found: BTreeMap<String, Broken>,
    channels: BTreeMap<String, Option<String>>,
}

/// Reasons and pieces of evidence kept of one channel.
const KEPT: usize = 10;

impl<'d> Payloads<'d> {
    /// Prepares the schemas. One that is wrong itself is told in [`Payloads::unusable`]; its channel is not judged.
    pub fn new(design: &'d Design) -> Payloads<'d> {
        let (mut validators, mut unusable) = (BTreeMap::new(), BTreeMap::new());
        for (address, channel) in &design.channels {
            let mut own: Vec<(&str, Validator)> = Vec::new();
            for (name, message) in &channel.messages {
                let Some(schema) = &message.schema else { continue };
                match jsonschema::options().should_validate_formats(true).build(schema) {
                    Ok(validator) => own.push((name, validator)),
                    Err(error) => {
                        unusable.insert(address.clone(), format!("the schema of `{name}` cannot be used: {error}"));
                    }
                }
            }
            // A message without a schema may hold anything: so may the channel.
            let all = channel.messages.values().all(|m| m.schema.is_some());
            if !own.is_empty() && all && !unusable.contains_key(address) {
                validators.insert(address.as_str(), own);
            }
        }
        Payloads { design, validators, unusable, found: BTreeMap::new(), channels: BTreeMap::new() }
    }

    /// Whether any channel has a schema.
    pub fn is_empty(&self) -> bool {
        self.validators.is_empty()
    }

    /// Looks at a publication; `row` is its event's.
    pub fn check(&mut self, message: &Message, row: i64) {
        if self.validators.is_empty() || message.payload.is_empty() {
            return;
        }
        let design = self.design;
        let channel = self
            .channels
            .entry(message.destination.clone())
            .or_insert_with(|| matching::channel(design, &message.destination).map(|(address, _)| address));
        let Some(address) = channel else { return };
        let Some(validators) = self.validators.get(address.as_str()) else { return };
        let wrong = match serde_json::from_slice::<Value>(&message.payload) {
            Ok(value) => match validators.iter().any(|(_, v)| v.is_valid(&value)) {
                true => None,
                false => Some(reason(validators, &value, message)),
            },
            Err(_) => Some("the payload is not JSON".to_owned()),
        };
        let found = self.found.entry(address.clone()).or_default();
        found.checked += 1;
        let Some(wrong) = wrong else { return };
        found.broken += 1;
        if found.reasons.len() < KEPT || found.reasons.contains_key(&wrong) {
            *found.reasons.entry(wrong).or_default() += 1;
        }
        if found.evidence.len() < KEPT {
            let id = message.event_id.clone().unwrap_or_else(|| format!("row {row}"));
            found.evidence.push((message.time, id, row));
        }
    }
}

/// What the schema that fits best by name says. The value itself is not repeated: it may be secret.
fn reason(validators: &[(&str, Validator)], value: &Value, message: &Message) -> String {
    let named = |name: &str| message.event_type.as_deref() == Some(name);
    let (name, validator) = validators.iter().find(|(name, _)| named(name)).unwrap_or(&validators[0]);
    let Some(error) = validator.iter_errors(value).next() else { return format!("no `{name}`") };
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { "the payload".to_owned() } else { place };
    let keyword = error.schema_path().to_string();
    let rule = keyword.rsplit('/').next().unwrap_or_default().to_owned();
    format!("{place} breaks `{rule}` of `{name}`")
}
