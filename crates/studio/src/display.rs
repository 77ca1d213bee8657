//! What is hidden on display: redaction rules act here, never on what is stored, and each field can be revealed.

use flowglass_model::{Attributes, Config, Value};

use crate::api::Attribute;

/// Shown instead of a hidden value.
const MASK: &str = "••••••••";
/// What the door puts in place of a credential (see the ingest crate's redaction).
pub(crate) const REMOVED: &str = "[redacted]";
/// Field names hidden when the settings name none: data that identifies people's money, not orders.
const DEFAULT_RULES: [&str; 6] = ["*cardnumber*", "pan", "cvv", "iban", "ssn", "*taxid*"];

/// Decides which fields are hidden.
pub(crate) struct Redactor {
    rules: Vec<String>,
    reveal: Vec<String>,
}

/// The rules in force.
pub(crate) fn rules(config: &Config) -> Vec<String> {
    if config.redaction.is_empty() {
        return DEFAULT_RULES.map(str::to_owned).to_vec();
    }
    config.redaction.iter().map(|r| r.key.clone()).collect()
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '*').flat_map(char::to_lowercase).collect()
}

/// Whether a name fits a pattern in which `*` stands for any run of characters; both in plain form.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Redactor {
    pub(crate) fn new(config: &Config, reveal: &[String]) -> Redactor {
        Redactor {
            rules: rules(config).iter().map(|r| plain(r)).collect(),
            reveal: reveal.iter().map(|r| plain(r)).collect(),
        }
    }

    /// Whether a field is hidden; the last part of a dotted name counts too.
    pub(crate) fn hides(&self, name: &str) -> bool {
        let (whole, last) = (plain(name), plain(name.rsplit('.').next().unwrap_or(name)));
        if self.reveal.contains(&whole) {
            return false;
        }
        self.rules.iter().any(|r| fits(r, &whole) || fits(r, &last))
    }

    /// A name and a text as they are shown.
    pub(crate) fn attribute(&self, key: &str, value: String) -> Attribute {
        let removed = value.contains(REMOVED);
        if self.hides(key) && !removed {
            return Attribute { key: key.into(), value: MASK.into(), redacted: true, removed };
        }
        let mut hidden = Vec::new();
        let value = match serde_json::from_str::<serde_json::Value>(&value) {
            Ok(mut json) if json.is_object() || json.is_array() => {
                self.hide_in(&mut json, &mut hidden);
                if hidden.is_empty() { value } else { json.to_string() }
            }
            _ => value,
        };
        Attribute { key: key.into(), value, redacted: !hidden.is_empty(), removed }
    }

    /// Attributes as they are shown.
    pub(crate) fn attributes(&self, attributes: &Attributes) -> Vec<Attribute> {
        attributes.iter().map(|(k, v)| self.attribute(k, v.to_string())).collect()
    }

    /// An attribute value with hidden fields masked.
    pub(crate) fn value(&self, key: &str, value: &Value) -> Value {
        let shown = self.attribute(key, value.to_string());
        if shown.redacted { Value::String(shown.value) } else { value.clone() }
    }

    /// Masks hidden fields of a JSON document; their names are added to `hidden`.
    pub(crate) fn hide_in(&self, json: &mut serde_json::Value, hidden: &mut Vec<String>) {
        match json {
            serde_json::Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    if self.hides(key) && value.as_str() != Some(REMOVED) {
                        *value = serde_json::Value::String(MASK.into());
                        if !hidden.contains(key) {
                            hidden.push(key.clone());
                        }
                    } else {
                        self.hide_in(value, hidden);
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|i| self.hide_in(i, hidden)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, want) in [
            ("iban", "iban", true),
            ("iban", "ibanList", false),
            ("*card*", "customer_card_no", true),
            ("a*z", "abcz", true),
            ("a*z", "abc", false),
            ("*", "anything", true),
        ] {
            assert_eq!(fits(&plain(pattern), &plain(name)), want, "{pattern} {name}");
        }
    }

    #[test]
    fn hidden_fields_can_be_revealed_one_by_one() {
        let config = Config::default();
        let json = r#"{"orderId":"o-1","payment":{"iban":"DE00","cardNumber":"4111"}}"#;
        let shown = Redactor::new(&config, &[]).attribute("body", json.into());
        assert!(shown.redacted && !shown.value.contains("DE00") && shown.value.contains("o-1"), "{shown:?}");
        let shown = Redactor::new(&config, &["iban".into()]).attribute("body", json.into());
        assert!(shown.value.contains("DE00") && !shown.value.contains("4111"), "{shown:?}");
        assert!(Redactor::new(&config, &[]).hides("app.payment.iban"));
        assert!(Redactor::new(&config, &[]).attribute("authorization", REMOVED.into()).removed);
    }
}
