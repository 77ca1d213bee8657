//! Publishing again: stored where a stream takes it, refused where the connection is read-only; and backlogs of consumers.

use std::path::Path;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{NatsConfig, Outgoing, Published, Publisher};
use flowglass_ingest::secrets::Secrets;
use futures::StreamExt as _;

use crate::broker::{Server, consumer, fingerprint, on_both_servers, publish, stream};
use crate::look::look;

on_both_servers!(published_again_only_where_it_is_allowed, backlogs_are_told);

fn outgoing(subject: &str) -> Outgoing {
    let headers = vec![("traceparent".to_owned(), "00-a".to_owned()), ("x".to_owned(), "1".to_owned())];
    Outgoing { subject: subject.into(), headers, payload: b"{\"orderId\":\"o-1\"}".to_vec() }
}

async fn published_again_only_where_it_is_allowed(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "ORDERS", RetentionPolicy::Limits, true).await;
    publish(&js, "orders.placed", 2).await;
    let before = fingerprint(&js).await;

    let config = NatsConfig::new(server.url());
    let publisher = Publisher::connect(&config, &Secrets::system()).await.unwrap();
    assert_eq!(publisher.stream_of("orders.placed"), Some("ORDERS"));
    let kept = publisher.stored("ORDERS", 2).await.unwrap().unwrap();
    assert_eq!((kept.subject.as_str(), kept.payload.as_slice()), ("orders.placed", b"orders.placed-1".as_slice()));
    assert_eq!(publisher.stored("ORDERS", 99).await, Ok(None));
    let refused = publisher.publish(&outgoing("orders.placed")).await.unwrap_err();
    assert!(refused.contains("read-only"), "{refused}");
    assert_eq!(fingerprint(&js).await, before, "looking and being refused changes nothing");

    let config = NatsConfig { read_only: false, ..config };
    let publisher = Publisher::connect(&config, &Secrets::system()).await.unwrap();
    let stored = publisher.publish(&outgoing("orders.placed")).await;
    assert_eq!(stored, Ok(Published::Stored { stream: "ORDERS".into(), sequence: 3, duplicate: false }));
    let kept = publisher.stored("ORDERS", 3).await.unwrap().unwrap();
    assert_eq!(kept, outgoing("orders.placed"));

    let mut heard = js.client().subscribe("plain.subject").await.unwrap();
    // An answer, unlike a flush, shows that the server has taken the subscription sent before.
    fingerprint(&js).await;
    assert_eq!(publisher.publish(&outgoing("plain.subject")).await, Ok(Published::Sent));
    let message = tokio::time::timeout(Duration::from_secs(30), heard.next()).await.expect("it was sent").unwrap();
    assert_eq!(message.payload, outgoing("x").payload);
    for bad in ["orders.>", "a b", "$JS.API.STREAM.DELETE.ORDERS", ""] {
        assert!(publisher.publish(&outgoing(bad)).await.unwrap_err().contains("no subject"), "{bad}");
    }
    let broken = Outgoing { headers: vec![("a".into(), "b\r\nc: d".into())], ..outgoing("orders.placed") };
    assert!(publisher.publish(&broken).await.unwrap_err().contains("line break"));
}

async fn backlogs_are_told(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "ORDERS", RetentionPolicy::Limits, true).await;
    consumer(&js, "ORDERS", "payment", 3).await;
    publish(&js, "orders.placed", 5).await;
    let before = fingerprint(&js).await;
    let looking = look(NatsConfig::new(server.url()));
    looking.messages(5).await;
    let status = looking.status();
    let consumers = status.streams[0].consumers.as_ref().expect("they may be listed");
    let told: Vec<_> =
        consumers.iter().map(|c| (c.name.as_str(), c.pending, c.unacknowledged, c.max_deliver)).collect();
    assert_eq!(told, [("payment", 5, 0, 3)]);
    looking.end().await;
    assert_eq!(fingerprint(&js).await, before);
}
