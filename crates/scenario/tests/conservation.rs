//! Random small designs: nothing is lost count of, and theory's orderings hold.

use std::sync::atomic::AtomicBool;

use flowglass_scenario::experiment::{RunOptions, run};
use flowglass_scenario::file::read_scenario;
use proptest::prelude::*;
use serde_json::{Value, json};

fn simulate(scenario: &Value) -> Result<Value, String> {
    let scenario = read_scenario(&scenario.to_string(), &|_| Err("no files".to_owned()))
        .map_err(|p| p.iter().map(|p| format!("{p}\n")).collect::<String>())?;
    let options = RunOptions { threads: 1, max_events: 3_000_000, ..RunOptions::of(&scenario) };
    // A run that lost count is an error.
    let outcome = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)).map_err(|e| e.to_string())?;
    serde_json::to_value(&outcome).map_err(|e| e.to_string())
}

fn work() -> impl Strategy<Value = Value> {
    (1u32..40).prop_flat_map(|ms| {
        prop_oneof![
            Just(json!({ "exp": format!("{ms}ms") })),
            Just(json!(format!("{ms}ms"))),
            Just(json!("0ms")),
            Just(json!({ "lognormal": { "mean": format!("{ms}ms"), "scv": 1.5 } })),
        ]
    })
}

fn participant() -> impl Strategy<Value = Value> {
    let trouble = prop_oneof![
        4 => Just(json!(null)),
        1 => (0u8..5, 0u8..3).prop_map(|(mode, work)| {
            let mode = [json!("refuse"), json!("silent"), json!("pause"), json!({ "slow": 4 }), json!({ "errors": 0.3 })][mode as usize].clone();
            let work = ["resume", "restart", "lose"][work as usize];
            json!([{ "at": "1s", "for": "800ms", "mode": mode, "work": work }])
        }),
    ];
    let breakdowns = prop_oneof![
        4 => Just(json!(null)),
        1 => Just(json!({ "up": { "exp": "900ms" }, "down": { "exp": "150ms" } })),
    ];
    (
        1u32..5,
        prop_oneof![Just("fifo"), Just("lifo"), Just("priority"), Just("ps")],
        0u32..3,
        trouble,
        breakdowns,
        0u32..30,
        any::<bool>(),
    )
        .prop_map(|(workers, discipline, queue, outages, breakdowns, fails, hold)| {
            let mut p = json!({ "workers": workers, "discipline": discipline, "fails": f64::from(fails) / 100.0,
                                "hold": if hold { "worker" } else { "async" } });
            if queue > 0 {
                p["queue"] = json!(queue * 4);
            }
            if !outages.is_null() {
                p["outages"] = outages;
            }
            if !breakdowns.is_null() {
                p["breakdowns"] = breakdowns;
            }
            p
        })
}

fn channel() -> impl Strategy<Value = Value> {
    (1u32..4, 0u32..4, any::<bool>(), 0u32..3, 0u8..4, 1u32..4, 0u8..6).prop_map(
        |(max_deliver, wait, dedup, loss, full, batch, extra)| {
            let waits = ["20ms", "60ms", "300ms", "5s"];
            let policies = ["refuse", "drop_oldest", "dead_letter_oldest", "block"];
            let mut c = json!({
                "publish": "1ms", "deliver": "1ms", "max_deliver": max_deliver, "ack_wait": waits[wait as usize],
                "dedup": dedup, "ack_loss": f64::from(loss) / 10.0, "batch": batch, "backoff": ["15ms"],
            });
            let more = match extra {
                0 => json!({ "ordered": "key", "partitions": 3 }),
                1 => json!({ "prefetch": 3 }),
                2 => json!({ "max_age": "80ms" }),
                3 => json!({ "limit": 6, "when_full": policies[full as usize] }),
                4 => json!({ "ack": "on_receipt" }),
                _ => json!({ "publish": "0ms", "deliver": "0ms", "broker": { "outages": [{ "at": "1s", "for": "300ms" }] } }),
            };
            c.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            c
        },
    )
}

fn step(i: usize) -> impl Strategy<Value = Value> {
    (0u8..3, prop_oneof![Just("answer"), Just("success"), Just("nothing")], 0u8..4, any::<bool>()).prop_map(
        move |(to, needs, extra, optional)| {
            let mut step =
                json!({ "id": format!("step{i}"), "do": format!("p{to}.do"), "needs": needs, "intent": "write" });
            let more = match extra {
                0 => json!({ "timeout": "40ms", "retry": { "attempts": 3, "backoff": "10ms" } }),
                1 => json!({ "timeout": "120ms", "breaker": { "open_after": 4, "for": "200ms" } }),
                2 => json!({ "compensate": "p0.undo" }),
                _ => json!({ "optional": optional }),
            };
            step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            step
        },
    )
}

fn design() -> impl Strategy<Value = Value> {
    let steps = (step(0), step(1), step(2), step(3));
    let participants = (participant(), participant(), participant());
    let works = (work(), work(), work());
    (steps, participants, works, channel(), 0u8..3, any::<u32>(), 5u32..80, any::<[bool; 4]>(), any::<bool>()).prop_map(
        |(s, p, w, channel, shape, seed, rate, events, closed)| {
            let steps = match shape {
                0 => json!([s.0, s.1, s.2, s.3]),
                1 => json!([{ "parallel": [s.0, s.1, s.2] }, s.3]),
                _ => json!([s.0, { "choose": [{ "share": 0.4, "steps": [s.1] }, { "share": 0.5, "steps": [s.2, s.3] }] }]),
            };
            let mapped: serde_json::Map<String, Value> =
                (0..4).filter(|i| events[*i]).map(|i| (format!("step{i}"), json!("c"))).collect();
            let arrivals = if closed {
                json!({ "users": { "count": 5, "think": { "exp": "50ms" } } })
            } else {
                json!({ "poisson": format!("{rate}/s") })
            };
            json!({
                "flowglass": "scenario/1", "title": "random",
                "run": { "duration": "3s", "warm_up": "300ms", "replications": 2, "seed": seed },
                "workloads": [{ "name": "load", "to": "front.ask", "arrivals": arrivals, "patience": "1500ms" }],
                "participants": { "front": { "workers": 20 }, "p0": p.0, "p1": p.1, "p2": p.2 },
                "operations": { "front.ask": { "work": "1ms", "steps": steps }, "p0.do": { "work": w.0 }, "p0.undo": { "work": "2ms" },
                                "p1.do": { "work": w.1 }, "p2.do": { "work": w.2 } },
                "channels": { "c": channel },
                "variants": { "calls": {}, "events": { "events": mapped } },
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_count_of(scenario in design()) {
        let outcome = simulate(&scenario).map_err(TestCaseError::fail)?;
        for variant in ["calls", "events"] {
            let load = &outcome["variants"][variant]["workloads"]["load"];
            let share = |v: &Value| v["value"].as_f64().unwrap_or(0.0);
            let answers: f64 = ["succeeded", "failed", "refused", "abandoned", "in_flight"].iter().map(|k| share(&load[*k])).sum();
            let fates: f64 = load["fates"].as_object().map_or(0.0, |f| f.values().map(share).sum());
            prop_assert!((answers - 1.0).abs() < 1e-9 && (fates - 1.0).abs() < 1e-9, "{} {}", answers, fates);
        }
    }
}

fn station(rate: u32, workers: u32) -> Value {
    json!({
        "flowglass": "scenario/1", "title": "station",
        "run": { "duration": "20s", "warm_up": "0s", "replications": 2, "seed": 9 },
        "workloads": [{ "name": "load", "to": "a.do", "arrivals": { "poisson": format!("{rate}/s") } }],
        "participants": { "a": { "workers": workers } }, "operations": { "a.do": { "work": { "exp": "20ms" } } },
        "variants": { "model": {} },
    })
}

/// With the same chances, more load never shortens the mean response, and another worker never lengthens it.
#[test]
fn more_load_is_never_faster_and_more_workers_are_never_slower() {
    let mean = |rate: u32, workers: u32| {
        let outcome = simulate(&station(rate, workers)).expect("it runs");
        outcome.pointer("/variants/model/participants/a/wait_ms/mean/value").and_then(Value::as_f64)
    };
    for workers in 2..5 {
        let waits: Vec<f64> = (1..9).filter_map(|i| mean(10 * i, workers)).collect();
        assert!(waits.windows(2).all(|w| w[0] <= w[1] * 1.02 + 0.01), "{workers} workers: {waits:?}");
    }
    let waits: Vec<f64> = (2..7).filter_map(|workers| mean(60, workers)).collect();
    assert!(waits.len() >= 4 && waits.windows(2).all(|w| w[0] >= w[1]), "{waits:?}");
}
