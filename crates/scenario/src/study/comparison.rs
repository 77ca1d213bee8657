//! The comparison of connectivity styles, with the figures of a scenario's own variants.

use std::collections::BTreeSet;

use serde::Serialize;

use super::words::{ms, percent};
use crate::flow::{self, Dependencies};
use crate::model::{Needs, Scenario, Variant};
use crate::outcome::{Named, Outcome};

/// A row of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparisonRow {
    /// Aspect: communication, coupling, complexity, observability, scalability, best suited for.
    pub aspect: &'static str,
    /// What is measured of it.
    pub measure: &'static str,
    /// What API-led connectivity is said to be.
    pub api_led: &'static str,
    /// What event-driven connectivity is said to be.
    pub event_driven: &'static str,
    /// This scenario's variants, in the order of the file.
    pub variants: Named<Cell>,
}

/// A variant in a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The figure; `None` where it is no number, or there is none.
    pub value: Option<f64>,
    /// As people read it.
    pub text: String,
}

fn cell(value: f64, text: String) -> Cell {
    Cell { value: Some(value), text }
}

/// What is said in general: aspect, API-led, event-driven.
const SAID: [(&str, &str, &str); 6] = [
    ("communication", "synchronous", "asynchronous"),
    ("coupling", "tight: client to server", "loose: one producer, many consumers"),
    ("complexity", "simple to build and debug", "higher: broker, monitoring"),
    ("observability", "standard logs trace it", "needs structured event tracing and central logs"),
    ("scalability", "bounded by the synchronous flow", "parts scale on their own"),
    ("best suited for", "CRUD, real-time interaction", "asynchronous work, many services, decoupled systems"),
];

/// `1 channel`, `2 channels`.
pub(super) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A variant with what follows from its structure.
struct Seen<'a> {
    scenario: &'a Scenario,
    variant: &'a Variant,
    outcome: Option<&'a Outcome>,
    depends: Dependencies,
    /// Channels and consumer groups.
    parts: (usize, usize),
}

/// The rows. With an outcome, times and shares are of its simulation; without one only what follows from the structure is told.
pub fn comparison<'s>(scenario: &'s Scenario, outcome: Option<&'s Outcome>) -> Vec<ComparisonRow> {
    let seen: Vec<Seen<'s>> = scenario.variants.iter().map(|v| Seen::new(scenario, v, outcome)).collect();
    let mut rows = Vec::new();
    let mut row = |aspect: usize, measure: &'static str, of: fn(&Seen<'s>) -> Cell| {
        let (aspect, api_led, event_driven) = SAID[aspect];
        let variants = seen.iter().map(|s| (s.variant.name.clone(), of(s))).collect();
        rows.push(ComparisonRow { aspect, measure, api_led, event_driven, variants });
    };
    row(0, "synchronous hops to the answer", Seen::hops);
    row(0, "steps that are events", Seen::events);
    row(1, "participants an answer depends on", Seen::dependencies);
    row(1, "availability at best", Seen::availability);
    row(2, "moving parts", Seen::moving);
    row(2, "requests that left something undone", Seen::undone);
    row(3, "effects visible in one trace", Seen::traced);
    row(4, "load at which the first is full", Seen::saturation);
    if outcome.is_some() {
        row(4, "p95 response, p95 settled", Seen::times);
    }
    row(5, "what it does here", Seen::suits);
    rows
}

impl<'a> Seen<'a> {
    fn new(scenario: &'a Scenario, variant: &'a Variant, outcome: Option<&'a Outcome>) -> Seen<'a> {
        let design = scenario.design_of(variant);
        let channels: BTreeSet<&String> = variant.events.values().collect();
        let groups: BTreeSet<(&String, &String)> = super::input::steps(design)
            .into_iter()
            .filter_map(|(_, step)| Some((variant.events.get(&step.id)?, &step.operation)))
            .collect();
        let depends = flow::dependencies(design, variant);
        Seen { scenario, variant, outcome, depends, parts: (channels.len(), groups.len()) }
    }

    fn hops(&self) -> Cell {
        cell(self.depends.hops as f64, self.depends.hops.to_string())
    }

    fn events(&self) -> Cell {
        let all = super::input::steps(self.scenario.design_of(self.variant)).len();
        let events = self.variant.events.len();
        cell(events as f64, format!("{events} of {all}"))
    }

    fn dependencies(&self) -> Cell {
        let names: Vec<&str> = self.depends.answer.iter().map(String::as_str).collect();
        let shown = if names.len() > 6 { format!("{}, …", names[..6].join(", ")) } else { names.join(", ") };
        cell(names.len() as f64, format!("{} ({shown})", names.len()))
    }

    /// Product of what each participant on the way is up and does not fail (AWS, availability with dependencies): a bound, since
    /// retries and fallbacks mend some of it, and outages that overlap count twice.
    fn availability(&self) -> Cell {
        let design = self.scenario.design_of(self.variant);
        let up = |name: &String| {
            let Some(p) = design.participants.get(name) else { return 1.0 };
            let duration = self.scenario.run.duration as f64;
            let planned = p.outages.iter().filter(|o| o.mode.stops_work());
            let planned: f64 =
                planned.map(|o| o.lasts.min(self.scenario.run.duration.saturating_sub(o.at)) as f64).sum();
            let random = p.breakdowns.as_ref().filter(|b| b.mode.stops_work());
            let random = random.map_or(1.0, |b| b.up.mean() / (b.up.mean() + b.down.mean()));
            (1.0 - planned / duration).max(0.0) * random * (1.0 - p.fails) * (1.0 - p.poison)
        };
        let product = self.depends.answer.iter().map(up).product();
        cell(product, percent(product))
    }

    fn moving(&self) -> Cell {
        let participants = self.scenario.design.participants.len();
        let (channels, groups) = self.parts;
        let all = participants + channels + groups;
        let text = match channels {
            0 => format!("{participants} participants"),
            _ => format!(
                "{all}: {participants} participants, {}, {} with dead letters",
                counted(channels, "channel"),
                counted(groups, "consumer group")
            ),
        };
        cell(all as f64, text)
    }

    fn undone(&self) -> Cell {
        let found = self.outcome.and_then(|o| o.variants.get(&self.variant.name));
        let Some(found) = found else { return Cell { value: None, text: "not simulated".into() } };
        let worst = found.workloads.iter().filter_map(|(_, w)| {
            let of = |name: &str| w.fates.get(name).and_then(|f| f.value).unwrap_or(0.0);
            Some(of("partial") + of("dead_lettered") + of("lost") + of("stuck")).filter(|v| v.is_finite())
        });
        let worst = worst.fold(0.0, f64::max);
        cell(worst, percent(worst))
    }

    fn traced(&self) -> Cell {
        match self.depends.traced {
            (_, 0) => Cell { value: None, text: "there are none".into() },
            (through, all) => {
                let share = through as f64 / all as f64;
                let rest = if through < all { "; the rest only with trace context on messages" } else { "" };
                cell(share, format!("{} ({through} of {all}){rest}", percent(share)))
            }
        }
    }

    fn saturation(&self) -> Cell {
        match flow::saturation(self.scenario.design_of(self.variant), self.variant, self.scenario.run.duration) {
            Some((load, who)) => cell(load, format!("{load:.0}/s ({who})")),
            None => Cell { value: None, text: "nobody has a limit".into() },
        }
    }

    fn times(&self) -> Cell {
        let found = self.outcome.and_then(|o| o.variants.get(&self.variant.name));
        let Some(found) = found else { return Cell { value: None, text: "not simulated".into() } };
        let worst = |of: fn(&crate::outcome::Workload) -> Option<f64>| {
            let all: Option<Vec<f64>> = found.workloads.iter().map(|(_, w)| of(w)).collect();
            all.map(|v| v.into_iter().fold(0.0, f64::max))
        };
        let (response, settled) = (worst(|w| w.response_ms.p95.value), worst(|w| w.settled_ms.p95.value));
        Cell { value: response, text: format!("{}, {}", ms(response), ms(settled)) }
    }

    fn suits(&self) -> Cell {
        let design = self.scenario.design_of(self.variant);
        let waited = super::input::steps(design)
            .into_iter()
            .filter(|(_, s)| s.needs == Some(Needs::Nothing) && !self.variant.events.contains_key(&s.id));
        let waited: Vec<&str> = waited.map(|(_, s)| s.id.as_str()).collect();
        let text = match (self.variant.events.is_empty(), waited.is_empty()) {
            (true, true) => "every step is waited for because it is needed".to_owned(),
            (_, false) => format!("the user also waits for what nobody needs at once: {}", waited.join(", ")),
            (false, true) => "the user waits only for what is needed".to_owned(),
        };
        Cell { value: None, text }
    }
}
