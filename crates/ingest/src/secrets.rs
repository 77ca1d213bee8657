//! Secrets stay in the keychain of the operating system (service `flowglass`); a workspace or configuration holds only their
//! names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The keychain service all secrets of ours stand under.
const SERVICE: &str = "flowglass";

/// A secret value. Its debug output says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value, for handing it to whoever needs it; never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is to be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// An entry of the keychain.
    Keychain(String),
    /// An environment variable, for machines without a keychain (`FLOWGLASS_NATS_PASSWORD`, `FLOWGLASS_NATS_TOKEN`).
    Environment(String),
}

/// Why a secret cannot be had or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// There is no keychain, or it is locked.
    #[error(
        "no keychain can be used on this machine ({reason}); unlock it, start a Secret Service such as gnome-keyring, or set \
         the environment variable FLOWGLASS_NATS_PASSWORD or FLOWGLASS_NATS_TOKEN"
    )]
    Unavailable {
        /// What the operating system said.
        reason: String,
    },
    /// Nothing is stored under the name.
    #[error("the keychain has no entry “{name}” for flowglass; enter the secret again in Settings")]
    Missing {
        /// The name.
        name: String,
    },
    /// The environment variable is not set.
    #[error("the environment variable {name} is not set")]
    NoVariable {
        /// The variable.
        name: String,
    },
    /// The entry cannot be used.
    #[error("the keychain entry “{name}” cannot be used: {reason}")]
    Unusable {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Reads a secret from the keychain. Blocks (an unlock dialog may appear): not for an async thread.
pub fn get(name: &str) -> Result<Secret, KeychainError> {
    with_entry(name, |entry| entry.get_password().map(Secret))
}

/// Stores a secret in the keychain. Blocks.
pub fn set(name: &str, secret: &Secret) -> Result<(), KeychainError> {
    let value = secret.clone();
    with_entry(name, move |entry| entry.set_password(value.reveal()))
}

/// Removes a secret from the keychain; one that is not there is no error. Blocks.
pub fn delete(name: &str) -> Result<(), KeychainError> {
    match with_entry(name, |entry| entry.delete_credential()) {
        Err(KeychainError::Missing { .. }) => Ok(()),
        other => other,
    }
}

/// Runs on a thread of its own: the Secret Service client drives an event loop, which must not happen inside another one.
fn with_entry<T: Send + 'static>(
    name: &str,
    action: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeychainError> {
    let entry_name = name.to_owned();
    let outcome = std::thread::Builder::new()
        .name("keychain".to_owned())
        .spawn(move || action(&keyring::Entry::new(SERVICE, &entry_name)?))
        .map_err(|e| KeychainError::Unavailable { reason: e.to_string() })?
        .join();
    match outcome {
        Ok(result) => result.map_err(|e| in_words(name, &e)),
        Err(_) => Err(KeychainError::Unavailable { reason: "the keychain client failed".to_owned() }),
    }
}

fn in_words(name: &str, error: &keyring::Error) -> KeychainError {
    use keyring::Error as E;
    let name = name.to_owned();
    match error {
        E::NoEntry => KeychainError::Missing { name },
        E::PlatformFailure(e) | E::NoStorageAccess(e) => KeychainError::Unavailable { reason: e.to_string() },
        // Its debug output would show the bytes of the secret.
        E::BadEncoding(_) => KeychainError::Unusable { name, reason: "it is not text".to_owned() },
        other => KeychainError::Unusable { name, reason: other.to_string() },
    }
}

/// How connections get at secrets.
#[derive(Clone)]
pub struct Secrets(Source);

#[derive(Clone)]
enum Source {
    System,
    Given(Arc<BTreeMap<SecretRef, Secret>>),
}

impl Secrets {
    /// The keychain and the environment of this machine.
    pub fn system() -> Secrets {
        Secrets(Source::System)
    }

    /// Secrets that are known already and live only as long as this value.
    pub fn given(secrets: BTreeMap<SecretRef, Secret>) -> Secrets {
        Secrets(Source::Given(Arc::new(secrets)))
    }

    /// Looks a secret up, off the async threads.
    pub async fn resolve(&self, wanted: &SecretRef) -> Result<Secret, KeychainError> {
        if let Source::Given(secrets) = &self.0 {
            return secrets.get(wanted).cloned().ok_or_else(|| missing(wanted));
        }
        match wanted {
            SecretRef::Environment(name) => std::env::var(name).map(Secret).map_err(|_| missing(wanted)),
            SecretRef::Keychain(name) => {
                let name = name.clone();
                tokio::task::spawn_blocking(move || get(&name))
                    .await
                    .unwrap_or_else(|e| Err(KeychainError::Unavailable { reason: e.to_string() }))
            }
        }
    }
}

fn missing(wanted: &SecretRef) -> KeychainError {
    match wanted {
        SecretRef::Keychain(name) => KeychainError::Missing { name: name.clone() },
        SecretRef::Environment(name) => KeychainError::NoVariable { name: name.clone() },
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        let bad = keyring::Error::BadEncoding(b"hunter2".to_vec());
        assert!(!in_words("n", &bad).to_string().contains("hunter2"));
        let secrets = Secrets::given([(SecretRef::Keychain("a".into()), Secret::new("hunter2"))].into());
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }

    #[test]
    fn a_missing_keychain_is_told_in_words() {
        let reason = std::io::Error::other("no session bus");
        let text = in_words("n", &keyring::Error::PlatformFailure(Box::new(reason))).to_string();
        assert!(text.contains("no session bus") && text.contains("FLOWGLASS_NATS_PASSWORD"), "{text}");
        assert_eq!(in_words("n", &keyring::Error::NoEntry), KeychainError::Missing { name: "n".into() });
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let none = Secrets::given(BTreeMap::new());
        let error = none.resolve(&SecretRef::Environment("FLOWGLASS_NATS_TOKEN".into())).await.unwrap_err();
        assert_eq!(error.to_string(), "the environment variable FLOWGLASS_NATS_TOKEN is not set");
    }
}
