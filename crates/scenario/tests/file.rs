//! Scenario files: what is read, and how what is wrong is told.

use flowglass_scenario::file::{Problem, read_scenario};
use flowglass_scenario::model::{Arrivals, FailureKind, Hold, Intent, Needs, OutageMode, Scenario, Step};

const ORDER: &str = include_str!("fixtures/place-order.yaml");

fn read(text: &str) -> Result<Scenario, Vec<Problem>> {
    read_scenario(text, &|name| {
        if name == "recorded.txt" { Ok(vec![1, 2, 3]) } else { Err(format!("`{name}` is not there")) }
    })
}

/// A small scenario with some text put in place of a line.
fn with(from: &str, to: &str) -> String {
    assert!(ORDER.contains(from), "{from}");
    ORDER.replacen(from, to, 1)
}

#[test]
fn the_order_scenario_is_read() {
    let s = read(ORDER).unwrap();
    assert_eq!(
        (s.title.as_str(), s.run.duration, s.run.warm_up, s.run.replications),
        ("Place order", 600_000_000_000, None, 20)
    );
    assert_eq!(s.design.workloads[0].arrivals, Arrivals::Poisson(132.0));
    assert_eq!(s.design.workloads[0].patience, Some(5_000_000_000));
    let order = &s.design.participants["order"];
    assert_eq!((order.workers, order.replicas, order.servers(), order.hold), (Some(32), 2, Some(64), Hold::Worker));
    assert_eq!(s.design.participants["erp"].outages[0].mode, OutageMode::Refuse);
    let steps = &s.design.operations["order.place"].steps;
    let Step::Do(customer) = &steps[0] else { panic!("a call") };
    assert_eq!((customer.intent, customer.needs, customer.cache), (Some(Intent::Read), Some(Needs::Answer), Some(0.6)));
    let Step::Do(pay) = &steps[1] else { panic!("a call") };
    assert_eq!((pay.timeout, pay.retry.attempts, pay.retry.factor), (Some(2_000_000_000), 2, 2.0));
    assert_eq!(pay.retry.when, [FailureKind::Timeout, FailureKind::Refused, FailureKind::Error]);
    assert!(matches!(&steps[2], Step::Parallel(two) if two.len() == 2));
    assert_eq!(s.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["api-led", "hybrid", "all-events"]);
    assert_eq!(s.variant("hybrid").unwrap().events["post"], "orders.placed");
    assert_eq!(s.design.channels["orders.placed"].limit, Some(100_000));
    assert!(s.design.channels.contains_key("customer.wanted"), "a channel that is only used has the defaults");
    assert!(s.assumed.contains(&"/channels/customer.wanted".to_owned()));
    assert_eq!(s.targets.success, Some(0.995));
    assert!(s.warnings.iter().any(|w| w.contains("erp cannot consume")), "{:?}", s.warnings);
}

#[test]
fn json_is_yaml() {
    let text = r#"{"flowglass": "scenario/1", "title": "T", "workloads": [{"to": "a.run", "arrivals": {"times": "recorded.txt"}}],
        "participants": {"a": {"workers": "unlimited"}}, "operations": {"a.run": {"work": {"exp": "10ms"}}}}"#;
    let s = read(text).unwrap();
    assert_eq!(s.design.workloads[0].arrivals, Arrivals::Times(vec![1, 2, 3]));
    assert!(!s.variants_named);
    assert_eq!(s.variants.len(), 3);
}

#[test]
fn what_is_wrong_has_a_place_and_a_remedy() {
    for (from, to, line, words) in [
        ("workers: 64", "workres: 64", 12, "did you mean `workers`?"),
        ("do: order.place", "do: order.palce", 22, "did you mean `order.place`?"),
        ("exp: 8ms", "exp: 8", 24, "no unit"),
        ("exp: 8ms", "expo: 8ms", 24, "did you mean `exp`?"),
        ("poisson: 132/s", "poisson: -1/s", 8, "below zero"),
        ("poisson: 132/s", "poisson: 132", 8, "no rate"),
        ("fails: 0.2%", "fails: 120%", 15, "between 0 and 1"),
        ("hit: 60%", "hit: often", 26, "no share"),
        ("intent: read", "intent: raed", 26, "did you mean `read`?"),
        ("scv: 0.5", "scv: -1", 21, "no number"),
        ("flowglass: scenario/1", "flowglass: scenario/9", 1, "scenario/1"),
        ("id: notify", "id: post", 30, "stands twice"),
        (
            "{ events: { post: orders.placed, notify",
            "{ events: { psot: orders.placed, notify",
            42,
            "did you mean `post`?",
        ),
        ("workers: 16, fails", "workers: -4, fails", 15, "no whole number"),
        ("timeout: 2s", "timeout: 0s", 27, "above zero"),
        ("to: web.place-order", "to: web.placeorder", 7, "did you mean `web.place-order`?"),
        ("patience: 5s", "patience: nan", 9, "no duration"),
        ("when_full: refuse", "when_full: reject", 38, "none of"),
        ("{ work: { exp: 60ms } }", "{ work: { exp: 60ms }, steps: [ { do: order.place } ] }", 34, "without end"),
    ] {
        let problems = read(&with(from, to)).unwrap_err();
        let found = problems.iter().any(|p| p.line == line && p.message.contains(words));
        assert!(found, "{to}: line {line}: {words}: {problems:#?}");
    }
    assert!(read("").unwrap_err()[0].message.contains("empty"));
    assert!(read("[]").unwrap_err()[0].message.contains("must be a map"));
}

#[test]
fn overrides_change_only_their_variant() {
    let text = with(
        "  api-led:      {}",
        "  api-led:      {}\n  big: { set: { /participants/erp/workers: 8, /steps/pay/timeout: 1s, /channels/orders.placed/batch: 5 } }",
    );
    let s = read(&text).unwrap();
    let big = s.variant("big").unwrap();
    assert_eq!(s.design_of(big).participants["erp"].workers, Some(8));
    assert_eq!(s.design.participants["erp"].workers, Some(4));
    assert_eq!(s.design_of(big).channels["orders.placed"].batch, 5);
    let Step::Do(pay) = &s.design_of(big).operations["order.place"].steps[1] else { panic!("a call") };
    assert_eq!(pay.timeout, Some(1_000_000_000));
    for (pointer, words) in [
        ("/participants/epr/workers: 8", "did you mean `erp`?"),
        ("/steps/psy/timeout: 1s", "did you mean `pay`?"),
        ("workers: 8", "no JSON Pointer"),
    ] {
        let text = with("  api-led:      {}", &format!("  api-led:      {{}}\n  big: {{ set: {{ {pointer} }} }}"));
        let problems = read(&text).unwrap_err();
        assert!(problems.iter().any(|p| p.message.contains(words)), "{pointer}: {problems:#?}");
    }
}
