use std::collections::BTreeSet;

use flowglass_model::{Age, JourneyState, Nanos, RetentionConfig, Size, TraceId};
use flowglass_store::{Figures, Space, Stored};
use proptest::prelude::*;

use super::super::record::Why;
use super::{Kind, Pass, YOUNG, due, figures_over};

const HOUR: Nanos = 3_600_000_000_000;
/// A day after the first journey.
const NOW: Nanos = 24 * HOUR;

fn id(n: usize) -> TraceId {
    TraceId::new((n as u128 + 1).to_be_bytes()).unwrap()
}

/// Journeys by hour of start: `.` healthy, `x` failed, `d` dead-lettered, `k` kept by hand, `~` still going on.
fn journeys(text: &str) -> (Vec<Stored>, BTreeSet<TraceId>) {
    let kept = text.chars().enumerate().filter(|(_, c)| *c == 'k').map(|(n, _)| id(n)).collect();
    let journey = |(n, c): (usize, char)| Stored {
        id: id(n),
        start: n as Nanos * HOUR,
        end: if c == '~' { NOW } else { n as Nanos * HOUR + 1 },
        state: if c == 'x' { JourneyState::Failed } else { JourneyState::Ok },
        dead_lettered: c == 'd',
    };
    (text.chars().enumerate().map(journey).collect(), kept)
}

/// Everything that goes, page by page as the writer does it.
fn gone(rule: &RetentionConfig, used: u64, page: usize, most: usize, text: &str) -> (Vec<(TraceId, Why)>, Pass) {
    let (journeys, kept) = journeys(text);
    let space = Space { used, journeys: journeys.len() as u64, ..Space::default() };
    let mut pass = Pass::new(rule.clone(), &space, NOW);
    let mut out = Vec::new();
    for kind in [Kind::Healthy, Kind::Failed] {
        let mut at = 0;
        while at < journeys.len() {
            let chosen = pass.choose(kind, &journeys[at..(at + page).min(journeys.len())], &kept, most);
            out.extend(chosen.gone);
            at += chosen.looked;
            if chosen.over {
                break;
            }
        }
    }
    (out, pass)
}

/// What is left, as a text with blanks where something went.
fn left(rule: &RetentionConfig, used: u64, text: &str) -> String {
    let (gone, _) = gone(rule, used, 3, 2, text);
    let has_gone = |n: usize| gone.iter().any(|(g, _)| *g == id(n));
    text.chars().enumerate().map(|(n, c)| if has_gone(n) { ' ' } else { c }).collect()
}

fn hours(n: i64) -> Option<Age> {
    Some(Age(n * HOUR))
}

#[test]
fn each_rule_takes_what_it_says() {
    let none = RetentionConfig { size: Size(None), ..RetentionConfig::default() };
    let size = |bytes: u64| RetentionConfig { size: Size(Some(bytes)), ..none.clone() };
    for (rule, used, before, after) in [
        (none.clone(), 1_000, "..x.k.d.~.", "..x.k.d.~."),
        (RetentionConfig { age: hours(20), ..none.clone() }, 0, "..x.k.d.~.", "  x k.d.~."),
        (RetentionConfig { age: hours(20), failed_age: hours(21), ..none.clone() }, 0, "..x.k.d.~.", "    k.d.~."),
        (RetentionConfig { failed_age: hours(17), ..none.clone() }, 0, "..x.k.d.~.", ".. .k. .~."),
        (RetentionConfig { journeys: Some(8), ..none.clone() }, 0, "..x.k.d.~.", "  x.k.d.~."),
        (RetentionConfig { journeys: Some(3), ..none.clone() }, 0, "..x.k.d.~.", "    k d ~ "),
        (RetentionConfig { journeys: Some(1), ..none.clone() }, 0, "..x.k.d.~.", "    k   ~ "),
        // Ten journeys of ten bytes; 96 of 100 asked for are enough.
        (size(100), 100, "..x.k.d.~.", "..x.k.d.~."),
        (size(50), 100, "..x.k.d.~.", "  x k d ~ "),
        (size(80), 100, "..x.k.d.~.", "  x k.d.~."),
        (size(10), 100, "..x.k.d.~.", "    k   ~ "),
    ] {
        assert_eq!(left(&rule, used, before), after, "{rule:?}");
    }
}

#[test]
fn a_rule_is_looked_at_when_it_can_say_something() {
    let none = RetentionConfig { size: Size(None), ..RetentionConfig::default() };
    let space = |used: u64, journeys: u64| Space { used, journeys, ..Space::default() };
    assert!(!due(&none, &space(u64::MAX, 9), NOW, None));
    let usual = RetentionConfig::default();
    assert!(
        !due(&usual, &space(20_000_000_000, 9), NOW, None) && due(&usual, &space(20_000_000_001, 9), NOW, Some(NOW))
    );
    let counted = RetentionConfig { journeys: Some(8), ..none.clone() };
    assert!(!due(&counted, &space(0, 8), NOW, None) && due(&counted, &space(0, 9), NOW, Some(NOW)));
    let aged = RetentionConfig { logs_age: hours(2), ..none };
    assert!(due(&aged, &space(0, 0), NOW, None) && !due(&aged, &space(0, 0), NOW, Some(NOW - HOUR / 3600)));
    assert!(due(&aged, &space(0, 0), NOW, Some(NOW - HOUR / 60)));
    let small = RetentionConfig { size: Size(Some(1_000)), ..RetentionConfig::default() };
    let figures = |bytes: u64| Space { figures: Figures { bytes, ..Figures::default() }, ..Space::default() };
    assert!(!due(&small, &figures(100), NOW, None) && due(&small, &figures(101), NOW, None));
    assert!(
        !due(&small, &figures(101), NOW, Some(NOW)),
        "figures that cannot be thinned are not looked at all the time"
    );
    assert!(figures_over(&small, &figures(97), true) && !figures_over(&small, &figures(96), true));
}

#[test]
fn what_belongs_to_no_journey_goes_by_its_own_age_or_with_the_journeys_of_its_time() {
    let none = RetentionConfig { size: Size(None), ..RetentionConfig::default() };
    let aged = RetentionConfig { events_age: hours(2), ..none.clone() };
    let pass = Pass::new(aged, &Space::default(), NOW);
    assert_eq!(pass.events_until(0, None), Some((NOW - 2 * HOUR, Why::Age)));
    assert_eq!(pass.logs_until(0, None), None);

    let size = RetentionConfig { size: Size(Some(80)), ..none };
    let (_, pass) = gone(&size, 100, 10, 10, "..........");
    assert_eq!(pass.logs_until(100, Some(0)), Some((2 * HOUR, Why::Size)));
    // Only log records: a part of them, never the youngest.
    let pass = Pass::new(size.clone(), &Space { used: 160, ..Space::default() }, NOW);
    let (until, why) = pass.logs_until(160, Some(0)).unwrap();
    assert!(until > NOW / 2 && until < NOW && why == Why::Size);
    let pass = Pass::new(size, &Space { used: u64::MAX, ..Space::default() }, NOW);
    assert_eq!(pass.logs_until(u64::MAX, Some(0)).unwrap().0, NOW - YOUNG);
}

fn rule() -> impl Strategy<Value = RetentionConfig> {
    let age = || prop::option::of((1..30i64).prop_map(|n| Age(n * HOUR)));
    let size = prop_oneof![Just(Size(None)), (1..300u64).prop_map(|n| Size(Some(n)))];
    (size, prop::option::of(1..30u64), age(), age()).prop_map(|(size, journeys, age, failed_age)| {
        let failed_age = failed_age.map(|f| age.map_or(f, |a| f.max(a)));
        RetentionConfig { size, journeys, age, failed_age, ..RetentionConfig::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn healthy_ones_go_before_failed_ones_and_old_ones_before_young_ones(
        rule in rule(),
        text in "[.xdk~]{1,24}",
        used in 1..400u64,
        page in 1..9usize,
        most in 1..5usize,
    ) {
        let (all, kept) = journeys(&text);
        let (out, _) = gone(&rule, used, page, most, &text);
        let left: Vec<&Stored> = all.iter().filter(|j| !out.iter().any(|(g, _)| *g == j.id)).collect();
        let may_go = |j: &&&Stored| !kept.contains(&j.id) && j.end <= NOW - YOUNG;
        for (g, why) in &out {
            let gone = all.iter().find(|j| j.id == *g).unwrap();
            prop_assert!(may_go(&&gone), "kept by hand, or still growing");
            // Whatever goes, nothing healthy that is older and may go stays.
            let healthier = left.iter().filter(may_go).find(|j| Kind::of(j) == Kind::Healthy && j.start < gone.start);
            let own_age = *why == Why::Age && Kind::of(gone) == Kind::Failed && rule.age.is_none();
            prop_assert!(healthier.is_none() || own_age, "{healthier:?} stays, {gone:?} went");
            // For want of room nothing failed goes while anything healthy is left.
            if *why != Why::Age && Kind::of(gone) == Kind::Failed {
                prop_assert!(!left.iter().filter(may_go).any(|j| Kind::of(j) == Kind::Healthy));
            }
        }
        // As much as asked for goes, unless nothing is left that may.
        let exhausted = !left.iter().any(|j| may_go(&j));
        prop_assert!(exhausted || rule.journeys.is_none_or(|n| left.len() as u64 <= n));
        let each = (used / all.len() as u64).max(1);
        let freed = out.len() as u64 * each;
        prop_assert!(exhausted || rule.size.0.is_none_or(|most| used.saturating_sub(freed) <= most));
        // The same whatever the pages.
        let (again, _) = gone(&rule, used, 100, 100, &text);
        prop_assert_eq!(again, out);
    }
}
