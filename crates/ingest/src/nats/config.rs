//! What to connect to, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flowglass_model::Nanos;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::normalise::PayloadPolicy;
use crate::secrets::SecretRef;

/// How much of what streams hold is read before (and beside) live data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backfill {
    /// Nothing: streams are not read at all.
    None,
    /// Everything the streams hold.
    #[default]
    All,
    /// What was stored at or after an instant.
    Since(Nanos),
    /// From a sequence on, in each stream.
    FromSequence(u64),
}

/// How to authenticate. Secrets are only named here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatsAuth {
    /// Not at all.
    #[default]
    None,
    /// User and password.
    UserPassword {
        /// User.
        user: String,
        /// Where the password is.
        password: SecretRef,
    },
    /// A token.
    Token {
        /// Where it is.
        token: SecretRef,
    },
    /// A credentials file (JWT and nkey).
    CredsFile {
        /// The file.
        path: PathBuf,
    },
    /// An nkey.
    Nkey {
        /// Where the seed is.
        seed: SecretRef,
    },
}

impl NatsAuth {
    /// What the environment asks for: `FLOWGLASS_NATS_TOKEN`, or `FLOWGLASS_NATS_PASSWORD` with `FLOWGLASS_NATS_USER`
    /// (`flowglass` when not set). `variable` reads a variable.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> NatsAuth {
        let secret = |name: &str| SecretRef::Environment(name.to_owned());
        if variable("FLOWGLASS_NATS_TOKEN").is_some() {
            return NatsAuth::Token { token: secret("FLOWGLASS_NATS_TOKEN") };
        }
        if variable("FLOWGLASS_NATS_PASSWORD").is_some() {
            let user = variable("FLOWGLASS_NATS_USER").unwrap_or_else(|| "flowglass".to_owned());
            return NatsAuth::UserPassword { user, password: secret("FLOWGLASS_NATS_PASSWORD") };
        }
        NatsAuth::None
    }
}

/// Transport security.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NatsTls {
    /// Refuse a connection without TLS. A `tls://` URL asks for it too.
    pub required: bool,
    /// Certificate authorities to trust instead of those of the operating system (PEM).
    pub ca_file: Option<PathBuf>,
}

/// A NATS connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsConfig {
    /// Server (`nats://host:4222`, `tls://…`, `ws://…`), without credentials.
    pub url: String,
    /// What people call it.
    pub name: String,
    /// Subjects to watch. `>` sees everything, deliveries of consumers included. (A `>` subscription counts as interest in
    /// every subject: a request nobody serves then times out instead of failing at once.)
    pub subjects: Vec<String>,
    /// Streams to read; all when empty.
    pub streams: Vec<String>,
    /// The JetStream domain whose streams are meant (`$JS.<domain>.API`), as behind a leaf node; that of the server itself
    /// when `None`.
    #[serde(default)]
    pub domain: Option<String>,
    /// How much of them.
    pub backfill: Backfill,
    /// Up to which sequence each stream is stored already: reading goes on behind it. [`NatsStream::covered_to`] of the last
    /// status is what belongs here.
    ///
    /// [`NatsStream::covered_to`]: super::NatsStream::covered_to
    pub resume: BTreeMap<String, u64>,
    /// Authentication.
    pub auth: NatsAuth,
    /// Transport security.
    pub tls: NatsTls,
    /// Whether nothing may be published over it; so it is until somebody says otherwise.
    #[serde(default = "yes")]
    pub read_only: bool,
    /// Whether payloads are kept.
    #[serde(skip)]
    pub payloads: PayloadPolicy,
}

/// Why a connection is not even tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatsConfigError {
    /// A user, password or token stands in the URL, which ends up in logs and process lists.
    #[error(
        "the NATS address for {host} holds credentials; take them out and use a credentials file (--nats-creds), the \
         environment variable FLOWGLASS_NATS_PASSWORD or FLOWGLASS_NATS_TOKEN, or the keychain (Settings, Sources)"
    )]
    CredentialsInUrl {
        /// The host, without the credentials.
        host: String,
    },
    /// The URL cannot be read.
    #[error("not a NATS address ({reason}); it looks like nats://host:4222")]
    Url {
        /// Why.
        reason: String,
    },
    /// A subject pattern cannot be used.
    #[error("“{subject}” is no NATS subject: tokens are separated by single dots, `>` stands only at the end")]
    Subject {
        /// The pattern.
        subject: String,
    },
    /// A name that is part of subjects cannot be used.
    #[error("“{name}” is no name of a stream or JetStream domain: it holds no dots, blanks, * or >")]
    Name {
        /// The name.
        name: String,
    },
}

impl NatsConfig {
    /// A connection to this address that watches everything and reads all streams.
    pub fn new(url: impl Into<String>) -> NatsConfig {
        let url = url.into();
        NatsConfig {
            name: url.clone(),
            url,
            subjects: vec![">".to_owned()],
            streams: Vec::new(),
            domain: None,
            backfill: Backfill::default(),
            resume: BTreeMap::new(),
            auth: NatsAuth::default(),
            tls: NatsTls::default(),
            read_only: true,
            payloads: PayloadPolicy::default(),
        }
    }

    /// Whether it can be tried at all. Never contacts anyone.
    pub fn check(&self) -> Result<(), NatsConfigError> {
        let text = if self.url.contains("://") { self.url.clone() } else { format!("nats://{}", self.url) };
        let url = Url::parse(&text).map_err(|e| NatsConfigError::Url { reason: e.to_string() })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NatsConfigError::CredentialsInUrl { host: url.host_str().unwrap_or_default().to_owned() });
        }
        if !matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") {
            return Err(NatsConfigError::Url { reason: format!("{} is none of nats, tls, ws, wss", url.scheme()) });
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(NatsConfigError::Url { reason: "it names no host".to_owned() });
        }
        if let Some(name) = self.domain.iter().chain(&self.streams).find(|n| !is_name(n)) {
            return Err(NatsConfigError::Name { name: name.clone() });
        }
        match self.subjects.iter().find(|s| !is_pattern(s)) {
            Some(subject) => Err(NatsConfigError::Subject { subject: subject.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn wants_stream(&self, name: &str) -> bool {
        self.streams.is_empty() || self.streams.iter().any(|s| s == name)
    }
}

fn yes() -> bool {
    true
}

/// Whether a text is a subject that can be published on: tokens separated by single dots, no wildcards, none of the server's own.
pub fn is_subject(subject: &str) -> bool {
    is_pattern(subject) && !subject.split('.').any(|t| t == "*" || t == ">") && !subject.starts_with('$')
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '.' | '*' | '>'))
}

fn is_pattern(subject: &str) -> bool {
    let tokens: Vec<&str> = subject.split('.').collect();
    let last = tokens.len() - 1;
    tokens.iter().enumerate().all(|(i, t)| {
        !t.is_empty()
            && !t.contains(char::is_whitespace)
            && (*t == "*" || *t == ">" || !t.contains(['*', '>']))
            && (*t != ">" || i == last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, want) in [
            ("nats://127.0.0.1:4222", None),
            ("localhost", None),
            ("localhost:4222", None),
            ("tls://broker.example", None),
            ("nats://u:hunter2@broker.example", Some("holds credentials")),
            ("nats://hunter2@broker.example", Some("holds credentials")),
            ("http://broker.example", Some("none of nats")),
            ("nats://", Some("not a NATS address")),
        ] {
            let outcome = NatsConfig::new(url).check();
            match want {
                None => assert_eq!(outcome, Ok(()), "{url}"),
                Some(words) => {
                    let text = outcome.unwrap_err().to_string();
                    assert!(text.contains(words) && !text.contains("hunter2"), "{url}: {text}");
                }
            }
        }
    }

    #[test]
    fn subjects() {
        for (subject, good) in [
            (">", true),
            ("a.*.b", true),
            ("a.>", true),
            ("a.>.b", false),
            ("a..b", false),
            ("a b", false),
            ("", false),
            ("a*", false),
        ] {
            let config = NatsConfig { subjects: vec![subject.into()], ..NatsConfig::new("localhost") };
            assert_eq!(config.check().is_ok(), good, "{subject}");
        }
    }

    #[test]
    fn names_stay_one_token() {
        for (name, good) in [("hub", true), ("KV_a-b", true), ("", false), ("a.b", false), ("a b", false), (">", false)]
        {
            let domain = NatsConfig { domain: Some(name.into()), ..NatsConfig::new("localhost") };
            let stream = NatsConfig { streams: vec![name.into()], ..NatsConfig::new("localhost") };
            assert_eq!((domain.check().is_ok(), stream.check().is_ok()), (good, good), "{name}");
        }
    }

    #[test]
    fn a_connection_remembered_by_an_older_version_is_read() {
        let mut old = serde_json::to_value(NatsConfig::new("localhost")).unwrap();
        old.as_object_mut().unwrap().remove("domain");
        old.as_object_mut().unwrap().remove("read_only");
        old["tls"] = serde_json::json!({ "required": false });
        assert_eq!(serde_json::from_value::<NatsConfig>(old).unwrap(), NatsConfig::new("localhost"));
    }

    #[test]
    fn the_environment_decides() {
        let auth = NatsAuth::from_environment(|n| (n == "FLOWGLASS_NATS_TOKEN").then(|| "x".into()));
        assert!(matches!(auth, NatsAuth::Token { .. }));
        let auth = NatsAuth::from_environment(|n| (n != "FLOWGLASS_NATS_TOKEN").then(|| "ops".into()));
        assert!(matches!(auth, NatsAuth::UserPassword { user, .. } if user == "ops"));
        assert_eq!(NatsAuth::from_environment(|_| None), NatsAuth::None);
    }
}
