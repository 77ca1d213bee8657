//! Looking, as the product does it, and what came of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowglass_ingest::nats::{NatsConfig, NatsState, NatsStatus, run};
use flowglass_ingest::secrets::{Secret, SecretRef, Secrets};
use flowglass_ingest::{Options, Sink};
use flowglass_model::{Batch, IngestCounts, Nanos};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as Nanos
}

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited 30 s for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A connection of ours to a server.
pub(crate) struct Look {
    pub(crate) kept: Arc<Mutex<Batch>>,
    pub(crate) status: watch::Receiver<NatsStatus>,
    /// Nothing is stored while this is false.
    pub(crate) stores: watch::Sender<bool>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// Looks without secrets.
pub(crate) fn look(config: NatsConfig) -> Look {
    look_with(config, Secrets::given([].into()), true)
}

/// A reference to a secret, and the secrets that hold it.
pub(crate) fn secret(value: &str) -> (SecretRef, Secrets) {
    let reference = SecretRef::Keychain("test".to_owned());
    (reference.clone(), Secrets::given([(reference, Secret::new(value))].into()))
}

/// Looks with secrets; `stores` says whether what comes is stored at first.
pub(crate) fn look_with(config: NatsConfig, secrets: Secrets, stores: bool) -> Look {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let kept = Arc::new(Mutex::new(Batch::default()));
    let all = Arc::clone(&kept);
    let (stores, mut may_store) = watch::channel(stores);
    tokio::spawn(async move {
        while let Some(submission) = queue.recv().await {
            may_store.wait_for(|may| *may).await.unwrap();
            all.lock().unwrap().append(submission.batch);
            // The connection may be over already.
            let _ = submission.done.send(Ok(IngestCounts::default()));
        }
    });
    let (sender, status) = watch::channel(NatsStatus::default());
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let task = tokio::spawn(async move {
        run(config, secrets, sink, Options::named("t"), now, sender, token).await.unwrap();
    });
    Look { kept, status, stores, cancel, task }
}

impl Look {
    pub(crate) fn status(&self) -> NatsStatus {
        self.status.borrow().clone()
    }

    pub(crate) async fn connected(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !matches!(self.status().state, NatsState::Connected { .. }) {
            assert!(Instant::now() < deadline, "waited 30 s for the connection: {:?}", self.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a number of messages is stored.
    pub(crate) async fn messages(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let there = self.kept.lock().unwrap().messages.len();
            if there >= count {
                return;
            }
            assert!(Instant::now() < deadline, "{there} of {count} messages: {:?}", self.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a problem that holds these words, and answers it.
    pub(crate) async fn problem(&self, words: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(found) = self.status().problems.iter().find(|p| p.contains(words)) {
                return found.clone();
            }
            assert!(Instant::now() < deadline, "waited 30 s for “{words}”: {:?}", self.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an attempt to connect failed, and answers why.
    pub(crate) async fn failure(&self) -> String {
        until("a failure", || match self.status().state {
            NatsState::Connecting { reason, .. } => Some(reason),
            NatsState::Connected { .. } => panic!("it is connected"),
            _ => None,
        })
        .await
    }

    /// Ends it and answers all that was stored.
    pub(crate) async fn end(self) -> Batch {
        self.cancel.cancel();
        self.task.await.unwrap();
        std::mem::take(&mut *self.kept.lock().unwrap())
    }
}
