//! Which names stand for credentials.

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
pub(super) fn may_be_credential(name: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
