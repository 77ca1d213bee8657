//! Rules of the simulator, each on a design so small that the answer is known.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use flowglass_scenario::experiment::{RunError, RunOptions, run};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::Scenario;
use serde_json::{Value, json};

fn read(scenario: &Value) -> Scenario {
    let arrivals = |name: &str| -> Result<Vec<u64>, String> {
        name.split('-').map(|ms| ms.parse::<u64>().map(|ms| ms * 1_000_000).map_err(|e| e.to_string())).collect()
    };
    read_scenario(&scenario.to_string(), &arrivals)
        .unwrap_or_else(|p| panic!("{}", p.iter().map(|p| format!("{p}\n")).collect::<String>()))
}

fn simulate(scenario: &Value) -> Value {
    let scenario = read(scenario);
    let outcome = run(&scenario, &RunOptions::of(&scenario), &|_| {}, &AtomicBool::new(false)).expect("it runs");
    serde_json::to_value(&outcome).expect("it is JSON")
}

/// A scenario of one workload and one variant called `model`.
fn model(arrivals: &Value, duration: &str, participants: Value, operations: Value, rest: Value) -> Value {
    let first = operations.as_object().and_then(|o| o.keys().find(|k| k.ends_with(".first")).cloned());
    let mut scenario = json!({
        "flowglass": "scenario/1", "title": "test",
        "run": { "duration": duration, "warm_up": "0s", "replications": 1, "seed": 3 },
        "workloads": [{ "name": "load", "to": first.expect("an operation called first"), "arrivals": arrivals }],
        "participants": participants, "operations": operations,
        "variants": { "model": {} },
    });
    let all = scenario.as_object_mut().expect("an object");
    for (key, value) in rest.as_object().expect("an object") {
        all.insert(key.clone(), value.clone());
    }
    scenario
}

fn figure(outcome: &Value, path: &str) -> f64 {
    let found = outcome.pointer(&format!("/variants/model/{path}")).unwrap_or_else(|| panic!("no {path}"));
    found["value"].as_f64().unwrap_or_else(|| panic!("{path}: {found}"))
}

fn load(outcome: &Value, path: &str) -> f64 {
    figure(outcome, &format!("workloads/load/{path}"))
}

#[test]
fn a_reply_at_the_instant_of_its_time_out_wins() {
    let with = |timeout: &str| {
        simulate(&model(
            &json!({ "every": "100ms" }),
            "10s",
            json!({ "a": {}, "b": {} }),
            json!({ "a.first": { "steps": [{ "id": "s", "do": "b.do", "needs": "success", "timeout": timeout }] },
                    "b.do": { "work": "50ms" } }),
            json!({}),
        ))
    };
    assert_eq!(load(&with("50ms"), "succeeded"), 1.0);
    let late = with("49999us");
    assert_eq!((load(&late, "succeeded"), load(&late, "failed")), (0.0, 1.0));
    assert!((load(&late, "response_ms/mean") - 49.999).abs() < 1e-9);
    assert_eq!(load(&late, "false_failure"), 1.0, "the work that nobody waits for is done all the same");
}

/// Three requests at 0, 1 and 2 ms for a worker that takes 10 ms.
#[test]
fn disciplines_serve_in_their_order() {
    let with = |discipline: &str| {
        let outcome = simulate(&model(
            &json!({ "times": "0-1-2" }),
            "1s",
            json!({ "a": { "workers": 1, "discipline": discipline } }),
            json!({ "a.first": { "work": "10ms" } }),
            json!({}),
        ));
        (load(&outcome, "response_ms/mean"), load(&outcome, "response_ms/max"))
    };
    assert_eq!(with("fifo"), (19.0, 28.0));
    assert_eq!(with("lifo"), (19.0, 29.0));
    // Shared: 1 ms alone, 1 ms by two, by three until the first is done at 27.5 ms, by two until 29.5 ms, the last at 30 ms.
    let (mean, max) = with("ps");
    assert!((max - 28.5).abs() < 1e-5 && (mean - 28.0).abs() < 1e-5, "{mean} {max}");
}

#[test]
fn urgent_work_goes_first_and_interrupts_nobody() {
    let mut scenario = model(
        &json!({ "times": "0-1-2" }),
        "1s",
        json!({ "a": { "workers": 1, "discipline": "priority" } }),
        json!({ "a.first": { "work": "10ms" } }),
        json!({}),
    );
    scenario["workloads"] = json!([
        { "name": "load", "to": "a.first", "arrivals": { "times": "0-1-2" }, "priority": 5 },
        { "name": "urgent", "to": "a.first", "arrivals": { "times": "3" }, "priority": 1 },
    ]);
    let outcome = simulate(&scenario);
    assert_eq!(figure(&outcome, "workloads/urgent/response_ms/max"), 17.0);
    assert_eq!(load(&outcome, "response_ms/max"), 38.0);
}

/// Four messages at once, four workers of 10 ms: in parallel, or one after the other where their order matters.
#[test]
fn ordered_messages_wait_for_each_other() {
    let with = |ordering: Value| {
        let mut channel = json!({ "publish": "0ms", "deliver": "0ms" });
        channel.as_object_mut().unwrap().extend(ordering.as_object().unwrap().clone());
        simulate(&model(
            &json!({ "times": "0-0-0-0" }),
            "1s",
            json!({ "a": {}, "b": { "workers": 4 } }),
            json!({ "a.first": { "steps": [{ "id": "s", "do": "b.do", "needs": "nothing", "intent": "notify" }] },
                    "b.do": { "work": "10ms" } }),
            json!({ "channels": { "c": channel }, "variants": { "model": { "events": { "s": "c" } } } }),
        ))
    };
    assert_eq!(load(&with(json!({})), "settled_ms/max"), 10.0);
    let ordered = with(json!({ "ordered": "key", "partitions": 1 }));
    assert_eq!(load(&ordered, "settled_ms/max"), 40.0);
    assert_eq!(load(&ordered, "response_ms/max"), 0.0);
}

/// A message that always fails keeps the ones behind it waiting until it is given up.
#[test]
fn a_poisoned_message_blocks_its_key() {
    let outcome = simulate(&model(
        &json!({ "times": "0-1" }),
        "10s",
        json!({ "a": {}, "b": { "workers": 4, "poison": 1.0 } }),
        json!({ "a.first": { "steps": [{ "id": "s", "do": "b.do", "needs": "nothing" }] }, "b.do": { "work": "10ms" } }),
        json!({
            "channels": { "c": { "publish": "0ms", "deliver": "0ms", "max_deliver": 3, "backoff": ["100ms"], "ordered": "key", "partitions": 1 } },
            "variants": { "model": { "events": { "s": "c" } } },
        }),
    ));
    // Each: three deliveries of 10 ms with 100 ms between; the second begins when the first is given up at 230 ms.
    assert_eq!(load(&outcome, "settled_ms/max"), 459.0);
    assert_eq!(load(&outcome, "false_success"), 1.0);
    assert_eq!(load(&outcome, "fates/dead_lettered"), 1.0);
    assert_eq!(figure(&outcome, "channels/c/groups/b.do/deliveries/mean"), 3.0);
    assert_eq!(figure(&outcome, "channels/c/groups/b.do/dead_lettered"), 1.0);
}

/// Work held by a caller, or not: a pool of one that waits 90 of 100 ms for somebody else.
#[test]
fn a_waiting_worker_is_held_or_not() {
    let with = |hold: &str| {
        simulate(&model(
            &json!({ "times": "0-0-0" }),
            "1s",
            json!({ "a": { "workers": 1, "hold": hold }, "b": {} }),
            json!({ "a.first": { "work": "10ms", "steps": [{ "id": "s", "do": "b.do", "needs": "success" }] },
                    "b.do": { "work": "90ms" } }),
            json!({}),
        ))
    };
    let held = with("worker");
    assert_eq!(load(&held, "response_ms/max"), 300.0);
    assert!((figure(&held, "participants/a/held_waiting") - 0.27).abs() < 1e-12);
    assert!((figure(&held, "participants/a/computing") - 0.03).abs() < 1e-12);
    let free = with("async");
    assert_eq!(load(&free, "response_ms/max"), 120.0);
    assert_eq!(figure(&free, "participants/a/held_waiting"), 0.0);
}

/// Capacity 500/s, a time-out of 200 ms, three attempts, down for 5 s: some loads never come back.
#[test]
fn a_retry_storm_outlasts_its_outage() {
    let with = |rate: &str, step: Value| {
        let mut call = json!({ "id": "s", "do": "b.do", "needs": "success", "timeout": "200ms",
                               "retry": { "attempts": 3, "backoff": "10ms", "jitter": "full" } });
        call.as_object_mut().unwrap().extend(step.as_object().unwrap().clone());
        simulate(&model(
            &json!({ "poisson": rate }),
            "240s",
            json!({ "a": {}, "b": { "workers": 10, "outages": [{ "at": "30s", "for": "5s", "mode": "pause", "work": "resume" }] } }),
            json!({ "a.first": { "steps": [call] }, "b.do": { "work": { "exp": "20ms" } } }),
            json!({}),
        ))
    };
    let last_half_minute = |outcome: &Value| -> f64 {
        let good =
            outcome.pointer("/variants/model/timeline/series/good_per_s").and_then(Value::as_array).expect("a series");
        good.iter().rev().take(30).filter_map(Value::as_f64).sum::<f64>() / 30.0
    };
    let storm = with("400/s", json!({}));
    assert!(last_half_minute(&storm) < 5.0, "{}", last_half_minute(&storm));
    assert_eq!(storm["variants"]["model"]["participants"]["b"]["recovery_ms"][0], json!("beyond_horizon"));
    assert_eq!(storm["variants"]["model"]["participants"]["b"]["drain_ms"][0], json!("beyond_horizon"));
    assert!(
        storm["variants"]["model"]["participants"]["b"]["wait_ms"]["p95"]["why"]
            .as_str()
            .is_some_and(|w| w.contains("backlog of b grows by"))
    );
    let small = with("150/s", json!({}));
    assert!((last_half_minute(&small) - 150.0).abs() < 10.0);
    let took = figure(&small, "participants/b/recovery_ms/0") / 1000.0;
    assert!((20.0..80.0).contains(&took), "{took} s");
    let budget =
        with("400/s", json!({ "retry": { "attempts": 3, "backoff": "10ms", "jitter": "full", "budget": 0.1 } }));
    assert!((last_half_minute(&budget) - 400.0).abs() < 20.0, "retries on a budget let it recover");
    let once = with("400/s", json!({ "retry": { "attempts": 1 } }));
    assert!((last_half_minute(&once) - 400.0).abs() < 20.0);
}

fn station(rate: &str, duration: &str) -> Value {
    let mut scenario = model(
        &json!({ "poisson": rate }),
        duration,
        json!({ "a": { "workers": 1 } }),
        json!({ "a.first": { "work": { "exp": "10ms" } } }),
        json!({}),
    );
    scenario["run"]["replications"] = json!(10);
    scenario
}

#[test]
fn overload_has_no_steady_state_and_a_high_load_has() {
    for (seed, duration) in [(1, "139s"), (2, "139s"), (3, "556s")] {
        for rate in ["90/s", "95/s"] {
            let mut busy = station(rate, duration);
            busy["run"]["seed"] = json!(seed);
            let outcome = simulate(&busy);
            assert!(load(&outcome, "response_ms/p95") > 0.0, "{rate}");
            assert_eq!(outcome["warnings"], json!([]));
        }
        let mut over = station("105/s", duration);
        over["run"]["seed"] = json!(seed);
        let outcome = simulate(&over);
        let p95 = &outcome["variants"]["model"]["workloads"]["load"]["response_ms"]["p95"];
        assert_eq!(p95["value"], Value::Null);
        let why = p95["why"].as_str().expect("a reason");
        let growth: f64 = why.rsplit("by ").next().and_then(|w| w.trim_end_matches("/s").parse().ok()).expect("a rate");
        assert!((3.0..7.0).contains(&growth), "{why}");
        assert!((figure(&outcome, "participants/a/utilisation") - 1.0).abs() < 0.01);
    }
}

#[test]
fn the_warm_up_is_found() {
    let mut scenario = station("90/s", "200s");
    scenario["run"]["warm_up"] = json!("auto");
    let outcome = simulate(&scenario);
    let warm_up = outcome["warm_up_s"].as_f64().expect("a number");
    assert!((0.1..55.0).contains(&warm_up), "{warm_up}");
}

#[test]
fn percentiles_need_enough_observations() {
    let mut scenario = station("10/s", "20s");
    scenario["run"]["replications"] = json!(3);
    let outcome = simulate(&scenario);
    let times = &outcome["variants"]["model"]["workloads"]["load"]["response_ms"];
    assert!(times["p95"]["value"].is_number(), "{times}");
    assert_eq!(times["p99"]["value"], Value::Null);
    assert!(times["p99"]["why"].as_str().is_some_and(|w| w.starts_with("too few")));
    scenario["run"]["replications"] = json!(1);
    let one = simulate(&scenario);
    assert_eq!(one["variants"]["model"]["workloads"]["load"]["response_ms"]["mean"]["ci95"], Value::Null);
}

/// A shop with everything in it, three ways.
fn shop() -> Value {
    json!({
        "flowglass": "scenario/1", "title": "shop",
        "run": { "duration": "40s", "warm_up": "2s", "replications": 6, "seed": 42 },
        "workloads": [{ "name": "shop", "to": "web.order", "arrivals": { "poisson": "60/s" }, "patience": "3s" }],
        "participants": {
            "web": { "workers": 64 }, "order": { "workers": 16, "replicas": 2 }, "crm": { "workers": 16 },
            "pay": { "workers": 16, "fails": 0.01 },
            "erp": { "workers": 8, "queue": 500, "outages": [{ "at": "10s", "for": "5s" }] }, "mail": { "workers": 4 },
        },
        "operations": {
            "web.order": { "work": { "lognormal": { "mean": "4ms", "scv": 0.5 } }, "steps": [{ "do": "order.place" }] },
            "order.place": { "work": { "exp": "8ms" }, "steps": [
                { "id": "customer", "do": "crm.get", "intent": "read", "needs": "answer", "cache": { "hit": 0.6 } },
                { "id": "charge", "do": "pay.charge", "intent": "write", "needs": "success", "timeout": "800ms",
                  "retry": { "attempts": 2, "backoff": "50ms" } },
                { "parallel": [
                    { "id": "post", "do": "erp.create", "intent": "write", "needs": "nothing" },
                    { "id": "notify", "do": "mail.send", "intent": "notify", "needs": "nothing" }] }] },
            "crm.get": { "work": { "exp": "20ms" } }, "pay.charge": { "work": { "gamma": { "mean": "90ms", "scv": 0.7 } } },
            "erp.create": { "work": { "exp": "60ms" } }, "mail.send": { "work": { "hyperexp": { "mean": "30ms", "scv": 3 } } },
        },
        "channels": { "orders": { "publish": { "exp": "2ms" }, "ack_wait": "2s", "max_deliver": 4, "backoff": ["500ms", "2s"] } },
        "variants": {
            "calls": {}, "same calls": {},
            "events": { "events": { "post": "orders", "notify": "orders" } },
        },
    })
}

fn bytes(threads: usize) -> String {
    let scenario = read(&shop());
    let options = RunOptions { threads, ..RunOptions::of(&scenario) };
    let outcome = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)).expect("it runs");
    serde_json::to_string(&outcome).expect("it is JSON")
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn the_same_seed_gives_the_same_bytes_everywhere() {
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(8));
    assert_eq!(format!("{:016x}", digest(&one)), "33a686ed9d78f8ca", "the result of a known scenario changed");
}

#[test]
fn equal_variants_differ_by_nothing_and_others_are_told_apart() {
    let outcome: Value = serde_json::from_str(&bytes(0)).expect("JSON");
    let differences = outcome["differences"].as_array().expect("a list");
    assert_eq!(differences.len(), 3 * 5);
    for d in differences.iter().filter(|d| d["a"] == "calls" && d["b"] == "same calls") {
        assert_eq!((&d["value"], &d["ci95"]), (&json!(0.0), &json!(0.0)), "{d}");
        assert_eq!(d["verdict"], "no practical difference");
    }
    let find = |metric: &str| {
        differences
            .iter()
            .find(|d| d["b"] == "events" && d["a"] == "calls" && d["metric"] == format!("/workloads/shop/{metric}"))
    };
    assert_eq!(find("response_ms/p95").expect("it is there")["verdict"], "better");
    assert_eq!(find("succeeded").expect("it is there")["verdict"], "better", "the outage no longer fails orders");
    for variant in ["calls", "events"] {
        let shop = &outcome["variants"][variant]["workloads"]["shop"];
        let share = |v: &Value| v["value"].as_f64().expect("a share");
        let answers: f64 =
            ["succeeded", "failed", "refused", "abandoned", "in_flight"].iter().map(|k| share(&shop[*k])).sum();
        let fates: f64 = shop["fates"].as_object().expect("an object").values().map(share).sum();
        assert!((answers - 1.0).abs() < 1e-12 && (fates - 1.0).abs() < 1e-12, "{answers} {fates}");
    }
}

#[test]
fn a_run_can_be_stopped_narrowed_and_bounded() {
    let mut scenario = read(&shop());
    let stopped = AtomicBool::new(true);
    let options = RunOptions::of(&scenario);
    assert_eq!(run(&scenario, &options, &|_| {}, &stopped), Err(RunError::Cancelled));
    // Stopped after the fourth replication of eighteen: what is done is kept.
    let stop = AtomicBool::new(false);
    let progress = |p: flowglass_scenario::experiment::Progress| stop.store(p.done >= 4, Ordering::Relaxed);
    let partial =
        run(&scenario, &RunOptions { threads: 1, ..options.clone() }, &progress, &stop).expect("a partial outcome");
    assert_eq!(partial.replications, 2);
    assert_eq!(partial.variants.get("events").expect("it is there").workloads.0[0].1.succeeded.n, 1);
    let one = RunOptions { variants: vec!["events".to_owned()], ..options.clone() };
    let one = run(&scenario, &one, &|_| {}, &AtomicBool::new(false)).expect("it runs");
    assert_eq!(one.variants.0.len(), 1);
    let unknown = RunOptions { variants: vec!["event".to_owned()], ..options.clone() };
    assert!(matches!(run(&scenario, &unknown, &|_| {}, &AtomicBool::new(false)), Err(RunError::UnknownVariant { .. })));
    let small = RunOptions { max_events: 1000, ..options };
    assert!(matches!(run(&scenario, &small, &|_| {}, &AtomicBool::new(false)), Err(RunError::TooMuch { .. })));
    scenario.run.duration = 0;
    assert!(matches!(
        run(&scenario, &RunOptions::of(&scenario), &|_| {}, &AtomicBool::new(false)),
        Err(RunError::Nothing(_))
    ));
}

#[test]
fn a_run_goes_on_until_it_is_precise() {
    let scenario = read(&station("80/s", "50s"));
    let seen = AtomicU32::new(0);
    let progress = |p: flowglass_scenario::experiment::Progress| seen.store(p.done, Ordering::Relaxed);
    let rough = RunOptions { precision: Some(0.5), replications: 2, ..RunOptions::of(&scenario) };
    let rough = run(&scenario, &rough, &progress, &AtomicBool::new(false)).expect("it runs");
    assert_eq!(rough.replications, 10, "ten at least");
    let mut strict = scenario.clone();
    strict.indifference.response_ms = 0.0;
    strict.indifference.settled_ms = 0.0;
    let options = RunOptions { precision: Some(0.05), ..RunOptions::of(&strict) };
    let fine = run(&strict, &options, &progress, &AtomicBool::new(false)).expect("it runs");
    let p95 = &fine.variants.0[0].1.workloads.0[0].1.response_ms.p95;
    assert!(
        fine.replications > 10 && fine.replications.is_multiple_of(5) && fine.replications < 200,
        "{}",
        fine.replications
    );
    assert!(p95.ci95.unwrap() <= 0.05 * p95.value.unwrap());
}
