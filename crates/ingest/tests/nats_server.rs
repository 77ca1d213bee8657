//! A real nats-server: looking sees everything and changes nothing; a lost server is found again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use async_nats::jetstream::{self, AckKind, Context};
use flowglass_ingest::nats::{Backfill, NatsConfig, NatsState, NatsStatus, run};
use flowglass_ingest::secrets::Secrets;
use flowglass_ingest::{Options, Sink};
use flowglass_model::{Acknowledgement, Batch, IngestCounts, Nanos};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as Nanos
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server with JetStream in this folder, on a free port or a given one.
async fn server(folder: &Path, port: Option<u16>) -> Server {
    let binary = std::env::var_os("NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
    let ports = folder.join("ports");
    std::fs::create_dir_all(&ports).unwrap();
    let child = Command::new(&binary)
        .args(["-a", "127.0.0.1", "-js", "-p", &port.map_or("-1".to_owned(), |p| p.to_string()), "-sd"])
        .arg(folder)
        .arg("--ports_file_dir")
        .arg(&ports)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| {
            panic!("{} cannot be started ({e}): install nats-server or set NATS_SERVER", binary.display())
        });
    let file = ports.join(format!("nats-server_{}.ports", child.id()));
    let port = until("the port of nats-server", || {
        let text = std::fs::read_to_string(&file).ok()?;
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        json["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
    })
    .await;
    Server { child, port }
}

async fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited 30 s for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Look {
    kept: Arc<Mutex<Batch>>,
    status: watch::Receiver<NatsStatus>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn look(config: NatsConfig) -> Look {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let kept = Arc::new(Mutex::new(Batch::default()));
    let all = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Some(submission) = queue.recv().await {
            all.lock().unwrap().append(submission.batch);
            // The connection may be over already.
            let _ = submission.done.send(Ok(IngestCounts::default()));
        }
    });
    let (sender, status) = watch::channel(NatsStatus::default());
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let task = tokio::spawn(async move {
        run(config, Secrets::given([].into()), sink, Options::named("t"), now, sender, token).await.unwrap();
    });
    Look { kept, status, cancel, task }
}

impl Look {
    async fn connected(&self) {
        until("the connection", || matches!(self.status.borrow().state, NatsState::Connected { .. }).then_some(()))
            .await;
    }

    async fn end(self) -> Batch {
        self.cancel.cancel();
        self.task.await.unwrap();
        std::mem::take(&mut *self.kept.lock().unwrap())
    }
}

async fn client(server: &Server) -> Context {
    jetstream::new(async_nats::connect(format!("127.0.0.1:{}", server.port)).await.unwrap())
}

async fn stream(js: &Context, name: &str, retention: RetentionPolicy, direct: bool) {
    let subjects = vec![format!("{}.>", name.to_lowercase())];
    let config = Config { name: name.into(), subjects, retention, allow_direct: direct, ..Config::default() };
    let stream = js.create_stream(config).await.unwrap();
    let consumer = pull::Config {
        durable_name: Some("pay".into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(60),
        ..pull::Config::default()
    };
    stream.create_consumer(consumer).await.unwrap();
}

/// Everything that looking must not change.
async fn fingerprint(js: &Context) -> Vec<String> {
    let mut all = Vec::new();
    for name in ["LIM", "INT", "WORK"] {
        let stream = js.get_stream(name).await.unwrap();
        let state = stream.get_info().await.unwrap().state;
        all.push(format!(
            "{name} {} {} {} {}",
            state.messages, state.first_sequence, state.last_sequence, state.consumer_count
        ));
        let mut consumers = stream.consumers();
        while let Some(info) = consumers.next().await {
            let info = info.unwrap();
            all.push(format!(
                "{name} {} delivered {} acked {} pending {} redelivered {}",
                info.name,
                info.delivered.consumer_sequence,
                info.ack_floor.stream_sequence,
                info.num_pending,
                info.num_redelivered
            ));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_sees_everything_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), None).await;
    let js = client(&server).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    stream(&js, "INT", RetentionPolicy::Interest, false).await;
    stream(&js, "WORK", RetentionPolicy::WorkQueue, true).await;
    for name in ["lim", "int", "work"] {
        for i in 0..20 {
            js.publish(format!("{name}.old"), format!("{name}-{i}").into()).await.unwrap().await.unwrap();
        }
    }
    let before = fingerprint(&js).await;

    let looking = look(NatsConfig::new(format!("nats://127.0.0.1:{}", server.port)));
    looking.connected().await;
    until("the history", || (looking.kept.lock().unwrap().messages.len() >= 60).then_some(())).await;
    assert_eq!(fingerprint(&js).await, before, "reading history changed something");

    // Live: one message, delivered, refused, delivered again, acknowledged; one on a core subject.
    js.publish("lim.new", "live".into()).await.unwrap().await.unwrap();
    let core = async_nats::connect(format!("127.0.0.1:{}", server.port)).await.unwrap();
    core.publish("erp.posted", "core".into()).await.unwrap();
    core.flush().await.unwrap();
    let consumer = js.get_stream("LIM").await.unwrap().get_consumer::<pull::Config>("pay").await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
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
    let streams = looking.status.borrow().streams.clone();
    let batch = looking.end().await;
    assert_eq!((batch.messages.len(), batch.deliveries.len(), batch.settlements.len()), (62, 22, 22));
    let live = batch.messages.iter().find(|m| m.payload == b"live").unwrap();
    assert_eq!((live.stream.as_deref(), live.sequence), (Some("LIM"), Some(21)), "named by the broker's answer");
    assert!(batch.messages.iter().filter(|m| m.destination != "erp.posted").all(|m| m.sequence.is_some()));
    let redelivered: Vec<_> = batch.deliveries.iter().filter(|d| d.delivered > 1).collect();
    assert_eq!((redelivered.len(), redelivered[0].destination.as_deref()), (1, Some("lim.new")));
    let naks = batch.settlements.iter().filter(|s| s.acknowledgement == Acknowledgement::Nak).count();
    assert_eq!(naks, 1);
    assert_eq!(streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["INT", "LIM", "WORK"]);
    assert!(streams.iter().all(|s| s.backfilled_to.is_some_and(|n| n >= 20)), "{streams:?}");
    for name in ["INT", "WORK"] {
        let state = js.get_stream(name).await.unwrap().get_info().await.unwrap().state;
        assert_eq!((state.messages, state.consumer_count), (20, 1), "{name} lost something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backfill_starts_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), None).await;
    let js = client(&server).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    for i in 0..30 {
        js.publish("lim.a", i.to_string().into()).await.unwrap().await.unwrap();
    }
    let stream = js.get_stream("LIM").await.unwrap();
    let of_21 = stream.get_raw_message(21).await.unwrap().time.unix_timestamp_nanos() as Nanos;
    let base = NatsConfig::new(format!("127.0.0.1:{}", server.port));
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
            until("the stream", || (looking.status.borrow().streams.first()?.covered_to? >= 30).then_some(())).await;
        }
        assert_eq!(looking.end().await.messages.len(), want, "{config:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path(), None).await;
    let port = first.port;
    let js = client(&first).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    js.publish("lim.a", "one".into()).await.unwrap().await.unwrap();
    let looking = look(NatsConfig::new(format!("127.0.0.1:{port}")));
    looking.connected().await;
    until("the first message", || (!looking.kept.lock().unwrap().messages.is_empty()).then_some(())).await;
    let killed = now();
    drop(first);
    until("the loss", || matches!(looking.status.borrow().state, NatsState::Lost { .. }).then_some(())).await;
    let second = server(folder.path(), Some(port)).await;
    looking.connected().await;
    let gap = until("the gap", || looking.status.borrow().gaps.back().copied()).await;
    assert!(gap.from <= now() && gap.to >= killed && gap.from < gap.to, "{gap:?} {killed}");
    let js = client(&second).await;
    js.publish("lim.a", "two".into()).await.unwrap().await.unwrap();
    until("the second message", || {
        looking.kept.lock().unwrap().messages.iter().any(|m| m.payload == b"two").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_reported_not_fatal() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let looking = look(NatsConfig::new(format!("127.0.0.1:{port}")));
    until("a second attempt", || {
        matches!(looking.status.borrow().state, NatsState::Connecting { attempts: 2.., .. }).then_some(())
    })
    .await;
    assert!(looking.end().await.is_empty());
}
