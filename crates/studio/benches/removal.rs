//! How long senders wait while a day is deleted and while one expires, beside how long they wait otherwise: the longest gap between two
//! acknowledged batches, with four senders that send as fast as they are answered.
//!
//! Run by `cargo xtask bench --only removal`; the figures go to stdout as one JSON line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flowglass_studio::api::dispatch;
use flowglass_studio::ingest::otlp::{Encoding, decode_traces};
use flowglass_studio::model::{Batch, SourceKind, Span, SpanId, TraceId};
use flowglass_studio::{Options, Studio, system_clock};
use serde_json::json;

/// As in the programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Journeys of a day, ten spans each.
const JOURNEYS: u64 = 20_000;
/// Journeys of a batch.
const BATCH: u64 = 50;
const SENDERS: u64 = 4;
/// Length of a stretch in which nothing is removed.
const QUIET: Duration = Duration::from_secs(10);
const HOUR: i64 = 3_600_000_000_000;
/// Start of the pattern; journeys are moved from here.
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

/// Journey `n`, beginning at an instant.
fn journey(pattern: &[Span], n: u64, start: i64) -> Vec<Span> {
    let mut out = pattern.to_vec();
    for span in &mut out {
        let own = |id: SpanId| SpanId::new((id.as_i64() as u64 + n * 16).to_be_bytes()).expect("not zero");
        let facts = Arc::make_mut(&mut span.facts);
        facts.trace_id = trace(n);
        facts.span_id = own(facts.span_id);
        facts.parent = facts.parent.map(own);
        facts.start += start - T0;
        facts.end += start - T0;
    }
    out
}

/// Stores a day of journeys, evenly over 20 hours from an instant on.
async fn store_day(studio: &Studio, pattern: &[Span], first: u64, since: i64) {
    for from in (0..JOURNEYS).step_by(BATCH as usize) {
        let at = |n: u64| since + (n as i64) * 20 * HOUR / JOURNEYS as i64;
        let spans = (from..from + BATCH).flat_map(|n| journey(pattern, first + n, at(n))).collect();
        let batch = Batch { spans, ..Batch::default() };
        studio.sink().expect("a sink").submit(batch, SourceKind::OtlpHttp).await.expect("stored");
    }
}

/// Sends journeys of now until told to stop; when each batch was acknowledged.
async fn send(studio: Studio, pattern: Arc<Vec<Span>>, first: u64, stop: Arc<AtomicBool>) -> Vec<Instant> {
    let mut acknowledged = Vec::new();
    for from in (first..).step_by(BATCH as usize) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let spans = (from..from + BATCH).flat_map(|n| journey(&pattern, n, system_clock())).collect();
        let batch = Batch { spans, ..Batch::default() };
        studio.sink().expect("a sink").submit(batch, SourceKind::OtlpHttp).await.expect("stored");
        acknowledged.push(Instant::now());
    }
    acknowledged
}

/// Gaps between acknowledgements while something else happened.
struct Gaps {
    longest: f64,
    p99: f64,
    spans_per_second: f64,
    seconds: f64,
}

/// Lets all senders send while `work` lasts.
async fn beside<W: Future<Output = ()>>(studio: &Studio, pattern: &Arc<Vec<Span>>, first: u64, work: W) -> Gaps {
    let stop = Arc::new(AtomicBool::new(false));
    let own = |n: u64| first + n * 100_000_000;
    let senders: Vec<_> =
        (0..SENDERS).map(|n| tokio::spawn(send(studio.clone(), pattern.clone(), own(n), stop.clone()))).collect();
    let started = Instant::now();
    work.await;
    let seconds = started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for sender in senders {
        all.extend(sender.await.expect("a sender"));
    }
    all.sort_unstable();
    let spans = all.len() as f64 * BATCH as f64 * 10.0;
    let mut gaps: Vec<f64> = all.windows(2).map(|w| (w[1] - w[0]).as_secs_f64() * 1e3).collect();
    gaps.sort_by(f64::total_cmp);
    let at = |share: f64| gaps.get(((gaps.len() as f64 * share) as usize).min(gaps.len() - 1)).copied();
    Gaps { longest: at(1.0).unwrap_or(0.0), p99: at(0.99).unwrap_or(0.0), spans_per_second: spans / seconds, seconds }
}

/// Journeys that were removed by rule.
fn removed(studio: &Studio) -> u64 {
    studio.workspace().retention().expect("figures").removed.total.journeys
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "").expect("a file");
    let options = Options {
        otlp_grpc: None,
        otlp_http: None,
        config: Some(settings.clone()),
        ..Options::new(folder.path().join("bench.flowglass"))
    };
    let studio = Studio::start(options).await.expect("a studio");
    let pattern = Arc::new(pattern());
    let now = system_clock();
    let (expiring, deleted) = (now - 96 * HOUR, now - 48 * HOUR);
    store_day(&studio, &pattern, 0, expiring).await;
    store_day(&studio, &pattern, JOURNEYS, deleted).await;

    let quiet = beside(&studio, &pattern, 1_000_000_000, tokio::time::sleep(QUIET)).await;
    let expiry = beside(&studio, &pattern, 2_000_000_000, async {
        std::fs::write(&settings, "[retention]\nage = \"72 hours\"\n").expect("a file");
        while removed(&studio) < JOURNEYS {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let expiry = expiry.await;
    let deletion = beside(&studio, &pattern, 3_000_000_000, async {
        let range = json!({ "sinceAt": (deleted - HOUR) as f64 / 1e6, "untilAt": (deleted + 21 * HOUR) as f64 / 1e6 });
        let request = json!({ "what": "range", "range": range, "journeys": [], "dryRun": false });
        let report = dispatch(&studio, "erase", request).await.unwrap_or_else(|e| panic!("{}", e.message));
        assert_eq!(report["spans"], json!(JOURNEYS * 10));
    });
    let deletion = deletion.await;
    let told = |name: &str, g: &Gaps| {
        format!(
            "\"{name}\":{{\"seconds\":{:.1},\"spans_per_second\":{:.0},\"gap_p99_ms\":{:.0},\"gap_longest_ms\":{:.0},\"of_quiet\":{:.2}}}",
            g.seconds,
            g.spans_per_second,
            g.p99,
            g.longest,
            g.longest / quiet.longest,
        )
    };
    println!(
        "{{\"bench\":\"removal\",\"journeys\":{JOURNEYS},{},{},{}}}",
        told("quiet", &quiet),
        told("expiry", &expiry),
        told("deletion", &deletion),
    );
    studio.stop().await;
}
