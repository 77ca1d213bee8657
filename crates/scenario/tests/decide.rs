//! Worked cases with known answers: each gate, each criterion of a bare file, their combinations and contradictions.

use flowglass_scenario::decide::{Decision, Style, SyncFigures, Verdict, decide};
use flowglass_scenario::file::read_scenario;

/// A design with one step `it` under test and, where wanted, others beside it.
struct Case {
    name: &'static str,
    /// Keys of the step under test.
    step: &'static str,
    /// Keys of the callee.
    callee: &'static str,
    /// Work of the callee.
    work: &'static str,
    /// Further steps of the same operation.
    beside: &'static str,
    arrivals: &'static str,
    more: &'static str,
    sync: SyncFigures,
    style: Style,
    gates: &'static [&'static str],
    /// Points of criteria that must be there.
    points: &'static [(&'static str, f64)],
}

const PLAIN: Case = Case {
    name: "",
    step: "",
    callee: "workers: 4",
    work: "10ms",
    beside: "",
    arrivals: "{ poisson: 10/s }",
    more: "",
    sync: SyncFigures { response_p95_ms: None, success: None },
    style: Style::ApiLed,
    gates: &[],
    points: &[],
};

fn decided(case: &Case) -> Decision {
    let beside: String = case.beside.lines().map(|l| format!("\n      - {{ {l} }}")).collect();
    let text = format!(
        "flowglass: scenario/1
workloads: [{{ name: users, to: front.ask, arrivals: {} }}]
participants:
  front: {{ workers: 8 }}
  back: {{ {} }}
  other: {{ workers: 4 }}
operations:
  front.ask:
    work: 40ms
    steps:
      - {{ id: it, do: back.do{} }}{beside}
  back.do: {{ work: {} }}
  other.a: {{ work: 1ms }}
  other.b: {{ work: 1ms }}
{}",
        case.arrivals,
        case.callee,
        if case.step.is_empty() { String::new() } else { format!(", {}", case.step) },
        case.work,
        case.more,
    );
    let scenario =
        read_scenario(&text, &|_| Err("no file".into())).unwrap_or_else(|p| panic!("{}: {p:?}\n{text}", case.name));
    decide(&scenario, &case.sync)
}

#[test]
fn worked_cases() {
    let two = "id: a, do: other.a, needs: nothing, intent: notify\nid: b, do: other.b, needs: nothing, intent: notify";
    let slow = SyncFigures { response_p95_ms: Some(900.0), success: Some(0.98) };
    let fine = SyncFigures { response_p95_ms: Some(100.0), success: Some(0.9999) };
    let targets = "targets: { response_p95: 600ms, success: 99.5% }\n";
    let cases = [
        Case { name: "an answer is needed", step: "needs: answer", gates: &["G1"], ..PLAIN },
        Case { name: "a plain read", step: "intent: read", gates: &["G2"], points: &[("W3", -2.0)], ..PLAIN },
        Case { name: "a primary that must succeed", step: "intent: write, needs: success", gates: &["G3"], ..PLAIN },
        Case {
            name: "a system without events",
            step: "intent: notify, needs: nothing",
            callee: "workers: 4, events: none",
            gates: &["G4"],
            ..PLAIN
        },
        Case {
            name: "a callee that only publishes",
            step: "intent: notify, needs: nothing",
            callee: "workers: 4, events: publish",
            gates: &["G4"],
            ..PLAIN
        },
        Case {
            name: "an outage longer than the wait",
            step: "intent: write, needs: nothing, timeout: 2s",
            callee: "workers: 4, outages: [{ at: 1m, for: 90s }]",
            style: Style::EventDriven,
            gates: &["G5"],
            ..PLAIN
        },
        Case {
            name: "an outage shorter than the wait",
            step: "intent: write, needs: nothing",
            callee: "workers: 4, outages: [{ at: 1m, for: 20s }]",
            gates: &[],
            ..PLAIN
        },
        Case {
            name: "breakdowns longer than the wait",
            step: "intent: write, needs: nothing",
            callee: "workers: 4, breakdowns: { up: 1h, down: 45s }",
            style: Style::EventDriven,
            gates: &["G5"],
            ..PLAIN
        },
        Case {
            name: "work that outlasts the wait",
            step: "needs: nothing, intent: write, timeout: 1s",
            work: "{ exp: 400ms }",
            style: Style::EventDriven,
            gates: &["G6"],
            ..PLAIN
        },
        Case {
            name: "too large for a message",
            step: "needs: nothing, intent: notify, size: 5MB",
            gates: &["G7"],
            ..PLAIN
        },
        Case {
            name: "an answer that comes too late: contradictory",
            step: "needs: answer, timeout: 1s",
            work: "{ exp: 400ms }",
            gates: &["G1", "G6"],
            ..PLAIN
        },
        Case {
            name: "a lone notification without a deadline",
            step: "needs: nothing, intent: notify",
            style: Style::EventDriven,
            points: &[("W1", -1.0), ("W3", 1.0), ("W8", 1.0)],
            ..PLAIN
        },
        Case {
            name: "a lone change without a deadline",
            step: "needs: nothing, intent: write",
            points: &[("W1", -1.0), ("W3", 0.0), ("W8", 1.0)],
            ..PLAIN
        },
        Case {
            name: "a change that can wait",
            step: "needs: nothing, intent: write, within: 5m",
            style: Style::EventDriven,
            points: &[("W4", 2.0)],
            ..PLAIN
        },
        Case {
            name: "a change that must be seen at once",
            step: "needs: nothing, intent: write, within: 5ms",
            points: &[("W4", -2.0)],
            ..PLAIN
        },
        Case {
            name: "one of three consumers",
            step: "needs: nothing, intent: write",
            beside: two,
            style: Style::EventDriven,
            points: &[("W1", 2.0), ("W11", 1.0)],
            ..PLAIN
        },
        Case {
            name: "survived already, alone",
            step: "needs: nothing, intent: write, optional: true",
            points: &[("W8", 0.0), ("W1", -1.0)],
            ..PLAIN
        },
        Case {
            name: "targets missed",
            step: "needs: nothing, intent: write",
            more: targets,
            sync: slow,
            style: Style::EventDriven,
            points: &[("W6", 2.0), ("W7", 2.0)],
            ..PLAIN
        },
        Case {
            name: "targets met",
            step: "needs: nothing, intent: write",
            more: targets,
            sync: fine,
            points: &[("W6", 0.0), ("W7", 0.0)],
            ..PLAIN
        },
        Case {
            name: "a burst above what the callee can do",
            step: "needs: nothing, intent: write",
            callee: "workers: 1",
            work: "20ms",
            arrivals: "{ on_off: { rate: 100/s, busy: { exp: 1s }, idle: { exp: 9s } } }",
            style: Style::EventDriven,
            points: &[("W9", 2.0)],
            ..PLAIN
        },
        Case {
            name: "doing it twice does harm",
            step: "needs: nothing, intent: notify, idempotent: false",
            points: &[("W14", -1.0)],
            ..PLAIN
        },
        Case {
            name: "strict order for several",
            step: "needs: nothing, intent: notify, order_by_key: true, sensitive: true",
            beside: two,
            style: Style::EventDriven,
            points: &[("W15", -1.0), ("W19", -1.0)],
            ..PLAIN
        },
        Case {
            name: "the callee has three times the load",
            step: "needs: nothing, intent: write, idempotent: true",
            callee: "workers: 1",
            work: "60ms",
            style: Style::EventDriven,
            points: &[("W10", 1.0)],
            ..PLAIN
        },
        Case {
            name: "a thousand a second",
            step: "needs: nothing, intent: write",
            callee: "workers: unlimited",
            arrivals: "{ poisson: 1500/s }",
            style: Style::EventDriven,
            points: &[("W17", 1.0)],
            ..PLAIN
        },
        Case { name: "nothing is known", step: "", points: &[], ..PLAIN },
    ];
    for case in &cases {
        let decision = decided(case);
        let it = decision.interactions.iter().find(|i| i.name == "it").unwrap();
        let gates: Vec<&str> = it.gates.iter().map(|g| g.id).collect();
        assert_eq!(gates, case.gates, "{}: {it:#?}", case.name);
        for (criterion, points) in case.points {
            let found = it.reasons.iter().find(|r| r.criterion == *criterion).map(|r| r.points);
            assert_eq!(found, Some(*points), "{} {criterion}: {it:#?}", case.name);
        }
        assert_eq!(it.style, case.style, "{}: {it:#?}", case.name);
        assert_eq!(it.contradiction.is_some(), case.name.contains("contradictory"), "{}", case.name);
        assert!(it.style == Style::ApiLed || !it.conditions.is_empty(), "{}", case.name);
        assert_eq!(it.evidence == "strong", !it.gates.is_empty() || it.coverage >= 0.7, "{}", case.name);
    }
}

#[test]
fn a_scenario_is_the_set_of_its_interactions() {
    let s = read_scenario(include_str!("fixtures/place-order.yaml"), &|_| Err("no file".into())).unwrap();
    let decision = decide(&s, &SyncFigures::default());
    assert_eq!(decision.verdict, Verdict::Hybrid);
    let style = |name: &str| decision.interactions.iter().find(|i| i.name == name).unwrap();
    assert_eq!(style("customer").style, Style::ApiLed);
    assert_eq!(style("pay").style, Style::ApiLed);
    assert_eq!(style("notify").style, Style::EventDriven);
    // The ERP system cannot do events and is away for longer than the user waits: a contradiction, with a way out.
    let post = style("post");
    assert_eq!(post.style, Style::ApiLed);
    assert!(post.contradiction.as_deref().is_some_and(|c| c.contains("erp")), "{post:#?}");
    assert!(post.escape.is_some());
    assert_eq!(decision.recommended_variant.events.keys().collect::<Vec<_>>(), ["notify"]);
    assert_eq!(decision.recommended_variant.events["notify"], "orders.placed");
    let json = serde_json::to_value(&decision).unwrap();
    assert_eq!(json["verdict"], "hybrid");
    assert_eq!(json["interactions"][0]["style"], "api-led");
    assert!(json["interactions"][0]["gates"].is_array());
}

/// The judgement of the step under test.
fn judged(case: &Case) -> flowglass_scenario::decide::Interaction {
    decided(case).interactions.into_iter().find(|i| i.name == "it").unwrap()
}

#[test]
fn flips_say_how_far_an_input_has_to_move() {
    // A lone write (−1, 0, +1) hangs on its deadline: ten times the lag of 12 ms would be +2, below it −2.
    let it = judged(&Case {
        name: "a deadline",
        step: "needs: nothing, intent: write, within: 100ms",
        style: Style::EventDriven,
        ..PLAIN
    });
    assert_eq!((it.style, it.score), (Style::EventDriven, 1.0), "{it:#?}");
    let within = it.flips.iter().find(|f| f.input == "/steps/it/within").expect("it hangs on `within`");
    assert_eq!(within.becomes, Style::ApiLed);
    assert!((within.change.unwrap() + 0.88).abs() < 0.001, "from 100 ms to 12 ms: {within:#?}");
    assert!(it.fragile.is_empty());

    let it = judged(&Case { name: "near", step: "needs: nothing, intent: write, within: 13ms", ..PLAIN });
    assert!(it.fragile.iter().any(|f| f.contains("within")), "{it:#?}");

    // A breakdown of 31 s against the usual wait of 30 s.
    let it = judged(&Case {
        name: "an absence",
        step: "intent: write, needs: nothing",
        callee: "workers: 4, outages: [{ at: 1m, for: 31s }]",
        ..PLAIN
    });
    assert_eq!(it.style, Style::EventDriven);
    let absence = it.flips.iter().find(|f| f.label == "absence of back").expect("it hangs on the outage");
    assert!((absence.change.unwrap() + 1.0 / 31.0).abs() < 0.001 && !it.fragile.is_empty(), "{absence:#?}");

    // One consumer more makes a plain write an event.
    let it = judged(&Case { name: "alone", step: "needs: nothing, intent: write", ..PLAIN });
    assert!(it.flips.iter().any(|f| f.label.contains("consumers of") && f.to == "2"), "{it:#?}");
    // What a system cannot do is no quantity, but could change.
    let step = "intent: notify, needs: nothing";
    let it = judged(&Case { name: "no events", step, callee: "workers: 4, events: none", ..PLAIN });
    assert!(it.flips.iter().any(|f| f.input == "/participants/back/events" && f.change.is_none()), "{it:#?}");
}

#[test]
fn only_what_can_still_change_the_verdict_is_asked() {
    let gated = decided(&Case { name: "gated", step: "needs: answer, intent: read", ..PLAIN });
    assert!(gated.questions.is_empty(), "no answer takes a gate away: {:#?}", gated.questions);

    let open = decided(&Case { name: "open", step: "needs: nothing, intent: write", ..PLAIN });
    let asked: Vec<&str> = open.questions.iter().map(|q| q.about).collect();
    assert!(asked.contains(&"within") && asked.contains(&"W12"), "{asked:?}");
    assert!(open.questions[0].alone, "what turns the style over by itself comes first");
    assert!(open.questions.windows(2).all(|w| w[0].alone >= w[1].alone));
    let within = open.questions.iter().find(|q| q.about == "within").unwrap();
    assert_eq!(within.answers.iter().find(|a| a.text == "much later").unwrap().style, Style::EventDriven);
    assert_eq!(within.answers.iter().find(|a| a.text == "at once").unwrap().style, Style::ApiLed);
    for question in &open.questions {
        assert!(!question.text.contains("W1") && question.text.ends_with('?'), "{question:?}");
    }
    // A score so far from zero that no answer can turn it over is not asked about.
    let sure = decided(&Case {
        name: "sure",
        step: "needs: nothing, intent: notify, within: 1h, idempotent: true, order_by_key: false, sensitive: false",
        beside: "id: a, do: other.a, needs: nothing\nid: b, do: other.b, needs: nothing",
        more: "targets: { response_p95: 600ms, success: 99.5% }\n",
        sync: SyncFigures { response_p95_ms: Some(900.0), success: Some(0.98) },
        ..PLAIN
    });
    assert!(sure.questions.iter().all(|q| q.step.as_deref() != Some("it")), "{:#?}", sure.questions);
}

#[test]
fn facts_from_outside_the_file_come_first() {
    use flowglass_scenario::decide::{Fact, Facts, decide_with};
    let text = "flowglass: scenario/1
workloads: [{ to: a.run, arrivals: { poisson: 10/s } }]
participants: { a: {}, b: {} }
operations: { a.run: { steps: [{ id: it, do: b.do, needs: nothing, intent: write }] }, b.do: { work: 1ms } }
";
    let s = read_scenario(text, &|_| Err("no file".into())).unwrap();
    let fact =
        |criterion: &str, points: f64| Fact { criterion: criterion.into(), points, evidence: "seen (n = 7)".into() };
    let facts: Facts = [("it".to_owned(), vec![fact("W1", 2.0), fact("W12", 9.0), fact("X9", 2.0)])].into();
    let found = decide_with(&s, &SyncFigures::default(), &facts, &std::sync::atomic::AtomicBool::new(false));
    let it = &found.interactions[0];
    let points = |id: &str| it.reasons.iter().find(|r| r.criterion == id).map(|r| r.points);
    assert_eq!((points("W1"), points("W12"), points("X9")), (Some(2.0), Some(2.0), None));
    assert_eq!(it.reasons.iter().filter(|r| r.criterion == "W1").count(), 1);
    assert_eq!(it.style, Style::EventDriven);
}

#[test]
fn every_verdict_has_a_reason_on_both_sides() {
    let both = |case: &Case| {
        let found = decided(case);
        assert!(!found.reason_for.is_empty() && !found.reason_against.is_empty(), "{found:#?}");
        assert!(["strong", "fair", "weak"].contains(&found.evidence));
        for it in &found.interactions {
            assert!(!it.reason_for.is_empty() && !it.reason_against.is_empty(), "{it:#?}");
        }
        found
    };
    both(&Case { name: "nothing is known", ..PLAIN });
    both(&Case { name: "contradictory", step: "needs: answer, timeout: 1s", work: "{ exp: 400ms }", ..PLAIN });
    let found = both(&Case {
        name: "a primary and what follows",
        step: "needs: success, intent: write",
        beside: "id: a, do: other.a, needs: nothing, intent: notify",
        ..PLAIN
    });
    assert_eq!(found.verdict, Verdict::Hybrid);
    assert!(found.shape.unwrap().contains("outbox"), "{:?}", found.shape);
}
