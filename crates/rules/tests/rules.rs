//! Stories held against the rules.

use std::collections::BTreeMap;

use flowglass_model::{
    Attributes, Config, EdgeStats, Graph, GraphEdge, GraphNode, InteractionKind, Layer, LayerSource, NodeId, Sure,
    Value,
};
use flowglass_rules::{Finding, Landscape, Period, Published, Report, Rulebook, Seen, Subject, Survey};
use flowglass_testkit::{span_id, story};

/// A landscape: `a:system` names a service and its layer, `?` behind it a guess.
fn landscape(who: &str, edges: &[(&str, InteractionKind, &str)]) -> Landscape {
    let mut nodes: Vec<GraphNode> = who.split_whitespace().map(node).collect();
    let mut topics: Vec<&str> =
        edges.iter().flat_map(|(a, _, b)| [*a, *b]).filter(|id| id.starts_with("topic:")).collect();
    topics.sort_unstable();
    topics.dedup();
    nodes.extend(topics.into_iter().map(|id| graph_node(id.into(), Layer::Event, LayerSource::Inferred)));
    let id = |text: &str| if text.contains(':') { NodeId::from(text) } else { NodeId::from(format!("service:{text}")) };
    let edges = edges
        .iter()
        .map(|(source, kind, target)| GraphEdge {
            source: id(source),
            target: id(target),
            kind: *kind,
            stats: EdgeStats::default(),
        })
        .collect();
    let graph = Graph { nodes, edges, unresolved: Vec::new() };
    Landscape::new(&graph, &graph, Box::new(|id| Some(id.clone())), BTreeMap::new())
}

fn node(text: &str) -> GraphNode {
    let (name, layer) = text.split_once(':').unwrap();
    let source = if layer.ends_with('?') { LayerSource::Inferred } else { LayerSource::Name };
    graph_node(NodeId::from(format!("service:{name}")), Layer::parse(layer.trim_end_matches('?')).unwrap(), source)
}

fn graph_node(id: NodeId, layer: Layer, layer_source: LayerSource) -> GraphNode {
    GraphNode {
        name: id.name().to_owned(),
        kind: id.kind(),
        environment: None,
        layer,
        layer_reason: String::new(),
        layer_source,
        domain: None,
        owner: None,
        stats: EdgeStats::default(),
        instrumented: true,
        id,
    }
}

/// Judges a story; `with` gives spans attributes, by their names.
fn judge(landscape: Landscape, text: &str, with: &[(&str, &str, &str)], config: &Config) -> Report {
    let told = story(text);
    let period = Period { since: 0, until: 1_000_000_000_000 };
    let subject = Subject {
        landscape,
        period,
        troubles: Vec::new(),
        delivered: Default::default(),
        stored: told.messages.iter().map(|m| m.topic()).collect(),
    };
    let mut survey = Survey::new(subject, Rulebook::new(&config.rules, 0), config);
    let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for facts in &told.spans {
        let own = with.iter().filter(|(name, ..)| span_id(name) == facts.span_id);
        let attributes: Attributes = own.map(|(_, key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        traces.entry(facts.trace_id).or_default().push((facts, attributes));
    }
    for spans in traces.values() {
        let seen: Vec<Seen<'_>> =
            spans.iter().map(|(facts, attributes)| Seen { facts, attributes, trace_state: "" }).collect();
        survey.trace(&seen);
    }
    for (row, message) in told.messages.iter().enumerate() {
        survey.message(Published { message, row: row as i64, first: true, dropped: false, dead_letter: false });
    }
    survey.finish()
}

/// Rule, subject by names, count.
fn told(report: &Report) -> Vec<(String, String, u64)> {
    let names = |f: &Finding| f.subject.iter().map(NodeId::name).collect::<Vec<_>>().join(" → ");
    report.findings.iter().map(|f| (f.rule.clone(), names(f), f.count)).collect()
}

fn row(rule: &str, subject: &str, count: u64) -> (String, String, u64) {
    (rule.into(), subject.into(), count)
}

#[test]
fn layers_are_held_and_a_retry_is_no_second_offence() {
    let who = "web:experience order:process stock:system erp:system worker:event";
    // web → stock fails and is tried again; erp calls up; a worker may call whom it likes.
    let text = "
        a server web @0..90
        b client web <a @1..10 err
        c server stock <b op=GET_/stock @2..9 err
        d client web <a @11..20
        e server stock <d op=GET_/stock @12..19
        f client web <a @21..80
        g server order <f op=POST_/orders @22..79
        h client order <g @23..70
        i server erp <h op=POST_/erp @24..69
        j client erp <i @25..60
        k server order <j op=GET_/policy @26..59
        p process worker trace=w topic=nats/t id=m @0..9
        q client worker <p trace=w @1..8
        r server stock <q trace=w op=GET_/stock @2..7
    ";
    let report = judge(landscape(who, &[]), text, &[], &Config::default());
    let found: Vec<_> = told(&report).into_iter().filter(|(rule, ..)| rule != "event-without-consumer").collect();
    // The circle order → erp → order is told as the upward call alone.
    assert_eq!(found, [row("layer-bypass", "web → stock", 1), row("upward-call", "erp → order", 1)]);
    assert!(report.findings.iter().all(|f| f.sure == Sure::Certain && !f.layer_guessed));
    assert_eq!(report.checked.calls, 6);
}

#[test]
fn guessed_layers_are_said_and_exceptions_and_severities_count() {
    let text = "
        a server web @0..90
        b client web <a @1..10
        c server stock <b @2..9
    ";
    let report = judge(landscape("web:experience stock:system?", &[]), text, &[], &Config::default());
    assert!(report.findings[0].layer_guessed && report.findings[0].sure == Sure::Weak);
    let config = settings(r#"{"exceptions":[{"rule":"layer-bypass","subject":"web -> stock","reason":"soon"}]}"#);
    let report = judge(landscape("web:experience stock:system", &[]), text, &[], &config);
    assert_eq!(report.findings[0].waiver.as_ref().map(|w| w.reason.as_str()), Some("soon"));
    let config = settings(r#"{"severity":{"layer-bypass":"off"}}"#);
    assert!(judge(landscape("web:experience stock:system", &[]), text, &[], &config).findings.is_empty());
}

/// Settings with these rules.
fn settings(json: &str) -> Config {
    Config { rules: serde_json::from_str(json).unwrap(), ..Config::default() }
}

#[test]
fn own_rules_judge_calls_and_topics() {
    let text = "
        a server web @0..90
        b client web <a @1..10
        c server crm <b @2..9
        d send   web <a topic=nats/crm.changed id=m @11..12
    ";
    let config = settings(
        r#"{"forbidden":[{"name":"no-crm","from":"layer:experience","to":"crm"}],
            "allowed":[{"name":"web-alone","from":"service:web","to":"kind:topic","severity":"warning"}]}"#,
    );
    let edges = [
        ("web", InteractionKind::Publish, "topic:nats/crm.changed"),
        ("topic:nats/crm.changed", InteractionKind::Consume, "crm"),
    ];
    let report = judge(landscape("web:experience crm:process", &edges), text, &[], &config);
    assert_eq!(
        told(&report),
        [row("no-crm", "web → crm", 1), row("no-crm", "web → crm.changed", 1), row("web-alone", "web → crm", 1)]
    );
}

#[test]
fn credentials_are_asked_for_only_where_others_bring_some() {
    let text = "
        a server prc @0..90
        b client prc <a @1..10
        c server erp <b op=GET_/a @2..9
        d client prc <a @11..20
        e server erp <d op=GET_/b @12..19
        f client prc <a @21..30
        g server crm <f op=GET_/c @22..29
        h server erp trace=x op=GET_/healthz @1..2
    ";
    let with = [("c", "http.request.header.authorization", "removed")];
    let report = judge(landscape("prc:process erp:system crm:system", &[]), text, &with, &Config::default());
    assert_eq!(told(&report), [row("unauthorized-system-call", "prc → erp", 1)]);
    let nobody = judge(landscape("prc:process erp:system crm:system", &[]), text, &[], &Config::default());
    assert_eq!(told(&nobody), []);
}

#[test]
fn circles_logic_and_chatter_are_told() {
    let who = "a:process b:process s:system t:system u:system";
    let mut text = "
        a1 server a @0..900
        a2 client a <a1 @1..100
        b1 server b <a2 op=GET_/b @2..99
        b2 server b trace=y @0..90
        b3 client b <b2 trace=y @1..80
        a3 server a <b3 trace=y op=GET_/a @2..79
        s1 server s trace=z @0..90
        s2 client s <s1 trace=z @1..10
        t1 server t <s2 trace=z @2..9
        s3 client s <s1 trace=z @11..20
        u1 server u <s3 trace=z @12..19
    "
    .to_owned();
    for i in 0..6 {
        text.push_str(&format!(
            "n{i} client a <a1 @{}..{}\nm{i} server t <n{i} op=GET_/t/{{id}} @{}..{}\n",
            200 + i * 10,
            208 + i * 10,
            201 + i * 10,
            207 + i * 10
        ));
    }
    let report = judge(landscape(who, &[]), &text, &[], &Config::default());
    assert_eq!(
        told(&report),
        [row("cycle", "a → b", 1), row("chatty-calls", "a → t", 1), row("logic-in-system-layer", "s", 1)]
    );
    assert!(report.findings[1].saw.contains("up to 6 times"), "{}", report.findings[1].saw);
}

#[test]
fn messages_are_judged() {
    let text = "
        a server web @0..90
        b send   web <a topic=nats/orders.placed id=m1 @10..11
        message  nats/orders.placed id=m1 hop=b source=/web @11
        message  nats/orders.placed id=m2 source=/web @12
    ";
    let edges = [("web", InteractionKind::Publish, "topic:nats/orders.placed")];
    let report = judge(landscape("web:process", &edges), text, &[], &Config::default());
    assert_eq!(
        told(&report),
        [row("event-without-consumer", "orders.placed", 2), row("missing-trace-context", "web → orders.placed", 1)]
    );
}

#[test]
fn who_needs_whom_is_counted_not_multiplied() {
    let text = "
        a server web @0..90
        b client web <a @1..80
        c server order <b @2..79
        d client order <c @3..70
        e server stock <d @4..69
        f server web trace=x @0..90
        g client web <f trace=x @1..80
        h server order <g trace=x @2..79
    ";
    let report = judge(landscape("web:experience order:process stock:system", &[]), text, &[], &Config::default());
    let impact = report.needs.impact(&NodeId::from("service:stock")).unwrap();
    let hits: Vec<_> = impact.fails.iter().map(|h| (h.who.name(), h.hops, h.share)).collect();
    assert_eq!(hits, [("order", 1, 0.5), ("web", 2, 0.5)]);
    assert_eq!(impact.share, 0.5);
    assert_eq!(report.needs.single_points()[0].share, 1.0);
}

#[test]
fn a_message_is_of_the_topic_that_spans_know_in_an_environment() {
    let text = "
        a server web env=prod @0..90
        b send   web <a env=prod topic=nats/orders.placed id=m1 @10..11
        message  nats/orders.placed id=m1 hop=b source=/web @11
    ";
    let (web, topic) = ("service:web@prod", "topic:nats/orders.placed@prod");
    let edges = [(web, InteractionKind::Publish, topic), (topic, InteractionKind::Consume, "mail")];
    let report = judge(landscape("web@prod:process mail:event", &edges), text, &[], &Config::default());
    assert_eq!(told(&report), []);
}
