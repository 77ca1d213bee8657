//! A workspace that this user opens for the first time: it may come from somebody else.
//!
//! A workspace remembers where its data comes from and goes to, so that all of it runs again next time: NATS servers, where
//! accepted requests are passed on, on which addresses is listened, which settings file is its own. Whoever sends a file could
//! so have everything that arrives passed on to himself. Of a file that was never open here, nothing of that is kept.

use flowglass_store::{Result, Writer};

use crate::nats_saved::META_CONNECTIONS;
use crate::sources::{META_FORWARD, META_LISTENERS};
use crate::workspace::META_CONFIG_PATH;

/// What of a workspace reaches beyond its own file: key, what it says when it says nothing, and its name.
const REACHES: [(&str, &str, &str); 4] = [
    (META_CONNECTIONS, "[]", "NATS connections"),
    (META_FORWARD, "", "where requests are passed on"),
    (META_LISTENERS, "{}", "addresses to listen on"),
    (META_CONFIG_PATH, "", "another settings file"),
];

/// Takes out of a workspace what reaches beyond its own file. Answers what that was.
pub(crate) fn forget(writer: &mut Writer) -> Result<Vec<&'static str>> {
    let mut tx = writer.begin()?;
    let mut forgotten = Vec::new();
    for (key, nothing, name) in REACHES {
        if tx.meta(key)?.is_some_and(|value| value != nothing) {
            tx.set_meta(key, nothing)?;
            forgotten.push(name);
        }
    }
    tx.commit()?;
    Ok(forgotten)
}
