//! Inputs that can be moved: sliders, break-evens and the tornado share them.

use serde::{Deserialize, Serialize};

use crate::Dist;
use crate::model::{Arrivals, Design, Do, Scenario, Time};
use crate::program::{each_do, each_do_mut};

/// An input of a scenario that can be moved, with the name of what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum Input {
    /// Requests per second of all workloads together; they keep their shape and their proportions.
    Load,
    /// Highest rate of arrivals as a multiple of the usual one.
    Burst,
    /// Longest planned outage of a participant, seconds. Where there is none, one in the middle of the run is meant.
    Outage(String),
    /// Workers of a participant, all replicas together.
    Workers(String),
    /// Mean work of an operation, milliseconds.
    Work(String),
    /// Time-out of a step, milliseconds.
    Timeout(String),
    /// Share of a participant's attempts that fail.
    Fails(String),
    /// Share of a step's calls that a cache answers.
    Cache(String),
    /// Mean of one way to a participant, milliseconds.
    Network(String),
    /// Mean of one way of a step's calls, where the step has a time of its own, milliseconds.
    Way(String),
    /// Mean time until a channel has confirmed, milliseconds.
    Publish(String),
    /// Mean time from a channel to its groups, milliseconds.
    Deliver(String),
}

impl Input {
    /// In plain words.
    pub fn label(&self) -> String {
        match self {
            Input::Load => "load".into(),
            Input::Burst => "burst".into(),
            Input::Outage(name) => format!("outage of {name}"),
            Input::Workers(name) => format!("workers of {name}"),
            Input::Work(name) => format!("work of {name}"),
            Input::Timeout(name) => format!("time-out of {name}"),
            Input::Fails(name) => format!("failures of {name}"),
            Input::Cache(name) => format!("cache hits of {name}"),
            Input::Network(name) => format!("network to {name}"),
            Input::Way(name) => format!("network of {name}"),
            Input::Publish(name) => format!("publishing to {name}"),
            Input::Deliver(name) => format!("delivery from {name}"),
        }
    }

    /// `/s`, `s`, `ms`, `×`, or nothing for numbers and shares.
    pub fn unit(&self) -> &'static str {
        match self {
            Input::Load => "/s",
            Input::Burst => "×",
            Input::Outage(_) => "s",
            Input::Workers(_) | Input::Fails(_) | Input::Cache(_) => "",
            _ => "ms",
        }
    }

    /// JSON Pointer of it in a scenario file (a step by its id).
    pub fn path(&self) -> String {
        let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
        match self {
            Input::Load | Input::Burst => "/workloads".into(),
            Input::Outage(name) => format!("/participants/{}/outages", escaped(name)),
            Input::Workers(name) => format!("/participants/{}/workers", escaped(name)),
            Input::Work(name) => format!("/operations/{}/work", escaped(name)),
            Input::Timeout(id) => format!("/steps/{}/timeout", escaped(id)),
            Input::Fails(name) => format!("/participants/{}/fails", escaped(name)),
            Input::Cache(id) => format!("/steps/{}/cache/hit", escaped(id)),
            Input::Network(name) => format!("/participants/{}/network", escaped(name)),
            Input::Way(id) => format!("/steps/{}/network", escaped(id)),
            Input::Publish(name) => format!("/channels/{}/publish", escaped(name)),
            Input::Deliver(name) => format!("/channels/{}/deliver", escaped(name)),
        }
    }

    /// Its value with the unit, as people write it.
    pub fn shown(&self, value: f64) -> String {
        match self {
            Input::Fails(_) | Input::Cache(_) => format!("{:.3} %", value * 100.0).replace(".000 %", " %"),
            Input::Workers(_) => format!("{value:.0}"),
            Input::Burst => format!("{value:.1} times"),
            Input::Load if value >= 100.0 => format!("{value:.0}/s"),
            Input::Load => format!("{value:.1}/s"),
            Input::Outage(_) => format!("{value:.0} s"),
            _ if value >= 10.0 => format!("{value:.0} ms"),
            _ => format!("{value:.2} ms"),
        }
    }

    /// What it is now; `None` where the scenario has no such thing.
    pub fn value(&self, scenario: &Scenario) -> Option<f64> {
        let design = &scenario.design;
        let duration = scenario.run.duration;
        match self {
            Input::Load => Some(design.workloads.iter().map(|w| usual_rate(&w.arrivals, duration)).sum()),
            Input::Burst => design.workloads.iter().map(|w| burst(&w.arrivals)).max_by(f64::total_cmp),
            Input::Outage(name) => {
                let lasts = design.participants.get(name)?.outages.iter().map(|o| o.lasts).max();
                Some(lasts.unwrap_or(0) as f64 / 1e9)
            }
            Input::Workers(name) => design.participants.get(name)?.servers().map(f64::from),
            Input::Work(name) => Some(design.operations.get(name)?.work.mean() / 1e6),
            Input::Timeout(id) => step_of(design, id)?.timeout.map(|t| t as f64 / 1e6),
            Input::Fails(name) => Some(design.participants.get(name)?.fails),
            Input::Cache(id) => step_of(design, id)?.cache,
            Input::Network(name) => Some(design.participants.get(name)?.network.mean() / 1e6),
            Input::Way(id) => step_of(design, id)?.network.as_ref().map(|n| n.mean() / 1e6),
            Input::Publish(name) => Some(design.channels.get(name)?.publish.mean() / 1e6),
            Input::Deliver(name) => Some(design.channels.get(name)?.deliver.mean() / 1e6),
        }
    }

    /// The scenario with this input at another value, in all variants. Values that make no sense are moved to the nearest that
    /// does (a worker at least, a share at most 1).
    #[must_use]
    pub fn at(&self, scenario: &Scenario, value: f64) -> Scenario {
        let mut changed = scenario.clone();
        let factor = self.value(scenario).filter(|now| *now > 0.0).map_or(1.0, |now| value / now);
        let duration = scenario.run.duration;
        self.set(&mut changed.design, value, factor, duration);
        for design in changed.variants.iter_mut().filter_map(|v| v.overridden.as_deref_mut()) {
            self.set(design, value, factor, duration);
        }
        changed
    }

    fn set(&self, design: &mut Design, value: f64, factor: f64, duration: Time) {
        let ms = |v: f64| (v.max(0.0) * 1e6 + 0.5) as Time;
        match self {
            Input::Load => design.workloads.iter_mut().for_each(|w| scale_arrivals(&mut w.arrivals, factor)),
            Input::Burst => {
                design.workloads.iter_mut().for_each(|w| set_burst(&mut w.arrivals, value.max(1.0), duration));
            }
            Input::Outage(name) => {
                let Some(p) = design.participants.get_mut(name) else { return };
                let lasts = (value.max(0.0) * 1e9 + 0.5) as Time;
                match p.outages.iter_mut().max_by_key(|o| o.lasts) {
                    Some(longest) => longest.lasts = lasts,
                    None => p.outages.push(super::window::assumed_outage(duration, lasts)),
                }
                p.outages.retain(|o| o.lasts > 0);
            }
            Input::Workers(name) => {
                let Some(p) = design.participants.get_mut(name) else { return };
                let each = value / f64::from(p.replicas.max(1));
                p.workers = Some(if each >= 1.0 { (each + 0.5) as u32 } else { 1 });
                if each < 1.0 {
                    p.replicas = (value.max(1.0) + 0.5) as u32;
                }
            }
            Input::Work(name) => scale(design.operations.get_mut(name).map(|o| &mut o.work), value, factor),
            Input::Network(name) => scale(design.participants.get_mut(name).map(|p| &mut p.network), value, factor),
            Input::Publish(name) => scale(design.channels.get_mut(name).map(|c| &mut c.publish), value, factor),
            Input::Deliver(name) => scale(design.channels.get_mut(name).map(|c| &mut c.deliver), value, factor),
            Input::Fails(name) => {
                if let Some(p) = design.participants.get_mut(name) {
                    p.fails = value.clamp(0.0, 1.0);
                }
            }
            Input::Timeout(id) => change_step(design, id, &mut |step| step.timeout = Some(ms(value).max(1))),
            Input::Way(id) => change_step(design, id, &mut |step| scale(step.network.as_mut(), value, factor)),
            Input::Cache(id) => change_step(design, id, &mut |step| step.cache = Some(value.clamp(0.0, 1.0))),
        }
    }
}

/// Scales a distribution, or makes one that was always zero constant.
fn scale(dist: Option<&mut Dist>, value_ms: f64, factor: f64) {
    let Some(dist) = dist else { return };
    *dist = if dist.mean() > 0.0 { dist.scaled(factor) } else { Dist::Constant(value_ms.max(0.0) * 1e6) };
}

/// A step by its id.
pub(crate) fn step_of<'a>(design: &'a Design, id: &str) -> Option<&'a Do> {
    let mut found = None;
    for operation in design.operations.values() {
        each_do(&operation.steps, &mut |step| {
            if step.id == id {
                found = Some(step);
            }
        });
    }
    found
}

fn change_step(design: &mut Design, id: &str, change: &mut dyn FnMut(&mut Do)) {
    for operation in design.operations.values_mut() {
        each_do_mut(&mut operation.steps, &mut |step| {
            if step.id == id {
                change(step);
            }
        });
    }
}

/// Requests per second outside of bursts.
fn usual_rate(arrivals: &Arrivals, duration: Time) -> f64 {
    match arrivals {
        Arrivals::Rates(steps) => usual(steps),
        Arrivals::Users { count, think } => f64::from(*count) * 1e9 / think.mean().max(1e6),
        other => other.mean_rate(duration).unwrap_or(0.0),
    }
}

/// The lowest rate above zero.
fn usual(steps: &[(Time, f64)]) -> f64 {
    let lowest = steps.iter().map(|s| s.1).filter(|r| *r > 0.0).min_by(f64::total_cmp);
    lowest.unwrap_or(0.0)
}

fn burst(arrivals: &Arrivals) -> f64 {
    match arrivals {
        Arrivals::Rates(steps) if usual(steps) > 0.0 => steps.iter().map(|s| s.1 / usual(steps)).fold(1.0, f64::max),
        Arrivals::OnOff { busy, idle, .. } => (busy.mean() + idle.mean()) / busy.mean().max(1.0),
        _ => 1.0,
    }
}

fn scale_arrivals(arrivals: &mut Arrivals, factor: f64) {
    let factor = factor.max(1e-9);
    match arrivals {
        Arrivals::Poisson(rate) | Arrivals::Batches { poisson: rate, .. } | Arrivals::OnOff { rate, .. } => {
            *rate *= factor;
        }
        Arrivals::Every(gap) => *gap = ((*gap as f64 / factor + 0.5) as Time).max(1),
        Arrivals::Renewal(gap) => *gap = gap.scaled(1.0 / factor),
        Arrivals::Users { count, .. } => *count = ((f64::from(*count) * factor + 0.5) as u32).max(1),
        Arrivals::Rates(steps) => steps.iter_mut().for_each(|s| s.1 *= factor),
        // Recorded arrivals come closer together: their bursts keep their shape, the period gets shorter.
        Arrivals::Times(times) => times.iter_mut().for_each(|t| *t = (*t as f64 / factor + 0.5) as Time),
    }
}

/// Arrivals with bursts of so many times the usual rate. Steady ones get one, a tenth of the run long, in its middle.
fn set_burst(arrivals: &mut Arrivals, times: f64, duration: Time) {
    match arrivals {
        Arrivals::Rates(steps) => {
            let usual = usual(steps);
            let highest = steps.iter().map(|s| s.1).fold(0.0, f64::max);
            if highest > usual {
                let factor = usual * (times - 1.0) / (highest - usual);
                steps.iter_mut().filter(|s| s.1 > usual).for_each(|s| s.1 = usual + (s.1 - usual) * factor);
            } else {
                *steps = burst_in(usual, times, duration);
            }
        }
        Arrivals::OnOff { rate, busy, idle } => {
            let mean = *rate * busy.mean() / (busy.mean() + idle.mean()).max(1.0);
            *rate = mean * times;
            let wanted = busy.mean() * (times - 1.0);
            *idle = if idle.mean() > 0.0 { idle.scaled(wanted / idle.mean()) } else { Dist::Exp(wanted.max(1.0)) };
        }
        Arrivals::Users { .. } | Arrivals::Times(_) => {}
        other => {
            let rate = other.mean_rate(duration).unwrap_or(0.0);
            if times > 1.0 {
                *other = Arrivals::Rates(burst_in(rate, times, duration));
            }
        }
    }
}

fn burst_in(rate: f64, times: f64, duration: Time) -> Vec<(Time, f64)> {
    let begin = duration / 10 * 4;
    vec![(0, rate), (begin.max(1), rate * times), ((begin + duration / 10).max(2), rate)]
}

/// Inputs that a scenario has and that may matter, in a fixed order.
pub fn inputs(scenario: &Scenario) -> Vec<Input> {
    let design = &scenario.design;
    let mut all = vec![Input::Load];
    if design.workloads.iter().any(|w| burst(&w.arrivals) > 1.0) {
        all.push(Input::Burst);
    }
    for (name, p) in &design.participants {
        let has = [
            (!p.outages.is_empty(), Input::Outage(name.clone())),
            (p.workers.is_some(), Input::Workers(name.clone())),
            (p.fails > 0.0, Input::Fails(name.clone())),
            (p.network.mean() > 0.0, Input::Network(name.clone())),
        ];
        all.extend(has.into_iter().filter(|(has, _)| *has).map(|(_, input)| input));
    }
    for (name, operation) in &design.operations {
        if operation.work.mean() > 0.0 {
            all.push(Input::Work(name.clone()));
        }
        each_do(&operation.steps, &mut |step: &Do| {
            if step.timeout.is_some() {
                all.push(Input::Timeout(step.id.clone()));
            }
            if step.cache.is_some_and(|hit| hit > 0.0) {
                all.push(Input::Cache(step.id.clone()));
            }
            if step.network.as_ref().is_some_and(|way| way.mean() > 0.0) {
                all.push(Input::Way(step.id.clone()));
            }
        });
    }
    for (name, channel) in &design.channels {
        if channel.publish.mean() > 0.0 {
            all.push(Input::Publish(name.clone()));
        }
        if channel.deliver.mean() > 0.0 {
            all.push(Input::Deliver(name.clone()));
        }
    }
    all
}

/// Steps that could be waited for, for callers that need the whole list.
pub(crate) fn steps(design: &Design) -> Vec<(&str, &Do)> {
    let mut all = Vec::new();
    for (caller, operation) in &design.operations {
        each_do(&operation.steps, &mut |step| all.push((caller.as_str(), step)));
    }
    all
}
