//! Scenarios made from observed spans: what was put in comes out again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flowglass_model::{Layer, NodeId, Peer, Role, ServiceName, SpanFacts, SpanId, SpanKind, SpanStatus, TraceId};
use flowglass_scenario::Dist;
use flowglass_scenario::calibrate::{Calibration, Grade, NotEnough, Observation, Seen, calibrate, validate};
use flowglass_scenario::experiment::{RunOptions, run};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::{Scenario, Step};

const MS: i64 = 1_000_000;

/// A landscape of made-up handlings: draws are a fixed sequence, so that every run sees the same.
struct Landscape {
    spans: Vec<Seen>,
    next: u64,
    state: u64,
}

impl Landscape {
    fn new() -> Landscape {
        Landscape { spans: Vec::new(), next: 1, state: 42 }
    }

    /// Uniform between 0 and 1 (splitmix64).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponential, nanoseconds.
    fn exp(&mut self, mean_ms: f64) -> i64 {
        Dist::Exp(mean_ms * 1e6).quantile(self.draw()) as i64
    }

    fn trace(&mut self) -> TraceId {
        self.next += 1;
        TraceId::new((u128::from(self.next) << 64 | 7).to_be_bytes()).expect("not zero")
    }

    #[allow(clippy::too_many_arguments, reason = "a span has that many parts")]
    fn span(
        &mut self,
        trace: TraceId,
        parent: Option<SpanId>,
        service: &str,
        operation: &str,
        role: Role,
        from: i64,
        to: i64,
        ok: bool,
    ) -> SpanId {
        self.next += 1;
        let span_id = id(self.next);
        let kind = match role {
            Role::Server { .. } => SpanKind::Server,
            Role::Client { .. } | Role::Access { .. } => SpanKind::Client,
            Role::Send { .. } => SpanKind::Producer,
            Role::Process { .. } | Role::Receive { .. } => SpanKind::Consumer,
            _ => SpanKind::Internal,
        };
        let facts = SpanFacts {
            trace_id: trace,
            span_id,
            kind,
            parent,
            remote_parent: None,
            start: from,
            end: to,
            status: if ok { SpanStatus::Unset } else { SpanStatus::Error },
            http_status: None,
            grpc_status: None,
            error: None,
            service: NodeId::service(&ServiceName { namespace: None, name: service.into() }, None),
            operation: operation.into(),
            role,
            links: Vec::new(),
            keys: Vec::new(),
            resend: 0,
        };
        self.spans.push(Seen { facts: Arc::new(facts), instance: None });
        span_id
    }
}

fn id(n: u64) -> SpanId {
    SpanId::new(n.to_be_bytes()).expect("not zero")
}

fn server() -> Role {
    Role::Server { caller: "client".into() }
}

fn client() -> Role {
    Role::Client { peer: Peer { service: None, host: None, port: None } }
}

fn topic() -> NodeId {
    NodeId::topic("nats", "orders.placed", None)
}

/// Orders: web (5 ms) calls order (10 ms), which reads the customer (20 ms) in 60 % of cases and at the same time reserves stock
/// (30 ms), then charges (40 ms, 5 % fail and are tried once more after 50 ms), then publishes; mail (25 ms) handles that later.
fn orders(requests: usize, rates: &[(f64, usize)]) -> Landscape {
    let mut l = Landscape::new();
    let mut now = 1_700_000_000_000_000_000;
    let rate_at = |i: usize| {
        let mut left = i;
        rates
            .iter()
            .find(|(_, n)| {
                if left < *n {
                    true
                } else {
                    left -= n;
                    false
                }
            })
            .map_or(rates[0].0, |r| r.0)
    };
    for i in 0..requests {
        let gap = l.exp(1000.0 / rate_at(i));
        now += gap;
        order(&mut l, now, i);
    }
    l
}

fn order(l: &mut Landscape, start: i64, i: usize) {
    let trace = l.trace();
    let leg = 2 * MS;
    let web_own = l.exp(5.0);
    let t = start + web_own;
    // Written from the inside out: the ends are known only then.
    let order_from = t + leg;
    let mut at = order_from + l.exp(10.0);
    let (web, call, order) = (id(l.next + 1), id(l.next + 2), id(l.next + 3));
    l.next += 3;
    let asks_customer = l.draw() < 0.6;
    let stock = l.exp(30.0);
    let customer = l.exp(20.0);
    let mut joined = at + stock + 2 * leg;
    let c = l.span(trace, Some(order), "order", "POST /reservations", client(), at, joined, true);
    l.span(trace, Some(c), "stock", "POST /reservations", server(), at + leg, at + leg + stock, true);
    if asks_customer {
        let end = at + customer + 2 * leg;
        let c = l.span(trace, Some(order), "order", "GET /customers/{id}", client(), at + 1000, end, true);
        l.span(trace, Some(c), "crm", "GET /customers/{id}", server(), at + leg, at + leg + customer, true);
        joined = joined.max(end);
    }
    at = joined;
    let mut failed = false;
    for attempt in 0..2 {
        let work = l.exp(40.0);
        failed = l.draw() < 0.05;
        let end = at + work + 2 * leg;
        let c = l.span(trace, Some(order), "order", "POST /charge", client(), at, end, !failed);
        l.span(trace, Some(c), "payments", "POST /charge", server(), at + leg, at + leg + work, !failed);
        at = end;
        if !failed || attempt == 1 {
            break;
        }
        at += 50 * MS;
    }
    if !failed {
        let id = Some(format!("m{i}"));
        let sent = at + MS;
        let send = Role::Send { topic: topic(), message_id: id.clone(), create: false };
        let s = l.span(trace, Some(order), "order", "send orders.placed", send, at, sent, true);
        at = sent;
        let (mail, from) = (l.exp(25.0), sent + 3 * MS);
        let process = Role::Process { topic: topic(), group: None, message_id: id, delivery: Some(1), sequence: None };
        l.span(trace, Some(s), "mail", "process orders.placed", process, from, from + mail, true);
    }
    let own = |l: &mut Landscape, id, parent, service: &str, operation: &str, role, from, to| {
        l.span(trace, parent, service, operation, role, from, to, !failed);
        // The id that children were given before.
        let seen = l.spans.last_mut().expect("just pushed");
        Arc::make_mut(&mut seen.facts).span_id = id;
    };
    own(l, order, Some(call), "order", "POST /orders", server(), order_from, at);
    own(l, call, Some(web), "web", "POST /orders", client(), t, at + leg);
    own(l, web, None, "web", "POST /orders", server(), start, at + leg);
}

fn layer(node: &NodeId) -> Layer {
    match node.name() {
        "web" => Layer::Experience,
        "order" => Layer::Process,
        _ => Layer::System,
    }
}

fn made(l: &Landscape) -> Calibration {
    calibrate(&Observation { title: "Orders: \"as seen\"", spans: &l.spans, layers: &layer }).expect("a scenario")
}

fn scenario(calibration: &Calibration) -> Scenario {
    read_scenario(&calibration.yaml, &|_| Err("none".into()))
        .unwrap_or_else(|problems| panic!("{problems:?}\n{}", calibration.yaml))
}

#[test]
fn structure_and_times_come_out_again() {
    let landscape = orders(6000, &[(20.0, 6000)]);
    let calibration = made(&landscape);
    let scenario = scenario(&calibration);
    let operations = &scenario.design.operations;
    for (name, ms) in [
        ("web.post-orders", 5.0),
        ("order.post-orders", 10.0),
        ("crm.get-customers-id", 20.0),
        ("stock.post-reservations", 30.0),
        ("payments.post-charge", 40.0),
        ("mail.process-orders-placed", 25.0),
    ] {
        let found = operations.get(name).unwrap_or_else(|| panic!("{name} is missing in\n{}", calibration.yaml));
        let mean = found.work.mean() / 1e6;
        assert!((mean / ms - 1.0).abs() < 0.05, "{name}: {mean} ms instead of {ms} ms");
    }
    let steps = &operations["order.post-orders"].steps;
    let [Step::Parallel(parallel), Step::Do(pay), Step::Do(mail)] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    let shares: Vec<f64> = parallel
        .iter()
        .filter_map(|s| match s {
            Step::Choose(choices) => Some(choices[0].share),
            _ => None,
        })
        .collect();
    assert!(matches!(shares.as_slice(), [share] if (share - 0.6).abs() < 0.03), "{parallel:?}");
    assert_eq!((pay.operation.as_str(), pay.retry.attempts), ("payments.post-charge", 2));
    assert!((pay.retry.backoff[0] as f64 / 50e6 - 1.0).abs() < 0.01);
    let fails = scenario.design.participants["payments"].fails;
    assert!((fails - 0.05).abs() < 0.01, "{fails}");
    let observed = scenario.variant("observed").expect("the variant as seen");
    assert_eq!(observed.events.get(&mail.id).map(String::as_str), Some("orders.placed"));
    assert!(scenario.assumed.iter().any(|p| p == "/participants/payments/workers"), "{:?}", scenario.assumed);
    assert!(calibration.questions.iter().any(|q| q.path == "/participants/payments/workers"));
}

#[test]
fn the_scenario_behaves_as_what_it_was_made_from() {
    let landscape = orders(6000, &[(20.0, 6000)]);
    let mut response: Vec<i64> = landscape
        .spans
        .iter()
        .filter(|s| s.facts.parent.is_none() && matches!(s.facts.role, Role::Server { .. }))
        .map(|s| s.facts.duration())
        .collect();
    response.sort_unstable();
    let p95 = response[response.len() * 95 / 100] as f64 / 1e6;
    let scenario = scenario(&made(&landscape));
    let mut options = RunOptions::of(&scenario);
    (options.replications, options.variants) = (5, vec!["observed".into()]);
    let outcome = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)).expect("an outcome");
    let found = outcome.variants.get("observed").expect("the variant").workloads.0[0].1.clone();
    let predicted = found.response_ms.p95.value.expect("a figure");
    assert!((predicted / p95 - 1.0).abs() < 0.05, "{predicted} ms predicted, {p95} ms seen");
    assert!((found.throughput_per_s.value.expect("a figure") - 20.0).abs() < 1.0);
}

#[test]
fn order_of_arrival_does_not_matter() {
    let mut landscape = orders(300, &[(20.0, 300)]);
    let before = made(&landscape);
    landscape.spans.reverse();
    assert_eq!(made(&landscape), before);
}

#[test]
fn a_busier_stretch_is_predicted_from_a_quiet_one() {
    let landscape = orders(4000, &[(10.0, 1200), (30.0, 2800)]);
    let observation = Observation { title: "Orders", spans: &landscape.spans, layers: &layer };
    let validation = validate(&observation, &AtomicBool::new(false));
    assert!(matches!(validation.grade, Grade::A | Grade::B), "{validation:?}");
    assert!(validation.load_ratio.is_some_and(|r| r > 1.3), "{validation:?}");
    let even = orders(2000, &[(20.0, 2000)]);
    let observation = Observation { title: "Orders", spans: &even.spans, layers: &layer };
    assert_eq!(validate(&observation, &AtomicBool::new(false)).grade, Grade::C);
}

#[test]
fn too_little_is_said() {
    let none = Observation { title: "", spans: &[], layers: &layer };
    assert_eq!(calibrate(&none), Err(NotEnough::NoRequests));
    let one = orders(1, &[(1.0, 1)]);
    let one = Observation { title: "", spans: &one.spans, layers: &layer };
    assert_eq!(calibrate(&one), Err(NotEnough::OneRequest));
    assert_eq!(validate(&one, &AtomicBool::new(false)).grade, Grade::D);
}
