//! Operator, accounts and users as signed tokens (NATS JWT, version 2), made on the spot.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// One operator with one account that may use JetStream.
pub(crate) struct Operator {
    key: KeyPair,
    account: KeyPair,
    system: KeyPair,
}

impl Operator {
    pub(crate) fn new() -> Operator {
        Operator { key: KeyPair::new_operator(), account: KeyPair::new_account(), system: KeyPair::new_account() }
    }

    /// What a server needs to trust it. The tokens of the accounts stand in the configuration.
    pub(crate) fn configuration(&self) -> String {
        let unlimited = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        });
        let mut with_streams = unlimited.clone();
        for (name, value) in [("mem_storage", -1), ("disk_storage", -1), ("streams", -1), ("consumer", -1)] {
            with_streams[name] = json!(value);
        }
        let account = |key: &KeyPair, name: &str, limits: Value| {
            token(&self.key, &key.public_key(), name, json!({ "type": "account", "version": 2, "limits": limits }))
        };
        let own = json!({ "type": "operator", "version": 2, "system_account": self.system.public_key() });
        let operator = token(&self.key, &self.key.public_key(), "operator", own);
        format!(
            "operator: \"{operator}\"\nsystem_account: {system}\nresolver: MEMORY\nresolver_preload: {{\n  {system}: \
             \"{of_system}\"\n  {account}: \"{of_account}\"\n}}\n",
            system = self.system.public_key(),
            of_system = account(&self.system, "SYS", unlimited),
            account = self.account.public_key(),
            of_account = account(&self.account, "APP", with_streams),
        )
    }

    /// The text of a credentials file for a user of the account; `expires` in seconds since 1970, 0 for never.
    pub(crate) fn credentials(&self, expires: u64) -> String {
        let user = KeyPair::new_user();
        let mut claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        if expires > 0 {
            claims["expires"] = json!(expires);
        }
        let token = token(&self.account, &user.public_key(), "viewer", claims);
        format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY \
             SEED-----\n{}\n------END USER NKEY SEED------\n",
            user.seed().unwrap()
        )
    }
}

fn token(issuer: &KeyPair, subject: &str, name: &str, mut nats: Value) -> String {
    let mut claims = json!({ "jti": "test", "iat": 1, "iss": issuer.public_key(), "name": name, "sub": subject });
    // Its expiry is a claim of the token itself.
    if let Some(expires) = nats.as_object_mut().and_then(|n| n.remove("expires")) {
        claims["exp"] = expires;
    }
    claims["nats"] = nats;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}
