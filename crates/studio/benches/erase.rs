//! How long deleting half of 10,000 journeys takes, and how long a sender waits meanwhile, beside how long it waits otherwise.
//!
//! Run by `cargo bench -p flowglass-studio --bench erase`; the figures go to stdout as one JSON line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flowglass_studio::api::dispatch;
use flowglass_studio::ingest::otlp::{Encoding, decode_traces};
use flowglass_studio::model::{Batch, SourceKind, Span, SpanId, TraceId};
use flowglass_studio::{Options, Studio};
use serde_json::{Value, json};

/// As in the programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Journeys stored; every second one is deleted.
const JOURNEYS: u64 = 10_000;
/// Journeys of a batch.
const BATCH: u64 = 200;
/// 2026-03-10T14:31:00Z.
const T0: i64 = 1_773_153_060_000_000_000;

/// One journey through five services, ten spans.
fn pattern() -> Vec<Span> {
    let services = ["web-orders-exp-api", "order-prc-api", "inventory-sys-api", "payments-sys-api", "erp-sys-api"];
    let mut spans = Vec::new();
    for (i, name) in services.iter().enumerate() {
        let one = |own: usize, kind: u8| {
            json!({
                "traceId": format!("{:032x}", 1), "spanId": format!("{:016x}", own + 1), "name": "POST /orders", "kind": kind,
                "parentSpanId": if own == 0 { String::new() } else { format!("{own:016x}") },
                "startTimeUnixNano": (T0 + own as i64 * 500_000).to_string(),
                "endTimeUnixNano": (T0 + 20_000_000 - own as i64 * 500_000).to_string(),
                "attributes": [
                    { "key": "http.request.method", "value": { "stringValue": "POST" } },
                    { "key": "http.route", "value": { "stringValue": "/orders/{id}" } },
                    { "key": "url.full", "value": { "stringValue": "http://order-prc-api:8080/orders/ORD-000017" } },
                    { "key": "server.address", "value": { "stringValue": services[(i + 1) % 5] } },
                    { "key": "http.response.status_code", "value": { "intValue": "200" } },
                ],
            })
        };
        let document = json!({ "resourceSpans": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": name } }] },
            "scopeSpans": [{ "spans": [one(i * 2, 2), one(i * 2 + 1, 3)] }],
        }] });
        let options = flowglass_studio::ingest::Options::default();
        let batch =
            decode_traces(document.to_string().as_bytes(), Encoding::Json, &options).expect("our own spans decode");
        spans.extend(batch.spans);
    }
    spans
}

fn trace(n: u64) -> TraceId {
    let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    TraceId::new((u128::from(spread) << 64 | u128::from(n + 1)).to_be_bytes()).expect("not zero")
}

fn journey(pattern: &[Span], n: u64) -> Vec<Span> {
    let mut out = pattern.to_vec();
    for span in &mut out {
        let own = |id: SpanId| SpanId::new((id.as_i64() as u64 + n * 16).to_be_bytes()).expect("not zero");
        let facts = Arc::make_mut(&mut span.facts);
        facts.trace_id = trace(n);
        facts.span_id = own(facts.span_id);
        facts.parent = facts.parent.map(own);
        facts.start += n as i64 * 3_000_000;
        facts.end += n as i64 * 3_000_000;
    }
    out
}

/// Sends a journey after the other until told to stop; how long each waited for its answer, sorted.
async fn send(studio: Studio, pattern: Arc<Vec<Span>>, first: u64, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut waits = Vec::new();
    for n in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let batch = Batch { spans: journey(&pattern, n), ..Batch::default() };
        let started = Instant::now();
        studio.sink().expect("a sink").submit(batch, SourceKind::OtlpHttp).await.expect("stored");
        waits.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    waits.sort_unstable();
    waits
}

fn ms(waits: &[Duration], share: f64) -> f64 {
    let at = ((waits.len() as f64 * share) as usize).min(waits.len().saturating_sub(1));
    waits.get(at).map_or(0.0, |w| w.as_secs_f64() * 1e3)
}

async fn ask(studio: &Studio, what: &str, journeys: &[String], dry_run: bool) -> (Value, f64) {
    let started = Instant::now();
    let request = json!({ "what": what, "range": {}, "journeys": journeys, "dryRun": dry_run });
    let answer = dispatch(studio, "erase", request).await.unwrap_or_else(|e| panic!("{}", e.message));
    (answer, started.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let options = Options { otlp_grpc: None, otlp_http: None, ..Options::new(folder.path().join("bench.flowglass")) };
    let studio = Studio::start(options).await.expect("a studio");
    let pattern = Arc::new(pattern());
    for first in (0..JOURNEYS).step_by(BATCH as usize) {
        let spans = (first..first + BATCH).flat_map(|n| journey(&pattern, n)).collect();
        let batch = Batch { spans, ..Batch::default() };
        studio.sink().expect("a sink").submit(batch, SourceKind::OtlpHttp).await.expect("stored");
    }
    let stop = Arc::new(AtomicBool::new(false));
    let quiet = tokio::spawn(send(studio.clone(), pattern.clone(), JOURNEYS, stop.clone()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);
    let quiet = quiet.await.expect("the sender");

    let every_second: Vec<String> = (0..JOURNEYS).step_by(2).map(|n| trace(n).to_string()).collect();
    let (_, counted) = ask(&studio, "journeys", &every_second, true).await;
    let before = studio.workspace().stats().expect("stats");
    let stop = Arc::new(AtomicBool::new(false));
    let busy = tokio::spawn(send(studio.clone(), pattern, JOURNEYS * 2, stop.clone()));
    let (report, took) = ask(&studio, "journeys", &every_second, false).await;
    stop.store(true, Ordering::Relaxed);
    let busy = busy.await.expect("the sender");
    assert_eq!(report["spans"], json!(JOURNEYS * 5));
    let after = studio.workspace().stats().expect("stats");
    let (_, everything) = ask(&studio, "everything", &[], false).await;
    let empty = studio.workspace().stats().expect("stats");
    println!(
        "{{\"bench\":\"erase\",\"journeys\":{},\"count_seconds\":{counted:.2},\"seconds\":{took:.2},\"wait_p50_ms\":{:.0},\
         \"wait_p99_ms\":{:.0},\"wait_max_ms\":{:.0},\"quiet_p50_ms\":{:.0},\"quiet_max_ms\":{:.0},\"bytes\":[{},{},{}],\
         \"everything_seconds\":{everything:.2}}}",
        every_second.len(),
        ms(&busy, 0.5),
        ms(&busy, 0.99),
        ms(&busy, 1.0),
        ms(&quiet, 0.5),
        ms(&quiet, 1.0),
        before.bytes,
        after.bytes,
        empty.bytes,
    );
    studio.stop().await;
}
