//! Everything that can be wrong in a file is told at its place, with what could stand there.

use flowglass_scenario::file::read_scenario;

/// A good file, one line for each thing that the cases below break.
const GOOD: &str = "flowglass: scenario/1
title: T
run: { duration: 1m, warm_up: auto, replications: 2, seed: 1 }
workloads:
  - { name: w, to: a.run, arrivals: { poisson: 1/s }, patience: 5s, priority: 1 }
participants:
  a: { layer: process, workers: 2, queue: 5, discipline: fifo, hold: worker, network: 1ms }
  b: { workers: 2, outages: [{ at: 1s, for: 2s, mode: refuse, work: lose }], breakdowns: { up: 1h, down: 1m } }
operations:
  a.run: { work: { exp: 5ms }, reply: early, steps: [{ id: s, do: b.do, needs: success, retry: { attempts: 2, jitter: full }, size: 4kB }] }
  b.do: { work: { lognormal: { mean: 5ms, scv: 1 } } }
channels:
  c: { ack_wait: 5s, max_deliver: 3, ordered: key, partitions: 4, batch: 2, max_age: 1m, limit: 10, when_full: block }
variants:
  v: { events: { s: c }, accept: [s], set: { /participants/a/workers: 3 } }
targets: { response_p95: 1s, success: 99% }
indifference: { response_ms: 10ms }
sources: { /participants/a/workers: measured }
";

/// What is replaced by what, and where and in which words that is told.
const WRONG: &[(&str, &str, u32, &str)] = &[
    // The whole file.
    ("flowglass: scenario/1\n", "", 1, "the first line must be"),
    ("scenario/1", "scenario/2", 1, "no version that is known here"),
    ("title: T", "titel: T", 2, "did you mean `title`?"),
    ("title: T", "title: [T]", 2, "this must be a title"),
    ("title: T", "title: T\ntitle: U", 3, "stands twice"),
    ("workloads:\n", "worklods:\n", 4, "did you mean `workloads`?"),
    ("title: T", "title: &t [*x]", 2, "not YAML"),
    ("title: T", "? [x]\n: y", 2, "a key must be a text"),
    // The run.
    ("duration: 1m", "duration: 60", 3, "no unit"),
    ("duration: 1m", "duration: 1us", 3, "1ms at least"),
    ("duration: 1m", "duration: -1m", 3, "negative"),
    ("duration: 1m", "duration: 1y", 3, "no unit of time"),
    ("replications: 2", "replications: 0", 3, "no whole number from 1"),
    ("replications: 2", "replications: 2.5", 3, "no whole number"),
    ("seed: 1", "sede: 1", 3, "did you mean `seed`?"),
    ("warm_up: auto", "warm_up: soon", 3, "no duration"),
    // Workloads.
    ("to: a.run", "to: a.rum", 5, "did you mean `a.run`?"),
    ("to: a.run, ", "", 5, "`to` is missing"),
    ("arrivals: { poisson: 1/s }, ", "", 5, "`arrivals` is missing"),
    ("{ poisson: 1/s }", "{ poison: 1/s }", 5, "did you mean `poisson`?"),
    ("{ poisson: 1/s }", "{ poisson: 1 }", 5, "no rate"),
    ("{ poisson: 1/s }", "{ poisson: .nan/s }", 5, "no rate"),
    ("{ poisson: 1/s }", "{ poisson: 1e12/s }", 5, "more than one in a nanosecond"),
    ("{ poisson: 1/s }", "{ poisson: 1/s, every: 1s }", 5, "arrivals have one kind"),
    ("{ poisson: 1/s }", "{ every: 0s }", 5, "above zero"),
    ("{ poisson: 1/s }", "{ renewal: 0ms }", 5, "above zero"),
    ("{ poisson: 1/s }", "{ batches: { poisson: 1/s } }", 5, "`size` is missing"),
    ("{ poisson: 1/s }", "{ batches: { poisson: 1/s, size: { geometric: 0.5 } } }", 5, "no number of 1 or more"),
    ("{ poisson: 1/s }", "{ batches: { poisson: 1/s, size: { geometric: 1e9 } } }", 5, "above 1,000,000"),
    ("{ poisson: 1/s }", "{ users: { count: 0, think: 1s } }", 5, "no whole number"),
    ("{ poisson: 1/s }", "{ users: { count: 3 } }", 5, "`think` is missing"),
    ("{ poisson: 1/s }", "{ on_off: { rate: 1/s, busy: 0s, idle: 1s } }", 5, "above zero"),
    ("{ poisson: 1/s }", "{ rates: [[1s, 1/s]] }", 5, "from 0s on and growing"),
    ("{ poisson: 1/s }", "{ rates: [[0s]] }", 5, "a pair such as"),
    ("{ poisson: 1/s }", "{ times: nowhere.txt }", 5, "no such file"),
    ("priority: 1", "priority: -1", 5, "no whole number"),
    // Participants.
    ("  a: { layer", "  a.b: { layer", 7, "no name of a participant"),
    ("layer: process", "layer: proces", 7, "did you mean `process`?"),
    ("workers: 2, queue", "worker: 2, queue", 7, "did you mean `workers`?"),
    ("workers: 2, queue", "workers: many, queue", 7, "write a number or `unlimited`"),
    ("discipline: fifo", "discipline: fiof", 7, "did you mean `fifo`?"),
    ("hold: worker", "hold: on", 7, "none of worker, async"),
    ("network: 1ms", "network: { exp: 1ms, uniform: {} }", 7, "one kind"),
    ("network: 1ms", "network: { uniform: { min: 2ms, max: 1ms } }", 7, "max is below min"),
    ("network: 1ms", "network: { quantiles: [[0.9, 1ms], [0.5, 2ms]] }", 7, "growing"),
    ("network: 1ms", "network: { quantiles: [[0.9]] }", 7, "a pair such as"),
    ("network: 1ms", "network: { hyperexp: { mean: 1ms, scv: 0.5 } }", 7, "no number of 1 or more"),
    ("network: 1ms", "network: { erlang: { k: 0, mean: 1ms } }", 7, "no whole number"),
    ("network: 1ms", "network: { gamma: { mean: 0ms, scv: 1 } }", 7, "above zero"),
    ("network: 1ms", "replicas: 100000, queue_per: replica, fails: 2", 7, "between 0 and 1"),
    ("for: 2s", "until: 2s", 8, "an outage has no `until`"),
    ("for: 2s, ", "", 8, "`for` is missing"),
    ("mode: refuse", "mode: refuses", 8, "did you mean `refuse`?"),
    ("mode: refuse", "mode: { slow: 0 }", 8, "no number"),
    ("mode: refuse", "mode: { errors: 130% }", 8, "between 0 and 1"),
    ("work: lose", "work: loose", 8, "did you mean `lose`?"),
    ("up: 1h, ", "", 8, "`up` is missing"),
    ("up: 1h", "up: 0s", 8, "at least 1ms"),
    // Operations and steps.
    ("  a.run:", "  arun:", 10, "no operation; write `participant.operation`"),
    ("  b.do:", "  x.do:", 11, "there is no participant `x`"),
    ("reply: early", "reply: erly", 10, "did you mean `early`?"),
    ("do: b.do", "do: b.od", 10, "did you mean `b.do`?"),
    ("id: s, do: b.do", "id: s", 10, "a step is one of"),
    ("id: s, ", "id: a/b, ", 10, "slash or tilde"),
    ("steps: [{", "steps: [{ id: s, do: b.do }, {", 10, "stands twice"),
    ("steps: [{", "steps: [{ count: 20000, do: b.do }, {", 10, "no whole number"),
    ("steps: [{", "steps: [{ count: 9000, do: b.do }, { count: 9000, do: b.do }, {", 10, "more than 10000 steps"),
    ("steps: [{", "steps: [{ parallel: [{ do: b.do }], needs: nothing }, {", 10, "means nothing beside `parallel`"),
    (
        "steps: [{",
        "steps: [{ choose: [{ share: 0.9, steps: [] }, { share: 0.9, steps: [] }] }, {",
        10,
        "add up to more than 1",
    ),
    ("steps: [{", "steps: [{ choose: [] }, {", 10, "choose is a list"),
    ("steps: [{", "steps: [{ choose: [{ steps: [] }] }, {", 10, "`share` is missing"),
    ("needs: success", "needs: succes", 10, "did you mean `success`?"),
    ("needs: success", "intent: rite", 10, "did you mean `write`?"),
    ("needs: success", "timeout: 0s", 10, "above zero"),
    ("needs: success", "optional: 1", 10, "true or false"),
    ("needs: success", "cache: { hits: 5% }", 10, "did you mean `hit`?"),
    ("needs: success", "breaker: { open_after: 3 }", 10, "`for` is missing"),
    ("needs: success", "compensate: b.undo", 10, "there is no operation `b.undo`"),
    ("attempts: 2", "attempts: 0", 10, "no whole number"),
    ("jitter: full", "jitter: ful", 10, "did you mean `full`?"),
    ("jitter: full", "when: [timeouts]", 10, "did you mean `timeout`?"),
    ("jitter: full", "factor: 0.5", 10, "no number of 1 or more"),
    ("size: 4kB", "size: 4", 10, "no size"),
    ("work: { exp: 5ms }", "work: { exp: }", 10, "it is nothing"),
    ("scv: 1 }", "scv: 20000 }", 11, "above 10,000"),
    ("work: { lognormal: { mean: 5ms, scv: 1 } }", "work: 5ms, steps: [{ do: a.run }]", 10, "without end"),
    // Channels.
    ("max_deliver: 3", "max_delivery: 3", 13, "did you mean `max_deliver`?"),
    ("max_deliver: 3", "max_deliver: 0", 13, "no whole number"),
    ("ordered: key", "ordered: keys", 13, "did you mean `key`?"),
    ("ordered: key, ", "", 13, "means nothing without `ordered: key`"),
    ("when_full: block", "when_full: blocks", 13, "did you mean `block`?"),
    ("when_full: block", "ack: on_receive", 13, "did you mean `on_receipt`?"),
    ("when_full: block", "preset: kafak", 13, "did you mean `kafka`?"),
    ("when_full: block", "broker: { outage: [] }", 13, "did you mean `outages`?"),
    ("when_full: block", "broker: { outages: { at: 1s } }", 13, "outages are a list"),
    // Variants, sources, targets.
    ("events: { s: c }", "events: { t: c }", 15, "there is no step `t`"),
    ("events: { s: c }", "event: { s: c }", 15, "did you mean `events`?"),
    ("accept: [s]", "accept: [t]", 15, "there is no step `t`"),
    ("/participants/a/workers: 3", "/participants/x/workers: 3", 15, "there is no `x` in participants"),
    ("/participants/a/workers: 3", "/participant/a/workers: 3", 15, "did you mean `participants`?"),
    ("/participants/a/workers: 3", "/run/seed: 3", 15, "no `run` to point into"),
    ("/participants/a/workers: 3", "/participants/a/worker: 3", 15, "did you mean `workers`?"),
    ("/participants/a/workers: 3", "/steps/t/timeout: 3s", 15, "there is no `t` in steps"),
    ("/participants/a/workers: 3", "/workloads/v/to: a.run", 15, "did you mean `w`?"),
    ("/participants/a/workers: 3", "participants: 3", 15, "begins with a slash"),
    ("success: 99%", "success: 9900%", 16, "between 0 and 1"),
    ("success: 99%", "succes: 99%", 16, "did you mean `success`?"),
    ("response_ms: 10ms", "response_ms: 10", 17, "no unit"),
    ("/participants/a/workers: measured", "/participants/x/workers: measured", 18, "there is no `x` in participants"),
    ("/participants/a/workers: measured", "/participants/a/workers: mesured", 18, "did you mean `measured`?"),
    ("/participants/a/workers: measured", "participants: measured", 18, "begins with a slash"),
];

#[test]
fn the_good_file_is_good() {
    let s = read_scenario(GOOD, &|_| Err("no such file".into())).unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(s.design_of(s.variant("v").unwrap()).participants["a"].workers, Some(3));
}

#[test]
fn everything_wrong_is_told_at_its_place() {
    let mut missed = Vec::new();
    for (from, to, line, words) in WRONG {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        match read_scenario(&text, &|name| Err(format!("{name}: no such file"))) {
            Ok(_) => missed.push(format!("{from} → {to}: nothing is wrong")),
            Err(problems) => {
                let found = problems.iter().any(|p| p.line == *line && p.column >= 1 && p.message.contains(words));
                if !found {
                    missed.push(format!("{from} → {to}: line {line}, {words}: {problems:?}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn columns_are_those_of_the_wrong_word() {
    let text = GOOD.replacen("hold: worker", "hold: wroker", 1);
    let problems = read_scenario(&text, &|_| Err(String::new())).unwrap_err();
    let line = text.lines().nth(6).unwrap();
    assert_eq!((problems[0].line, problems[0].column as usize), (7, line.find("wroker").unwrap() + 1));
}

#[test]
fn too_many_queues_partitions_and_users_are_refused() {
    for (from, to, words) in [
        ("network: 1ms", "replicas: 100000, queue_per: replica", "too many"),
        ("{ poisson: 1/s }", "{ users: { count: 1000000, think: 1s } }", "users are more than"),
    ] {
        let mut text = GOOD.replacen(from, to, 1);
        if words == "too many" {
            let more: String =
                (0..12).map(|i| format!("  p{i}: {{ replicas: 100000, queue_per: replica }}\n")).collect();
            text = text.replacen("operations:\n", &format!("{more}operations:\n"), 1);
        } else {
            let more = "  - { name: x, to: a.run, arrivals: { users: { count: 1000000, think: 1s } } }\n";
            text = text.replacen("participants:\n", &format!("{more}participants:\n"), 1);
        }
        let problems = read_scenario(&text, &|_| Err(String::new())).unwrap_err();
        assert!(problems.iter().any(|p| p.message.contains(words)), "{problems:?}");
    }
}

#[test]
fn what_is_odd_but_possible_is_a_warning() {
    let text = GOOD.replacen("accept: [s]", "accept: []", 1).replacen("events: { s: c }, accept: []", "accept: [s]", 1);
    let s = read_scenario(&text, &|_| Err(String::new())).unwrap_or_else(|p| panic!("{p:#?}"));
    assert!(s.warnings.iter().any(|w| w.contains("`accept` says nothing")), "{:?}", s.warnings);
    let text = GOOD.replacen("size: 4kB", "size: 4MB", 1);
    let s = read_scenario(&text, &|_| Err(String::new())).unwrap_or_else(|p| panic!("{p:#?}"));
    assert!(s.warnings.iter().any(|w| w.contains("payload above")), "{:?}", s.warnings);
}
