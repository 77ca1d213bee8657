//! Texts that people and other programs write: filters, settings, scenarios, designs, links, descriptor sets.

use std::sync::atomic::AtomicBool;

use flowglass_studio::design::{self, File};
use flowglass_studio::ingest::pull::Wanted;
use flowglass_studio::model::filter::{Filter, Pattern, Test, View};
use flowglass_studio::rulings::Rulebook;
use flowglass_studio::scenario::decide::{SyncFigures, decide};
use flowglass_studio::scenario::experiment::{RunError, RunOptions, run};
use flowglass_studio::scenario::export::{calls, events, mermaid};
use flowglass_studio::scenario::file::read_scenario;
use flowglass_studio::{decode_protobuf, parse_settings};

use super::text;

/// A descriptor set behind its length (two bytes), and a payload of its message.
pub(super) fn descriptors(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (set, payload) = rest.split_at(at);
    for message in ["shop.Order", "Order"] {
        if let Err(why) = decode_protobuf(set, message, payload) {
            assert!(!why.is_empty());
        }
    }
}

/// What is read and printed is read again as the same.
pub(super) fn filter(bytes: &[u8]) {
    let text = text(bytes);
    for view in [View::Map, View::Journeys, View::Events, View::Logs] {
        let filter = match Filter::parse(&text, view) {
            Ok(filter) => filter,
            Err(problem) => {
                assert!(!problem.message.is_empty());
                continue;
            }
        };
        let printed = filter.to_string();
        match Filter::parse(&printed, view) {
            Ok(again) => assert_eq!(again, filter, "{text:?} is printed as {printed:?}"),
            Err(problem) => panic!("{text:?} is printed as {printed:?}, of which {}", problem.message),
        }
        let tries = |pattern: &Pattern| {
            pattern.matches("POST /orders/ORD-17");
            pattern.occurs_in("POST /orders/ORD-17 İ");
            pattern.lower().matches_folded(&"a".repeat(200));
        };
        for term in &filter.terms {
            match &term.test {
                Test::Words(pattern) => tries(pattern),
                Test::Is(_, patterns) => patterns.iter().for_each(tries),
                Test::Compare(..) => {}
            }
        }
    }
}

/// Settings with their rules and what is kept.
pub(super) fn settings(bytes: &[u8]) {
    match parse_settings(&text(bytes)) {
        Ok(config) => {
            Rulebook::new(&config.rules, 1_780_000_000_000_000_000).in_force();
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

/// Reads, and does with what can be read all that needs no simulation, and a run of a few events.
pub(super) fn scenario(bytes: &[u8]) {
    let read = read_scenario(&text(bytes), &|_| Ok(vec![1, 2, 3]));
    let mut scenario = match read {
        Ok(scenario) => scenario,
        Err(problems) => {
            assert!(!problems.is_empty() && problems.iter().all(|p| p.line >= 1 && !p.message.is_empty()));
            return;
        }
    };
    decide(&scenario, &SyncFigures::default());
    for variant in scenario.variants.iter().take(2) {
        mermaid(&scenario, variant);
        design::export::asyncapi(&events(&scenario, variant));
        design::export::openapi(&calls(&scenario, variant));
    }
    scenario.run.replications = 1;
    scenario.run.warm_up = Some(0);
    let options = RunOptions { max_events: 2_000, threads: 1, ..RunOptions::of(&scenario) };
    if let Err(RunError::Miscounted { variant, what }) = run(&scenario, &options, &|_| {}, &AtomicBool::new(false)) {
        panic!("{variant}: {what}");
    }
}

/// A design of any format; what is written of it is read again.
pub(super) fn design(bytes: &[u8]) {
    let text = text(bytes);
    let _ = design::value_of(&text);
    for path in ["specs/api.yaml", "events/Order/index.mdx", "catalog-info.yaml"] {
        let file = File { path: path.into(), text: text.clone(), referred: false };
        let Ok(read) = design::import(&[file]) else { continue };
        for format in [design::export::Format::Backstage, design::export::Format::AsyncApi] {
            design::export::export(&read.design, format);
        }
        let written = design::write(&read.design);
        if let Err(problem) = design::read(&written) {
            panic!("what was written is not read: {problem}\n{written}");
        }
    }
}

/// A pasted link.
pub(super) fn link(bytes: &[u8]) {
    let wanted = Wanted { url: text(bytes), ..Wanted::default() };
    let _ = wanted.ask(1_780_000_000_000_000_000);
    let wanted = Wanted { url: "jaeger:16686".into(), trace: Some(text(bytes)), ..Wanted::default() };
    let _ = wanted.ask(1);
}
