//! Fields of JSON payloads with their paths.

use serde_json::Value as Json;

/// Payloads larger than this are not looked into, bytes.
const MAX_BODY: usize = 256 * 1024;
/// Levels looked into.
const MAX_DEPTH: usize = 8;

/// Tells every text, number and truth value of a JSON object with its path, `order.lines.sku`; items of a list share the list's
/// path. Anything that is no JSON object, or is larger than 256 KiB, tells nothing.
pub fn payload_fields(payload: &[u8], tell: &mut dyn FnMut(&str, &Json)) {
    let is_object = payload.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if !is_object || payload.len() > MAX_BODY {
        return;
    }
    if let Ok(json) = serde_json::from_slice::<Json>(payload) {
        walk(&json, &mut String::new(), 0, tell);
    }
}

/// A scalar as text, as filters compare it.
pub fn scalar_text(json: &Json) -> String {
    match json {
        Json::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

fn walk(json: &Json, path: &mut String, depth: usize, tell: &mut dyn FnMut(&str, &Json)) {
    match json {
        Json::String(_) | Json::Number(_) | Json::Bool(_) => tell(path, json),
        Json::Array(items) if depth < MAX_DEPTH => items.iter().for_each(|i| walk(i, path, depth + 1, tell)),
        Json::Object(members) if depth < MAX_DEPTH => {
            let length = path.len();
            for (name, value) in members {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(value, path, depth + 1, tell);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
