//! How far an input has to move to flip the style of an interaction.
//!
//! Every rule changes its mind at a known value of an input. Each such value is tried: the step is judged again with the input just
//! beyond it, so that a flip is a fact and not an estimate.

use serde::Serialize;

use super::figures::Figures;
use super::words::{percent, time};
use super::{Fact, Interaction, Style, criteria, judge};
use crate::model::{Do, EventCapability, Needs, Scenario, Time};
use crate::program::participant_of;
use crate::study::Input;

/// An input that flips the style when it moves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// JSON Pointer of the input.
    pub input: String,
    /// What it is, in words.
    pub label: String,
    /// Its value now.
    pub from: String,
    /// The value beyond which the style changes.
    pub to: String,
    /// How far that is, as a share of the value now; `None` for what is no quantity.
    pub change: Option<f64>,
    /// The style then.
    pub becomes: Style,
}

/// A change of this share or less makes a style fragile.
const FRAGILE: f64 = 0.2;

/// All single inputs that flip a style, the nearest first.
pub(super) fn flips(f: &Figures<'_>, caller: &str, step: &Do, known: &[Fact], it: &Interaction) -> Vec<Flip> {
    let mut tries = Tries { f, caller, known, it, found: Vec::new() };
    tries.times_of_the_step(step);
    tries.targets(step);
    tries.participants(step);
    tries.load(step);
    tries.consumers(step);
    let mut found = tries.found;
    found.sort_by(|a, b| {
        let far = |x: &Flip| x.change.map_or(f64::MAX, f64::abs);
        far(a).total_cmp(&far(b)).then(a.input.cmp(&b.input))
    });
    // Of one input, the nearest value is enough.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|x| seen.insert(x.input.clone()));
    found
}

/// Those that need a fifth or less, in words.
pub(super) fn fragile(it: &Interaction) -> Vec<String> {
    let near = it.flips.iter().filter(|x| x.change.is_some_and(|c| c.abs() <= FRAGILE));
    near.map(|x| format!("{} at {} instead of {} would turn it over", x.label, x.to, x.from)).collect()
}

struct Tries<'a, 'f> {
    f: &'a Figures<'f>,
    caller: &'a str,
    known: &'a [Fact],
    it: &'a Interaction,
    found: Vec<Flip>,
}

/// A little beyond a threshold, on one side or the other.
const BEYOND: [f64; 2] = [1.000_001, 0.999_999];

impl Tries<'_, '_> {
    fn note(&mut self, input: String, label: String, from: String, to: String, change: Option<f64>, style: Style) {
        if style != self.it.style {
            self.found.push(Flip { input, label, from, to, change, becomes: style });
        }
    }

    fn style_of_step(&self, step: &Do) -> Style {
        judge(self.f, self.caller, step, self.known).style
    }

    /// The style in a scenario that differs; work that differs has other percentiles.
    fn style_in(&self, scenario: &Scenario, step: &Do, same_work: bool) -> Style {
        let changed = self.f.of_changed(scenario, same_work);
        judge(&changed, self.caller, step, self.known).style
    }

    /// `within`, `timeout` and `size`.
    fn times_of_the_step(&mut self, step: &Do) {
        let pointer = |key: &str| format!("/steps/{}/{key}", step.id.replace('~', "~0").replace('/', "~1"));
        if let Some(within) = step.within {
            let lag = criteria::expected_lag(self.f, step);
            for value in [lag, 10.0 * lag].into_iter().flat_map(|v| BEYOND.map(|b| v * b)) {
                let changed = Do { within: Some(value as Time), ..step.clone() };
                let style = self.style_of_step(&changed);
                let change = value / (within as f64).max(1.0) - 1.0;
                self.note(pointer("within"), "within".into(), time(within as f64), time(value), Some(change), style);
            }
        }
        let (wait, whose) = self.f.wait(self.caller, step);
        let mut limits = vec![self.f.p99_alone(&step.operation)];
        limits.extend(self.f.participant(&step.operation).map(|p| p.longest_absence() as f64));
        for value in limits.into_iter().filter(|v| *v > 0.0).flat_map(|v| BEYOND.map(|b| v * b)) {
            let changed = Do { timeout: Some((value + 0.5) as Time), ..step.clone() };
            let style = self.style_of_step(&changed);
            let change = value / (wait as f64).max(1.0) - 1.0;
            self.note(pointer("timeout"), whose.into(), time(wait as f64), time(value), Some(change), style);
        }
        let most = self.f.channel(step).1.max_message;
        if let Some(size) = step.size {
            for value in [most, most + 1] {
                let style = self.style_of_step(&Do { size: Some(value), ..step.clone() });
                let change = value as f64 / (size as f64).max(1.0) - 1.0;
                self.note(pointer("size"), "payload".into(), bytes(size), bytes(value), Some(change), style);
            }
        }
    }

    fn targets(&mut self, step: &Do) {
        let targets = self.f.scenario.targets;
        if let (Some(target), Some(found)) =
            (targets.response_p95, self.f.sync.response_p95_ms.filter(|p| p.is_finite()))
        {
            for value in BEYOND.map(|b| found * 1e6 * b) {
                let mut changed = self.f.scenario.clone();
                changed.targets.response_p95 = Some(value as Time);
                let style = self.style_in(&changed, step, true);
                let (from, to) = (time(target as f64), time(value));
                let change = Some(value / target as f64 - 1.0);
                self.note("/targets/response_p95".into(), "wanted response time".into(), from, to, change, style);
            }
        }
        if let (Some(target), Some(found)) = (targets.success, self.f.sync.success) {
            for value in [found, (found * BEYOND[0]).min(1.0)] {
                let mut changed = self.f.scenario.clone();
                changed.targets.success = Some(value);
                let style = self.style_in(&changed, step, true);
                // Failures are what moves: 99.9 % is ten times as strict as 99 %.
                let change = if target < 1.0 { Some((1.0 - value) / (1.0 - target) - 1.0) } else { None };
                let (from, to) = (percent(target), percent(value));
                self.note("/targets/success".into(), "wanted share of successes".into(), from, to, change, style);
            }
        }
    }

    /// Absences, workers and work of the callee, and what it can do with events.
    fn participants(&mut self, step: &Do) {
        let callee = participant_of(&step.operation).to_owned();
        let Some(p) = self.f.participant(&step.operation) else { return };
        let (wait, _) = self.f.wait(self.caller, step);
        if p.longest_absence() > 0 {
            for value in BEYOND.map(|b| wait as f64 * b) {
                let mut changed = self.f.scenario.clone();
                if let Some(p) = changed.design.participants.get_mut(&callee) {
                    p.outages.iter_mut().for_each(|o| o.lasts = o.lasts.min(value as Time));
                    if let Some(longest) = p.outages.iter_mut().max_by_key(|o| o.lasts) {
                        longest.lasts = value as Time;
                    }
                    if let Some(b) = &mut p.breakdowns {
                        b.down = b.down.scaled(value / b.down.mean().max(1.0));
                    }
                }
                let style = self.style_in(&changed, step, true);
                let now = p.longest_absence() as f64;
                let change = Some(value / now - 1.0);
                let input = Input::Outage(callee.clone()).path();
                self.note(input, format!("absence of {callee}"), time(now), time(value), change, style);
            }
        }
        self.moved(step, &Input::Workers(callee.clone()), self.workers_at_the_limit(step));
        let mut works = vec![];
        if let Some(within) = step.within {
            let (_, channel) = self.f.channel(step);
            let without = channel.publish.mean() + channel.deliver.mean();
            let rest =
                self.f.mean_alone(&step.operation) - self.f.operation(&step.operation).map_or(0.0, |o| o.work.mean());
            works.extend([within as f64, within as f64 / 10.0].map(|lag| (lag - without - rest) / 1e6));
        }
        if let Some(own) = self.f.operation(&step.operation).filter(|o| o.steps.is_empty()) {
            let p99 = own.work.quantile(0.99).max(1.0);
            works.push(own.work.mean() * wait as f64 / p99 / 1e6);
        }
        if let (Some(callee), Some(own)) = (self.f.utilisation(&step.operation), self.f.utilisation(self.caller))
            && callee > 0.0
            && let Some(now) = Input::Work(step.operation.clone()).value(self.f.scenario)
        {
            works.push(now * 3.0 * own / callee);
        }
        self.moved(step, &Input::Work(step.operation.clone()), works);
        let cannot = matches!(p.events, EventCapability::None | EventCapability::Publish);
        if cannot && self.it.style == Style::ApiLed {
            let mut changed = self.f.scenario.clone();
            if let Some(p) = changed.design.participants.get_mut(&callee) {
                p.events = EventCapability::Both;
            }
            let style = self.style_in(&changed, step, true);
            let input = format!("/participants/{callee}/events");
            self.note(
                input,
                format!("what {callee} can do with events"),
                "no consuming".into(),
                "both".into(),
                None,
                style,
            );
        }
    }

    /// Workers at which the callee's capacity meets the peak.
    fn workers_at_the_limit(&self, step: &Do) -> Vec<f64> {
        let (_, peak) = self.f.rate(&step.operation);
        let work = self.f.operation(&step.operation).map_or(0.0, |o| o.work.mean());
        let enough = (peak * work / 1e9).ceil();
        if work > 0.0 { vec![enough.max(1.0), (enough - 1.0).max(1.0)] } else { Vec::new() }
    }

    fn load(&mut self, step: &Do) {
        let (mean, peak) = self.f.rate(&step.operation);
        let Some(now) = Input::Load.value(self.f.scenario).filter(|now| *now > 0.0 && mean > 0.0) else { return };
        let mut loads = vec![now * 1000.0 / mean];
        if let Some(capacity) = self.f.capacity(&step.operation) {
            loads.push(now * capacity / peak);
            let share = Input::Burst.value(self.f.scenario).unwrap_or(1.0);
            let bursts = [5.0, share * capacity / peak].map(|b| b.max(1.0));
            self.moved(step, &Input::Burst, bursts.to_vec());
        }
        self.moved(step, &Input::Load, loads);
    }

    /// Tries values of an input, a little above and below each.
    fn moved(&mut self, step: &Do, input: &Input, values: Vec<f64>) {
        let Some(now) = input.value(self.f.scenario) else { return };
        let same_work = !matches!(input, Input::Work(_));
        for value in values.into_iter().filter(|v| v.is_finite() && *v > 0.0) {
            let near = if matches!(input, Input::Workers(_)) { [value, value] } else { BEYOND.map(|b| value * b) };
            for value in near {
                let changed = input.at(self.f.scenario, value);
                // The step itself may have moved with the scenario.
                let moved = crate::study::step_of(&changed.design, &step.id).unwrap_or(step).clone();
                let style = self.style_in(&changed, &moved, same_work);
                let change = (now > 0.0).then(|| value / now - 1.0);
                self.note(input.path(), input.label(), input.shown(now), input.shown(value), change, style);
            }
        }
    }

    /// More or fewer consumers of the same fact.
    fn consumers(&mut self, step: &Do) {
        if step.needs != Some(Needs::Nothing) {
            return;
        }
        let now = self.f.needing_nothing(self.caller, step);
        for count in [now + 1, now + 2, now.saturating_sub(1).max(1), 1] {
            if count == now {
                continue;
            }
            let mut changed = self.f.scenario.clone();
            let Some(operation) = changed.design.operations.get_mut(self.caller) else { return };
            let mut left = now;
            crate::program::each_do_mut(&mut operation.steps, &mut |other| {
                if other.id != step.id && other.needs == Some(Needs::Nothing) && left > count {
                    other.needs = None;
                    left -= 1;
                }
            });
            for more in left..count {
                let mut another = step.clone();
                another.id = format!("{} {more}", step.id);
                operation.steps.push(crate::model::Step::Do(Box::new(another)));
            }
            let style = self.style_in(&changed, step, true);
            let change = Some(count as f64 / now as f64 - 1.0);
            let input = format!("/operations/{}/steps", self.caller);
            let label = format!("consumers of what {} did", self.caller);
            self.note(input, label, now.to_string(), count.to_string(), change, style);
        }
    }
}

fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}
