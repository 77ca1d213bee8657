//! Reading long streams: in batches where the server can, one by one elsewhere.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::NatsConfig;
use futures::StreamExt as _;

use crate::broker::{Server, current, debian, fingerprint, publish, stream};
use crate::look::{look, until};

const MESSAGES: usize = 3_000;

/// Reads a stream with gaps, and answers how many requests that took.
async fn requests(binary: &Path, direct: bool) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "BIG", RetentionPolicy::Limits, direct).await;
    publish(&js, "big.a", MESSAGES).await;
    let big = js.get_stream("BIG").await.unwrap();
    let gone: Vec<u64> = (1..=3).chain(1_000..=1_040).chain([2_999, 3_000]).collect();
    for sequence in &gone {
        big.delete_message(*sequence).await.unwrap();
    }
    let before = fingerprint(&js).await;
    let watcher = async_nats::connect(server.url()).await.unwrap();
    let request = if direct { "$JS.API.DIRECT.GET" } else { "$JS.API.STREAM.MSG.GET" };
    let mut asked = watcher.subscribe(format!("{request}.*")).await.unwrap();
    // Hearing oneself, unlike a flush, shows that the server has taken the subscription before.
    let mut echo = watcher.subscribe("echo").await.unwrap();
    watcher.publish("echo", "".into()).await.unwrap();
    echo.next().await.unwrap();

    let looking = look(NatsConfig::new(server.url()));
    until("the whole stream", || (looking.status().streams.first()?.backfilled_to? == MESSAGES as u64).then_some(()))
        .await;
    let dropped = looking.status().counts.dropped;
    let batch = looking.end().await;
    let sequences: Vec<u64> = batch.messages.iter().filter_map(|m| m.sequence).collect();
    let wanted: Vec<u64> = (1..=MESSAGES as u64).filter(|s| !gone.contains(s)).collect();
    assert_eq!((sequences, dropped), (wanted, 0), "all, once, in order");
    for message in &batch.messages {
        let number = message.sequence.unwrap() - 1;
        assert_eq!(message.payload, format!("big.a-{number}").into_bytes());
        assert!(message.headers.is_empty(), "{:?}", message.headers);
    }
    assert_eq!(fingerprint(&js).await, before);
    watcher.publish(format!("{request}.END"), "".into()).await.unwrap();
    let mut count = 0;
    while asked.next().await.is_some_and(|m| !m.subject.ends_with(".END")) {
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_current_server_is_asked_for_batches() {
    let requests = requests(&current(), true).await;
    assert!((1..=10).contains(&requests), "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_is_asked_one_by_one() {
    let requests = requests(&debian(), true).await;
    assert!(requests >= MESSAGES - 10, "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_direct_get_the_leader_is_asked_one_by_one() {
    let requests = requests(&current(), false).await;
    assert!(requests >= MESSAGES - 10, "{requests}");
}
