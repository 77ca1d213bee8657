//! The one-time token and the session it opens.

use std::sync::Mutex;

use subtle::ConstantTimeEq as _;

/// Secrets of one run of the server.
pub(crate) struct Session {
    cookie: String,
    secret: String,
    token: Mutex<Option<String>>,
}

/// 256 random bits in hex, from the thread's cryptographic generator.
fn random() -> String {
    rand::random::<[u8; 32]>().iter().map(|b| format!("{b:02x}")).collect()
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

impl Session {
    /// New secrets for the listener on `port`.
    pub(crate) fn new(port: u16) -> Session {
        // Browsers send cookies to every port of a host: the name keeps two servers apart.
        Session { cookie: format!("flowglass_{port}"), secret: random(), token: Mutex::new(Some(random())) }
    }

    /// The token that opens the session, until it was used.
    pub(crate) fn token(&self) -> String {
        self.token.lock().unwrap_or_else(|e| e.into_inner()).clone().unwrap_or_default()
    }

    /// Uses the token up. Gives the `Set-Cookie` value when it was the right one, the first time only.
    pub(super) fn open(&self, token: &str) -> Option<String> {
        let mut kept = self.token.lock().unwrap_or_else(|e| e.into_inner());
        if !kept.as_deref().is_some_and(|kept| same(kept, token)) {
            return None;
        }
        *kept = None;
        Some(format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie, self.secret))
    }

    /// Whether a `Cookie` header holds the session (RFC 6265, 4.2: pairs separated by `; `).
    pub(super) fn holds(&self, header: &str) -> bool {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && same(value, &self.secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_one_session_once() {
        let session = Session::new(80);
        let token = session.token();
        assert_eq!(token.len(), 64);
        assert_eq!(session.open("0000"), None);
        let cookie = session.open(&token).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        assert_eq!((session.open(&token), session.open("")), (None, None));
        let pair = cookie.split(';').next().unwrap();
        assert!(session.holds(pair) && session.holds(&format!("a=b; {pair}")));
        assert!(!session.holds("flowglass_80=") && !session.holds("") && !Session::new(80).holds(pair));
        assert!(!session.holds(&pair.replace("_80", "_81")));
    }
}
