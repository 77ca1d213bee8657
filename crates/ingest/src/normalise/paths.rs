//! Fields of JSON payloads with their paths.

use serde_json::Value as Json;

/// Payloads larger than this are not looked into, bytes.
const MAX_BODY: usize = 256 * 1024;
/// Levels looked into.
const MAX_DEPTH: usize = 8;

/// Tells every text and number of a JSON object with its path, `order.lines.sku`; items of a list share the list's path.
/// Anything that is no JSON object tells nothing.
pub(crate) fn fields(payload: &[u8], tell: &mut dyn FnMut(&str, String)) {
    let is_object = payload.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if !is_object || payload.len() > MAX_BODY {
        return;
    }
    if let Ok(json) = serde_json::from_slice::<Json>(payload) {
        walk(&json, &mut String::new(), 0, tell);
    }
}

fn walk(json: &Json, path: &mut String, depth: usize, tell: &mut dyn FnMut(&str, String)) {
    match json {
        Json::String(text) => tell(path, text.trim().to_owned()),
        Json::Number(number) => tell(path, number.to_string()),
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
