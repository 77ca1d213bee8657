//! Looking sees everything and changes nothing; a lost server is found again.

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{Backfill, NatsConfig, NatsState};
use flowglass_model::{Acknowledgement, Nanos};
use futures::StreamExt as _;

use crate::broker::{Server, consumer, fingerprint, on_both_servers, publish, stream};
use crate::look::{look, now, until};

on_both_servers!(
    everything_is_seen_and_nothing_changes,
    backfill_starts_where_it_is_told,
    a_server_that_goes_away_is_found_again,
    a_message_given_up_is_told,
);

async fn everything_is_seen_and_nothing_changes(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    for (name, retention, direct) in [
        ("LIM", RetentionPolicy::Limits, true),
        ("INT", RetentionPolicy::Interest, false),
        ("WORK", RetentionPolicy::WorkQueue, true),
    ] {
        stream(&js, name, retention, direct).await;
        consumer(&js, name, "pay", 0).await;
        publish(&js, &format!("{}.old", name.to_lowercase()), 20).await;
    }
    let before = fingerprint(&js).await;

    let looking = look(NatsConfig::new(server.url()));
    looking.connected().await;
    looking.messages(60).await;
    assert_eq!(fingerprint(&js).await, before, "reading history changed something");

    // Live: one message, delivered, refused, delivered again, acknowledged; one on a core subject.
    js.publish("lim.new", "live".into()).await.unwrap().await.unwrap();
    let core = async_nats::connect(server.url()).await.unwrap();
    core.publish("erp.posted", "core".into()).await.unwrap();
    core.flush().await.unwrap();
    let pay = js.get_stream("LIM").await.unwrap().get_consumer::<pull::Config>("pay").await.unwrap();
    let mut messages = pay.messages().await.unwrap();
    for i in 0..21 {
        let message = messages.next().await.unwrap().unwrap();
        let kind = if i == 20 { AckKind::Nak(None) } else { AckKind::Ack };
        message.ack_with(kind).await.unwrap();
    }
    let again = messages.next().await.unwrap().unwrap();
    assert_eq!(again.info().unwrap().delivered, 2);
    again.ack_with(AckKind::Ack).await.unwrap();

    until("what happened live", || {
        let kept = looking.kept.lock().unwrap();
        (kept.messages.len() >= 62 && kept.deliveries.len() >= 22 && kept.settlements.len() >= 22).then_some(())
    })
    .await;
    let status = looking.status();
    let batch = looking.end().await;
    assert_eq!((batch.messages.len(), batch.deliveries.len(), batch.settlements.len()), (62, 22, 22));
    let live = batch.messages.iter().find(|m| m.payload == b"live").unwrap();
    assert_eq!((live.stream.as_deref(), live.sequence), (Some("LIM"), Some(21)), "named by the broker's answer");
    assert!(batch.messages.iter().filter(|m| m.destination != "erp.posted").all(|m| m.sequence.is_some()));
    assert!(batch.messages.iter().all(|m| m.headers.is_empty()), "the broker's own headers are no part of a message");
    let redelivered: Vec<_> = batch.deliveries.iter().filter(|d| d.delivered > 1).collect();
    assert_eq!((redelivered.len(), redelivered[0].destination.as_deref()), (1, Some("lim.new")));
    let naks = batch.settlements.iter().filter(|s| s.acknowledgement == Acknowledgement::Nak).count();
    assert_eq!(naks, 1);
    assert_eq!(status.streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["INT", "LIM", "WORK"]);
    assert!(status.streams.iter().all(|s| s.backfilled_to.is_some_and(|n| n >= 20)), "{:?}", status.streams);
    assert!(status.problems.is_empty(), "{:?}", status.problems);
    for name in ["INT", "WORK"] {
        let state = js.get_stream(name).await.unwrap().get_info().await.unwrap().state;
        assert_eq!((state.messages, state.consumer_count), (20, 1), "{name} lost something");
    }
}

async fn backfill_starts_where_it_is_told(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    for i in 0..30 {
        js.publish("lim.a", i.to_string().into()).await.unwrap().await.unwrap();
    }
    let before = fingerprint(&js).await;
    let of_21 = js.get_stream("LIM").await.unwrap().get_raw_message(21).await.unwrap();
    let of_21 = of_21.time.unix_timestamp_nanos() as Nanos;
    let base = NatsConfig::new(server.url());
    for (config, want) in [
        (NatsConfig { backfill: Backfill::None, ..base.clone() }, 0),
        (NatsConfig { backfill: Backfill::FromSequence(11), ..base.clone() }, 20),
        (NatsConfig { backfill: Backfill::Since(of_21), ..base.clone() }, 10),
        (NatsConfig { resume: [("LIM".to_owned(), 28)].into(), ..base.clone() }, 2),
        (NatsConfig { streams: vec!["OTHER".to_owned()], ..base.clone() }, 0),
    ] {
        let looking = look(config.clone());
        looking.connected().await;
        if want > 0 {
            until("the stream", || (looking.status().streams.first()?.covered_to? >= 30).then_some(())).await;
        }
        assert_eq!(looking.end().await.messages.len(), want, "{config:?}");
    }
    assert_eq!(fingerprint(&js).await, before);
}

async fn a_server_that_goes_away_is_found_again(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(binary, folder.path()).await;
    let port = first.port;
    let js = first.owner(ConnectOptions::new()).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    js.publish("lim.a", "one".into()).await.unwrap().await.unwrap();
    let looking = look(NatsConfig::new(first.url()));
    looking.connected().await;
    looking.messages(1).await;
    let killed = now();
    drop(first);
    until("the loss", || matches!(looking.status().state, NatsState::Lost { .. }).then_some(())).await;
    let second = Server::on_port(binary, folder.path(), Some(port)).await;
    looking.connected().await;
    let gap = until("the gap", || looking.status().gaps.back().copied()).await;
    assert!(gap.from <= now() && gap.to >= killed && gap.from < gap.to, "{gap:?} {killed}");
    let js = second.owner(ConnectOptions::new()).await;
    js.publish("lim.a", "two".into()).await.unwrap().await.unwrap();
    until("the second message", || {
        looking.kept.lock().unwrap().messages.iter().any(|m| m.payload == b"two").then_some(())
    })
    .await;
    assert_eq!(looking.end().await.messages.len(), 2, "nothing is read twice");
}

async fn a_message_given_up_is_told(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(binary, folder.path()).await;
    let js = server.owner(ConnectOptions::new()).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    consumer(&js, "LIM", "pay", 2).await;
    let looking = look(NatsConfig::new(server.url()));
    looking.connected().await;
    publish(&js, "lim.a", 2).await;
    let pay = js.get_stream("LIM").await.unwrap().get_consumer::<pull::Config>("pay").await.unwrap();
    let mut messages = pay.messages().await.unwrap();
    let mut refusals = 0;
    while refusals < 2 {
        let message = messages.next().await.unwrap().unwrap();
        let first = message.info().unwrap().stream_sequence == 1;
        refusals += i32::from(first);
        message.ack_with(if first { AckKind::Nak(None) } else { AckKind::Term }).await.unwrap();
    }
    // The server tells that it gives up when it would deliver a third time: `messages` asks on.
    let waiting = tokio::spawn(async move { messages.next().await.is_some() });
    until("the notices", || (looking.kept.lock().unwrap().advisories.len() >= 3).then_some(())).await;
    waiting.abort();
    let batch = looking.end().await;
    let notice = |kind: &str| batch.advisories.iter().find(|a| a.kind == kind).unwrap_or_else(|| panic!("no {kind}"));
    let given_up = notice("max_deliver");
    assert_eq!(
        (given_up.stream.as_deref(), given_up.consumer.as_deref(), given_up.stream_sequence, given_up.deliveries),
        (Some("LIM"), Some("pay"), Some(1), Some(2))
    );
    assert_eq!(notice("terminated").stream_sequence, Some(2));
    let of_first: Vec<u32> = batch.deliveries.iter().filter(|d| d.stream_sequence == 1).map(|d| d.delivered).collect();
    assert_eq!(of_first, [1, 2]);
    let event = batch.messages.iter().find(|m| m.sequence == Some(1)).expect("the event that was given up");
    assert_eq!((event.stream.as_deref(), event.destination.as_str()), (Some("LIM"), "lim.a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_reported_not_fatal() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let looking = look(NatsConfig::new(format!("127.0.0.1:{port}")));
    until("a second attempt", || {
        matches!(looking.status().state, NatsState::Connecting { attempts: 2.., .. }).then_some(())
    })
    .await;
    assert!(looking.end().await.is_empty());
}
