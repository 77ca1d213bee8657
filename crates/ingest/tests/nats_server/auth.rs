//! Every way to authenticate, right and wrong.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{NatsAuth, NatsConfig};
use flowglass_ingest::secrets::Secrets;
use nkeys::KeyPair;

use crate::broker::{Server, fingerprint, jetstream, on_both_servers, publish, stream};
use crate::jwt::Operator;
use crate::look::{look, look_with, secret};

on_both_servers!(user_and_password, token, nkey, credentials_file);

/// Looks at a server as a user who may do everything, and again with what must be refused.
async fn check(
    server: &Server,
    owner: ConnectOptions,
    right: (NatsAuth, Secrets),
    wrong: (NatsAuth, Secrets),
    words: &str,
) {
    let js = server.owner(owner).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    publish(&js, "lim.a", 5).await;
    let before = fingerprint(&js).await;
    let config = |auth| NatsConfig { auth, ..NatsConfig::new(server.url()) };

    let looking = look_with(config(right.0), right.1, true);
    looking.connected().await;
    looking.messages(5).await;
    let status = looking.status();
    assert!(status.server.unwrap().jetstream && status.problems.is_empty(), "{:?}", status.problems);
    assert_eq!(looking.end().await.messages.len(), 5);

    let refused = look_with(config(wrong.0), wrong.1, true);
    let reason = refused.failure().await;
    assert!(reason.contains(words) && !reason.contains("hunter"), "{reason}");
    assert!(refused.end().await.is_empty());

    let nobody = look(config(NatsAuth::None));
    let reason = nobody.failure().await;
    assert!(reason.contains("wants credentials"), "{reason}");
    assert_eq!(fingerprint(&js).await, before);
}

async fn user_and_password(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("{}authorization {{ user: ops, password: \"hunter2\" }}\n", jetstream(""));
    let server = Server::configured(binary, folder.path(), None, &lines).await;
    let owner = ConnectOptions::with_user_and_password("ops".into(), "hunter2".into());
    let with = |value| {
        let (password, secrets) = secret(value);
        (NatsAuth::UserPassword { user: "ops".into(), password }, secrets)
    };
    check(&server, owner, with("hunter2"), with("hunter3"), "refuses the password of the user “ops”").await;
    // The secret is nowhere to be found: that is said, and nothing is sent.
    let (password, _) = secret("hunter2");
    let auth = NatsAuth::UserPassword { user: "ops".into(), password };
    let reason = look(NatsConfig { auth, ..NatsConfig::new(server.url()) }).failure().await;
    assert!(reason.contains("enter the secret again in Settings"), "{reason}");
}

async fn token(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("{}authorization {{ token: \"hunter2\" }}\n", jetstream(""));
    let server = Server::configured(binary, folder.path(), None, &lines).await;
    let with = |value| {
        let (token, secrets) = secret(value);
        (NatsAuth::Token { token }, secrets)
    };
    let owner = ConnectOptions::with_token("hunter2".into());
    check(&server, owner, with("hunter2"), with("hunter3"), "refuses the token").await;
}

async fn nkey(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let user = KeyPair::new_user();
    let lines = format!("{}authorization {{ users: [ {{ nkey: {} }} ] }}\n", jetstream(""), user.public_key());
    let server = Server::configured(binary, folder.path(), None, &lines).await;
    let with = |value: &str| {
        let (seed, secrets) = secret(value);
        (NatsAuth::Nkey { seed }, secrets)
    };
    let owner = ConnectOptions::with_nkey(user.seed().unwrap());
    let wrong = with(&KeyPair::new_user().seed().unwrap());
    check(&server, owner, with(&user.seed().unwrap()), wrong, "refuses the nkey").await;
    let (auth, secrets) = with("hunter2");
    let no_seed = look_with(NatsConfig { auth, ..NatsConfig::new(server.url()) }, secrets, true);
    let reason = no_seed.failure().await;
    assert!(reason.contains("no seed of a user") && !reason.contains("hunter2"), "{reason}");
}

async fn credentials_file(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let operator = Operator::new();
    let lines = format!("{}{}", jetstream(""), operator.configuration());
    let server = Server::configured(binary, folder.path(), None, &lines).await;
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (NatsAuth::CredsFile { path }, Secrets::given([].into()))
    };
    let text = operator.credentials(0);
    let owner = ConnectOptions::with_credentials(&text).unwrap();
    let stranger = file("stranger.creds", &Operator::new().credentials(0));
    check(&server, owner, file("ops.creds", &text), stranger, "stranger.creds").await;
    for (name, text, words) in [
        ("expired.creds", operator.credentials(2), "refuses the credentials file"),
        ("empty.creds", String::new(), "cannot be used"),
    ] {
        let (auth, secrets) = file(name, &text);
        let reason = look_with(NatsConfig { auth, ..NatsConfig::new(server.url()) }, secrets, true).failure().await;
        assert!(reason.contains(words) && reason.contains(name), "{reason}");
    }
    let auth = NatsAuth::CredsFile { path: folder.path().join("none.creds") };
    let reason = look(NatsConfig { auth, ..NatsConfig::new(server.url()) }).failure().await;
    assert!(reason.contains("none.creds cannot be used"), "{reason}");
}
