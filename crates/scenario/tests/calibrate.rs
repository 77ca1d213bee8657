//! Scenarios made from observed spans: what was put in comes out again.

mod landscape;

use std::sync::atomic::AtomicBool;

use flowglass_model::{Layer, NodeId, Peer, Role};
use flowglass_scenario::calibrate::{Calibration, Grade, NotEnough, Observation, calibrate, validate};
use flowglass_scenario::experiment::{RunOptions, run};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::{Scenario, Step};

use landscape::{Landscape, MS, near_and_far, orders, server};

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

#[test]
fn each_caller_has_its_own_way() {
    let landscape = near_and_far(1000);
    let scenario = scenario(&made(&landscape));
    for (caller, ms) in [("near.get-page", 2.0), ("far.get-page", 20.0)] {
        let Some(Step::Do(step)) = scenario.design.operations[caller].steps.first() else { panic!("{caller} asks") };
        let way = step.network.as_ref().map(|way| way.mean() / 1e6);
        assert!(way.is_some_and(|way| (way / ms - 1.0).abs() < 0.02), "{caller}: {way:?} ms instead of {ms} ms");
    }
    let mut options = RunOptions::of(&scenario);
    (options.replications, options.variants) = (5, vec!["observed".into()]);
    let outcome = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)).expect("an outcome");
    let found = outcome.variants.get("observed").expect("the variant");
    let means: Vec<f64> = found.workloads.iter().filter_map(|(_, w)| w.response_ms.mean.value).collect();
    assert!(
        matches!(means.as_slice(), [far, near] if (far - 46.0).abs() < 2.0 && (near - 10.0).abs() < 1.0),
        "{means:?}"
    );
}

#[test]
fn shares_of_a_choice_never_add_up_to_more_than_all() {
    // One of two in 1 of 3 and 2 of 3 cases: 0.3333… and 0.6666… would both be rounded up somewhere.
    for requests in [201, 300, 1000, 1801] {
        let mut l = Landscape::new();
        for i in 0..requests as i64 {
            let at = 1_700_000_000_000_000_000 + i * 50 * landscape::MS;
            let trace = l.trace();
            let (callee, what) = if i % 3 == 0 { ("one", "GET /one") } else { ("other", "GET /other") };
            let root = l.span(trace, None, "front", "GET /", landscape::server(), at, at + 30 * landscape::MS, true);
            let from = at + landscape::MS;
            let call =
                l.span(trace, Some(root), "front", what, landscape::client(), from, at + 20 * landscape::MS, true);
            l.span(trace, Some(call), callee, what, landscape::server(), from, at + 19 * landscape::MS, true);
        }
        scenario(&made(&l));
    }
}

#[test]
fn calls_that_were_given_up_tell_of_a_time_out_and_not_of_slow_work() {
    // A bank that says nothing itself answers within 20 ms on average; one call in ten never comes back and is given up after 500 ms.
    let mut l = Landscape::new();
    let mut now = 1_700_000_000_000_000_000;
    for i in 0..2000 {
        now += l.exp(100.0);
        let trace = l.trace();
        let (took, ok) =
            if i % 10 == 3 { (500 * MS + i % 7 * 100_000, false) } else { (l.exp(20.0).min(300 * MS), true) };
        let work = l.exp(5.0);
        let pay = l.span(trace, None, "pay", "POST /charge", server(), now, now + work + took, ok);
        let peer = Peer { service: None, host: Some("bank.example".into()), port: None };
        l.span(trace, Some(pay), "pay", "POST /authorise", Role::Client { peer }, now + work, now + work + took, ok);
    }
    let calibration = made(&l);
    let scenario = scenario(&calibration);
    let step = |s: &Step| if let Step::Do(step) = s { Some(step.clone()) } else { None };
    let authorise = scenario.design.operations["pay.post-charge"].steps.iter().find_map(step).expect("a step");
    assert!((authorise.timeout.expect("a time-out") as f64 / 500e6 - 1.0).abs() < 0.03, "{authorise:?}");
    let told = calibration.inputs.iter().find(|i| i.path.starts_with("/operations/bank") && i.path.ends_with("/work"));
    let told = told.unwrap_or_else(|| panic!("{}", calibration.yaml));
    assert!(told.value.ends_with(", 200 more were given up after 500.6ms") && told.n == 1800, "{told:?}");
    let mean: f64 = told.value["mean ".len()..].split("ms").next().unwrap_or_default().parse().expect("milliseconds");
    assert!((mean / 20.0 - 1.0).abs() < 0.05, "{told:?}");
    assert_eq!(scenario.design.participants.values().map(|p| p.fails).fold(0.0, f64::max), 0.0, "{}", calibration.yaml);

    // Simulated, the same share is given up, and by the time-out alone.
    let options = RunOptions { replications: 5, ..RunOptions::of(&scenario) };
    let outcome = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)).expect("it runs");
    let bank = outcome.variants.get("observed").and_then(|v| v.participants.get("bank-example")).expect("the bank");
    let share = bank.timed_out.value.expect("calls were made");
    assert!((share - 0.1).abs() < 0.01, "{share}");
}
