//! The search for the best mixture, break-evens and what a difference hangs on, on designs whose answer is known.

use std::sync::atomic::AtomicBool;

use flowglass_scenario::decide::{SyncFigures, decide};
use flowglass_scenario::experiment::RunOptions;
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::{Scenario, Variant};
use flowglass_scenario::study::{
    Effort, Input, SearchOptions, StudyOptions, Turns, break_evens, comparison, inputs, load_sweep, preview, search,
    study, tornado, with_best_hybrid,
};

fn read(text: &str) -> Scenario {
    read_scenario(text, &|_| Err("no files".into())).unwrap_or_else(|p| panic!("{p:#?}"))
}

fn never() -> AtomicBool {
    AtomicBool::new(false)
}

/// Two steps nobody needs: a slow one that has only one worker, and a quick one.
const ORDER: &str = "flowglass: scenario/1
run: { duration: 2m, warm_up: 5s, replications: 3 }
workloads: [{ name: shop, to: web.order, arrivals: { poisson: 20/s }, patience: 60s }]
participants:
  web: { workers: 40 }
  erp: { workers: 2 }
  mail: { workers: 4 }
  pay: { workers: 16 }
operations:
  web.order:
    work: { exp: 5ms }
    steps:
      - { id: charge, do: pay.charge, intent: write, needs: success }
      - { id: post, do: erp.create, intent: write, needs: nothing, within: 60s, idempotent: true }
      - { id: notify, do: mail.send, intent: notify, needs: nothing, within: 5m }
  pay.charge: { work: { exp: 40ms } }
  erp.create: { work: { exp: 60ms } }
  mail.send: { work: { exp: 20ms } }
channels: { orders: { publish: 1ms, deliver: 1ms } }
targets: { response_p95: 250ms, success: 99% }
";

#[test]
fn the_best_mixture_is_found_and_explained() {
    let s = read(ORDER);
    let sync = SyncFigures { response_p95_ms: Some(400.0), success: Some(1.0) };
    let decision = decide(&s, &sync);
    let found = search(&s, &decision, &SearchOptions::of(&s), &|_| {}, &never()).unwrap();
    assert_eq!(found.free, ["post", "notify"]);
    assert_eq!((found.assignments, found.simulated, found.exhaustive), (4, 4, true));
    // The slow step keeps the user waiting for longer than wanted; both may be events.
    assert_eq!(found.recommended.events.keys().collect::<Vec<_>>(), ["notify", "post"]);
    assert!(found.recommended.missed.is_empty() && !found.all_calls.missed.is_empty(), "{found:#?}");
    assert!(found.recommended.response_p95_ms < found.all_calls.response_p95_ms);
    assert!(found.reason.contains("reaches all targets"), "{}", found.reason);
    assert!(found.front.iter().any(|c| c.events == found.recommended.events));
    assert!(found.given_up.iter().any(|g| g.contains("fewer parts")), "{:?}", found.given_up);
    let again =
        search(&s, &decision, &SearchOptions { threads: 1, ..SearchOptions::of(&s) }, &|_| {}, &never()).unwrap();
    assert_eq!(again, found, "the number of threads does not show");
}

/// Nobody said what the business needs of placing an order: it is not made an event because that would answer sooner.
#[test]
fn what_is_unknown_is_not_free() {
    let s = read(include_str!("fixtures/place-order.yaml"));
    let decision = decide(&s, &SyncFigures::default());
    let options = SearchOptions { events: 500_000, ..SearchOptions::of(&s) };
    let found = search(&s, &decision, &options, &|_| {}, &never()).unwrap();
    assert!(found.free.is_empty() && found.assignments == 1, "{:?}", found.free);
    assert_eq!(found.recommended.events, decision.recommended_variant.events);
}

#[test]
fn a_file_without_variants_has_the_best_mixture_as_its_hybrid() {
    let s = read(ORDER);
    assert!(!s.variants_named);
    let best = with_best_hybrid(&s, 0, &|_| {}, &never()).unwrap();
    let hybrid = best.variant("hybrid").unwrap();
    assert_eq!(hybrid.events.keys().collect::<Vec<_>>(), ["notify", "post"]);
    assert!(hybrid.events.values().all(|c| best.design.channels.contains_key(c)));
}

#[test]
fn a_search_of_many_steps_is_bounded_and_can_be_stopped() {
    let mut text = String::from(
        "flowglass: scenario/1
run: { duration: 10m, replications: 3 }
workloads: [{ to: web.order, arrivals: { poisson: 20/s } }]
participants: { web: { workers: 100 }, back: { workers: 60 } }
operations:
  back.do: { work: { exp: 10ms } }
  web.order:
    work: 1ms
    steps:
",
    );
    for i in 0..16 {
        text.push_str(&format!("      - {{ id: s{i}, do: back.do, needs: nothing, intent: write, within: 1m }}\n"));
    }
    let s = read(&text);
    let decision = decide(&s, &SyncFigures::default());
    let options = SearchOptions { events: 2_000_000, ..SearchOptions::of(&s) };
    let found = search(&s, &decision, &options, &|_| {}, &never()).unwrap();
    assert!(!found.exhaustive && found.assignments == 1 << 16 && found.simulated <= 500, "{}", found.simulated);
    assert!(found.simulated_events < 12_000_000, "{}", found.simulated_events);
    let stopped = AtomicBool::new(true);
    assert!(search(&s, &decision, &options, &|_| {}, &stopped).is_err());
}

/// One worker of 10 ms: as a call, the response p95 of M/M/1 is S·ln 20 / (1 − ρ), so 60 ms are missed above 50.07/s.
#[test]
fn break_evens_are_where_theory_puts_them() {
    let s = read(
        "flowglass: scenario/1
run: { duration: 20m, warm_up: 5s }
workloads: [{ to: a.ask, arrivals: { poisson: 30/s } }]
participants: { a: {}, b: { workers: 1 } }
operations:
  a.ask: { work: 0ms, steps: [{ id: s, do: b.do, needs: nothing, intent: write, within: 1m }] }
  b.do: { work: { exp: 10ms } }
channels: { c: { publish: 1ms, deliver: 1ms } }
variants: { calls: {}, events: { events: { s: c } } }
targets: { response_p95: 60ms }
",
    );
    let pair = [s.variant("calls").unwrap(), s.variant("events").unwrap()];
    let effort = Effort { requests: 40_000.0, ..Effort::of(&s) };
    let found = break_evens(&s, pair, &effort, &|_| {}, &never()).unwrap();
    let load = found.iter().find(|b| b.input == Input::Load && b.turns == Turns::Target).expect("the target is missed");
    assert!(load.low < 50.07 && load.high > 50.07 && load.high - load.low < 25.0, "{load:#?}");
    assert!(load.sentence.contains("calls misses"), "{}", load.sentence);
    assert!(found.iter().all(|b| b.low < b.high));
}

#[test]
fn a_difference_hangs_on_what_makes_it() {
    let s = read(ORDER);
    let (calls, events) = (Variant::calls("api-led"), s.variant("event-driven").unwrap().clone());
    let effort = Effort { requests: 1500.0, replications: 3, ..Effort::of(&s) };
    let found = tornado(&s, [&calls, &events], &effort, &|_| {}, &never()).unwrap();
    assert!(found.now.response_p95_ms.unwrap() < -50.0, "{:?}", found.now);
    let rank = |label: &str| found.bars.iter().position(|b| b.label == label).unwrap_or_else(|| panic!("no {label}"));
    assert!(rank("work of erp.create") < rank("work of mail.send"), "{:#?}", found.bars);
    assert_eq!(found.bars.len(), inputs(&s).len());
}

#[test]
fn a_step_with_a_distance_of_its_own_can_be_moved_away() {
    let s = read(&ORDER.replace("do: pay.charge,", "do: pay.charge, network: 10ms,"));
    let way = Input::Way("charge".into());
    assert!(inputs(&s).contains(&way) && !inputs(&read(ORDER)).contains(&way));
    assert_eq!((way.value(&s), way.path().as_str()), (Some(10.0), "/steps/charge/network"));
    assert_eq!(way.value(&way.at(&s, 25.0)), Some(25.0));
}

#[test]
fn sweeps_grow_with_the_load() {
    let s = read(ORDER);
    let found = load_sweep(&s, &Effort { requests: 1500.0, ..Effort::of(&s) }, &|_| {}, &never()).unwrap();
    assert!(found.points.len() == 9 && found.points.windows(2).all(|w| w[0].value < w[1].value));
    let of = |i: usize| found.points[i].variants.get("api-led").unwrap().response_p95_ms.value;
    assert!(of(0).unwrap() < of(2).unwrap());
}

#[test]
fn a_preview_has_a_tenth_of_the_requests_and_all_of_the_trouble() {
    // A load that all of them can carry: at 132/s everybody leaves before there is an answer.
    let s = read(&include_str!("fixtures/place-order.yaml").replace("132/s", "20/s"));
    let seen = preview(&s, &RunOptions::of(&s), &|_| {}, &never()).unwrap();
    let variant = seen.variants.get("api-led").unwrap();
    assert_eq!(variant.timeline.outages[0].of, "erp");
    assert!((variant.timeline.outages[0].to_s - variant.timeline.outages[0].from_s - 90.0).abs() < 1e-9);
    let curve = &variant.curves.get("shop").unwrap().response_ms;
    assert!(curve.len() > 20 && curve.last().unwrap()[1] == 1.0, "{curve:?}");
    assert!(curve.windows(2).all(|w| w[0][0] <= w[1][0] && w[0][1] < w[1][1]));
}

#[test]
fn variants_are_compared_by_their_structure() {
    let s = read(include_str!("fixtures/place-order.yaml"));
    let rows = comparison(&s, None);
    let value = |measure: &str, variant: &str| {
        rows.iter().find(|r| r.measure == measure).unwrap().variants.get(variant).unwrap().value
    };
    assert_eq!(value("synchronous hops to the answer", "api-led"), Some(3.0));
    assert_eq!(value("participants an answer depends on", "api-led"), Some(6.0));
    assert_eq!(value("participants an answer depends on", "hybrid"), Some(4.0));
    assert_eq!(value("effects visible in one trace", "api-led"), Some(1.0));
    assert!(value("moving parts", "hybrid") > value("moving parts", "api-led"));
    // The ERP system's four workers of 120 ms carry 33/s.
    let full = value("load at which the first is full", "api-led").unwrap();
    assert!((full - 4.0 / 0.120).abs() < 1e-6, "{full}");
}

#[test]
fn a_study_always_has_reasons_on_both_sides() {
    let s = read(ORDER);
    let options = StudyOptions { effort: None, ..StudyOptions::of(&s) };
    let found = study(&s, &options, None, &|_| {}, &never()).unwrap();
    assert!(!found.decision.reason_for.is_empty() && !found.decision.reason_against.is_empty());
    for it in &found.decision.interactions {
        assert!(!it.reason_for.is_empty() && !it.reason_against.is_empty(), "{it:#?}");
    }
    assert_eq!(found.decision.recommended_variant.events.len(), 2);
    let json = serde_json::to_value(&found).unwrap();
    assert!(json["verdict"].is_string() && json["search"]["front"].is_array() && json["interactions"].is_array());
}

#[test]
fn simulated_requests_are_journeys() {
    use flowglass_scenario::exemplars::{ExemplarOptions, exemplars};
    let s = read(include_str!("fixtures/place-order.yaml"));
    let told = exemplars(&s, "hybrid", &ExemplarOptions::of(&s), &never()).unwrap();
    assert!(told.iter().filter(|e| e.why == "slowest").count() == 5, "{}", told.len());
    let fates: std::collections::BTreeSet<&str> = told.iter().map(|e| e.fate).collect();
    assert!(fates.len() >= 2, "{fates:?}");
    for e in &told {
        let journey = &e.journey;
        assert!(journey.summary.keys.contains(&("simulated".to_owned(), "hybrid".to_owned())));
        let ids: std::collections::BTreeSet<&str> = journey.items.iter().map(|i| i.id.as_str()).collect();
        assert_eq!(ids.len(), journey.items.len(), "ids are unique");
        assert!(journey.items.iter().all(|i| i.parent.as_deref().is_none_or(|p| ids.contains(p))));
        assert!(journey.items.windows(2).all(|w| w[0].start <= w[1].start));
        assert!(journey.items.iter().all(|i| i.duration >= 0 && i.start >= journey.summary.start));
        // What is on the critical path adds up to the response.
        if let Some(response) = journey.summary.response.filter(|_| e.fate == "completed") {
            let sum: i64 = journey.critical_path.iter().map(|s| s.self_time).sum();
            assert_eq!(sum, response, "{e:#?}");
        }
    }
    let completed = told.iter().find(|e| e.fate == "completed").expect("some do");
    let roles: Vec<&str> = completed.journey.items.iter().map(|i| i.role.as_str()).collect();
    assert!(roles.contains(&"event") && roles.contains(&"consumer") && roles.contains(&"client"), "{roles:?}");
    assert_eq!(told, exemplars(&s, "hybrid", &ExemplarOptions::of(&s), &never()).unwrap());
    assert!(exemplars(&s, "nobody", &ExemplarOptions::of(&s), &never()).is_err());
}
