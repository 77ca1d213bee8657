//! What to ask: only what can still change a verdict, most telling first.
//!
//! For every fact that is unknown the possible answers are tried. A question is asked when one of its answers turns the style over,
//! by itself or together with answers to other questions.

use serde::Serialize;

use super::figures::Figures;
use super::{Fact, Interaction, Style, criteria, judge};
use crate::model::{Do, Intent, Needs};
use crate::program::participant_of;

/// A question that can still change the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// Step it is about; `None` where the answer is one for the whole scenario.
    pub step: Option<String>,
    /// Key of the file that the answer goes to, or the criterion.
    pub about: &'static str,
    /// In plain words.
    pub text: String,
    /// What could be answered.
    pub answers: Vec<Answer>,
    /// Whether one answer alone turns the style over.
    pub alone: bool,
    /// Points that lie between the answers: how much hangs on it.
    pub weight: f64,
}

/// A possible answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// In plain words.
    pub text: &'static str,
    /// What the file would say; `None` where it is a fact besides the file.
    pub value: Option<&'static str>,
    /// Points towards events that it would bring.
    pub points: f64,
    /// Style the step would then have, all else as it is.
    pub style: Style,
}

/// A criterion, the question, and the points of its answers.
type Asked = (&'static str, &'static str, &'static [(&'static str, f64)]);

/// Criteria that only people or telemetry know, with the question and the points of its answers.
const ASKED: [Asked; 7] = [
    (
        "W5",
        "How long may the two systems disagree, and does anybody read right after writing?",
        &[("somebody reads what was just written", -2.0), ("they may disagree for a while", 1.0)],
    ),
    (
        "W12",
        "Does anybody ask again and again only to see that nothing changed?",
        &[("no", 0.0), ("yes, at a steady pace", 2.0)],
    ),
    (
        "W2",
        "Will more systems want to know of it that nobody can name yet?",
        &[("no, both ends are known", 0.0), ("yes, they come and go", 1.0)],
    ),
    ("W18", "Is the history itself worth keeping, to replay it or to prove it?", &[("no", 0.0), ("yes", 1.0)]),
    ("W13", "Is it nearly always the same answer, that a cache could give?", &[("no", 0.0), ("yes", -1.0)]),
    ("W16", "Do the few that want it want very different data of it?", &[("no", 0.0), ("yes", -1.0)]),
    (
        "W20",
        "Would lost and late messages be noticed (dead letters watched, messages traced)?",
        &[("yes", 0.0), ("no", -1.0)],
    ),
];

/// A fact that may be unknown: its answers change the step.
struct Open {
    about: &'static str,
    text: String,
    answers: Vec<(&'static str, Option<&'static str>, Do)>,
}

/// The questions of a step, most telling first.
pub(super) fn questions(f: &Figures<'_>, caller: &str, step: &Do, known: &[Fact], it: &Interaction) -> Vec<Question> {
    if it.gates.iter().any(|g| g.forces == Style::ApiLed) {
        return Vec::new(); // No answer takes such a gate away.
    }
    let mut all = Vec::new();
    for open in open_facts(f, caller, step) {
        let answers = open.answers.into_iter().map(|(text, value, changed)| {
            let judged = judge(f, caller, &changed, known);
            let forced = judged.gates.iter().any(|g| g.forces == Style::ApiLed);
            let points = if forced { -10.0 } else { judged.score - it.score };
            Answer { text, value, points, style: judged.style }
        });
        let answers: Vec<Answer> = answers.collect();
        all.push(question(Some(step.id.clone()), open.about, open.text, answers, it.style));
    }
    let gated = it.gates.iter().any(|g| g.forces == Style::EventDriven);
    let style = |points: f64| {
        if gated || it.score + points > 0.0 { Style::EventDriven } else { Style::ApiLed }
    };
    let answer = |text, points| Answer { text, value: None, points, style: style(points) };
    if step.needs == Some(Needs::Nothing) && !gated {
        let targets = f.scenario.targets;
        let missed = || vec![answer("calls reach it", 0.0), answer("calls miss it", 2.0)];
        if targets.response_p95.is_none() {
            let text = "What response time must nearly all users (95 %) see?".to_owned();
            all.push(question(None, "targets.response_p95", text, missed(), it.style));
        }
        if targets.success.is_none() {
            let text = "What share of requests must succeed?".to_owned();
            all.push(question(None, "targets.success", text, missed(), it.style));
        }
    }
    for (criterion, text, answers) in ASKED {
        if !gated && it.reasons.iter().all(|r| r.criterion != criterion) {
            let answers = answers.iter().map(|(text, points)| answer(text, *points)).collect();
            all.push(question(Some(step.id.clone()), criterion, text.to_owned(), answers, it.style));
        }
    }
    keep_telling(all, it, gated)
}

fn question(step: Option<String>, about: &'static str, text: String, answers: Vec<Answer>, now: Style) -> Question {
    let points = || answers.iter().map(|a| a.points).chain([0.0]);
    let weight = points().fold(f64::MIN, f64::max) - points().fold(f64::MAX, f64::min);
    let alone = answers.iter().any(|a| a.style != now);
    Question { step, about, text, answers, alone, weight }
}

/// Those that matter by themselves, or that help others to turn the score over.
fn keep_telling(all: Vec<Question>, it: &Interaction, gated: bool) -> Vec<Question> {
    let towards = |q: &Question| {
        let points = q.answers.iter().map(|a| a.points).chain([0.0]);
        if it.style == Style::EventDriven { points.fold(0.0, f64::min) } else { points.fold(0.0, f64::max) }
    };
    let farthest = it.score + all.iter().map(&towards).sum::<f64>();
    let together = !gated && (farthest > 0.0) != (it.score > 0.0);
    let mut kept: Vec<Question> = all.into_iter().filter(|q| q.alone || (together && towards(q) != 0.0)).collect();
    sort(&mut kept);
    kept
}

fn sort(all: &mut [Question]) {
    // A stable sort: the order in which facts are listed breaks ties.
    all.sort_by(|a, b| b.alone.cmp(&a.alone).then(b.weight.total_cmp(&a.weight)));
}

/// Questions of all steps; what is asked of the whole scenario, once.
pub(super) fn most_telling_first(mut all: Vec<Question>) -> Vec<Question> {
    sort(&mut all);
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|q| seen.insert((q.step.clone(), q.about)));
    all
}

/// What the file does not say of a step, with the answers that it could give.
fn open_facts(f: &Figures<'_>, caller: &str, step: &Do) -> Vec<Open> {
    let (from, to) = (participant_of(caller), participant_of(&step.operation));
    let mut all = Vec::new();
    let mut ask = |about, text: String, answers| all.push(Open { about, text, answers });
    let with = |change: &dyn Fn(&mut Do)| {
        let mut changed = step.clone();
        change(&mut changed);
        changed
    };
    if step.needs.is_none() {
        let text = format!("Before {from} goes on: does it need anything of {to}?");
        let answers = vec![
            ("its data", Some("answer"), with(&|s| s.needs = Some(Needs::Answer))),
            ("that it succeeded", Some("success"), with(&|s| s.needs = Some(Needs::Success))),
            ("nothing", Some("nothing"), with(&|s| s.needs = Some(Needs::Nothing))),
        ];
        ask("needs", text, answers);
    }
    if step.intent.is_none() {
        let text = format!("What does {} do: read, change something, or tell that something happened?", step.operation);
        let answers = vec![
            ("it reads", Some("read"), with(&|s| s.intent = Some(Intent::Read))),
            ("it changes something", Some("write"), with(&|s| s.intent = Some(Intent::Write))),
            ("it tells", Some("notify"), with(&|s| s.intent = Some(Intent::Notify))),
        ];
        ask("intent", text, answers);
    }
    if step.within.is_none() {
        let lag = criteria::expected_lag(f, step);
        let text = format!("How late may the effect of {} be?", step.operation);
        let answers = vec![
            ("at once", Some("1ms"), with(&|s| s.within = Some(1))),
            ("a little later", None, with(&|s| s.within = Some(((lag * 2.0) as u64).saturating_add(1)))),
            ("much later", Some("5m"), with(&|s| s.within = Some(((lag * 100.0) as u64).saturating_add(1)))),
        ];
        ask("within", text, answers);
    }
    if step.idempotent.is_none() {
        let text = format!("Does it do harm when {} handles the same thing twice?", to);
        let answers = vec![
            ("no", Some("true"), with(&|s| s.idempotent = Some(true))),
            ("yes", Some("false"), with(&|s| s.idempotent = Some(false))),
        ];
        ask("idempotent", text, answers);
    }
    if step.order_by_key.is_none() {
        let text = "Must changes of one and the same thing keep their order?".to_owned();
        let answers = vec![
            ("no", Some("false"), with(&|s| s.order_by_key = Some(false))),
            ("yes", Some("true"), with(&|s| s.order_by_key = Some(true))),
        ];
        ask("order_by_key", text, answers);
    }
    if step.sensitive.is_none() {
        let text = "Does it carry data that not everybody who listens may see?".to_owned();
        let answers = vec![
            ("no", Some("false"), with(&|s| s.sensitive = Some(false))),
            ("yes", Some("true"), with(&|s| s.sensitive = Some(true))),
        ];
        ask("sensitive", text, answers);
    }
    all
}
