//! Two ranges compared: what was changed on purpose is found, and nothing else.

use flowglass_model::{Config, InteractionKind, SeriesKey, SeriesSum, Sketch};
use flowglass_topology::Folding;
use flowglass_topology::diff::{Difference, Limits, Side, Subject, What, difference};

/// Numbers that look random, the same each time (xorshift64*).
struct Dice(u64);

impl Dice {
    /// From 0 to 1, neither included.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

/// A call between two services: times exponential around `mean_ms`, above a floor; some fail.
fn call(dice: &mut Dice, name: usize, count: usize, mean_ms: f64, fails: f64) -> SeriesSum {
    let mut sketch = Sketch::default();
    let mut errors = 0;
    for _ in 0..count {
        sketch.add(((2.0 - mean_ms * dice.next().ln()) * 1e6) as i64, 1);
        errors += i64::from(dice.next() < fails);
    }
    let key = SeriesKey::Edge {
        kind: InteractionKind::Call,
        source: format!("service:caller-{name}").into(),
        target: format!("service:callee-{name}").into(),
    };
    SeriesSum { key, count: count as i64, errors, sketch, first: 0, last: 1 }
}

fn version(name: &str, version: &str) -> SeriesSum {
    let key = SeriesKey::Version { participant: format!("service:{name}").into(), version: version.into() };
    SeriesSum { key, count: 5, errors: 0, sketch: Sketch::default(), first: 0, last: 1 }
}

fn compared(before: &[SeriesSum], after: &[SeriesSum]) -> Difference {
    let all: Vec<SeriesSum> = before.iter().chain(after).cloned().collect();
    let folding = Folding::new(&all, &Config::default());
    let side = |series| Side { folding: &folding, series };
    difference(&side(before), &side(after), &Limits::default())
}

fn told(found: &Difference) -> Vec<String> {
    let subject = |s: &Subject| match s {
        Subject::Node(id) => id.name().to_owned(),
        Subject::Edge { target, .. } => format!("→ {}", target.name()),
        Subject::Operation { operation, .. } => operation.clone(),
    };
    found.changes.iter().map(|c| format!("{} {}", c.what.as_str(), subject(&c.subject))).collect()
}

#[test]
fn what_was_changed_is_found_among_many() {
    let mut dice = Dice(7);
    let mut side = |changed: bool| {
        let mut all: Vec<SeriesSum> = (0..100).map(|i| call(&mut dice, i, 400, 20.0, 0.02)).collect();
        all[5] = call(&mut dice, 5, 400, 20.0, 0.15);
        if changed {
            all[3] = call(&mut dice, 3, 400, 30.0, 0.02);
            all[4] = call(&mut dice, 4, 400, 20.0, 0.15);
            all[5] = call(&mut dice, 5, 400, 10.0, 0.0);
            all[6] = call(&mut dice, 200, 400, 20.0, 0.02);
            all[7] = call(&mut dice, 201, 2, 20.0, 0.0);
            // One in seven takes a second longer: the median does not move.
            let slow = call(&mut dice, 8, 60, 1_000.0, 0.0);
            all[8].count += slow.count;
            all[8].sketch.merge(&slow.sketch);
        }
        all
    };
    let (before, after) = (side(false), side(true));
    let found = compared(&before, &after);
    let expected = [
        "more-errors → callee-4",
        "slower → callee-3",
        "slower → callee-8",
        "added caller-200",
        "added callee-200",
        "added → callee-200",
        "gone callee-6",
        "gone caller-6",
        "gone → callee-6",
        "gone callee-7",
        "gone caller-7",
        "gone → callee-7",
        "fewer-errors → callee-5",
        "faster → callee-5",
    ];
    let got = told(&found);
    let missing: Vec<&&str> = expected.iter().filter(|e| !got.contains(&(**e).to_owned())).collect();
    assert!(missing.is_empty(), "{missing:?} of {got:?}");
    // One in twenty of what is told may be chance.
    assert!(got.len() <= expected.len() + 1, "{got:?}");
    let slow_end = |s: &Subject| matches!(s, Subject::Edge { target, .. } if target.name() == "callee-8");
    assert!(found.changes.iter().any(|c| slow_end(&c.subject) && !c.median), "only its slow end moved");
    let unsure: Vec<What> = found.unsure.iter().map(|c| c.what).collect();
    assert_eq!(unsure, [What::Added; 3], "two calls may be chance: {:?}", found.unsure);
}

/// Both sides are made alike, thirty times over: what is told is chance, and there must be next to nothing of it.
#[test]
fn nothing_is_told_of_two_sides_that_are_alike() {
    let mut false_ones = 0;
    for seed in 1..=30 {
        let mut dice = Dice(seed * 7_919);
        let mut side = || -> Vec<SeriesSum> { (0..60).map(|i| call(&mut dice, i, 150, 20.0, 0.05)).collect() };
        let (before, after) = (side(), side());
        false_ones += usize::from(!compared(&before, &after).changes.is_empty());
    }
    // With nothing to find, the rate of false discoveries is the share of comparisons that tell anything: 5 % at most.
    assert!(false_ones <= 4, "{false_ones} of 30 comparisons told something");
}

#[test]
fn small_changes_do_not_matter_however_sure() {
    let mut dice = Dice(3);
    let before = [call(&mut dice, 0, 200_000, 20.0, 0.010)];
    let after = [call(&mut dice, 0, 200_000, 20.8, 0.012)];
    assert_eq!(told(&compared(&before, &after)), Vec::<String>::new());
}

#[test]
fn versions_are_told_where_they_changed() {
    let before = [version("pay", "1.0"), version("order", "2.0"), version("gone", "1")];
    let after = [version("pay", "1.0"), version("pay", "1.1"), version("order", "2.0")];
    let found = compared(&before, &after);
    let names: Vec<_> = found.versions.iter().map(|v| (v.participant.name(), v.before.len(), v.after.len())).collect();
    assert_eq!(names, [("pay", 1, 2)]);
}
