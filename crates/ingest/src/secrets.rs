//! Secrets stay in the keychain of the operating system (service `flowglass`); a workspace or configuration holds only their
//! names. Where no keychain can be used, a secret that is entered stays in memory until the program ends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

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
        "no keychain can be used on this machine ({reason}); unlock it, start a Secret Service such as gnome-keyring, enter \
         the secret again in Settings (it is then kept until Flowglass ends), or start with --nats and the environment \
         variable FLOWGLASS_NATS_PASSWORD or FLOWGLASS_NATS_TOKEN"
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

/// Secrets that no keychain took, by name, and why.
static THIS_RUN: Mutex<BTreeMap<String, (Secret, KeychainError)>> = Mutex::new(BTreeMap::new());

/// Reads a secret: from the keychain, or what [`set`] had to keep for this run. Blocks (an unlock dialog may appear): not for
/// an async thread.
pub fn get(name: &str) -> Result<Secret, KeychainError> {
    match kept_for_this_run(name) {
        Some((secret, _)) => Ok(secret),
        None => with_entry(name, |entry| entry.get_password().map(Secret)),
    }
}

/// Stores a secret in the keychain. Where none can be used, it is kept in memory until the program ends ([`this_run_only`]
/// tells), so that what needs it works for this run. Blocks.
pub fn set(name: &str, secret: &Secret) -> Result<(), KeychainError> {
    let value = secret.clone();
    settled(name, secret, with_entry(name, move |entry| entry.set_password(value.reveal())))
}

/// Removes a secret from the keychain; one that is not there is no error. Blocks.
pub fn delete(name: &str) -> Result<(), KeychainError> {
    let kept_here = this_run().remove(name).is_some();
    match with_entry(name, |entry| entry.delete_credential()) {
        Err(KeychainError::Missing { .. }) => Ok(()),
        Err(KeychainError::Unavailable { .. }) if kept_here => Ok(()),
        other => other,
    }
}

/// Why a secret is kept for this run only; `None` when it is not.
pub fn this_run_only(name: &str) -> Option<KeychainError> {
    kept_for_this_run(name).map(|(_, why)| why)
}

fn this_run() -> std::sync::MutexGuard<'static, BTreeMap<String, (Secret, KeychainError)>> {
    THIS_RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept_for_this_run(name: &str) -> Option<(Secret, KeychainError)> {
    this_run().get(name).cloned()
}

/// What storing in the keychain leads to.
fn settled(name: &str, secret: &Secret, stored: Result<(), KeychainError>) -> Result<(), KeychainError> {
    match stored {
        Ok(()) => {
            this_run().remove(name);
            Ok(())
        }
        Err(why @ KeychainError::Unavailable { .. }) => {
            this_run().insert(name.to_owned(), (secret.clone(), why));
            Ok(())
        }
        Err(other) => Err(other),
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

    /// What people should know of a secret that is not kept beyond this run; `None` when it is.
    pub fn only_this_run(&self, wanted: &SecretRef) -> Option<String> {
        match (&self.0, wanted) {
            (Source::System, SecretRef::Keychain(name)) => {
                let KeychainError::Unavailable { reason } = this_run_only(name)? else { return None };
                Some(format!(
                    "the secret of this connection is kept only until Flowglass ends: no keychain can be used ({reason})"
                ))
            }
            _ => None,
        }
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
    async fn without_a_keychain_a_secret_lasts_for_this_run() {
        let name = "test:without a keychain";
        let none = || Err(KeychainError::Unavailable { reason: "no session bus".into() });
        settled(name, &Secret::new("hunter2"), none()).unwrap();
        let wanted = SecretRef::Keychain(name.into());
        assert_eq!(Secrets::system().resolve(&wanted).await.unwrap().reveal(), "hunter2");
        let words = Secrets::system().only_this_run(&wanted).unwrap();
        assert!(words.contains("no session bus") && !words.contains("hunter2"), "{words}");
        // A keychain that is there again takes the place.
        settled(name, &Secret::new("hunter3"), Ok(())).unwrap();
        assert_eq!((Secrets::system().only_this_run(&wanted), kept_for_this_run(name)), (None, None));
        let broken = KeychainError::Unusable { name: name.into(), reason: "too long".into() };
        assert_eq!(settled(name, &Secret::new("x"), Err(broken.clone())), Err(broken));
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let none = Secrets::given(BTreeMap::new());
        let error = none.resolve(&SecretRef::Environment("FLOWGLASS_NATS_TOKEN".into())).await.unwrap_err();
        assert_eq!(error.to_string(), "the environment variable FLOWGLASS_NATS_TOKEN is not set");
    }
}
