//! Redaction at the door: values of credentials are replaced before anything is stored; the key stays, so that a missing
//! credential can still be told from a hidden one. Ids are never touched.

use flowglass_model::{Attributes, Value};

/// What stands in place of a credential.
pub const REDACTED: &str = "[redacted]";

/// Words that make a name a credential wherever they stand in it.
const WORDS: [&str; 11] = [
    "authorization",
    "cookie",
    "cookies",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "credentials",
    "jwt",
];
/// Endings of a word written together (`authtoken`, `clientsecret`, `dbpassword`).
const ENDINGS: [&str; 9] =
    ["token", "secret", "password", "passwd", "apikey", "privatekey", "secretkey", "accesskey", "cookie"];
/// What in front of `key` makes it a credential; `key`, `partitionKey`, `messageKey` are none.
const KEYS: [&str; 9] =
    ["api", "private", "secret", "access", "signing", "encryption", "subscription", "account", "auth"];
/// Last words that speak about a credential without being one (`token_type`, `secret.name`, `access_key_id`).
const ABOUT: [&str; 26] = [
    "id",
    "ids",
    "type",
    "name",
    "count",
    "size",
    "length",
    "expiry",
    "expires",
    "expiration",
    "endpoint",
    "url",
    "uri",
    "limit",
    "usage",
    "at",
    "in",
    "status",
    "result",
    "decision",
    "required",
    "present",
    "valid",
    "scheme",
    "version",
    "policy",
];

/// Longest name of a parameter that is looked at, bytes.
const LONGEST_NAME: usize = 256;

/// The words of a name: split at separators and at camelCase; at most the last eight, enough for every rule here.
fn words(name: &str, mut each: impl FnMut(&str) -> bool) -> bool {
    let bytes = name.as_bytes();
    let mut lower = [0u8; 64];
    let mut start = 0;
    let mut i = 0;
    while i <= bytes.len() {
        let boundary = i == bytes.len()
            || !(bytes[i].is_ascii_alphanumeric() || bytes[i] >= 0x80)
            || (i > start
                && bytes[i].is_ascii_uppercase()
                && (!bytes[i - 1].is_ascii_uppercase() || bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase)));
        if boundary {
            let word = &bytes[start..i];
            if !word.is_empty() && word.len() <= lower.len() {
                lower[..word.len()].copy_from_slice(word);
                lower[..word.len()].make_ascii_lowercase();
                if let Ok(text) = std::str::from_utf8(&lower[..word.len()])
                    && each(text)
                {
                    return true;
                }
            }
            let separator = i < bytes.len() && !(bytes[i].is_ascii_alphanumeric() || bytes[i] >= 0x80);
            start = if separator { i + 1 } else { i };
        }
        i += 1;
    }
    false
}

/// Whether a value under this attribute, header or JSON field name is a credential. Case and separators do not matter.
pub fn is_credential(name: &str) -> bool {
    if !may_be_credential(name.as_bytes()) {
        return false;
    }
    let (mut hit, mut about, mut key_of_credential) = (false, false, false);
    words(name, |word| {
        about = ABOUT.contains(&word);
        hit |= WORDS.contains(&word)
            || ENDINGS.iter().any(|e| word.ends_with(e))
            || (word == "key" && key_of_credential)
            || word.starts_with("authorization");
        key_of_credential = KEYS.contains(&word);
        false
    });
    hit && !about
}

/// A cheap test that lets most names go without splitting them into words.
fn may_be_credential(name: &[u8]) -> bool {
    const STEMS: [&[u8]; 8] = [b"auth", b"cook", b"pass", b"pwd", b"secr", b"toke", b"key", b"jwt"];
    name.windows(3).enumerate().any(|(i, w)| {
        let folded = [w[0] | 0x20, w[1] | 0x20, w[2] | 0x20];
        matches!(&folded, b"aut" | b"coo" | b"pas" | b"pwd" | b"sec" | b"tok" | b"key" | b"jwt" | b"cre")
            && (folded == *b"cre" || STEMS.iter().any(|s| starts_with_folded(&name[i..], s)))
    })
}

fn starts_with_folded(text: &[u8], stem: &[u8]) -> bool {
    text.len() >= stem.len() && text[..stem.len()].eq_ignore_ascii_case(stem)
}

/// Whether a value was already hidden by the sender (`[REDACTED]`, `***`), or is empty and hides nothing.
fn is_hidden(text: &str) -> bool {
    let t = text.trim();
    t.is_empty()
        || t.bytes().all(|b| b == b'*')
        || ["[redacted]", "redacted", "<redacted>", "[filtered]", "[masked]"].iter().any(|h| t.eq_ignore_ascii_case(h))
}

/// Replaces a credential's value whatever its type, but for truth values and nothing.
pub(crate) fn hide(value: &mut Value) -> u32 {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::String(s) if is_hidden(s) => 0,
        Value::Array(items) => items.iter_mut().map(hide).sum(),
        Value::Map(entries) => entries.iter_mut().map(|(_, v)| hide(v)).sum(),
        other => {
            *other = Value::String(REDACTED.to_owned());
            1
        }
    }
}

/// Replaces credentials in attributes: by name, in nested maps, in JSON text and in URLs. Returns how many.
pub fn redact_attributes(attributes: &mut Attributes) -> u32 {
    attributes.iter_mut().map(|(k, v)| if is_credential(k) { hide(v) } else { redact_value(v) }).sum()
}

/// Replaces credentials inside one value: nested maps, JSON text, URLs. Returns how many.
pub fn redact_value(value: &mut Value) -> u32 {
    match value {
        Value::String(text) => redact_text(text),
        Value::Array(items) => items.iter_mut().map(redact_value).sum(),
        Value::Map(entries) => redact_attributes(entries),
        _ => 0,
    }
}

/// Replaces credentials in a text that is JSON, a URL or a query string; other texts stay as they are. Returns how many.
pub fn redact_text(text: &mut String) -> u32 {
    let (new, count) = match text.as_bytes().iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => json_text(text),
        _ if !text.as_bytes().iter().fold(false, |found, b| found | (*b == b'=') | (*b == b'@')) => return 0,
        _ => url_text(text),
    };
    if let Some(new) = new {
        *text = new;
    }
    count
}

/// Replaces credentials in headers. Returns how many.
pub fn redact_headers(headers: &mut [(String, String)]) -> u32 {
    headers
        .iter_mut()
        .map(|(k, v)| match is_credential(k) {
            true if is_hidden(v) => 0,
            true => {
                *v = REDACTED.to_owned();
                1
            }
            false => redact_text(v),
        })
        .sum()
}

/// Replaces credentials in a JSON value by field name, at any depth. Returns how many.
pub fn redact_json(value: &mut serde_json::Value) -> u32 {
    use serde_json::Value as J;
    match value {
        J::Object(map) => {
            map.iter_mut().map(|(k, v)| if is_credential(k) { hide_json(v) } else { redact_json(v) }).sum()
        }
        J::Array(items) => items.iter_mut().map(redact_json).sum(),
        J::String(text) => redact_text(text),
        _ => 0,
    }
}

fn hide_json(value: &mut serde_json::Value) -> u32 {
    use serde_json::Value as J;
    match value {
        J::Null | J::Bool(_) => 0,
        J::String(s) if is_hidden(s) => 0,
        J::Array(items) => items.iter_mut().map(hide_json).sum(),
        J::Object(map) => map.iter_mut().map(|(_, v)| hide_json(v)).sum(),
        other => {
            *other = J::String(REDACTED.to_owned());
            1
        }
    }
}

/// Replaces credentials in a payload that is JSON text, byte for byte the same elsewhere. Returns how many.
pub fn redact_payload(payload: &mut Vec<u8>) -> u32 {
    let Ok(text) = std::str::from_utf8(payload) else { return 0 };
    let (new, count) = match text.as_bytes().iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => json_text(text),
        _ => return 0,
    };
    if let Some(new) = new {
        *payload = new.into_bytes();
    }
    count
}

/// Walks JSON text and replaces values of credential fields in place. Working on the text keeps numbers, order and spacing of
/// everything else exactly as sent, and also serves text that was cut off in the middle.
fn json_text(text: &str) -> (Option<String>, u32) {
    if !may_be_credential(text.as_bytes()) && !text.contains("://") {
        return (None, 0);
    }
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut count, mut at) = (String::new(), 0, 0, 0);
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let end = string_end(bytes, at);
        let inner = text.get(at + 1..end.saturating_sub(1).max(at + 1)).unwrap_or_default();
        let after = skip_space(bytes, end);
        if bytes.get(after) != Some(&b':') {
            if let (Some(new), n) = url_text(inner) {
                out.push_str(&text[copied..at + 1]);
                out.push_str(&new);
                copied = end.saturating_sub(1).max(at + 1);
                count += n;
            }
            at = end;
            continue;
        }
        let value = skip_space(bytes, after + 1);
        at = value;
        if is_credential(inner)
            && let Some(value_end) = secret_end(text, value)
        {
            out.push_str(&text[copied..value]);
            out.push('"');
            out.push_str(REDACTED);
            out.push('"');
            copied = value_end;
            at = value_end;
            count += 1;
        }
    }
    if count == 0 {
        return (None, 0);
    }
    out.push_str(&text[copied..]);
    (Some(out), count)
}

/// Index behind the closing quote of the string that opens at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// End of a value that is to be hidden: text, number, object or array. `None` for truth values, null, and what is hidden or
/// empty already.
fn secret_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => {
            let end = string_end(bytes, at);
            let inner = text.get(at + 1..end.saturating_sub(1).max(at + 1)).unwrap_or_default();
            (!is_hidden(inner)).then_some(end)
        }
        b'-' | b'0'..=b'9' => {
            Some(at + bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count())
        }
        b'{' | b'[' => {
            let (mut depth, mut i) = (0usize, at);
            while i < bytes.len() {
                match bytes[i] {
                    b'"' => {
                        i = string_end(bytes, i);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(i + 1);
                        }
                    }
                    _ => {}
                }
                i += 1;
            }
            Some(bytes.len())
        }
        _ => None,
    }
}

/// Replaces `user:password@` in URLs and values of credential parameters in queries.
fn url_text(text: &str) -> (Option<String>, u32) {
    // Without `@` there is no user information to hide.
    let has_scheme = text.contains('@') && text.contains("://");
    let has_query = text.contains('=') && may_be_credential(text.as_bytes());
    if !has_scheme && !has_query {
        return (None, 0);
    }
    let mut out = text.to_owned();
    let mut count = 0;
    if has_scheme {
        count += hide_userinfo(&mut out);
    }
    if has_query {
        count += hide_parameters(&mut out);
    }
    if count == 0 { (None, 0) } else { (Some(out), count) }
}

/// Replaces stretches of a text, in order.
#[derive(Default)]
struct Replaced {
    out: String,
    copied: usize,
    count: u32,
}

impl Replaced {
    fn hide(&mut self, text: &str, range: std::ops::Range<usize>) {
        self.out.push_str(&text[self.copied..range.start]);
        self.out.push_str(REDACTED);
        self.copied = range.end;
        self.count += 1;
    }

    fn finish(mut self, text: &mut String) -> u32 {
        if self.count > 0 {
            self.out.push_str(&text[self.copied..]);
            *text = self.out;
        }
        self.count
    }
}

fn hide_userinfo(text: &mut String) -> u32 {
    let (mut replaced, mut from) = (Replaced::default(), 0);
    while let Some(found) = text[from..].find("://") {
        let start = from + found + 3;
        let scheme_is_nats = text[..start].ends_with("nats://") || text[..start].ends_with("tls://");
        let rest = &text[start..];
        let length = rest.find(|c: char| "/?#\"'<>,".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        from = start;
        let Some(at) = rest[..length].rfind('@') else { continue };
        // A bare user name is no secret, but for NATS it is the token (nats://TOKEN@host).
        let secret = match rest[..at].find(':') {
            Some(colon) if !is_hidden(&rest[colon + 1..at]) => colon + 1..at,
            None if scheme_is_nats && !is_hidden(&rest[..at]) => 0..at,
            _ => continue,
        };
        replaced.hide(text, start + secret.start..start + secret.end);
        from = start + secret.end;
    }
    replaced.finish(text)
}

/// `name=value` pairs as in a URL query: after `?`, `&`, or at the start of a text without spaces.
fn hide_parameters(text: &mut String) -> u32 {
    let (mut replaced, mut from) = (Replaced::default(), 0);
    while let Some(found) = text[from..].find('=') {
        let equals = from + found;
        from = equals + 1;
        // Looking back without end from each of very many `=` would take for ever.
        let far = equals.saturating_sub(LONGEST_NAME);
        let reach = (far..=equals).find(|at| text.is_char_boundary(*at)).unwrap_or(equals);
        let parted = text[reach..equals].rfind(|c: char| "?&;#".contains(c) || c.is_whitespace());
        let name_start = match parted {
            Some(at) => reach + at + text[reach + at..].chars().next().map_or(1, char::len_utf8),
            None if far == 0 => 0,
            None => continue,
        };
        let opened = name_start == 0 || "?&;#".contains(char::from(text.as_bytes()[name_start - 1]));
        if !opened || !is_credential(&text[name_start..equals]) {
            continue;
        }
        let rest = &text[equals + 1..];
        let length = rest.find(|c: char| "&;#\"'".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        if is_hidden(&rest[..length]) {
            continue;
        }
        replaced.hide(text, equals + 1..equals + 1 + length);
        from = equals + 1 + length;
    }
    replaced.finish(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looking back from each `=`, or moving the rest of the text for each secret, would take minutes for these.
    #[test]
    fn a_megabyte_that_is_made_to_take_long_does_not() {
        for (text, hidden) in [
            (format!("token{}", "=".repeat(1 << 20)), 1),
            (format!("token {}", "a=".repeat(1 << 19)), 0),
            ("a://b:c@d ".repeat(100_000), 100_000),
            ("?token=a&".repeat(100_000), 100_000),
            ("\u{3000}token=x ".repeat(10_000), 0),
            (format!("{{\"u\":\"{}\"}}", "a://b:c@d ".repeat(50_000)), 50_000),
        ] {
            let mut text = text;
            assert_eq!(redact_text(&mut text), hidden, "{:.20}", text);
        }
    }

    #[test]
    fn names_of_credentials() {
        for name in [
            "authorization",
            "Authorization",
            "proxy-authorization",
            "http.request.header.authorization",
            "Cookie",
            "http.response.header.set_cookie",
            "Set-Cookie",
            "access_token",
            "cardToken",
            "refreshToken",
            "idToken",
            "x-auth-token",
            "authtoken",
            "client_secret",
            "clientSecret",
            "SECRET",
            "db.password",
            "userPassword",
            "passwd",
            "apiKey",
            "api_key",
            "api-key",
            "X-API-Key",
            "apikey",
            "private_key",
            "privateKey",
            "Ocp-Apim-Subscription-Key",
            "aws_secret_access_key",
            "APIKey",
        ] {
            assert!(is_credential(name), "{name}");
        }
        for name in [
            "key",
            "partitionKey",
            "messaging.kafka.message.key",
            "orderId",
            "id",
            "trace_id",
            "traceId",
            "tokenId",
            "access_key_id",
            "token_type",
            "gen_ai.usage.input_tokens",
            "tokenizer",
            "author",
            "secretary",
            "passenger",
            "keyboard",
            "monkey",
            "authorization_endpoint",
            "Nats-Msg-Id",
            "idempotencyKey",
            "primary_key",
            "compass",
            "requiresAuthorizationPolicy",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn attributes_keep_their_key_and_lose_the_value() {
        let mut a: Attributes = vec![
            ("http.request.header.authorization".into(), Value::Array(vec!["Bearer abc".into()])),
            ("http.request.header.cookie".into(), Value::Array(vec!["[REDACTED]".into()])),
            ("password".into(), "".into()),
            ("has_token".into(), Value::Bool(true)),
            ("body".into(), r#"{"user":"u","password":"p","n":12345678901234567890123}"#.into()),
            ("orderId".into(), "o-1".into()),
        ];
        assert_eq!(redact_attributes(&mut a), 2);
        assert_eq!(a[0].1, Value::Array(vec![REDACTED.into()]));
        assert_eq!(a[1].1, Value::Array(vec!["[REDACTED]".into()]));
        assert_eq!(a[2].1, Value::from(""));
        assert_eq!(a[4].1, Value::from(r#"{"user":"u","password":"[redacted]","n":12345678901234567890123}"#));
        assert_eq!(redact_attributes(&mut a), 0, "a second time finds nothing");
    }

    #[test]
    fn json_text_is_changed_only_where_it_must() {
        for (text, want, n) in [
            (r#"{ "apiKey" : "k\"1" , "a":1 }"#, r#"{ "apiKey" : "[redacted]" , "a":1 }"#, 1),
            (r#"{"secret":{"a":[1,"]"]},"b":2}"#, r#"{"secret":"[redacted]","b":2}"#, 1),
            (
                r#"[{"token":12},{"token":null},{"token":""}]"#,
                r#"[{"token":"[redacted]"},{"token":null},{"token":""}]"#,
                1,
            ),
            (r#"{"password":"cut of"#, r#"{"password":"[redacted]""#, 1),
            (r#"{"to":"password","u":"https://me:pw@h/x"}"#, r#"{"to":"password","u":"https://me:[redacted]@h/x"}"#, 1),
            (r#"{"password":"#, r#"{"password":"#, 0),
            (r#"{"key":"password"}"#, r#"{"key":"password"}"#, 0),
        ] {
            let mut s = text.to_owned();
            assert_eq!(redact_text(&mut s), n, "{text}");
            assert_eq!(s, want);
            let mut p = text.as_bytes().to_vec();
            assert_eq!(redact_payload(&mut p), n);
            assert_eq!(p, want.as_bytes());
        }
    }

    #[test]
    fn urls_lose_their_credentials_only() {
        for (text, want, n) in [
            ("postgres://me:pw@db/x", "postgres://me:[redacted]@db/x", 1),
            ("nats://s3cr3t@broker:4222", "nats://[redacted]@broker:4222", 1),
            ("https://me@host/x?a=1&access_token=t&b=2", "https://me@host/x?a=1&access_token=[redacted]&b=2", 1),
            ("api_key=1&id=2", "api_key=[redacted]&id=2", 1),
            ("/path?orderId=7", "/path?orderId=7", 0),
            ("mail me@here.org about the token = x", "mail me@here.org about the token = x", 0),
        ] {
            let mut s = text.to_owned();
            assert_eq!(redact_text(&mut s), n, "{text}");
            assert_eq!(s, want);
        }
    }

    #[test]
    fn headers_and_json_values() {
        let mut h = vec![("Authorization".to_owned(), "Bearer x".to_owned()), ("Nats-Msg-Id".into(), "1".into())];
        assert_eq!(redact_headers(&mut h), 1);
        assert_eq!(h[0].1, REDACTED);
        let mut j =
            serde_json::json!({"a": [{"clientSecret": "x", "tokenId": 4}], "password": 1, "ok": {"token": null}});
        assert_eq!(redact_json(&mut j), 2);
        assert_eq!(
            j,
            serde_json::json!({"a": [{"clientSecret": REDACTED, "tokenId": 4}], "password": REDACTED, "ok": {"token": null}})
        );
    }
}
