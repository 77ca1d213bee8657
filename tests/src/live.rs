//! Senders that go on sending: events and spans at a steady pace, as a busy landscape would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::multiply::Recording;

/// How often something is sent; what is due by then goes at once.
const EVERY: Duration = Duration::from_millis(50);
/// Copies that the workspace may hold already have lower numbers than these.
const FIRST_COPY: u64 = 1_000_000;

/// How much a second.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// CloudEvents, posted in batches.
    pub events: u64,
    /// Spans, posted in the requests of a recording.
    pub spans: u64,
}

/// Sending until dropped.
pub struct Live {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    started: Instant,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Live {
    /// Starts sending to an OTLP/HTTP listener.
    #[must_use]
    pub fn start(http: String, recording: Arc<Recording>, pace: Pace) -> Live {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&sent));
        let thread = std::thread::spawn(move || send(&http, &recording, pace, &stopped, &counted));
        Live { stop, sent, started: Instant::now(), thread: Some(thread) }
    }

    /// Stops; how many events and spans a second were taken.
    ///
    /// # Errors
    /// If something was refused.
    pub fn stop(mut self) -> Result<f64> {
        let took = self.started.elapsed().as_secs_f64();
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done?,
            _ => bail!("the sender panicked"),
        }
        Ok(self.sent.load(Ordering::Relaxed) as f64 / took)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its failure was told by `stop`, or something else failed before it.
            let _ = thread.join();
        }
    }
}

/// Nanoseconds since the epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}

fn send(http: &str, recording: &Recording, pace: Pace, stop: &AtomicBool, sent: &AtomicU64) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // No client can be built before somebody says what does the cryptography; that it was said before is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let spans_a_copy = recording.spans();
    let (mut copies, mut waiting) = (FIRST_COPY + now() / 1_000_000_000 % 500_000, Vec::new());
    let (mut events, mut spans) = (0, 0);
    let begin = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let due = |a_second: u64| (begin.elapsed().as_secs_f64() * a_second as f64) as u64;
        let mut posts = Vec::new();
        let batch: Vec<Value> = (events..due(pace.events)).map(event).collect();
        let taken = batch.len() as u64;
        if !batch.is_empty() {
            posts.push(("/cloudevents", "application/cloudevents-batch+json", Value::Array(batch).to_string(), taken));
            events += taken;
        }
        while spans < due(pace.spans) {
            if waiting.is_empty() {
                waiting = recording.requests(copies, now());
                copies += 1;
            }
            let share = spans_a_copy / recording.requests_a_copy().max(1);
            posts.extend(waiting.pop().map(|text| ("/v1/traces", "application/json", text, share)));
            spans += share;
        }
        runtime.block_on(post(&client, http, posts, sent))?;
        std::thread::sleep(EVERY);
    }
    Ok(())
}

type Post = (&'static str, &'static str, String, u64);

async fn post(client: &reqwest::Client, http: &str, posts: Vec<Post>, sent: &AtomicU64) -> Result<()> {
    let mut answers = JoinSet::new();
    for (path, media_type, body, taken) in posts {
        let request = client.post(format!("{http}{path}")).header("content-type", media_type).body(body);
        answers.spawn(async move { anyhow::Ok((request.send().await?.error_for_status()?, taken)) });
    }
    while let Some(answer) = answers.join_next().await {
        sent.fetch_add(answer??.1, Ordering::Relaxed);
    }
    Ok(())
}

/// One CloudEvent of many (<https://github.com/cloudevents/spec>).
fn event(number: u64) -> Value {
    const TYPES: [&str; 3] = ["com.retail.order.placed.v1", "com.retail.order.paid.v1", "com.retail.stock.adjusted.v1"];
    let (id, order) = (format!("bench-{}-{number}", std::process::id()), format!("ORD-L{:06}", number / 3 % 1_000_000));
    json!({
        "specversion": "1.0", "id": id, "source": "/retail/order-prc-api", "subject": order,
        "type": TYPES[(number % 3) as usize],
        "datacontenttype": "application/json", "data": { "orderId": order, "amount": 39.15, "currency": "EUR" },
    })
}
