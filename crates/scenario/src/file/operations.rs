//! Operations and their steps.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Reader, suggestion};
use super::tree::{At, Node, Value};
use crate::Dist;
use crate::model::{Breaker, Choice, Do, FailureKind, Intent, Jitter, Needs, Operation, Participant, Retry, Step};
use crate::program::participant_of;

const STEP_KEYS: [&str; 24] = [
    "id",
    "do",
    "count",
    "intent",
    "needs",
    "within",
    "timeout",
    "retry",
    "breaker",
    "fallback",
    "cache",
    "optional",
    "idempotent",
    "order_by_key",
    "size",
    "sensitive",
    "priority",
    "compensate",
    "bulkhead",
    "network",
    "parallel",
    "choose",
    "think",
    "description",
];

/// Steps of an operation at most, repetitions counted, and of a file.
const MOST_STEPS: u64 = 10_000;
const MOST_IN_FILE: u64 = 100_000;

/// Operations with where steps and their targets stand, for checks that need all of them.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) all: BTreeMap<String, Operation>,
    /// Ids of steps, with their places.
    pub(super) ids: BTreeMap<String, At>,
    /// Operations asked for: caller, name, where.
    asked: Vec<(String, String, At)>,
    places: BTreeMap<String, At>,
    /// Steps that the file may still have.
    left: u64,
    /// Steps that say a priority.
    pub(super) priorities: u64,
}

/// Steps that an operation may still have, and how often those now read are repeated.
struct Budget {
    left: u64,
    times: u64,
}

pub(super) fn operations(
    r: &mut Reader,
    node: Option<&Node>,
    participants: &BTreeMap<String, Participant>,
) -> Operations {
    let mut out = Operations {
        all: BTreeMap::new(),
        ids: BTreeMap::new(),
        asked: Vec::new(),
        places: BTreeMap::new(),
        left: MOST_IN_FILE,
        priorities: 0,
    };
    let Some(node) = node else { return out };
    if !matches!(node.value, Value::Map(_)) {
        r.wrong(node.at, format!("operations must be a map of `participant.operation`, this is {}", node.kind()));
    }
    for field in node.fields() {
        if r.is_full() {
            return out;
        }
        let participant = participant_of(&field.key);
        if !field.key.contains('.') || participant.len() + 1 >= field.key.len() {
            r.wrong(field.at, format!("`{}` is no operation; write `participant.operation`", field.key));
            continue;
        }
        if !participants.contains_key(participant) {
            let hint = suggestion(participant, participants.keys().map(String::as_str));
            r.wrong(field.at, format!("there is no participant `{participant}`{hint}"));
        }
        if let Some(operation) = operation(r, &field.node, &field.key, &mut out) {
            out.places.insert(field.key.clone(), field.at);
            out.all.insert(field.key.clone(), operation);
        }
    }
    check_targets(r, &out);
    check_cycles(r, &out);
    out
}

fn operation(r: &mut Reader, node: &Node, name: &str, out: &mut Operations) -> Option<Operation> {
    r.map(node, "an operation", &["work", "steps", "reply", "description"])?;
    let work = match node.get("work") {
        Some(work) => r.dist(work)?,
        None => {
            r.assumed.insert(format!("/operations/{name}/work"));
            Dist::Constant(0.0)
        }
    };
    let reply_early =
        r.maybe(node, "reply", |r, n| r.one_of(n, &[("early", true), ("at_end", false)])).unwrap_or(false);
    let mut budget = Budget { left: MOST_STEPS, times: 1 };
    let steps = match node.get("steps") {
        Some(steps) => steps_of(r, steps, name, out, &mut budget)?,
        None => Vec::new(),
    };
    Some(Operation { work, steps, reply_early })
}

fn steps_of(r: &mut Reader, node: &Node, caller: &str, out: &mut Operations, budget: &mut Budget) -> Option<Vec<Step>> {
    let items = match &node.value {
        Value::List(items) => items,
        Value::Null => return Some(Vec::new()),
        _ => {
            r.wrong(node.at, format!("steps are a list, this is {}", node.kind()));
            return None;
        }
    };
    Some(items.iter().filter_map(|item| step(r, item, caller, out, budget)).collect())
}

fn step(r: &mut Reader, node: &Node, caller: &str, out: &mut Operations, budget: &mut Budget) -> Option<Step> {
    r.map(node, "a step", &STEP_KEYS)?;
    let kinds: Vec<&str> =
        ["do", "parallel", "choose", "think"].into_iter().filter(|k| node.get(k).is_some()).collect();
    let [kind] = kinds.as_slice() else {
        r.wrong(node.at, "a step is one of `do`, `parallel`, `choose` or `think`");
        return None;
    };
    let count = r.maybe(node, "count", |r, n| r.whole(n, 1, MOST_STEPS)).unwrap_or(1);
    let all = count.saturating_mul(budget.times);
    let enough = budget.left > all && out.left > all;
    budget.left = budget.left.saturating_sub(all);
    out.left = out.left.saturating_sub(all);
    if !enough {
        let (who, most) = if budget.left == 0 { (caller, MOST_STEPS) } else { ("the file", MOST_IN_FILE) };
        r.wrong(node.at, format!("`{who}` has more than {most} steps, repetitions counted"));
        return None;
    }
    if *kind != "do" {
        let known = [*kind, "count", "description"];
        for field in node.fields().iter().filter(|f| !known.contains(&f.key.as_str())) {
            r.wrong(field.at, format!("`{}` means nothing beside `{kind}`; put it at the steps inside", field.key));
        }
    }
    let inside = node.get(kind)?;
    let outside = std::mem::replace(&mut budget.times, all);
    let step = match *kind {
        "do" => do_step(r, node, inside, caller, count as u32, out).map(|s| Step::Do(Box::new(s))),
        "parallel" => steps_of(r, inside, caller, out, budget).map(Step::Parallel),
        "choose" => choices(r, inside, caller, out, budget),
        _ => r.dist(inside).map(|time| Step::Think { time, count: count as u32 }),
    };
    budget.times = outside;
    match step {
        Some(step @ (Step::Parallel(_) | Step::Choose(_))) if count > 1 => {
            Some(Step::Repeat { steps: vec![step], count: count as u32 })
        }
        step => step,
    }
}

fn choices(r: &mut Reader, node: &Node, caller: &str, out: &mut Operations, budget: &mut Budget) -> Option<Step> {
    let mut all = Vec::new();
    for item in node.items() {
        r.map(item, "a choice", &["share", "steps", "description"])?;
        let share = r.wanted(item, "share")?;
        let share = r.share(share)?;
        let steps = r.wanted(item, "steps")?;
        all.push(Choice { share, steps: steps_of(r, steps, caller, out, budget)? });
    }
    if all.is_empty() {
        r.wrong(node.at, "choose is a list of { share, steps }");
        return None;
    }
    if all.iter().map(|c| c.share).sum::<f64>() > 1.0 + 1e-9 {
        r.wrong(node.at, "the shares of a choice add up to more than 1");
        return None;
    }
    Some(Step::Choose(all))
}

fn do_step(r: &mut Reader, node: &Node, target: &Node, caller: &str, count: u32, out: &mut Operations) -> Option<Do> {
    let operation = r.text(target, "an operation such as `order.place`")?;
    out.asked.push((caller.to_owned(), operation.clone(), target.at));
    let named = r.maybe(node, "id", |r, n| r.text(n, "an id")).map(|id| (id, node.get("id").map_or(node.at, |n| n.at)));
    let id = match named {
        Some((id, at)) => {
            if let Some(before) = out.ids.get(&id) {
                r.wrong(at, format!("the id `{id}` stands twice; the first is in line {}", before.line));
            } else if id.contains(['/', '~']) {
                r.wrong(at, format!("the id `{id}` has a slash or tilde; pointers could not name it"));
            }
            out.ids.insert(id.clone(), at);
            id
        }
        None => {
            // Unique for each caller, callee and place among its like.
            let base = format!("{caller} → {operation}");
            let id = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base} ({n})") });
            let id = id.into_iter().find(|id| !out.ids.contains_key(id))?;
            out.ids.insert(id.clone(), node.at);
            id
        }
    };
    out.priorities += u64::from(node.get("priority").is_some());
    let intents = [("read", Intent::Read), ("write", Intent::Write), ("notify", Intent::Notify)];
    let needs = [("answer", Needs::Answer), ("success", Needs::Success), ("nothing", Needs::Nothing)];
    let compensate = r.maybe(node, "compensate", |r, n| {
        let name = r.text(n, "an operation")?;
        out.asked.push((caller.to_owned(), name.clone(), n.at));
        Some(name)
    });
    Some(Do {
        id,
        operation,
        count,
        intent: r.maybe(node, "intent", |r, n| r.one_of(n, &intents)),
        needs: r.maybe(node, "needs", |r, n| r.one_of(n, &needs)),
        within: r.maybe(node, "within", Reader::duration),
        timeout: r.maybe(node, "timeout", above_zero),
        retry: r.maybe(node, "retry", retry).unwrap_or_default(),
        breaker: r.maybe(node, "breaker", breaker),
        fallback: r.maybe(node, "fallback", Reader::bool).unwrap_or(false),
        cache: r.maybe(node, "cache", |r, n| {
            r.map(n, "a cache", &["hit"])?;
            let hit = r.wanted(n, "hit")?;
            r.share(hit)
        }),
        optional: r.maybe(node, "optional", Reader::bool).unwrap_or(false),
        idempotent: r.maybe(node, "idempotent", Reader::bool),
        order_by_key: r.maybe(node, "order_by_key", Reader::bool),
        network: r.maybe(node, "network", Reader::dist),
        size: r.maybe(node, "size", Reader::size),
        sensitive: r.maybe(node, "sensitive", Reader::bool),
        priority: r.maybe(node, "priority", |r, n| r.whole(n, 0, 1000)).map(|p| p as u32),
        compensate,
        bulkhead: r.maybe(node, "bulkhead", |r, n| r.whole(n, 1, 1_000_000)).map(|p| p as u32),
    })
}

fn above_zero(r: &mut Reader, node: &Node) -> Option<u64> {
    let value = r.duration(node)?;
    if value == 0 {
        r.wrong(node.at, "this must be above zero");
        return None;
    }
    Some(value)
}

fn retry(r: &mut Reader, node: &Node) -> Option<Retry> {
    r.map(node, "retry", &["attempts", "backoff", "factor", "cap", "jitter", "when", "budget"])?;
    let defaults = Retry::default();
    let jitters = [
        ("none", Jitter::None),
        ("full", Jitter::Full),
        ("equal", Jitter::Equal),
        ("decorrelated", Jitter::Decorrelated),
    ];
    let kinds = [("timeout", FailureKind::Timeout), ("refused", FailureKind::Refused), ("error", FailureKind::Error)];
    let when = |r: &mut Reader, n: &Node| match &n.value {
        Value::List(items) => items.iter().map(|i| r.one_of(i, &kinds)).collect(),
        _ => r.one_of(n, &kinds).map(|k| vec![k]),
    };
    Some(Retry {
        attempts: r.maybe(node, "attempts", |r, n| r.whole(n, 1, 1000)).unwrap_or(1) as u32,
        backoff: r.maybe(node, "backoff", Reader::durations).unwrap_or(defaults.backoff),
        factor: r.maybe(node, "factor", |r, n| r.number(n, 1.0)).unwrap_or(defaults.factor),
        cap: r.maybe(node, "cap", Reader::duration).unwrap_or(defaults.cap),
        jitter: r.maybe(node, "jitter", |r, n| r.one_of(n, &jitters)).unwrap_or(defaults.jitter),
        when: r.maybe(node, "when", when).unwrap_or(defaults.when),
        budget: r.maybe(node, "budget", Reader::share),
    })
}

fn breaker(r: &mut Reader, node: &Node) -> Option<Breaker> {
    r.map(node, "a breaker", &["open_after", "for"])?;
    let (open_after, lasts) = (r.wanted(node, "open_after")?, r.wanted(node, "for")?);
    Some(Breaker { open_after: r.whole(open_after, 1, 1_000_000)? as u32, lasts: r.duration(lasts)? })
}

fn check_targets(r: &mut Reader, out: &Operations) {
    for (_, name, at) in &out.asked {
        if r.is_full() {
            return;
        }
        if !out.all.contains_key(name) {
            let hint = suggestion(name, out.all.keys().map(String::as_str));
            r.wrong(*at, format!("there is no operation `{name}`{hint}"));
        }
    }
}

/// Operations that lead back to themselves would never end.
fn check_cycles(r: &mut Reader, out: &Operations) {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (caller, callee, _) in &out.asked {
        next.entry(caller).or_default().push(callee);
    }
    let mut done = BTreeSet::new();
    for start in out.all.keys() {
        if done.contains(start.as_str()) {
            continue;
        }
        let mut path = vec![(start.as_str(), 0)];
        let mut open = BTreeSet::from([start.as_str()]);
        while let Some((name, at)) = path.last().copied() {
            let Some(callee) = next.get(name).and_then(|all| all.get(at)).copied() else {
                done.insert(name);
                open.remove(name);
                path.pop();
                continue;
            };
            if let Some(last) = path.last_mut() {
                last.1 += 1;
            }
            if open.contains(callee)
                && let Some(from) = path.iter().position(|(known, _)| *known == callee)
            {
                let round: Vec<&str> = path[from..].iter().map(|p| p.0).chain([callee]).collect();
                let place = out.places.get(callee).copied().unwrap_or(At { line: 1, column: 1 });
                r.wrong(place, format!("these operations ask for each other without end: {}", round.join(" → ")));
                return;
            }
            if !done.contains(callee) {
                path.push((callee, 0));
                open.insert(callee);
            }
        }
    }
}
