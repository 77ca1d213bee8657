//! A judgement in words: what to build, how sure that is, what speaks for it and what against.

use std::collections::BTreeMap;

use flowglass_scenario::decide::{Decision, Interaction, Style};
use flowglass_scenario::model::{Scenario, Validated};
use flowglass_scenario::study::Study;

use super::words::{capital, criterion, list, percent, time};
use crate::api::{
    ArgumentView, CriterionView, DifferenceView, InteractionView, ScenarioResult, ValidationView, VerdictView,
};

/// See [`VerdictView`].
pub(super) fn verdict(scenario: &Scenario, study: &Study, result: &ScenarioResult) -> VerdictView {
    let decision = &study.decision;
    let events = decision.recommended_variant.events.clone();
    let same = scenario.variants.iter().find(|v| v.events.keys().eq(events.keys())).map(|v| v.name.clone());
    let names = || decision.interactions.iter().map(|i| i.name.clone());
    let calls: Vec<String> = names().filter(|n| !events.contains_key(n)).collect();
    let (strength, because) = strength(decision);
    let simulated = Simulated::new(scenario, result, same.as_deref());
    VerdictView {
        style: match (events.is_empty(), calls.is_empty()) {
            (true, _) => "api-led",
            (false, true) => "event-driven",
            (false, false) => "hybrid",
        }
        .into(),
        title: title(&names().filter(|n| events.contains_key(n)).collect::<Vec<_>>(), &calls),
        sentence: sentence(decision, &events),
        variant: same,
        events,
        strength,
        strength_word: ["Weak", "Weak", "Weak", "Fair", "Strong", "Strong"][strength.min(5) as usize].into(),
        strength_because: because,
        validation: scenario.validation.as_ref().map(validation),
        reasons: reasons(study, &simulated),
        doubts: doubts(study, &simulated),
        interactions: decision.interactions.iter().map(interaction).collect(),
    }
}

/// See [`ValidationView`].
fn validation(found: &Validated) -> ValidationView {
    let word = match found.grade {
        'A' => "within 15 % at another load",
        'B' => "within 30 % at another load",
        'C' => "within 30 % at the same load only",
        _ => "not good enough to rely on",
    };
    ValidationView { grade: found.grade.to_string(), word: word.into(), why: found.why.clone() }
}

/// The few are named, the many are the rule.
fn title(events: &[String], calls: &[String]) -> String {
    let are = |names: &[String], one: &str, many: &str| if names.len() == 1 { one.to_owned() } else { many.to_owned() };
    match (events.len(), calls.len()) {
        (0, _) => "API-led: every step stays a call".into(),
        (_, 0) => "Event-driven: every step becomes an event".into(),
        (e, c) if c <= 2 && e >= c => {
            format!("Event-driven, {} {}", list(calls), are(calls, "stays a call", "stay calls"))
        }
        (e, _) if e <= 3 => format!("Hybrid: {} {}", list(events), are(events, "becomes an event", "become events")),
        (e, c) => format!("Hybrid: {e} steps become events, {c} stay calls"),
    }
}

fn sentence(decision: &Decision, events: &BTreeMap<String, String>) -> String {
    let mut channels: Vec<&String> = events.values().collect();
    channels.sort();
    channels.dedup();
    let first = primary(decision, events);
    match (channels.as_slice(), first) {
        ([], _) => "Nothing here gains enough by waiting.".into(),
        ([one], Some(step)) => format!("Publish {one} after {} has succeeded.", step.name),
        ([one], None) => format!("Publish {one}, and let each consumer work at its own pace."),
        (many, _) => format!("Publish {}.", list(&many.iter().map(|c| (*c).clone()).collect::<Vec<_>>())),
    }
}

/// The last step that must have succeeded before those of the same operation that become events.
fn primary<'d>(decision: &'d Decision, events: &BTreeMap<String, String>) -> Option<&'d Interaction> {
    let callers: Vec<&str> =
        decision.interactions.iter().filter(|i| events.contains_key(&i.name)).map(|i| i.caller.as_str()).collect();
    let must = |i: &&Interaction| callers.contains(&i.caller.as_str()) && i.gates.iter().any(|g| g.id == "G3");
    decision.interactions.iter().rfind(must)
}

/// How much of the judgement is known: a rule that decides alone counts as all, else the share of criteria that are known.
fn strength(decision: &Decision) -> (u32, String) {
    let all = decision.interactions.len().max(1) as f64;
    let gated = decision.interactions.iter().filter(|i| !i.gates.is_empty()).count();
    let known: f64 = decision.interactions.iter().map(|i| if i.gates.is_empty() { i.coverage } else { 1.0 }).sum();
    let weighed: Vec<&Interaction> = decision.interactions.iter().filter(|i| i.gates.is_empty()).collect();
    let coverage = weighed.iter().map(|i| i.coverage).sum::<f64>() / weighed.len().max(1) as f64;
    let unsure = decision.interactions.iter().filter(|i| !i.fragile.is_empty()).count();
    let points = (known / all * 5.0).round().clamp(1.0, 5.0) as u32;
    let points = if unsure > 0 { points.saturating_sub(1).max(1) } else { points };
    let mut words = match (gated, weighed.len()) {
        (g, 0) => format!(
            "{} by a rule that decides alone",
            if g == 1 { "the step is decided".into() } else { format!("all {g} steps are decided") }
        ),
        (0, w) => format!("{w} steps are weighed with {} of the criteria known", percent(coverage)),
        (g, w) => format!(
            "{g} of {} steps are decided by a rule, {w} weighed with {} of the criteria known",
            g + w,
            percent(coverage)
        ),
    };
    if !decision.assumed.is_empty() {
        words.push_str(&format!("; {} inputs are assumed", decision.assumed.len()));
    }
    (points, words)
}

/// What simulation says of the recommended variant against calls alone.
struct Simulated<'r> {
    gains: Vec<&'r DifferenceView>,
    losses: Vec<&'r DifferenceView>,
    /// Whether the second variant of each difference is the recommended one.
    forward: bool,
}

impl<'r> Simulated<'r> {
    fn new(scenario: &Scenario, result: &'r ScenarioResult, chosen: Option<&str>) -> Simulated<'r> {
        let calls = scenario.variants.iter().find(|v| v.events.is_empty() && v.overridden.is_none());
        let other = scenario.variants.iter().find(|v| !v.events.is_empty()).map(|v| v.name.as_str());
        let mut simulated = Simulated { gains: Vec::new(), losses: Vec::new(), forward: true };
        let Some(calls) = calls.map(|v| v.name.as_str()) else { return simulated };
        // Where calls are recommended, the first variant with events is what they are held against.
        let Some(other) = chosen.filter(|c| *c != calls).or(other) else { return simulated };
        let turned = chosen == Some(calls);
        let between = |d: &&DifferenceView| (d.a == calls && d.b == other) || (d.a == other && d.b == calls);
        for d in result.differences.iter().filter(between) {
            simulated.forward = (d.a == calls) != turned;
            let better = d.verdict == "better";
            match d.verdict.as_str() {
                "better" | "worse" if better == simulated.forward => simulated.gains.push(d),
                "better" | "worse" => simulated.losses.push(d),
                _ => {}
            }
        }
        simulated
    }

    fn argument(&self, d: &DifferenceView, tone: &str) -> ArgumentView {
        let sign = if self.forward { 1.0 } else { -1.0 };
        let value = d.value.value.map_or(0.0, |v| v * sign);
        let size = |v: f64| match d.unit.as_str() {
            "ms" => time(v.abs()),
            "share" => format!("{:.2} points", v.abs() * 100.0),
            _ => format!("{:.1}/s", v.abs()),
        };
        let moves = if value < 0.0 { "falls" } else { "rises" };
        let text = match d.metric.as_str() {
            "response" => {
                format!("95 of 100 users are answered {} {}", size(value), if value < 0.0 { "sooner" } else { "later" })
            }
            "settled" => format!(
                "everything is done {} {} for 95 of 100",
                size(value),
                if value < 0.0 { "sooner" } else { "later" }
            ),
            "succeeded" => format!("the share answered well {moves} by {}", size(value)),
            "falseSuccess" => format!("promised but never done {moves} by {}", size(value)),
            _ => format!("good answers {} by {}", if value < 0.0 { "fall" } else { "rise" }, size(value)),
        };
        let evidence = d.value.low.zip(d.value.high).map(|(low, high)| {
            let (low, high) = if self.forward { (low, high) } else { (-high, -low) };
            let signed = |v: f64| format!("{}{}", if v < 0.0 { "−" } else { "+" }, size(v));
            format!("{} to {}, 95 % interval of {} paired repetitions", signed(low), signed(high), d.value.n)
        });
        ArgumentView { tone: tone.into(), text: capital(&text), evidence }
    }
}

fn reasons(study: &Study, simulated: &Simulated<'_>) -> Vec<ArgumentView> {
    let decision = &study.decision;
    let mut all: Vec<ArgumentView> = simulated.gains.iter().map(|d| simulated.argument(d, "good")).collect();
    let gates = decision.interactions.iter().flat_map(|i| i.gates.iter().map(move |g| (i, g)));
    let mut facts: Vec<ArgumentView> = gates
        .map(|(i, g)| ArgumentView {
            tone: "fact".into(),
            text: gate_words(i, g.id),
            evidence: Some(capital(&g.because)),
        })
        .collect();
    // The one that the events wait for comes first.
    let primary = primary(decision, &decision.recommended_variant.events).map(|i| gate_words(i, "G3"));
    facts.sort_by_key(|f| (Some(&f.text) != primary.as_ref(), !f.text.contains("succeed first")));
    let best = decision.interactions.iter().filter(|i| i.gates.is_empty()).flat_map(|i| {
        let sign = if i.style == Style::EventDriven { 1.0 } else { -1.0 };
        i.reasons.iter().filter(move |r| r.points * sign > 0.0).map(move |r| (i, r))
    });
    let mut weighed: Vec<_> = best.collect();
    weighed.sort_by(|a, b| b.1.points.abs().total_cmp(&a.1.points.abs()));
    let weighed = weighed.first().map(|(i, r)| ArgumentView {
        tone: "fact".into(),
        text: format!("{}: {}", i.name, r.evidence),
        evidence: Some(criterion(r.criterion).to_owned()),
    });
    // One simulated gain and one fact come first: they are of different kinds.
    let at = usize::from(!all.is_empty());
    let mut facts = facts.into_iter().chain(weighed);
    if let Some(first) = facts.next() {
        all.insert(at, first);
    }
    all.extend(facts);
    let told = study.search.as_ref().map(|s| s.reason.as_str()).unwrap_or(&decision.reason_for);
    let best = ArgumentView {
        tone: "fact".into(),
        text: capital(told),
        evidence: Some("Of the mixtures that were simulated".into()),
    };
    if !told.is_empty() {
        all.insert(all.len().min(2), best);
    }
    all
}

fn gate_words(i: &Interaction, gate: &str) -> String {
    match gate {
        "G1" => format!("{} brings an answer that is needed at once, so it stays a call", i.name),
        "G2" => format!("{} reads at the moment of need, so it stays a call", i.name),
        "G3" => format!("{} must succeed first, so it stays a call", i.name),
        "G4" => format!("{} has an end that cannot do events, so it stays a call", i.name),
        "G5" => format!("{} may be down for longer than its caller waits", i.name),
        "G6" => format!("{} takes longer than its caller waits", i.name),
        "G7" => format!("{} is too large for a message, so it stays a call", i.name),
        other => format!("{}: {}", i.name, criterion(other)),
    }
}

fn doubts(study: &Study, simulated: &Simulated<'_>) -> Vec<ArgumentView> {
    let decision = &study.decision;
    let doubt = |text: String, evidence: Option<String>| ArgumentView { tone: "doubt".into(), text, evidence };
    let mut all = Vec::new();
    for i in &decision.interactions {
        all.extend(
            i.contradiction
                .as_ref()
                .map(|c| doubt(format!("{}: its requirements contradict each other", i.name), Some(c.clone()))),
        );
    }
    all.extend(simulated.losses.iter().map(|d| simulated.argument(d, "doubt")));
    let given_up = study.search.iter().flat_map(|s| &s.given_up);
    all.extend(given_up.map(|words| doubt(capital(words), Some("Given up for the rest".into()))));
    all.extend(study.break_evens.first().map(|b| doubt(capital(&b.sentence), None)));
    for i in &decision.interactions {
        let adapter = i.gates.iter().find(|g| g.id == "G4");
        all.extend(adapter.map(|g| doubt(capital(&format!("{}: add an adapter", g.because)), i.escape.clone())));
        all.extend(i.fragile.iter().map(|f| doubt(format!("{} could turn: {f}", i.name), None)));
    }
    let to_meet = decision.interactions.iter().find(|i| !i.conditions.is_empty());
    all.extend(to_meet.and_then(|i| i.conditions.first()).map(|c| doubt(capital(&format!("only if {c}")), None)));
    if !decision.assumed.is_empty() {
        let text = format!("{} inputs are assumed, not measured", decision.assumed.len());
        all.push(doubt(text, None));
    }
    all.extend(decision.questions.first().map(|q| doubt(format!("Not known: {}", q.text), None)));
    if all.is_empty() {
        all.push(doubt(capital(&decision.reason_against), None));
    }
    all
}

fn interaction(i: &Interaction) -> InteractionView {
    InteractionView {
        step: i.name.clone(),
        style: if i.style == Style::ApiLed { "api-led" } else { "event-driven" }.into(),
        gates: i
            .gates
            .iter()
            .map(|g| CriterionView {
                code: g.id.into(),
                label: criterion(g.id).into(),
                text: capital(&g.because),
                points: if g.forces == Style::EventDriven { 1.0 } else { -1.0 },
            })
            .collect(),
        criteria: i
            .reasons
            .iter()
            .map(|r| CriterionView {
                code: r.criterion.into(),
                label: criterion(r.criterion).into(),
                text: capital(&r.evidence),
                points: r.points,
            })
            .collect(),
        score: i.score,
        conditions: i.conditions.iter().map(|c| capital(c)).collect(),
        contradiction: i.contradiction.clone(),
        escape: i.escape.as_deref().map(capital),
        coverage: i.coverage,
        evidence: i.evidence.into(),
        fragile: i.fragile.iter().map(|f| capital(f)).collect(),
        unknown: i.unknown.iter().map(|u| capital(u)).collect(),
    }
}
