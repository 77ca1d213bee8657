//! The token that senders on other machines must pass. It is in the keychain, or in a file that the user names; never in the
//! workspace, never in a log.

use std::sync::Mutex;
use std::time::Duration;

use flowglass_ingest::otlp::new_token;
use flowglass_ingest::secrets::{self, KeychainError, Secret};

use crate::studio::lock;

/// Name of the keychain's entry.
const ENTRY: &str = "otlp-senders";
/// How long a keychain may keep us waiting: it may ask people to unlock it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The token, once it was needed.
#[derive(Default)]
pub(crate) struct Access {
    known: Mutex<Option<Known>>,
    /// Asked for once at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Known {
    token: Secret,
    problem: Option<String>,
}

impl Access {
    /// With a token that was given, or with none yet.
    pub(crate) fn new(given: Option<Secret>) -> Access {
        let known = given.map(|token| Known { token, problem: None });
        Access { known: Mutex::new(known), turn: tokio::sync::Mutex::default() }
    }

    /// The token, if there is one already.
    pub(crate) fn known(&self) -> Option<Secret> {
        lock(&self.known).as_ref().map(|k| k.token.clone())
    }

    /// Why it is kept for this run only, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        lock(&self.known).as_ref().and_then(|k| k.problem.clone())
    }

    /// The token: from the keychain, else a new one, kept there.
    pub(crate) async fn obtain(&self) -> Result<Secret, String> {
        let _turn = self.turn.lock().await;
        if let Some(token) = self.known() {
            return Ok(token);
        }
        let asked = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(from_keychain)).await;
        let known = match asked {
            Ok(Ok(known)) => known?,
            Ok(Err(e)) => return Err(format!("the keychain could not be asked for the token: {e}")),
            Err(_) => return Err("the keychain did not give the token in time; unlock it and try again".to_owned()),
        };
        let token = known.token.clone();
        *lock(&self.known) = Some(known);
        Ok(token)
    }
}

fn from_keychain() -> Result<Known, String> {
    let for_this_run = || {
        let KeychainError::Unavailable { reason } = secrets::this_run_only(ENTRY)? else { return None };
        Some(format!("the token is kept only until Flowglass ends, then senders need a new one: no keychain ({reason})"))
    };
    match secrets::get(ENTRY) {
        Ok(token) => return Ok(Known { token, problem: for_this_run() }),
        Err(KeychainError::Missing { .. } | KeychainError::Unavailable { .. }) => {}
        Err(other) => return Err(other.to_string()),
    }
    let token = new_token();
    secrets::set(ENTRY, &token).map_err(|e| e.to_string())?;
    Ok(Known { token, problem: for_this_run() })
}
