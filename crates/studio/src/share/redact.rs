//! Taking out what must not leave this machine: values under names that rules hide, the same values wherever else they stand,
//! and whatever looks like a credential.
//!
//! Two passes: the first finds the hidden values, the second replaces them everywhere (a card number hidden as `cardNumber` in a
//! payload is hidden in the log line that repeats it, too).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_ingest::redact::REDACTED;
use flowglass_model::{Attributes, Config, LogRecord, Message, Resource, Scope, Span, Value};
use serde_json::Value as Json;

use super::Story;
use crate::api::JourneyView;
use crate::display::Redactor;
use crate::scrub::scrub;

/// Hidden values shorter than this are replaced under their names only: `true` or `42` stands everywhere.
const SPEAKS: usize = 5;
/// Hidden values looked for elsewhere, at most.
const VALUES_MAX: usize = 2_000;
/// Members of a journey that are identities: nothing in them is text of somebody.
const IDENTITIES: [&str; 11] =
    ["uid", "id", "traceId", "participant", "parent", "from", "to", "first", "chain", "traces", "layer"];

/// Takes out of a story what must not leave.
pub(super) fn redact(story: &mut Story, config: &Config) {
    let rules = Redactor::new(config, &[]);
    let mut find = Pass { rules, found: BTreeSet::new(), replace: None, count: 0, known: BTreeMap::new() };
    find.story(story);
    let mut values: Vec<String> = find.found.into_iter().take(VALUES_MAX).collect();
    // Longest first: one hidden value may stand inside of another.
    values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    let mut pass =
        Pass { rules: find.rules, found: BTreeSet::new(), replace: Some(values), count: 0, known: BTreeMap::new() };
    pass.story(story);
    story.redacted = Some(pass.count);
}

/// Takes hidden values and credentials out of one message; how many.
pub(crate) fn redact_message(message: &mut Message, config: &Config) -> u64 {
    let start = |rules, replace| Pass { rules, found: BTreeSet::new(), replace, count: 0, known: BTreeMap::new() };
    let mut find = start(Redactor::new(config, &[]), None);
    find.message(message);
    let mut pass = start(find.rules, Some(find.found.into_iter().collect()));
    pass.message(message);
    pass.count
}

/// Emitters by address, so that spans go on sharing them.
type Known = BTreeMap<(usize, usize), (Arc<Resource>, Arc<Scope>)>;

struct Pass {
    rules: Redactor,
    /// Hidden values met.
    found: BTreeSet<String>,
    /// What to replace everywhere; `None` in the pass that only finds.
    replace: Option<Vec<String>>,
    count: u64,
    known: Known,
}

impl Pass {
    fn story(&mut self, story: &mut Story) {
        let records = &mut story.records;
        records.spans.iter_mut().for_each(|s| self.span(s));
        records.logs.iter_mut().for_each(|l| self.log(l));
        records.messages.iter_mut().for_each(|m| self.message(m));
        records.advisories.iter_mut().for_each(|a| self.text(&mut a.body));
        story.notes.iter_mut().for_each(|n| self.text(&mut n.text));
        story.journeys.iter_mut().for_each(|j| self.journey(j));
    }

    fn journey(&mut self, journey: &mut JourneyView) {
        for key in &mut journey.row.keys {
            self.named(&key.name, &mut key.value);
        }
        let Ok(mut json) = serde_json::to_value(&*journey) else { return };
        self.words(&mut json);
        if let Ok(same) = serde_json::from_value(json) {
            *journey = same;
        }
    }

    /// Texts of a journey, its identities left alone.
    fn words(&mut self, json: &mut Json) {
        match json {
            Json::String(text) => self.text(text),
            Json::Array(items) => items.iter_mut().for_each(|i| self.words(i)),
            Json::Object(members) => {
                for (name, value) in members {
                    if !IDENTITIES.contains(&name.as_str()) {
                        self.words(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn span(&mut self, span: &mut Span) {
        self.text(&mut span.name);
        self.text(&mut span.trace_state);
        self.attributes(&mut span.attributes);
        for event in &mut span.events {
            self.text(&mut event.name);
            self.attributes(&mut event.attributes);
        }
        span.links.iter_mut().for_each(|l| self.attributes(&mut l.attributes));
        (span.resource, span.scope) = self.emitter(&span.resource, &span.scope);
        let facts = Arc::make_mut(&mut span.facts);
        facts.keys.iter_mut().for_each(|(name, value)| self.named(name, value));
        let mut operation = facts.operation.to_string();
        self.text(&mut operation);
        facts.operation = operation.into();
        if let Some(error) = &mut facts.error {
            [&mut error.message, &mut error.kind].into_iter().flatten().for_each(|t| self.text(t));
        }
    }

    fn log(&mut self, log: &mut LogRecord) {
        self.value("body", &mut log.body);
        self.text(&mut log.event_name);
        self.attributes(&mut log.attributes);
        (log.resource, log.scope) = self.emitter(&log.resource, &log.scope);
    }

    fn emitter(&mut self, resource: &Arc<Resource>, scope: &Arc<Scope>) -> (Arc<Resource>, Arc<Scope>) {
        let address = (Arc::as_ptr(resource) as usize, Arc::as_ptr(scope) as usize);
        if let Some(known) = self.known.get(&address) {
            return known.clone();
        }
        let mut clean = (Arc::clone(resource), Arc::clone(scope));
        self.attributes(&mut Arc::make_mut(&mut clean.0).attributes);
        self.attributes(&mut Arc::make_mut(&mut clean.1).attributes);
        self.known.insert(address, clean.clone());
        clean
    }

    fn message(&mut self, message: &mut Message) {
        message.headers.iter_mut().for_each(|(name, value)| self.named(name, value));
        message.keys.iter_mut().for_each(|(name, value)| self.named(name, value));
        [&mut message.key, &mut message.correlation_id, &mut message.causation_id, &mut message.event_type]
            .into_iter()
            .flatten()
            .for_each(|t| self.text(t));
        match std::str::from_utf8(&message.payload) {
            Ok(text) => {
                let mut text = text.to_owned();
                self.text(&mut text);
                message.payload = text.into_bytes();
            }
            // Fields of a binary payload are not known: one that holds a hidden value goes as a whole.
            Err(_) => {
                let holds = |v: &String| message.payload.windows(v.len()).any(|w| w == v.as_bytes());
                if self.replace.iter().flatten().any(holds) {
                    message.payload = REDACTED.as_bytes().to_vec();
                    self.count += 1;
                }
            }
        }
    }

    fn attributes(&mut self, attributes: &mut Attributes) {
        attributes.iter_mut().for_each(|(name, value)| self.value(name, value));
    }

    fn value(&mut self, name: &str, value: &mut Value) {
        if self.rules.hides(name) {
            self.hide(&value.to_string());
            if self.replace.is_some() {
                *value = Value::String(REDACTED.into());
            }
            return;
        }
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|i| self.value("", i)),
            Value::Map(members) => self.attributes(members),
            _ => {}
        }
    }

    fn named(&mut self, name: &str, text: &mut String) {
        if !self.rules.hides(name) {
            return self.text(text);
        }
        self.hide(text);
        if self.replace.is_some() {
            *text = REDACTED.into();
        }
    }

    /// Notes a value that stands under a hidden name.
    fn hide(&mut self, value: &str) {
        if value == REDACTED || value.is_empty() {
            return;
        }
        self.count += 1;
        if self.replace.is_none() && value.chars().count() >= SPEAKS {
            self.found.insert(value.to_owned());
        }
    }

    /// A text whose name tells nothing: members of JSON by their names, credentials by their shape, hidden values as they stand.
    fn text(&mut self, text: &mut String) {
        if text.trim_start().starts_with(['{', '['])
            && let Ok(mut json) = serde_json::from_str::<Json>(text)
        {
            let before = self.count;
            self.json(&mut json);
            if self.replace.is_some() && self.count > before {
                *text = json.to_string();
            }
            return;
        }
        let Some(values) = &self.replace else { return };
        let mut clean = scrub(text);
        for value in values {
            clean = without(&clean, value);
        }
        if clean != *text {
            self.count += 1;
            *text = clean;
        }
    }

    fn json(&mut self, json: &mut Json) {
        match json {
            Json::String(text) => self.text(text),
            Json::Array(items) => items.iter_mut().for_each(|i| self.json(i)),
            Json::Object(members) => {
                for (name, value) in members {
                    if !self.rules.hides(name) {
                        self.json(value);
                        continue;
                    }
                    self.hide_all(value);
                    if self.replace.is_some() {
                        *value = Json::String(REDACTED.into());
                    }
                }
            }
            Json::Number(number) => {
                let text = number.to_string();
                if self.replace.iter().flatten().any(|v| *v == text) {
                    *json = Json::String(REDACTED.into());
                    self.count += 1;
                }
            }
            _ => {}
        }
    }

    /// Notes every value below a hidden name.
    fn hide_all(&mut self, json: &Json) {
        match json {
            Json::String(text) => self.hide(text),
            Json::Number(number) => self.hide(&number.to_string()),
            Json::Array(items) => items.iter().for_each(|i| self.hide_all(i)),
            Json::Object(members) => members.values().for_each(|v| self.hide_all(v)),
            Json::Bool(_) => self.count += 1,
            Json::Null => {}
        }
    }
}

/// A text without a value where it stands as a word of its own.
fn without(text: &str, value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (head, tail) = (&rest[..at], &rest[at + value.len()..]);
        let before = head.chars().next_back().or_else(|| out.chars().next_back());
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        out.push_str(head);
        out.push_str(if word(before) || word(tail.chars().next()) { value } else { REDACTED });
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_value_goes_where_it_is_a_word() {
        for (text, want) in [
            ("charging 4111222, twice 4111222", "charging [redacted], twice [redacted]"),
            ("order 94111222 stays", "order 94111222 stays"),
            ("{4111222}", "{[redacted]}"),
        ] {
            assert_eq!(without(text, "4111222"), want);
        }
    }
}
