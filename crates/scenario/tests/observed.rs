//! What was observed counts before what a file says, each with how many observations it rests on.

mod landscape;

use flowglass_model::{Graph, Layer, Role, SpanFacts};
use flowglass_scenario::calibrate::{Observation, Seen, calibrate};
use flowglass_scenario::decide::{Evidence, Facts, observed};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::Scenario;

use landscape::{Landscape, MS, client, orders, server, topic};

fn made(l: &Landscape) -> Scenario {
    let layer = |_: &_| Layer::Process;
    let made = calibrate(&Observation { title: "it", spans: &l.spans, layers: &layer }).expect("a scenario");
    read_scenario(&made.yaml, &|_| Err("none".into())).expect("it can be read")
}

fn told(spans: &[Seen], scenario: &Scenario) -> Facts {
    observed(&Evidence { graph: &Graph::default(), seconds: 0.0, spans }, scenario)
}

/// Points and evidence of a criterion for the step that asks for an operation.
fn of<'f>(facts: &'f Facts, scenario: &Scenario, operation: &str, criterion: &str) -> Option<(f64, &'f str)> {
    let step =
        scenario.variants.iter().find_map(|_| facts.keys().find(|id| id.ends_with(&operation.replace('.', "-"))))?;
    let fact = facts[step].iter().find(|f| f.criterion == criterion)?;
    Some((fact.points, &fact.evidence))
}

#[test]
fn calls_tell_of_failures_reading_and_repeating() {
    let landscape = orders(8000, &[(20.0, 8000)]);
    let scenario = made(&landscape);
    let facts = told(&landscape.spans, &scenario);
    let (points, evidence) = of(&facts, &scenario, "payments.post-charge", "W8").expect("charges failed");
    assert_eq!(points, -1.0, "an order fails with its charge: {evidence}");
    assert!(evidence.starts_with("order failed in "), "{evidence}");
    assert_eq!(of(&facts, &scenario, "crm.get-customers-id", "W13").map(|f| f.0), Some(-1.0), "only read");
    assert_eq!(of(&facts, &scenario, "payments.post-charge", "W13").map(|f| f.0), Some(0.0));
    assert_eq!(of(&facts, &scenario, "crm.get-customers-id", "W14").map(|f| f.0), Some(0.0), "GET is idempotent");
    assert_eq!(of(&facts, &scenario, "payments.post-charge", "W14"), None, "POST tells nothing");
    assert_eq!(of(&facts, &scenario, "crm.get-customers-id", "W12").map(|f| f.0), Some(0.0), "nobody polls");
    let (points, evidence) = of(&facts, &scenario, "payments.post-charge", "W9").expect("enough calls");
    assert!(points == 0.0 && evidence.contains("busiest second"), "{evidence}");
    let (points, evidence) = of(&facts, &scenario, "mail.process-orders-placed", "W20").expect("messages");
    assert!(points == 0.0 && evidence.starts_with("100.0 % of the messages"), "{points} {evidence}");
}

#[test]
fn a_timer_that_asks_is_polling_and_ignored_failures_want_no_call() {
    let mut l = Landscape::new();
    for i in 0..60i64 {
        let at = 1_700_000_000_000_000_000 + i * 5_000 * MS;
        let trace = l.trace();
        let root = l.span(trace, None, "screen", "GET /board", server(), at, at + 30 * MS, true);
        let call = l.span(trace, Some(root), "screen", "GET /status", client(), at + MS, at + 20 * MS, i % 4 != 0);
        l.span(trace, Some(call), "plant", "GET /status", server(), at + 2 * MS, at + 19 * MS, i % 4 != 0);
    }
    let scenario = made(&l);
    let facts = told(&l.spans, &scenario);
    let polls = of(&facts, &scenario, "plant.get-status", "W12").expect("it is asked");
    assert_eq!(polls, (2.0, "screen asks plant every 5 s by a timer (n = 59)"));
    let ignored = of(&facts, &scenario, "plant.get-status", "W8").expect("it fails");
    assert_eq!(ignored, (2.0, "screen failed in 0 of 15 cases in which its call of plant had failed"));
}

#[test]
fn messages_handled_twice_and_without_trace_are_told() {
    let mut l = Landscape::new();
    for i in 0..40i64 {
        let at = 1_700_000_000_000_000_000 + i * 100 * MS;
        let trace = l.trace();
        let id = Some(format!("m{i}"));
        let root = l.span(trace, None, "shop", "POST /orders", server(), at, at + 10 * MS, true);
        let send = Role::Send { topic: topic(), message_id: id.clone(), create: false };
        l.span(trace, Some(root), "shop", "send orders.placed", send, at + MS, at + 2 * MS, true);
        for delivery in 1..=if i < 5 { 2 } else { 1 } {
            let other = l.trace();
            let from = at + 5 * MS + i64::from(delivery) * 20 * MS;
            let message = Role::Process {
                topic: topic(),
                group: None,
                message_id: id.clone(),
                delivery: Some(delivery),
                sequence: None,
            };
            let handled = l.span(other, None, "mail", "process orders.placed", message, from, from + 10 * MS, true);
            l.span(other, Some(handled), "mail", "POST /send", client(), from + MS, from + 9 * MS, true);
        }
    }
    let scenario = made(&l);
    let facts = told(&l.spans, &scenario);
    let twice = of(&facts, &scenario, "mail.process-orders-placed", "W14").expect("handled twice");
    assert_eq!(twice, (-1.0, "of 5 messages that mail handled more than once, 5 had their effect again"));
    let traced = of(&facts, &scenario, "mail.process-orders-placed", "W20").expect("messages");
    assert!(traced.0 == -1.0 && traced.1.starts_with("0.0 % of the messages"), "{traced:?}");
}

#[test]
fn too_few_tell_nothing_and_the_order_of_spans_does_not_matter() {
    let few = orders(5, &[(20.0, 5)]);
    let scenario = made(&few);
    assert_eq!(told(&few.spans, &scenario), Facts::new());
    let mut many = orders(500, &[(20.0, 500)]);
    let scenario = made(&many);
    let before = told(&many.spans, &scenario);
    assert!(!before.is_empty());
    many.spans.sort_by_key(|s: &Seen| {
        let f: &SpanFacts = &s.facts;
        (f.end, f.span_id)
    });
    many.spans.reverse();
    assert_eq!(told(&many.spans, &scenario), before);
}
