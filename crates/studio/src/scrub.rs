//! Taking secrets out of text that is handed to others: credentials by name, user information of addresses, tokens by their shape.
//!
//! What is stored holds no credentials (they are replaced at the door); logs and settings are written by people and programs, so
//! whatever leaves this machine in a bug report goes through here once more.

use flowglass_ingest::redact::{REDACTED, is_credential};

/// Words that stand in front of a credential.
const SCHEMES: [&str; 3] = ["bearer", "basic", "token"];
/// Shortest text that is taken for a token by its shape alone.
const TOKEN: usize = 40;

/// The text without secrets; line by line.
pub(crate) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&shapes(&named(&addresses(line))));
    }
    out
}

/// The same for every text of a JSON value; what stands under the name of a credential is replaced as a whole.
pub(crate) fn scrub_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = scrub(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(scrub_json),
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    serde_json::Value::String(text) if is_credential(name) => *text = REDACTED.into(),
                    _ => scrub_json(value),
                }
            }
        }
        _ => {}
    }
}

/// Texts that quote data (`first bytes "{…"`) without what they quote: from the first quotation mark to the last.
pub(crate) fn without_quotes(text: &str) -> String {
    const MARKS: [char; 4] = ['"', '“', '”', '`'];
    let (Some(first), Some(last)) = (text.find(MARKS), text.rfind(MARKS)) else { return text.to_owned() };
    let end = if first == last { text.len() } else { last + text[last..].chars().next().map_or(1, char::len_utf8) };
    format!("{}“…”{}", &text[..first], &text[end..])
}

/// `scheme://user:secret@host` without user and secret.
fn addresses(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(|c: char| c.is_whitespace() || "/?#\"'<>`,;)".contains(c)).unwrap_or(tail.len());
        let authority = &tail[..end];
        match authority.rfind('@') {
            Some(at) => {
                out.push_str(REDACTED);
                out.push_str(&authority[at..]);
            }
            None => out.push_str(authority),
        }
        rest = &tail[end..];
    }
    out + rest
}

/// `name = value`, `name: value`, `"name":"value"`, `name=value&…` whose name is a credential's.
fn named(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['=', ':']) {
        let (head, tail) = rest.split_at(at);
        let name = head.trim_end().trim_end_matches(['"', '\'', '`', '\\']);
        let start = name.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).map_or(0, |i| {
            i + name[i..].chars().next().map_or(1, char::len_utf8)
        });
        let credential = is_credential(&name[start..]);
        out.push_str(head);
        out.push_str(&tail[..1]);
        rest = &tail[1..];
        if credential {
            let length = value_length(rest);
            if !rest[..length].trim().is_empty() {
                let blank = rest.len() - rest.trim_start().len();
                out.push_str(&rest[..blank.min(length)]);
                out.push_str(REDACTED);
                rest = &rest[length..];
            }
        }
    }
    out + rest
}

/// How far a credential reaches: to its closing quote, else over its scheme to the end of the word.
fn value_length(text: &str) -> usize {
    let start = text.len() - text.trim_start().len();
    let body = &text[start..];
    let escaped = body.strip_prefix('\\').unwrap_or(body);
    let offset = start + body.len() - escaped.len();
    if let Some(quote) = escaped.chars().next().filter(|c| "\"'`".contains(*c)) {
        let inner = &escaped[1..];
        return inner.find(quote).map_or(text.len(), |end| offset + 1 + end + 1);
    }
    let mut end = 0;
    loop {
        let word = &body[end..];
        let blank = word.len() - word.trim_start().len();
        let length = word[blank..].find(|c: char| c.is_whitespace() || "\"'`,;&})]".contains(c)).unwrap_or(word.len() - blank);
        let said = &word[blank..blank + length];
        end += blank + length;
        if !SCHEMES.contains(&said.to_ascii_lowercase().as_str()) || length == 0 {
            return start + end;
        }
    }
}

/// Words that are tokens by their shape (a JWT, an nkey seed, a long random text), and what follows `Bearer`.
fn shapes(line: &str) -> String {
    let mut after_scheme = false;
    let mut out = String::with_capacity(line.len());
    for piece in line.split_inclusive(|c: char| c.is_whitespace() || "\"'`,;&=()[]{}<>".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"'`,;&=()[]{}<>.:!".contains(c));
        let secret = !word.is_empty() && (is_token(word) || (after_scheme && word != "redacted"));
        if !word.is_empty() {
            after_scheme = ["bearer", "basic"].contains(&word.to_ascii_lowercase().as_str());
        }
        if secret {
            out.push_str(REDACTED);
            out.push_str(&piece[word.len()..]);
        } else {
            out.push_str(piece);
        }
    }
    out
}

fn is_token(word: &str) -> bool {
    let jwt = word.starts_with("eyJ") && word.len() > 20;
    // A user seed of NATS: base 32, 58 characters, starting with S.
    let seed = word.len() == 58
        && word.starts_with('S')
        && word.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
    let letters = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b));
    let mixed = word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_lowercase())
        && word.bytes().any(|b| b.is_ascii_uppercase());
    // Ids in hex have one case only and stay: they are what a report is about.
    jwt || seed || (word.len() >= TOKEN && letters && mixed && !word.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_everything_else_stays() {
        for (text, wanted) in [
            ("nats://user:s3cret@broker:4222 lost", "nats://[redacted]@broker:4222 lost"),
            ("see http://h/path?token=abc&x=1", "see http://h/path?token=[redacted]&x=1"),
            ("authorization: Bearer abc.def, host: h", "authorization: [redacted], host: h"),
            (r#"{"password":"p w","user":"me"}"#, r#"{"password":[redacted],"user":"me"}"#),
            ("api_key = 'k'", "api_key = [redacted]"),
            ("sent Bearer abc123 to h", "sent Bearer [redacted] to h"),
            ("order_key = ORD-1", "order_key = ORD-1"),
            ("token_type: x", "token_type: x"),
            ("trace 4bf92f3577b34da6a3ce929d0e0e4736 at 127.0.0.1:4317", "trace 4bf92f3577b34da6a3ce929d0e0e4736 at 127.0.0.1:4317"),
            ("password:", "password:"),
            ("key “é”: token=ü", "key “é”: token=[redacted]"),
        ] {
            assert_eq!(scrub(text), wanted);
        }
        let seed = format!("SU{}", "A2".repeat(28));
        assert_eq!(scrub(&format!("seed {seed}.")), "seed [redacted].");
        assert_eq!(scrub("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc"), "[redacted]");
    }

    #[test]
    fn json_is_scrubbed_by_name_and_by_text() {
        let mut value = serde_json::json!({"token": "t", "list": ["password=p", {"url": "nats://u:p@h:1"}], "n": 1});
        scrub_json(&mut value);
        let wanted = serde_json::json!({"token": REDACTED, "list": ["password=[redacted]", {"url": "nats://[redacted]@h:1"}], "n": 1});
        assert_eq!(value, wanted);
    }

    #[test]
    fn quoted_data_is_left_out() {
        assert_eq!(without_quotes(r#"first bytes "{\"a\": 1" of x"#), "first bytes “…” of x");
        assert_eq!(without_quotes("cut “off"), "cut “…”");
        assert_eq!(without_quotes("plain"), "plain");
    }
}
