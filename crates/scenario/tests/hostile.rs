//! Whatever a file holds, reading it and deciding it ends, soon, without a panic.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use flowglass_scenario::decide::{SyncFigures, decide};
use flowglass_scenario::experiment::{RunError, RunOptions, run};
use flowglass_scenario::export::{calls, events, mermaid};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::Scenario;
use flowglass_scenario::study::comparison;
use proptest::prelude::*;

const ORDER: &str = include_str!("fixtures/place-order.yaml");

fn read(text: &str) -> Result<Scenario, String> {
    read_scenario(text, &|_| Ok(vec![1, 2, 3])).map_err(|problems| {
        assert!(!problems.is_empty() && problems.len() <= 100);
        assert!(problems.iter().all(|p| p.line >= 1 && p.column >= 1 && !p.message.is_empty()));
        problems[0].message.clone()
    })
}

/// Reads, and does with what can be read all that needs no simulation, and a run of a few events.
fn all_of_it(text: &str) -> Result<(), String> {
    let mut scenario = read(text)?;
    decide(&scenario, &SyncFigures::default());
    comparison(&scenario, None);
    for variant in scenario.variants.iter().take(3) {
        mermaid(&scenario, variant);
        events(&scenario, variant);
        calls(&scenario, variant);
    }
    scenario.run.replications = 1;
    scenario.run.warm_up = Some(0);
    let options = RunOptions { max_events: 10_000, threads: 1, ..RunOptions::of(&scenario) };
    match run(&scenario, &options, &|_| {}, &AtomicBool::new(false)) {
        Err(RunError::Miscounted { variant, what }) => panic!("{variant}: {what}"),
        _ => Ok(()),
    }
}

#[test]
fn huge_files_are_refused_at_once() {
    let huge = format!("{ORDER}# {}\n", "x".repeat(20 << 20));
    assert!(read(&huge).unwrap_err().contains("longer than"));
    assert!(read(&"[".repeat(4 << 20)).is_err());
    assert!(read(&"- ".repeat(2 << 20)).is_err());
    assert!(read(&"{a: ".repeat(1 << 20)).is_err());
    assert!(read(&"\u{0}".repeat(1000)).is_err());
    assert!(read(&format!("a: \"{}", "\\\"".repeat(1 << 20))).is_err());
}

#[test]
fn anchors_cannot_make_a_small_file_huge() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..40 {
        let _ = writeln!(laughs, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(", "));
    }
    assert!(read(&laughs).unwrap_err().contains("more than"));
    let mut nested = String::new();
    for i in 0..60 {
        let _ = write!(nested, "&n{i} [");
    }
    nested.push_str(&"x, ".repeat(150_000));
    nested.push_str(&"]".repeat(60));
    assert!(read(&nested).unwrap_err().contains("anchors hold"));
    let itself = "flowglass: scenario/1\nparticipants: &p { a: *p }\n";
    assert!(read(itself).is_err());
}

#[test]
fn a_hundred_thousand_of_anything_is_read_or_refused() {
    let keys: String = (0..100_000).map(|i| format!("k{i}: 1\n")).collect();
    assert!(read(&keys).is_err());
    let mut wrong = String::from(
        "flowglass: scenario/1\nworkloads: [{ to: a.x, arrivals: { poisson: 1/s } }]\nparticipants: { a: {} }\noperations:\n",
    );
    for i in 0..15_000 {
        let _ = writeln!(wrong, "  a.x{i}: {{ steps: [{{ do: b.nobody{i} }}] }}");
    }
    assert!(read(&wrong).unwrap_err().contains("there is no"));
    let variants: String = (0..5000).map(|i| format!("  v{i}: {{ set: {{ /run: 1 }} }}\n")).collect();
    assert!(read(&format!("{}\nvariants:\n{variants}", ORDER.split("variants:").next().unwrap())).is_err());
}

/// Sixty levels that each ask the next one twice: 2^60 calls, if anybody followed each.
#[test]
fn doubling_calls_are_counted_and_not_followed() {
    let mut text = String::from(
        "flowglass: scenario/1\nrun: { duration: 1s, warm_up: 0s }\nworkloads: [{ to: a.o0, arrivals: { poisson: 1/s } }]\nparticipants: { a: {} }\noperations:\n",
    );
    for i in 0..60 {
        let next = i + 1;
        let _ = writeln!(
            text,
            "  a.o{i}: {{ steps: [{{ do: a.o{next}, needs: nothing }}, {{ do: a.o{next}, needs: nothing }}] }}"
        );
    }
    text.push_str("  a.o60: { work: 1ms }\n");
    all_of_it(&text).unwrap();
}

#[test]
fn long_chains_and_many_steps_are_no_trouble() {
    let mut text = String::from(
        "flowglass: scenario/1\nrun: { duration: 1s, warm_up: 0s }\nworkloads: [{ to: a.o0, arrivals: { poisson: 1/s } }]\nparticipants: { a: {} }\noperations:\n",
    );
    for i in 0..5_000 {
        let _ = writeln!(text, "  a.o{i}: {{ steps: [{{ do: a.o{}, intent: write }}] }}", i + 1);
    }
    text.push_str("  a.o5000: { work: 1ms }\n");
    all_of_it(&text).unwrap();
    let one = "flowglass: scenario/1\nworkloads: [{ to: a.x, arrivals: { poisson: 1/s } }]\nparticipants: { a: {} }\noperations:\n  a.y: {}\n  a.x: { steps: [{ count: 10000, parallel: [{ count: 10000, do: a.y }] }] }\n";
    assert!(read(one).unwrap_err().contains("more than"));
}

#[test]
fn impossible_loads_end_with_a_word() {
    let text = |arrivals: &str| {
        format!(
            "flowglass: scenario/1\nrun: {{ duration: 10m, warm_up: 0s, replications: 1 }}\nworkloads: [{{ to: a.x, arrivals: {arrivals} }}]\nparticipants: {{ a: {{ workers: 1 }} }}\noperations: {{ a.x: {{ work: 1h }} }}\nvariants: {{ v: {{}} }}\n"
        )
    };
    for arrivals in ["{ poisson: 1000000000/s }", "{ batches: { poisson: 1000000/s, size: 1000000 } }"] {
        let s = read(&text(arrivals)).unwrap();
        let error = run(&s, &RunOptions::of(&s), &|_| {}, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(error, RunError::TooManyOpen { .. }), "{arrivals}: {error}");
    }
}

/// Pieces that mean something somewhere.
const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "| ",
    "\"",
    "'",
    "~",
    "-1",
    "1e400",
    ".nan",
    "99999999999999999999",
    "5ms",
    "10000h",
    "200%",
    "exp",
    "unlimited",
    "workers",
    "poisson",
    "/steps/pay",
    "events",
    "é\u{200b}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A good file with a few places broken.
    #[test]
    fn broken_files_never_panic(edits in prop::collection::vec((0usize..ORDER.len(), 0usize..30, 0usize..12), 1..6)) {
        let mut text = ORDER.to_owned();
        for (at, piece, cut) in edits {
            let mut from = at.min(text.len());
            while !text.is_char_boundary(from) {
                from -= 1;
            }
            let mut to = (from + cut).min(text.len());
            while !text.is_char_boundary(to) {
                to += 1;
            }
            text.replace_range(from..to, PIECES[piece]);
        }
        let _ = all_of_it(&text);
    }

    #[test]
    fn any_text_is_answered(text in "[ -~\n{}:\\[\\],&*]{0,300}") {
        let _ = read(&text);
    }

    /// Pieces of the format in any order.
    #[test]
    fn pieces_in_any_order_are_answered(pieces in prop::collection::vec(0usize..30, 0..60)) {
        let text: String = pieces.into_iter().map(|p| PIECES[p]).collect();
        let _ = read(&format!("flowglass: scenario/1\n{text}"));
    }
}
