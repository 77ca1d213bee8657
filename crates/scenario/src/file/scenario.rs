//! The whole file.

use std::collections::BTreeMap;

use super::read::Reader;
use super::tree::{self, Node, Value};
use super::{Problem, TimesReader, channels, operations, participants, variants, workloads};
use crate::model::{
    Channel, Design, Do, EventCapability, Indifference, Run, Scenario, Source, Targets, Validated, Variant,
};
use crate::program::{each_do, participant_of};

const KEYS: [&str; 13] = [
    "flowglass",
    "title",
    "run",
    "workloads",
    "participants",
    "operations",
    "channels",
    "variants",
    "targets",
    "indifference",
    "sources",
    "validation",
    "description",
];

/// Reads a scenario file.
///
/// Errors: everything that is wrong, in the order of the file; at least one problem.
pub fn read_scenario(text: &str, times: TimesReader<'_>) -> Result<Scenario, Vec<Problem>> {
    let root = tree::parse(text).map_err(|problem| vec![problem])?;
    let mut r = Reader::default();
    let scenario = whole(&mut r, &root, times);
    r.problems.sort_by_key(|p| (p.line, p.column));
    // A variant with overrides reads the design again, and finds again what is wrong with it.
    r.problems.dedup();
    match scenario {
        Some(scenario) if r.problems.is_empty() => Ok(scenario),
        _ if r.problems.is_empty() => Err(vec![Problem { line: 1, column: 1, message: "this is no scenario".into() }]),
        _ => Err(r.problems),
    }
}

fn whole(r: &mut Reader, root: &Node, times: TimesReader<'_>) -> Option<Scenario> {
    r.map(root, "a scenario", &KEYS)?;
    match root.get("flowglass") {
        Some(version) if version.scalar() == Some("scenario/1") => {}
        Some(version) => {
            let found = version.scalar().unwrap_or("something else");
            r.wrong(version.at, format!("`{found}` is no version that is known here; this reads `scenario/1`"));
        }
        None => r.wrong(root.at, "the first line must be `flowglass: scenario/1`"),
    }
    let (shared, steps) = design(r, root, times)?;
    let ids: Vec<String> = steps;
    let run = r.maybe(root, "run", read_run).unwrap_or_default();
    let written = root.get("variants").filter(|n| !n.fields().is_empty()).map(|n| variants::written(r, n, &ids));
    let mut scenario = Scenario {
        title: r.maybe(root, "title", |r, n| r.text(n, "a title")).unwrap_or_default(),
        run,
        variants: Vec::new(),
        variants_named: written.is_some(),
        targets: r.maybe(root, "targets", read_targets).unwrap_or_default(),
        indifference: r.maybe(root, "indifference", read_indifference).unwrap_or_default(),
        sources: r.maybe(root, "sources", |r, n| read_sources(r, n, root, &ids)).unwrap_or_default(),
        validation: r.maybe(root, "validation", read_validation),
        design: shared,
        assumed: Vec::new(),
        warnings: Vec::new(),
    };
    if root.get("run").is_none_or(|n| n.get("duration").is_none()) {
        r.assumed.insert("/run/duration".into());
    }
    match written {
        None => scenario.variants = variants::usual(&scenario.design),
        Some(written) => {
            variants::check_number(r, root, &written);
            for variant in written {
                if r.is_full() {
                    return None;
                }
                let overridden = if variant.set.is_empty() {
                    None
                } else {
                    let mut tree = root.clone();
                    variant.set.iter().for_each(|field| variants::set(r, &mut tree, field, &ids));
                    let (design, _) = design(r, &tree, times)?;
                    Some(Box::new(design))
                };
                let Written { name, events, accept, .. } = variant;
                scenario.variants.push(Variant { name, events, accept, overridden });
            }
        }
    }
    complete_channels(r, &mut scenario);
    for variant in &scenario.variants {
        for id in variant.accept.iter().filter(|id| !variant.events.contains_key(*id)) {
            r.warnings.push(format!("variant {}: `accept` says nothing of step {id}, which is a call", variant.name));
        }
    }
    adapters(r, &scenario);
    scenario.warnings = std::mem::take(&mut r.warnings);
    let stated = |pointer: &String| !matches!(scenario.sources.get(pointer), Some(Source::Measured | Source::Declared));
    scenario.assumed = std::mem::take(&mut r.assumed).into_iter().filter(stated).collect();
    let declared = scenario.sources.iter().filter(|(_, s)| **s == Source::Assumed).map(|(p, _)| p.clone());
    scenario.assumed.extend(declared);
    scenario.assumed.sort();
    scenario.assumed.dedup();
    Some(scenario)
}

use super::variants::Written;

/// Queues that participants, and partitions that channels have together at most; users of all workloads.
const MOST_QUEUES: u64 = 1_000_000;
const MOST_USERS: u64 = 1_000_000;

/// The part that variants may override, and the ids of all steps.
fn design(r: &mut Reader, root: &Node, times: TimesReader<'_>) -> Option<(Design, Vec<String>)> {
    for key in ["workloads", "participants", "operations"] {
        r.wanted(root, key)?;
    }
    let participants = participants::participants(r, root.get("participants"));
    let operations = operations::operations(r, root.get("operations"), &participants);
    let workloads = workloads::workloads(r, root.get("workloads"), &operations.all, times);
    if workloads.is_empty() && r.problems.is_empty() {
        r.wrong(root.get("workloads").map_or(root.at, |n| n.at), "there is no workload: nobody asks for anything");
    }
    let channels = channels::channels(r, root.get("channels"));
    let at = |key: &str| root.get(key).map_or(root.at, |n| n.at);
    let queues: u64 = participants.values().map(|p| u64::from(p.lanes())).sum();
    let classes = 1 + workloads.len() as u64 + operations.priorities;
    if queues.saturating_mul(classes) > MOST_QUEUES {
        r.wrong(
            at("participants"),
            format!("{queues} queues (replicas with `queue_per: replica` have one each) are too many"),
        );
    }
    let partitions: u64 = channels.values().filter_map(|c| c.partitions).map(u64::from).sum();
    if partitions > MOST_QUEUES {
        r.wrong(at("channels"), format!("{partitions} partitions are more than {MOST_QUEUES}"));
    }
    let users: u64 = workloads.iter().map(|w| w.arrivals.users()).sum();
    if users > MOST_USERS {
        r.wrong(at("workloads"), format!("{users} users are more than {MOST_USERS}"));
    }
    let ids = operations.ids.into_keys().collect();
    Some((Design { workloads, participants, operations: operations.all, channels }, ids))
}

/// Channels that variants use without listing them have the defaults, marked assumed.
fn complete_channels(r: &mut Reader, scenario: &mut Scenario) {
    let used: Vec<String> = scenario.variants.iter().flat_map(|v| v.events.values().cloned()).collect();
    for name in used {
        if !scenario.design.channels.contains_key(&name) {
            r.assumed.insert(format!("/channels/{name}"));
        }
        let designs = scenario.variants.iter_mut().filter_map(|v| v.overridden.as_deref_mut());
        for design in designs.chain([&mut scenario.design]) {
            design.channels.entry(name.clone()).or_insert_with(Channel::default);
        }
    }
}

/// Says which steps on events would need an adapter, and which messages are too large.
fn adapters(r: &mut Reader, scenario: &Scenario) {
    let mut said: BTreeMap<String, ()> = BTreeMap::new();
    for variant in &scenario.variants {
        let design = scenario.design_of(variant);
        for (caller, operation) in &design.operations {
            each_do(&operation.steps, &mut |step: &Do| {
                let Some(channel) = variant.events.get(&step.id) else { return };
                let of = |name: &str| design.participants.get(participant_of(name)).map(|p| p.events);
                if matches!(of(caller), Some(EventCapability::None | EventCapability::Consume)) {
                    let who = participant_of(caller);
                    said.insert(
                        format!(
                            "variant {}: step {} needs an adapter, since {who} cannot publish",
                            variant.name, step.id
                        ),
                        (),
                    );
                }
                if matches!(of(&step.operation), Some(EventCapability::None | EventCapability::Publish)) {
                    let who = participant_of(&step.operation);
                    said.insert(
                        format!(
                            "variant {}: step {} needs an adapter, since {who} cannot consume",
                            variant.name, step.id
                        ),
                        (),
                    );
                }
                let most = design.channels.get(channel).map_or(u64::MAX, |c| c.max_message);
                if step.size.is_some_and(|size| size > most) {
                    said.insert(
                        format!("variant {}: step {} has a payload above what {channel} takes", variant.name, step.id),
                        (),
                    );
                }
            });
        }
    }
    r.warnings.extend(said.into_keys());
}

fn read_run(r: &mut Reader, node: &Node) -> Option<Run> {
    r.map(node, "run", &["duration", "warm_up", "replications", "seed"])?;
    let mut run = Run::default();
    if let Some(duration) = node.get("duration") {
        run.duration = r.duration(duration)?;
        if run.duration < 1_000_000 {
            r.wrong(duration.at, "a run lasts 1ms at least");
        }
    }
    run.warm_up = match node.get("warm_up") {
        Some(n) if n.scalar() == Some("auto") => None,
        Some(n) => Some(r.duration(n)?),
        None => None,
    };
    run.replications = r.maybe(node, "replications", |r, n| r.whole(n, 1, 100_000)).unwrap_or(20) as u32;
    run.seed = r.maybe(node, "seed", |r, n| r.whole(n, 0, 1 << 53)).unwrap_or(1);
    Some(run)
}

fn read_validation(r: &mut Reader, node: &Node) -> Option<Validated> {
    r.map(node, "validation", &["grade", "why"])?;
    let grade = r.wanted(node, "grade")?;
    let grade = r.one_of(grade, &[("A", 'A'), ("B", 'B'), ("C", 'C'), ("D", 'D')])?;
    let why = r.maybe(node, "why", |r, n| r.text(n, "a sentence")).unwrap_or_default();
    Some(Validated { grade, why })
}

fn read_targets(r: &mut Reader, node: &Node) -> Option<Targets> {
    r.map(node, "targets", &["response_p95", "settled_p95", "success"])?;
    Some(Targets {
        response_p95: r.maybe(node, "response_p95", Reader::duration),
        settled_p95: r.maybe(node, "settled_p95", Reader::duration),
        success: r.maybe(node, "success", Reader::share),
    })
}

fn read_indifference(r: &mut Reader, node: &Node) -> Option<Indifference> {
    r.map(node, "indifference", &["response_ms", "settled_ms", "share"])?;
    let defaults = Indifference::default();
    let ms = |r: &mut Reader, n: &Node| r.duration(n).map(|ns| ns as f64 / 1e6);
    Some(Indifference {
        response_ms: r.maybe(node, "response_ms", ms).unwrap_or(defaults.response_ms),
        settled_ms: r.maybe(node, "settled_ms", ms).unwrap_or(defaults.settled_ms),
        share: r.maybe(node, "share", Reader::share).unwrap_or(defaults.share),
    })
}

/// What `sources` may point into.
const SOURCED: [&str; 8] =
    ["run", "workloads", "participants", "operations", "channels", "steps", "targets", "indifference"];

fn read_sources(r: &mut Reader, node: &Node, root: &Node, ids: &[String]) -> Option<BTreeMap<String, Source>> {
    if !matches!(node.value, Value::Map(_)) {
        r.wrong(node.at, format!("sources must be a map of JSON Pointers, this is {}", node.kind()));
        return None;
    }
    let words = [("measured", Source::Measured), ("declared", Source::Declared), ("assumed", Source::Assumed)];
    let mut all = BTreeMap::new();
    for field in node.fields() {
        if r.is_full() {
            return None;
        }
        match variants::parts(&field.key) {
            None => r.wrong(field.at, format!("`{}` is no JSON Pointer: it begins with a slash", field.key)),
            Some(parts) => {
                if let Some(what) = variants::unknown_in(root, &parts, ids, &SOURCED) {
                    r.wrong(field.at, format!("`{}`: {what}", field.key));
                }
            }
        }
        if let Some(source) = r.one_of(&field.node, &words) {
            all.insert(field.key.clone(), source);
        }
    }
    Some(all)
}
