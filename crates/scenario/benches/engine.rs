//! Requests per second on one thread, as a ratio to a bare event loop that runs the same model in the same run.
//!
//! `cargo bench -p flowglass-scenario --bench engine [-- ROUNDS [NAME]]`. The bare loop keeps a heap, a generator, queues and one sum;
//! the engine keeps its full accounts. Rounds alternate between the two, and the median of the ratios counts, so that a busy machine
//! slows both. The last lines say what an event costs with more participants, how memory grows with the length of a run, and what a
//! user waits for.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use flowglass_scenario::experiment::{Progress, RunOptions, run};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::Scenario;
use flowglass_scenario::study::preview;
use serde_json::{Value, json};

const RATE: f64 = 0.7;

/// xoshiro256++ of Blackman and Vigna.
struct Generator([u64; 4]);

impl Generator {
    fn next(&mut self) -> f64 {
        let s = &mut self.0;
        let bits = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let kept = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= kept;
        s[3] = s[3].rotate_left(45);
        ((bits >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }

    fn exponential(&mut self, rate: f64) -> f64 {
        // The bare loop may be as fast as it can: nobody compares its bits.
        #[allow(clippy::disallowed_methods)]
        let log = self.next().ln();
        -log / rate
    }
}

#[derive(PartialEq)]
struct Item {
    time: f64,
    order: u64,
    station: usize,
}

impl Eq for Item {}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        other.time.total_cmp(&self.time).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Single-worker stations in a row and nothing else. Gives the mean response, in services.
fn bare(requests: u64, stations: usize, seed: u64) -> f64 {
    let mut random = Generator([seed, 0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb]);
    for _ in 0..64 {
        random.next();
    }
    let mut heap = BinaryHeap::new();
    let mut order = 0;
    let mut queues: Vec<VecDeque<f64>> = vec![VecDeque::new(); stations];
    let (mut arrived, mut total) = (0, 0.0);
    let mut put = |heap: &mut BinaryHeap<Item>, time: f64, station: usize| {
        order += 1;
        heap.push(Item { time, order, station });
    };
    put(&mut heap, random.exponential(RATE), usize::MAX);
    while let Some(Item { time, station, .. }) = heap.pop() {
        let (mut to, mut since) = (0, time);
        if station == usize::MAX {
            arrived += 1;
            if arrived < requests {
                put(&mut heap, time + random.exponential(RATE), usize::MAX);
            }
        } else {
            since = queues[station].pop_front().unwrap_or(time);
            if !queues[station].is_empty() {
                put(&mut heap, time + random.exponential(1.0), station);
            }
            to = station + 1;
        }
        if to == stations {
            total += time - since;
            continue;
        }
        queues[to].push_back(since);
        if queues[to].len() == 1 {
            put(&mut heap, time + random.exponential(1.0), to);
        }
    }
    total / requests as f64
}

/// Stations joined by channels that take no time, or by calls that are waited for.
fn chain(stations: usize, requests: u64, calls: bool) -> Scenario {
    let rate = if calls { 20.0 } else { 70.0 };
    let (mut participants, mut operations) = (serde_json::Map::new(), serde_json::Map::new());
    let (mut channels, mut events) = (serde_json::Map::new(), serde_json::Map::new());
    for i in 0..stations {
        // In a chain of calls every caller holds its worker: more of them the further out.
        let workers = if calls { 4 * (stations - i) } else { 1 };
        participants.insert(format!("s{i}"), json!({ "workers": workers }));
        let mut operation = json!({ "work": { "exp": "10ms" } });
        if i + 1 < stations {
            let needs = if calls { "success" } else { "nothing" };
            operation["steps"] = json!([{ "id": format!("to-{i}"), "do": format!("s{}.run", i + 1), "needs": needs }]);
            channels.insert(format!("c{i}"), json!({ "publish": "0ms", "deliver": "0ms" }));
            events.insert(format!("to-{i}"), json!(format!("c{i}")));
        }
        operations.insert(format!("s{i}.run"), operation);
    }
    let variant = if calls { json!({}) } else { json!({ "events": events }) };
    let seconds = requests as f64 / rate;
    scenario(&json!({
        "flowglass": "scenario/1", "title": "bench",
        "run": { "duration": format!("{seconds:.3}s"), "warm_up": "0s", "replications": 1 },
        "workloads": [{ "name": "load", "to": "s0.run", "arrivals": { "poisson": format!("{rate}/s") } }],
        "participants": participants, "operations": operations,
        "channels": if calls { json!({}) } else { Value::Object(channels) },
        "variants": { "model": variant },
    }))
}

/// Many participants, each asked for on its own: what an event costs where little is hot.
fn wide(participants: usize, requests: u64) -> Scenario {
    let rate = 50.0;
    let names: Vec<String> = (0..participants).map(|i| format!("s{i}")).collect();
    let each = |value: &dyn Fn(&String) -> (String, Value)| names.iter().map(value).collect::<serde_json::Map<_, _>>();
    let seconds = requests as f64 / (rate * participants as f64);
    scenario(&json!({
        "flowglass": "scenario/1", "title": "wide",
        "run": { "duration": format!("{seconds:.3}s"), "warm_up": "0s", "replications": 1 },
        "workloads": names.iter().map(|n| json!({ "name": n, "to": format!("{n}.run"), "arrivals": { "poisson": format!("{rate}/s") } })).collect::<Vec<_>>(),
        "participants": each(&|n| (n.clone(), json!({ "workers": 1 }))),
        "operations": each(&|n| (format!("{n}.run"), json!({ "work": { "exp": "10ms" } }))),
        "variants": { "model": {} },
    }))
}

fn scenario(json: &Value) -> Scenario {
    read_scenario(&json.to_string(), &|_| Err("no files".to_owned()))
        .unwrap_or_else(|p| panic!("{}", p.iter().map(|p| format!("{p}\n")).collect::<String>()))
}

/// Seconds and events of one run on one thread.
fn timed(scenario: &Scenario, seed: u64) -> (f64, f64) {
    let options = RunOptions { seed, threads: 1, ..RunOptions::of(scenario) };
    let begin = seconds_now();
    let outcome = run(scenario, &options, &|_| {}, &AtomicBool::new(false)).expect("it runs");
    (seconds_now() - begin, outcome.simulated_events as f64)
}

/// Time of this thread on a processor, where the system tells (others may be busy), else by the clock.
fn seconds_now() -> f64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_processor = spent.and_then(|s| s.split_whitespace().next()?.parse::<f64>().ok());
    on_processor.map_or_else(|| BEGIN.get_or_init(Instant::now).elapsed().as_secs_f64(), |ns| ns / 1e9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Resident memory, MB, where the system tells.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}

fn main() {
    let rounds: u64 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(5);
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-') && a.parse::<u64>().is_err());
    let wanted = |name: &str| only.as_ref().is_none_or(|o| name.contains(o.as_str()));
    let models =
        [("M/M/1", 1, 1_000_000, false), ("tandem of five", 5, 200_000, false), ("five calls deep", 5, 200_000, true)];
    for (name, stations, requests, calls) in models.into_iter().filter(|m| wanted(m.0)) {
        let model = chain(stations, requests, calls);
        let (mut ratios, mut rates, mut events) = (Vec::new(), Vec::new(), 0.0);
        for seed in 0..rounds {
            let begin = seconds_now();
            let mean = bare(requests, stations, seed + 1);
            let bare_seconds = seconds_now() - begin;
            assert!((mean * (1.0 - RATE) / stations as f64 - 1.0).abs() < 0.2, "the bare loop is wrong: {mean}");
            let (seconds, happened) = timed(&model, seed);
            ratios.push(bare_seconds / seconds);
            rates.push(requests as f64 / seconds);
            events = happened / requests as f64;
        }
        println!(
            "{name:<16} {:>9.0} requests/s  {events:.1} events each  ratio to the bare loop {:.3}",
            median(rates),
            median(ratios)
        );
    }
    let cost = |participants: usize| {
        let model = wide(participants, 2_000_000);
        median((0..rounds).map(|seed| timed(&model, seed)).map(|(s, e)| s / e * 1e9).collect())
    };
    if !wanted("wide") {
        return;
    }
    let (few, many) = (cost(5), cost(500));
    println!("an event costs {few:.0} ns with 5 participants, {many:.0} ns with 500: {:.2} times", many / few);
    let _ = timed(&chain(1, 100_000, false), 1);
    let before = resident();
    let (seconds, _) = timed(&chain(1, 10_000_000, false), 1);
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("10,000,000 requests took {seconds:.1} s and {:.1} MB more than 100,000", after - before);
    }
    interactive();
}

/// What a user waits for, by the clock, on all processors: a preview, and the end of a run that is not wanted any more.
fn interactive() {
    const TEMPLATE: &str = include_str!("../../studio/src/scenarios/templates/place-order.yaml");
    const ONE: &str = "  api-led: {}\n";
    assert!(TEMPLATE.contains(ONE), "the template names its first variant otherwise");
    let three = TEMPLATE.replacen(ONE, &format!("{ONE}  one-event: {{ events: {{ confirm: orders.placed }} }}\n"), 1);
    let order = read_scenario(&three, &|_| Err("no files".to_owned())).expect("the template is a scenario");
    let options = RunOptions::of(&order);
    let previews: Vec<f64> = (0..5)
        .map(|seed| {
            let begin = Instant::now();
            let options = RunOptions { seed, ..options.clone() };
            preview(&order, &options, &|_| {}, &AtomicBool::new(false)).expect("a preview");
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    println!("a preview of {} variants takes {:.0} ms", order.variants.len(), median(previews));
    let stops: Vec<(f64, usize)> = (0..5)
        .map(|seed| {
            let cancel = AtomicBool::new(false);
            let asked = OnceLock::new();
            // Wanted no more as soon as three repetitions are done.
            let stop = |p: Progress| {
                if !p.warming_up && p.done >= 9 {
                    asked.get_or_init(Instant::now);
                    cancel.store(true, Relaxed);
                }
            };
            let options = RunOptions { seed, replications: 200, ..options.clone() };
            let kept = run(&order, &options, &stop, &cancel).expect("what was finished is kept").replications;
            (asked.get().map_or(0.0, |asked| asked.elapsed().as_secs_f64() * 1e3), kept)
        })
        .collect();
    let kept = stops.iter().map(|s| s.1).min().unwrap_or(0);
    let longest = stops.iter().map(|s| s.0).fold(0.0, f64::max);
    println!("a run that is stopped ends within {longest:.0} ms and keeps {kept} repetitions or more");
}
