//! Names and texts as the scenario file takes them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Names made unique by number, in the order of their keys.
pub(super) fn unique<'k, K: Ord + Copy + 'k>(names: impl Iterator<Item = (K, String)>) -> BTreeMap<K, String> {
    let mut used = BTreeSet::new();
    let mut out = BTreeMap::new();
    for (key, name) in names {
        let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") }).find(|n| !used.contains(n));
        let free = free.unwrap_or(name);
        used.insert(free.clone());
        out.insert(key, free);
    }
    out
}

/// Lower-case letters, digits and hyphens: what a name in the file may have.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 60 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    match out.chars().next() {
        None => "unnamed".to_owned(),
        // Numbers and YAML's own words would not be read as texts.
        Some(c) if c.is_ascii_digit() => format!("n{out}"),
        _ if matches!(out, "true" | "false" | "null") => format!("n-{out}"),
        _ => out.to_owned(),
    }
}

/// Whether an operation reads, by the method or statement its name begins with.
pub(crate) fn is_read(operation: &str, backend: bool) -> bool {
    let first = operation.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
    match first.as_str() {
        "GET" | "HEAD" | "OPTIONS" => true,
        "SELECT" | "FIND" | "QUERY" | "AGGREGATE" | "MGET" | "HGET" | "SCAN" | "EXISTS" | "FETCH" | "READ" | "LIST" => {
            backend
        }
        _ => false,
    }
}

/// A text as YAML takes it whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let number_like = text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    if plain && !number_like && !matches!(text, "true" | "false" | "null") {
        return text.to_owned();
    }
    // JSON strings are YAML.
    serde_json::Value::from(text).to_string()
}

/// A text that cannot end its comment.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
