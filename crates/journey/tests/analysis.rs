//! Kinds, common factors, comparison and sequence of journeys made by hand. Times are milliseconds.

use std::sync::Arc;

use flowglass_journey::common::{Contrast, EventTold, Story, TraitKind};
use flowglass_journey::compare::{Change, compare};
use flowglass_journey::kinds::kinds;
use flowglass_journey::sequence::{StepKind, sequence};
use flowglass_model::{
    Attributes, Failure, ItemKind, ItemStatus, Journey, JourneyItem, JourneyState, JourneySummary, Layer, NodeId,
    Resource, Role, Scope, ServiceName, Span, SpanFacts, SpanId, SpanKind, SpanStatus, TraceId, Value,
};

const MS: i64 = 1_000_000;

fn trace(n: u32) -> TraceId {
    format!("{:032x}", n + 1).parse().unwrap()
}

fn span_id(n: u32) -> SpanId {
    format!("{:016x}", n + 1).parse().unwrap()
}

fn service(name: &str) -> NodeId {
    NodeId::from(format!("service:{name}"))
}

/// An item: number, number of its parent, participant, role, name, start and end.
struct I<'a>(u32, Option<u32>, &'a str, &'a str, &'a str, i64, i64);

fn item(of: &I<'_>, failed: bool) -> JourneyItem {
    let I(n, parent, participant, role, name, from, to) = *of;
    let event = role == "event";
    JourneyItem {
        kind: if event { ItemKind::Event } else { ItemKind::Span },
        id: span_id(n).to_string(),
        source: None,
        trace_id: Some(trace(0)),
        participant: if event { NodeId::topic("nats", participant, None) } else { service(participant) },
        layer: if event { Layer::Event } else { Layer::Process },
        name: name.into(),
        start: from * MS,
        duration: (to - from) * MS,
        status: if failed { ItemStatus::Error } else { ItemStatus::Unset },
        depth: 0,
        parent: parent.map(|p| span_id(p).to_string()),
        role: role.into(),
        delivery: None,
        retry: None,
        badge: None,
    }
}

fn journey(items: &[I<'_>], failed: &[u32], chain: &[u32]) -> Journey {
    let items: Vec<JourneyItem> = items.iter().map(|i| item(i, failed.contains(&i.0))).collect();
    let failure = chain.first().map(|first| Failure {
        first: span_id(*first).to_string(),
        participant: service("pay"),
        cause: "pay POST /charge returned 500: timeout".into(),
        chain: chain.iter().map(|n| span_id(*n).to_string()).collect(),
        for_customer: String::new(),
        logged: None,
    });
    let first = &items[0];
    let summary = JourneySummary {
        id: trace(0),
        root: format!("{} {}", first.participant.name(), first.name),
        root_participant: first.participant.clone(),
        start: first.start,
        response: Some(first.duration),
        settled: Some(first.duration),
        state: if chain.is_empty() { JourneyState::Ok } else { JourneyState::Failed },
        participants: items.iter().map(|i| i.participant.clone()).collect(),
        spans: items.len() as u64,
        events: 0,
        errors: failed.len() as u64,
        retries: 0,
        dead_lettered: false,
        keys: vec![],
        failure: failure.as_ref().map(|f| f.cause.clone()),
        effects: vec![],
    };
    Journey {
        summary,
        items,
        links: vec![],
        critical_path: vec![],
        settled_path: vec![],
        gaps: vec![],
        time_by: vec![],
        marks: vec![],
        failure,
        traces: vec![trace(0)],
        missing: vec![],
    }
}

fn span(n: u32, of: &str, version: &str, attributes: &[(&str, Value)]) -> Span {
    let attributes: Attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let facts = SpanFacts {
        trace_id: trace(0),
        span_id: span_id(n),
        kind: SpanKind::Server,
        parent: None,
        remote_parent: None,
        start: 0,
        end: 0,
        status: SpanStatus::Unset,
        http_status: None,
        grpc_status: None,
        error: None,
        service: service(of),
        operation: "op".into(),
        role: Role::Internal,
        links: vec![],
        keys: vec![],
        resend: 0,
    };
    Span {
        facts: Arc::new(facts),
        name: "op".into(),
        trace_state: String::new(),
        attributes,
        events: vec![],
        links: vec![],
        dropped: 0,
        resource: Arc::new(Resource {
            service: ServiceName { namespace: None, name: of.into() },
            environment: None,
            instance: None,
            version: Some(version.into()),
            declared_layer: None,
            attributes: vec![],
            schema_url: String::new(),
        }),
        scope: Arc::new(Scope::default()),
    }
}

const WAY: [I<'static>; 3] = [
    I(0, None, "web", "server", "POST /orders", 0, 100),
    I(1, Some(0), "order", "server", "POST /orders", 10, 90),
    I(2, Some(1), "pay", "server", "POST /charge", 20, 60),
];

fn order(n: u32, failed: bool, tier: &str) -> (Journey, Vec<Span>, Vec<EventTold>) {
    let journey = if failed { journey(&WAY, &[0, 1, 2], &[2, 1, 0]) } else { journey(&WAY, &[], &[]) };
    let status = |bad: i64| Value::Int(if failed { bad } else { 201 });
    let spans = vec![
        span(
            0,
            "web",
            "1.0",
            &[("http.response.status_code", status(502)), ("order.id", Value::from(format!("o-{n}")))],
        ),
        span(1, "order", "1.0", &[("http.response.status_code", status(502))]),
        span(2, "pay", if failed || n.is_multiple_of(9) { "2.1" } else { "2.0" }, &[("error.type", status(500))]),
    ];
    let placed = EventTold {
        subject: "orders.placed".into(),
        event_type: Some("placed.v1".into()),
        time: 15 * MS,
        fields: vec![("customer.tier".into(), tier.into())],
    };
    let mut events = vec![placed];
    if failed {
        let failed = EventTold {
            subject: "orders.failed".into(),
            event_type: Some("failed.v1".into()),
            time: 80 * MS,
            ..EventTold::default()
        };
        events.push(failed);
    }
    (journey, spans, events)
}

#[test]
fn what_explains_comes_before_what_follows() {
    let mut contrast = Contrast::default();
    for n in 0..240 {
        let failed = n % 8 == 0;
        let (journey, spans, events) = order(n, failed, if n % 3 == 0 { "gold" } else { "silver" });
        contrast.add(failed, &Story { journey: &journey, spans: &spans, events: &events });
    }
    let common = contrast.finish();
    assert_eq!((common.group, common.rest), (30, 210));
    let first = &common.factors[0];
    assert_eq!(
        (first.what.kind, first.what.value.as_str()),
        (TraitKind::FirstFailure, "pay POST /charge returned 500")
    );
    assert_eq!((first.group, first.rest), (30, 0));
    assert!((first.effect - 1.0).abs() < 1e-9);
    assert!(first.chance < 1e-20 && first.same.iter().any(|t| t.name == "error.type" && t.value == "500"), "{first:?}");
    let version = common.factors.iter().find(|f| f.what.kind == TraitKind::Version && f.what.value == "2.1").unwrap();
    assert!(!version.followed && version.group == 30 && version.effect > 0.6, "{version:?}");
    // Answers that pass the failure on, and events that tell of it, explain nothing.
    for factor in common.factors.iter().filter(|f| f.what.value == "502" || f.what.value == "failed.v1") {
        assert!(factor.followed, "{factor:?}");
    }
    assert!(common.factors.iter().all(|f| f.what.name != "order.id" && f.what.value != "gold"), "chance is no answer");
    let order = |f: &&flowglass_journey::common::Factor| if f.effect < 0.0 { 1 } else { 2 * u8::from(f.followed) };
    assert!(common.factors.iter().collect::<Vec<_>>().is_sorted_by_key(order), "explaining, rarer, following");
}

#[test]
fn slow_journeys_are_told_by_who_took_the_time() {
    let mut contrast = Contrast::default();
    for n in 0..100i64 {
        let slow = n % 10 == 0;
        let late = if slow { 1_400 + n } else { 0 };
        let way = [
            I(0, None, "web", "server", "POST /orders", 0, 100 + late),
            I(1, Some(0), "order", "server", "POST /orders", 10, 90 + late),
            I(2, Some(1), "stock", "server", if n % 20 == 0 { "reserve" } else { "pick" }, 20, 60 + n % 7 + late),
        ];
        contrast.add(slow, &Story { journey: &journey(&way, &[], &[]), spans: &[], events: &[] });
    }
    let common = contrast.finish();
    let first = &common.factors[0];
    assert_eq!((first.what.kind, first.what.at.as_str(), first.what.value.as_str()), (TraitKind::OwnTime, "stock", ""));
    assert_eq!((first.group, first.rest), (10, 0));
    assert!(first.from.is_some_and(|n| n > 1_400 * MS), "{first:?}");
    let others = common.factors.iter().filter(|f| f.what.kind == TraitKind::OwnTime && f.what.at != "stock");
    assert!(others.count() == 0, "who only waited took no time itself: {:?}", common.factors);
}

#[test]
fn without_a_rest_or_a_difference_there_is_no_answer() {
    let mut contrast = Contrast::default();
    for n in 0..20 {
        let (journey, spans, events) = order(n, false, "gold");
        contrast.add(n % 2 == 0, &Story { journey: &journey, spans: &spans, events: &events });
    }
    assert!(contrast.finish().factors.is_empty());
    let mut alone = Contrast::default();
    let (journey, spans, events) = order(1, true, "gold");
    alone.add(true, &Story { journey: &journey, spans: &spans, events: &events });
    let common = alone.finish();
    assert_eq!((common.group, common.rest, common.factors.len()), (1, 0, 0));
}

fn shown(left: &[I<'_>], right: &[I<'_>], failed: &[u32]) -> Vec<String> {
    let (left, right) = (journey(left, &[], &[]), journey(right, failed, &[]));
    let row = |a: flowglass_journey::compare::Aligned| {
        let item = a.right.map(|i| &right.items[i]).or(a.left.map(|i| &left.items[i])).unwrap();
        format!("{}{} {}: {}", "  ".repeat(a.depth as usize), item.participant.name(), item.name, a.change.as_str())
    };
    compare(&left, &right).into_iter().map(row).collect()
}

#[test]
fn journeys_align_by_structure() {
    let left = [
        I(0, None, "web", "server", "POST /orders", 0, 100),
        I(1, Some(0), "order", "server", "POST /orders", 5, 95),
        I(2, Some(1), "stock", "server", "reserve", 10, 30),
        I(3, Some(1), "pay", "server", "POST /charge", 40, 60),
        I(4, Some(1), "orders.placed", "event", "orders.placed", 90, 90),
    ];
    let right = [
        I(0, None, "web", "server", "POST /orders", 0, 300),
        I(1, Some(0), "order", "server", "POST /orders", 5, 295),
        I(2, Some(1), "stock", "server", "reserve", 10, 210),
        I(3, Some(1), "pay", "server", "POST /charge", 220, 240),
        I(5, Some(1), "pay", "server", "POST /charge", 250, 270),
    ];
    assert_eq!(
        shown(&left, &right, &[3]),
        [
            "web POST /orders: same",
            "  order POST /orders: same",
            "    stock reserve: slower",
            "    pay POST /charge: failed",
            "    pay POST /charge: added",
            "    orders.placed orders.placed: missing",
        ]
    );
    let same = shown(&left, &left, &[]);
    assert!(same.iter().all(|row| row.ends_with("same")) && same.len() == left.len());
    assert!(
        shown(&[I(0, Some(1), "a", "server", "x", 0, 1), I(1, Some(0), "b", "server", "y", 0, 1)], &left, &[])
            .iter()
            .all(|row| row.ends_with("added")),
        "a circle of parents has no root"
    );
    assert_eq!(compare(&journey(&left, &[], &[]), &journey(&left, &[], &[]))[0].change, Change::Same);
}

#[test]
fn messages_stand_in_the_order_in_which_they_led_to_each_other() {
    let way = [
        I(0, None, "web", "server", "POST /orders", 0, 100),
        I(1, Some(0), "web", "client", "POST", 5, 95),
        // Its clock is 8 ms behind.
        I(2, Some(1), "order", "server", "POST /orders", -3, 80),
        I(3, Some(2), "order", "client", "INSERT", 10, 20),
        I(4, Some(2), "orders.placed", "event", "orders.placed", 30, 30),
        I(5, Some(4), "mail", "consumer", "process orders.placed", 60, 70),
    ];
    let journey = journey(&way, &[], &[]);
    let database = (NodeId::backend("postgresql", "db", None, None), Layer::Backend);
    let drawn = sequence(&journey, &|item| (item.name == "INSERT").then(|| database.clone()));
    let name = |n: usize| drawn.lifelines[n].0.name().to_owned();
    let steps: Vec<String> = drawn
        .steps
        .iter()
        .map(|s| format!("{} {} > {}", s.kind.as_str(), s.from.map(name).unwrap_or_default(), name(s.to)))
        .collect();
    assert_eq!(
        steps,
        [
            "call  > web",
            "call web > order",
            "call order > db",
            "publish order > orders.placed",
            "deliver orders.placed > mail",
            "reply order > web",
        ]
    );
    assert_eq!(name(0), "db", "backends stand left, as on the map");
    assert_eq!(drawn.steps.iter().filter(|s| s.kind == StepKind::Local).count(), 0);
}

#[test]
fn kinds_are_told_by_what_they_began_with_and_who_took_part() {
    let mut journeys = Vec::new();
    for n in 0..12u32 {
        let mut j = journey(&WAY, &[], &[]).summary;
        j.id = trace(n);
        j.start = i64::from(n) * 1_000 * MS;
        j.response = Some(i64::from(n + 1) * MS);
        if n >= 10 {
            j.participants.retain(|p| p.name() != "pay");
            j.participants.push(service("bypass"));
            j.state = JourneyState::Failed;
        }
        journeys.push(j);
    }
    journeys[0].root = "web GET /orders".into();
    let kinds = kinds(&journeys, 0, 12_000 * MS, 4);
    assert_eq!(
        kinds.iter().map(|k| (k.root.as_str(), k.figures.count)).collect::<Vec<_>>(),
        [("web POST /orders", 11), ("web GET /orders", 1)]
    );
    let placed = &kinds[0];
    assert_eq!((placed.figures.failed, placed.figures.response), (2, Some([7 * MS, 12 * MS, 12 * MS])));
    assert_eq!(placed.over_time.iter().map(|f| f.count).collect::<Vec<_>>(), [2, 3, 3, 3]);
    assert_eq!(placed.shapes.len(), 2);
    assert!(placed.shapes[0].with.is_empty() && placed.shapes[0].without.is_empty());
    assert_eq!(
        (placed.shapes[1].with.as_slice(), placed.shapes[1].without.as_slice()),
        ([service("bypass")].as_slice(), [service("pay")].as_slice())
    );
}
