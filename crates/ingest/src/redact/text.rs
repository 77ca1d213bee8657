//! Credentials in texts: JSON, cut off or not, URLs and query strings.

use super::names::{is_credential, may_be_credential};
use super::{REDACTED, is_hidden};

/// Longest name of a parameter that is looked at, bytes.
const LONGEST_NAME: usize = 256;

/// Walks JSON text and replaces values of credential fields in place. Working on the text keeps numbers, order and spacing of
/// everything else exactly as sent, and also serves text that was cut off in the middle.
pub(super) fn json_text(text: &str) -> (Option<String>, u32) {
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
pub(super) fn url_text(text: &str) -> (Option<String>, u32) {
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
    use crate::redact::{redact_payload, redact_text};

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
}
