//! What journeys cost: stitching beside what the store takes for the same spans, finding by key, opening a large one; and how
//! that grows. Run by `cargo xtask bench`; the figures go to stdout as JSON lines.
//!
//! `FLOWGLASS_BENCH_SPANS` names another largest size (a million by default).

mod stages;

use std::sync::Arc;
use std::time::Instant;

use flowglass_studio::model::{
    Batch, Layer, NodeId, Peer, Resource, Role, Scope, ServiceName, Span, SpanFacts, SpanId, SpanKind, SpanStatus,
    TraceId,
};
use flowglass_studio::store::{Access, Writer};
use flowglass_studio::{Pipeline, Workspace};

/// As in the programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Spans of one journey: a request of six over three services, and two consumers in traces of their own.
const SPANS: usize = 10;
/// Spans committed together.
const GROUP: usize = 8_192;
/// The number of the large journey: no other has it.
const LARGE: usize = 900_000_000;
/// Questions asked.
const QUESTIONS: usize = 200;

fn id(n: usize) -> SpanId {
    SpanId::new((n as u64 + 1).to_be_bytes()).expect("not zero")
}

/// Trace ids are spread as random ones are (SplitMix64's finaliser).
fn trace(n: usize) -> TraceId {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let n = n as u64 + 1;
    TraceId::new((u128::from(mix(n)) << 64 | u128::from(n)).to_be_bytes()).expect("not zero")
}

struct Made {
    resources: Vec<Arc<Resource>>,
    scope: Arc<Scope>,
}

const SERVICES: [&str; 5] = ["web-exp-api", "order-prc-api", "erp-sys-api", "mail-service", "report-service"];

impl Made {
    fn new() -> Made {
        let resource = |name: &str| {
            Arc::new(Resource {
                service: ServiceName { namespace: None, name: name.to_owned() },
                environment: None,
                instance: None,
                version: None,
                declared_layer: None,
                attributes: Vec::new(),
                schema_url: String::new(),
            })
        };
        Made { resources: SERVICES.map(resource).to_vec(), scope: Arc::new(Scope::default()) }
    }

    fn span(&self, of: usize, n: usize, parent: Option<usize>, service: usize, kind: SpanKind, role: Role) -> Span {
        let start = 1_790_000_000_000_000_000 + of as i64 * 1_000_000 + n as i64 * 50_000;
        let key = (parent.is_none() && kind == SpanKind::Server).then(|| ("orderId".to_owned(), format!("o-{of}")));
        let facts = SpanFacts {
            trace_id: trace(of),
            span_id: id(of * 32 + n),
            kind,
            parent: parent.map(|p| id(of * 32 + p)),
            remote_parent: None,
            start,
            end: start + (900_000 - n as i64 * 40_000).max(1_000),
            status: SpanStatus::Unset,
            http_status: None,
            grpc_status: None,
            error: None,
            service: NodeId::service(&self.resources[service].service, None),
            operation: Arc::from("POST /orders"),
            role,
            links: Vec::new(),
            keys: key.into_iter().collect(),
            resend: 0,
        };
        Span {
            facts: Arc::new(facts),
            name: "POST /orders".into(),
            trace_state: String::new(),
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            dropped: 0,
            resource: Arc::clone(&self.resources[service]),
            scope: Arc::clone(&self.scope),
        }
    }

    /// Spans of journey `n`: traces `3n` (the request), `3n + 1` and `3n + 2` (the consumers, which link to the publication).
    fn journey(&self, n: usize, out: &mut Vec<Span>) {
        let topic = || NodeId::from("topic:nats/orders.placed");
        let server = || Role::Server { caller: "client".into() };
        let client = || Role::Client { peer: Peer { service: None, host: None, port: None } };
        let request = n * 3;
        out.push(self.span(request, 0, None, 0, SpanKind::Server, server()));
        out.push(self.span(request, 1, Some(0), 0, SpanKind::Client, client()));
        out.push(self.span(request, 2, Some(1), 1, SpanKind::Server, server()));
        out.push(self.span(request, 3, Some(2), 1, SpanKind::Client, client()));
        out.push(self.span(request, 4, Some(3), 2, SpanKind::Server, server()));
        let send = Role::Send { topic: topic(), message_id: None, create: false };
        out.push(self.span(request, 5, Some(2), 1, SpanKind::Producer, send));
        for consumer in 1..3 {
            let role = Role::Process { topic: topic(), group: None, message_id: None, delivery: None, sequence: None };
            let mut process = self.span(request + consumer, 0, None, 2 + consumer, SpanKind::Consumer, role);
            let link = (trace(request), id(request * 32 + 5));
            Arc::get_mut(&mut process.facts).expect("nobody else has it").links.push(link);
            out.push(process);
            out.push(self.span(request + consumer, 1, Some(0), 2 + consumer, SpanKind::Client, client()));
        }
    }

    /// One journey of `spans` spans in one trace: calls below calls, eight wide.
    fn large(&self, of: usize, spans: usize) -> Vec<Span> {
        let client = || Role::Client { peer: Peer { service: None, host: None, port: None } };
        let mut out = vec![self.span(of, 0, None, 0, SpanKind::Server, Role::Server { caller: "client".into() })];
        for n in 1..spans {
            let mut span = self.span(of, n % 32, Some(0), n % 3, SpanKind::Client, client());
            let facts = Arc::get_mut(&mut span.facts).expect("nobody else has it");
            (facts.span_id, facts.parent) = (id(of * 32 + 1_000_000 + n), Some(id(of * 32)));
            if n > 8 {
                facts.parent = Some(id(of * 32 + 1_000_000 + n / 8));
            }
            out.push(span);
        }
        out
    }
}

fn filled(spans: usize, folder: &std::path::Path) -> Workspace {
    let path = folder.join("bench.flowglass");
    let writer = Writer::open(&path, Access::Create).expect("a workspace");
    let mut pipeline = Pipeline::new(writer, tokio::sync::broadcast::channel(16).0);
    let made = Made::new();
    let mut batch = Vec::with_capacity(GROUP + SPANS);
    let mut write = |spans: &mut Vec<Span>| {
        let batch = Batch { spans: std::mem::take(spans), ..Batch::default() };
        pipeline.write(vec![batch]).expect("stored");
    };
    for n in 0..spans / SPANS {
        made.journey(n, &mut batch);
        if batch.len() >= GROUP {
            write(&mut batch);
        }
    }
    write(&mut batch);
    write(&mut made.large(LARGE, 10_000));
    drop(pipeline);
    Workspace::open(&path, None).expect("opens")
}

/// Median and 99th percentile, milliseconds.
fn quantiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64() * 1e3
}

fn asked(spans: usize, workspace: &Workspace) {
    let journeys = spans / SPANS;
    let find = |n: usize| {
        let of = (n * 7_919 % journeys) * 3;
        timed(|| assert!(!workspace.find(&format!("o-{of}")).expect("found").is_empty(), "o-{of}"))
    };
    let (find, find_p99) = quantiles((0..QUESTIONS).map(find).collect());
    let large = trace(LARGE);
    let open = |_| timed(|| workspace.journey(large, &|_| Layer::Process).expect("opens"));
    let (open, open_p99) = quantiles((0..20).map(open).collect());
    let small = |n: usize| timed(|| workspace.journey(trace(n % journeys * 3), &|_| Layer::Process).expect("opens"));
    let (small, _) = quantiles((0..QUESTIONS).map(small).collect());
    println!(
        "{{\"bench\":\"journeys\",\"spans\":{spans},\"find_by_key_ms\":{find:.2},\"find_by_key_p99_ms\":{find_p99:.2},\
         \"open_ms\":{small:.2},\"open_10000_spans_ms\":{open:.1},\"open_10000_spans_p99_ms\":{open_p99:.1}}}"
    );
}

fn main() {
    let largest = std::env::var("FLOWGLASS_BENCH_SPANS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let mut size = 10_000;
    while size < largest {
        let folder = tempfile::tempdir().expect("a scratch folder");
        asked(size, &filled(size, folder.path()));
        size *= 10;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut workspace = None;
    let times = stages::measured(|| workspace = Some(filled(largest, folder.path())));
    let took = |names: &[&str]| -> f64 {
        times.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, t)| t.as_secs_f64()).sum()
    };
    // What the store itself takes: packing, chunks, rollups, the commit. Reading for the resolver is nobody's.
    let (store, stitching) = (took(&["pack (beside)", "chunk rows", "rollup", "commit"]), took(&["journeys"]));
    println!(
        "{{\"bench\":\"stitching\",\"spans\":{largest},\"spans_per_second\":{:.0},\"store_spans_per_second\":{:.0},\
         \"ratio_to_store\":{:.2}}}",
        largest as f64 / stitching,
        largest as f64 / store,
        store / stitching
    );
    asked(largest, &workspace.expect("filled"));
}
