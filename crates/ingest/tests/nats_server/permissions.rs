//! A user who may do little: what is permitted works, what is refused is said.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{NatsAuth, NatsConfig, Outgoing, Publisher};
use futures::StreamExt as _;

use crate::broker::{Server, consumer, current, fingerprint, jetstream, on_both_servers, publish, stream};
use crate::look::{Look, look_with, secret};

on_both_servers!(only_some_subjects, everything_is_refused, only_one_stream, no_answers, publishing);

const ACCOUNT: &str = r#"
accounts {
  APP {
    jetstream: enabled
    users: [
      { user: owner, password: hunter2 }
      { user: viewer, password: hunter2, permissions: {
          subscribe: { allow: ["orders.>", "_INBOX.>"] }, publish: { deny: [">"] } } }
      { user: reader, password: hunter2, permissions: {
          subscribe: { allow: ["orders.>", "_INBOX.>"] },
          publish: { allow: ["$JS.API.STREAM.INFO.ORDERS", "$JS.API.DIRECT.GET.ORDERS"] } } }
      { user: auditor, password: hunter2, permissions: { subscribe: { deny: ["secrets.>"] } } }
      { user: teller, password: hunter2, permissions: { publish: { deny: ["audit.>", "orders.>"] } } }
      { user: deaf, password: hunter2, permissions: {
          subscribe: { allow: ["orders.>"] }, publish: { allow: ["$JS.API.>"] } } }
    ]
  }
}
"#;

struct Scene {
    server: Server,
    js: Context,
    before: Vec<String>,
    _folder: tempfile::TempDir,
}

/// A server with five orders and five secrets stored.
async fn scene(binary: &Path) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::configured(binary, folder.path(), None, &format!("{}{ACCOUNT}", jetstream(""))).await;
    let js = server.owner(ConnectOptions::with_user_and_password("owner".into(), "hunter2".into())).await;
    for name in ["ORDERS", "SECRETS"] {
        stream(&js, name, RetentionPolicy::Limits, true).await;
        consumer(&js, name, "pay", 0).await;
        publish(&js, &format!("{}.old", name.to_lowercase()), 5).await;
    }
    let before = fingerprint(&js).await;
    Scene { server, js, before, _folder: folder }
}

impl Scene {
    fn look(&self, user: &str, subjects: &[&str], streams: &[&str]) -> Look {
        let (password, secrets) = secret("hunter2");
        let config = NatsConfig {
            auth: NatsAuth::UserPassword { user: user.into(), password },
            subjects: subjects.iter().map(|s| (*s).to_owned()).collect(),
            streams: streams.iter().map(|s| (*s).to_owned()).collect(),
            ..NatsConfig::new(self.server.url())
        };
        look_with(config, secrets, true)
    }

    async fn unchanged(&self) {
        assert_eq!(fingerprint(&self.js).await, self.before);
    }
}

async fn only_some_subjects(binary: &Path) {
    let scene = scene(binary).await;
    let looking = scene.look("viewer", &["orders.>"], &[]);
    looking.connected().await;
    looking.problem("“$JS.API.STREAM.LIST”: streams cannot be listed").await;
    looking.problem("subscribing to “$JS.ACK.>”: acknowledgements are not seen").await;
    looking.problem("subscribing to “$JS.EVENT.ADVISORY.>”").await;
    scene.unchanged().await;
    // What is permitted works: publications are seen live. (Deliveries go to inboxes: only `>` would see them.)
    publish(&scene.js, "orders.new", 3).await;
    publish(&scene.js, "secrets.new", 3).await;
    let pay = scene.js.get_stream("ORDERS").await.unwrap().get_consumer::<pull::Config>("pay").await.unwrap();
    let mut messages = pay.messages().await.unwrap();
    for _ in 0..8 {
        messages.next().await.unwrap().unwrap().ack().await.unwrap();
    }
    looking.messages(3).await;
    let problems = looking.status().problems;
    let batch = looking.end().await;
    assert_eq!((batch.messages.len(), batch.deliveries.len(), batch.settlements.len()), (3, 0, 0));
    assert!(batch.messages.iter().all(|m| m.destination == "orders.new"));
    assert_eq!(problems.len(), 3, "{problems:?}");
}

async fn everything_is_refused(binary: &Path) {
    let scene = scene(binary).await;
    let looking = scene.look("viewer", &[">"], &[]);
    looking.connected().await;
    looking.problem("subscribing to “>”").await;
    looking.problem("name the subjects that this user may subscribe to").await;
    assert!(looking.end().await.is_empty());
    scene.unchanged().await;
}

async fn only_one_stream(binary: &Path) {
    let scene = scene(binary).await;
    let looking = scene.look("reader", &["orders.>"], &["ORDERS", "SECRETS"]);
    looking.connected().await;
    looking.problem("“$JS.API.STREAM.INFO.SECRETS”: the stream SECRETS is not known").await;
    looking.messages(5).await;
    scene.unchanged().await;
    publish(&scene.js, "orders.new", 3).await;
    looking.messages(8).await;
    let streams = looking.status().streams;
    assert_eq!(streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["ORDERS"]);
    let batch = looking.end().await;
    assert!(batch.messages.len() == 8 && batch.messages.iter().all(|m| m.destination.starts_with("orders.")));
}

async fn no_answers(binary: &Path) {
    let scene = scene(binary).await;
    let looking = scene.look("deaf", &["orders.>"], &[]);
    looking.connected().await;
    looking.problem("does not permit this user to receive answers").await;
    publish(&scene.js, "orders.new", 3).await;
    looking.messages(3).await;
    assert_eq!(looking.end().await.messages.len(), 3);
}

/// A server before 2.10 cannot tell what it leaves out.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_wide_subscription_leaves_out_is_read_from_the_stream() {
    let scene = scene(&current()).await;
    let looking = scene.look("auditor", &[">"], &[]);
    looking.connected().await;
    looking.problem("subscribing to “secrets.>”: what is published there is seen only where streams keep it").await;
    looking.messages(10).await;
    scene.unchanged().await;
    publish(&scene.js, "secrets.new", 3).await;
    publish(&scene.js, "orders.new", 3).await;
    looking.messages(16).await;
    assert_eq!(looking.end().await.messages.len(), 16);
}

async fn publishing(binary: &Path) {
    let scene = scene(binary).await;
    let (password, secrets) = secret("hunter2");
    let config = NatsConfig {
        auth: NatsAuth::UserPassword { user: "teller".into(), password },
        read_only: false,
        ..NatsConfig::new(scene.server.url())
    };
    let publisher = Publisher::connect(&config, &secrets).await.unwrap();
    for subject in ["audit.x", "orders.new"] {
        let refused =
            publisher.publish(&Outgoing { subject: subject.into(), ..Outgoing::default() }).await.unwrap_err();
        assert!(refused.contains("not permit") && refused.contains(subject), "{refused}");
    }
    scene.unchanged().await;
}
