//! A JetStream domain behind a leaf node.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::NatsConfig;
use futures::StreamExt as _;

use crate::broker::{Server, consumer, current, fingerprint, jetstream, on_both_servers, publish, stream};
use crate::look::{look, until};

on_both_servers!(streams_of_a_domain_behind_a_leaf_node);

async fn streams_of_a_domain_behind_a_leaf_node(binary: &Path) {
    let (hub_folder, edge_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = format!("server_name: hub\n{}leafnodes {{ host: 127.0.0.1, port: -1 }}\n", jetstream("domain: hub"));
    let hub = Server::configured(binary, hub_folder.path(), None, &lines).await;
    let leaf_port = until("the port for leaf nodes", || {
        let log = hub.log();
        let line = log.lines().find(|l| l.contains("Listening for leafnode connections on"))?;
        line.rsplit(':').next()?.trim().parse::<u16>().ok()
    })
    .await;
    let js = hub.owner(ConnectOptions::new()).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    stream(&js, "WORK", RetentionPolicy::WorkQueue, false).await;
    for name in ["LIM", "WORK"] {
        consumer(&js, name, "pay", 0).await;
        publish(&js, &format!("{}.old", name.to_lowercase()), 5).await;
    }
    let before = fingerprint(&js).await;

    // At the hub the domain may be named or not.
    for domain in [None, Some("hub".to_owned())] {
        let looking = look(NatsConfig { domain, ..NatsConfig::new(hub.url()) });
        looking.messages(10).await;
        assert_eq!(looking.end().await.messages.len(), 10);
    }

    let remote = format!("leafnodes {{ remotes: [ {{ url: \"nats://127.0.0.1:{leaf_port}\" }} ] }}\n");
    let lines = format!("server_name: edge\n{}{remote}", jetstream("domain: edge"));
    let edge = Server::configured(binary, edge_folder.path(), None, &lines).await;
    let looking = look(NatsConfig { domain: Some("hub".to_owned()), ..NatsConfig::new(edge.url()) });
    looking.messages(10).await;
    let status = looking.status();
    assert_eq!(status.streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["LIM", "WORK"]);
    assert_eq!(fingerprint(&js).await, before);
    publish(&js, "lim.new", 3).await;
    let before = fingerprint(&js).await;
    looking.messages(13).await;
    assert_eq!(looking.end().await.messages.len(), 13);

    let nowhere = look(NatsConfig { domain: Some("moon".to_owned()), ..NatsConfig::new(edge.url()) });
    nowhere.problem("there is no domain “moon”").await;
    assert!(nowhere.end().await.messages.is_empty());
    assert_eq!(fingerprint(&js).await, before);
}

/// Acknowledgement subjects that name domain and account (NATS ADR-15, version 2).
#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_that_name_the_domain() {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("{}feature_flags {{ js_ack_fc_v2: true }}\n", jetstream("domain: hub"));
    let server = Server::configured(&current(), folder.path(), None, &lines).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    consumer(&js, "LIM", "pay", 0).await;
    let looking = look(NatsConfig::new(server.url()));
    looking.connected().await;
    publish(&js, "lim.a", 2).await;
    let pay = js.get_stream("LIM").await.unwrap().get_consumer::<pull::Config>("pay").await.unwrap();
    let mut messages = pay.messages().await.unwrap();
    for _ in 0..2 {
        let message = messages.next().await.unwrap().unwrap();
        assert!(message.reply.as_ref().is_some_and(|r| r.starts_with("$JS.ACK.hub.")), "{:?}", message.reply);
        message.ack().await.unwrap();
    }
    until("the acknowledgements", || (looking.kept.lock().unwrap().settlements.len() >= 2).then_some(())).await;
    let batch = looking.end().await;
    assert_eq!((batch.messages.len(), batch.deliveries.len()), (2, 2));
    let keys: Vec<_> = batch.settlements.iter().map(|s| (s.key.stream.as_str(), s.stream_sequence)).collect();
    assert_eq!(keys, [("LIM", 1), ("LIM", 2)]);
}
