//! A text is looked for in what streams keep: found wherever it stands, and nothing changes by it.

use std::path::Path;
use std::sync::Mutex;

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{NatsConfig, search};
use flowglass_ingest::secrets::Secrets;
use flowglass_ingest::{Options, Sink};
use flowglass_model::{IngestCounts, Message};
use tokio_util::sync::CancellationToken;

use crate::broker::{Server, fingerprint, on_both_servers, publish, stream};

on_both_servers!(a_text_is_found_and_nothing_changes, a_search_can_be_cancelled);

/// Looks, and gives what was stored.
async fn found(server: &Server, text: &str, cancel: CancellationToken) -> (Result<(u64, bool), String>, Vec<Message>) {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let (options, secrets, stored) = (Options::named("search"), Secrets::given([].into()), Mutex::new(Vec::new()));
    let config = NatsConfig::new(server.url());
    let looking = async {
        let report = search(&config, &secrets, text, (&sink, &options), |_| {}, cancel).await;
        report.map(|r| (r.counts.events, r.cancelled))
    };
    let storing = async {
        while let Some(submission) = queue.recv().await {
            let counts = IngestCounts { events: submission.batch.messages.len() as u64, ..IngestCounts::default() };
            stored.lock().unwrap().extend(submission.batch.messages);
            let _ = submission.done.send(Ok(counts));
        }
    };
    let done = tokio::select! {
        done = looking => done,
        () = storing => Err("the queue ended".to_owned()),
    };
    let stored = stored.into_inner().unwrap();
    (done, stored)
}

async fn a_text_is_found_and_nothing_changes(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    for (name, direct) in [("ORDERS", true), ("BILLS", false)] {
        stream(&js, name, RetentionPolicy::Limits, direct).await;
        publish(&js, &format!("{}.made", name.to_lowercase()), 20).await;
    }
    js.publish("orders.made", r#"{"order":"ORD-4711"}"#.into()).await.unwrap().await.unwrap();
    js.publish("bills.ORD-4711", "{}".into()).await.unwrap().await.unwrap();
    let before = fingerprint(&js).await;
    let (done, stored) = found(&server, "ORD-4711", CancellationToken::new()).await;
    assert_eq!(done, Ok((2, false)));
    let mut places: Vec<_> = stored.iter().map(|m| (m.stream.as_deref(), m.sequence, m.destination.as_str())).collect();
    places.sort_unstable();
    assert_eq!(places, [(Some("BILLS"), Some(21), "bills.ORD-4711"), (Some("ORDERS"), Some(21), "orders.made")]);
    assert_eq!(found(&server, "ORD-0815", CancellationToken::new()).await, (Ok((0, false)), Vec::new()));
    assert_eq!(fingerprint(&js).await, before, "looking changed something");
}

async fn a_search_can_be_cancelled(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert_eq!(found(&server, "x", cancel).await, (Ok((0, true)), Vec::new()));
}
