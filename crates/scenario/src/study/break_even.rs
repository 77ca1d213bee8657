//! Where the comparison of two variants turns over, and where a variant begins to miss a target, each as an interval.
//!
//! An input is moved over its range in steps that grow evenly by ratio; where the answer changes between two steps, that stretch is
//! halved, with the same chances at every point. A point whose difference is not clear widens the interval instead of deciding it.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::player::{Better, Effort, Player, better, clearly_missed};
use super::{Input, Progress, Stage, window};
use crate::experiment::RunError;
use crate::model::{Scenario, Targets, Variant};
use crate::program::participant_of;

/// What happens at a break-even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// Another variant does better.
    Better,
    /// A variant begins, or ceases, to miss a target.
    Target,
}

/// A value of an input at which something turns over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BreakEven {
    /// The input.
    pub input: Input,
    /// In words.
    pub label: String,
    /// Unit of the values.
    pub unit: &'static str,
    /// Its value today.
    pub today: f64,
    /// It turns over between this value …
    pub low: f64,
    /// … and this one.
    pub high: f64,
    /// What turns over.
    pub turns: Turns,
    /// What holds below: the better variant, or the variant and target.
    pub below: String,
    /// What holds above.
    pub above: String,
    /// All of it in a sentence.
    pub sentence: String,
}

/// Steps over the range, and halvings of a stretch in which something turns over.
const STEPS: usize = 7;
const HALVINGS: u32 = 4;
/// Events of all replications of one point, about; values beyond are not tried.
const MOST_REQUESTS: f64 = 200_000.0;

/// What can be said at one value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    value: f64,
    better: Better,
    /// By variant and target.
    missed: [[Option<bool>; 3]; 2],
}

/// Break-evens between two variants over load, bursts, outages and workers of those asked by events.
///
/// # Errors
/// When it was cancelled, or a point took too many events.
pub fn break_evens(
    scenario: &Scenario,
    pair: [&Variant; 2],
    effort: &Effort,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Vec<BreakEven>, RunError> {
    let inputs = moved(scenario, pair);
    let planned = (inputs.len() * (STEPS + HALVINGS as usize)) as u32;
    let mut player = Player { effort, stage: Stage::BreakEven, done: 0, planned, progress, cancel };
    let mut all = Vec::new();
    for input in inputs {
        all.extend(of_input(scenario, pair, &input, &mut player)?);
    }
    Ok(all)
}

/// Inputs that can turn a recommendation over.
fn moved(scenario: &Scenario, pair: [&Variant; 2]) -> Vec<Input> {
    let mut inputs = vec![Input::Load];
    if scenario.design.workloads.iter().any(|w| w.arrivals.users() == 0) {
        inputs.push(Input::Burst);
    }
    let mut events: Vec<String> = Vec::new();
    for (_, step) in super::input::steps(&scenario.design) {
        let differs = pair[0].events.contains_key(&step.id) != pair[1].events.contains_key(&step.id);
        let name = participant_of(&step.operation).to_owned();
        if differs && !events.contains(&name) {
            events.push(name);
        }
    }
    for name in events.into_iter().take(3) {
        inputs.push(Input::Outage(name.clone()));
        if scenario.design.participants.get(&name).is_some_and(|p| p.workers.is_some()) {
            inputs.push(Input::Workers(name));
        }
    }
    inputs
}

/// Values to try first, growing.
fn grid(scenario: &Scenario, input: &Input, today: f64) -> Vec<f64> {
    let spread = |from: f64, to: f64| {
        let ratio = crate::math::exp(crate::math::ln(to / from) / (STEPS - 1) as f64);
        std::iter::successors(Some(from), move |v| Some(v * ratio)).take(STEPS).collect::<Vec<f64>>()
    };
    match input {
        Input::Load => spread(today / 8.0, today * 8.0),
        Input::Burst => spread(1.0, 30.0),
        Input::Outage(_) => {
            let longest = scenario.run.duration as f64 / 1e9 * 0.4;
            std::iter::once(0.0).chain(spread((longest / 60.0).clamp(1e-3, 1.0), longest)).collect()
        }
        Input::Workers(_) => {
            let mut values: Vec<f64> =
                spread((today / 8.0).max(1.0), today * 8.0).into_iter().map(f64::round).collect();
            values.dedup();
            values
        }
        _ => spread(today / 4.0, today * 4.0),
    }
}

fn of_input(
    scenario: &Scenario,
    pair: [&Variant; 2],
    input: &Input,
    player: &mut Player<'_>,
) -> Result<Vec<BreakEven>, RunError> {
    let Some(today) = input.value(scenario) else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    for value in grid(scenario, input, today) {
        points.extend(point(scenario, pair, input, value, player)?);
    }
    let mut all = Vec::new();
    let mut extra = Vec::new();
    for ask in asks(&scenario.targets) {
        let mut known: Vec<(f64, Option<u8>)> =
            points.iter().chain(&extra).map(|p: &Point| (p.value, ask.of(p))).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let clear: Vec<(f64, u8)> = known.iter().filter_map(|k| Some((k.0, k.1?))).collect();
        for ends in clear.windows(2).filter(|w| w[0].1 != w[1].1) {
            let ([mut low, mut high], [below, above]) = ([ends[0].0, ends[1].0], [ends[0].1, ends[1].1]);
            for _ in 0..HALVINGS {
                let middle = if low > 0.0 { (low * high).sqrt() } else { (low + high) / 2.0 };
                let middle = if matches!(input, Input::Workers(_)) { middle.round() } else { middle };
                if middle <= low || middle >= high {
                    break;
                }
                let Some(found) = point(scenario, pair, input, middle, player)? else { break };
                extra.push(found);
                match ask.of(&found) {
                    Some(answer) if answer == below => low = middle,
                    Some(_) => high = middle,
                    None => break, // Not clear here: the interval stays as wide.
                }
            }
            all.push(ask.told(pair, input, today, [low, high], [below, above]));
        }
    }
    Ok(all)
}

/// Plays both variants at a value; `None` where that would take too long.
fn point(
    scenario: &Scenario,
    pair: [&Variant; 2],
    input: &Input,
    value: f64,
    player: &mut Player<'_>,
) -> Result<Option<Point>, RunError> {
    let moved = input.at(scenario, value);
    let short = window::shortened(&moved, player.effort.requests);
    let rate = window::rate(&short.design, short.run.duration);
    if rate * short.run.duration as f64 / 1e9 > MOST_REQUESTS {
        return Ok(None);
    }
    let played = match player.play(&moved, &pair.map(Variant::clone)) {
        Ok(played) => played,
        // So far beyond what can be done that even this is too much: nothing is known here.
        Err(RunError::TooMuch { .. } | RunError::TooManyOpen { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let [a, b] = played.as_slice() else { return Ok(None) };
    Ok(Some(Point {
        value,
        better: better(&scenario.targets, &scenario.indifference, a, b),
        missed: [clearly_missed(&scenario.targets, a), clearly_missed(&scenario.targets, b)],
    }))
}

/// A question with a few answers that may change along an input.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Better,
    /// Variant, and target with its words.
    Missed(usize, usize),
}

fn asks(targets: &Targets) -> Vec<Ask> {
    let given = [targets.response_p95.is_some(), targets.settled_p95.is_some(), targets.success.is_some()];
    let of_targets = (0..3).filter(|t| given[*t]).flat_map(|target| [Ask::Missed(0, target), Ask::Missed(1, target)]);
    std::iter::once(Ask::Better).chain(of_targets).collect()
}

impl Ask {
    fn of(self, point: &Point) -> Option<u8> {
        match self {
            Ask::Better => match point.better {
                Better::First => Some(0),
                Better::Second => Some(1),
                Better::Neither => Some(2),
                Better::Unclear => None,
            },
            Ask::Missed(variant, target) => point.missed[variant][target].map(u8::from),
        }
    }

    fn told(self, pair: [&Variant; 2], input: &Input, today: f64, ends: [f64; 2], answers: [u8; 2]) -> BreakEven {
        let names = [pair[0].name.as_str(), pair[1].name.as_str(), "neither"];
        let [low, high] = ends;
        let between = format!("between {} and {}", input.shown(low), input.shown(high));
        let label = input.label();
        let now = input.shown(today);
        let (turns, [below, above], sentence) = match self {
            Ask::Better => {
                let [below, above] = answers.map(|a| names[usize::from(a).min(2)].to_owned());
                let does = |who: &str| match who {
                    "neither" => "neither of the two does better by what matters".to_owned(),
                    who => format!("{who} does better"),
                };
                let sentence = format!(
                    "{label}: {between} it turns over: below, {}; above, {} (today {now}).",
                    does(&below),
                    does(&above)
                );
                (Turns::Better, [below, above], sentence)
            }
            Ask::Missed(variant, target) => {
                let target = ["response time", "settled time", "share of successes"][target];
                let word = |missed: u8| if missed == 1 { "misses" } else { "reaches" };
                let held = answers.map(|a| format!("{} {} the {target} wanted", names[variant], word(a)));
                let sentence = format!(
                    "{label}: {} {} the {target} wanted above a value {between} (today {now}).",
                    names[variant],
                    word(answers[1])
                );
                (Turns::Target, held, sentence)
            }
        };
        BreakEven { input: input.clone(), label, unit: input.unit(), today, low, high, turns, below, above, sentence }
    }
}
