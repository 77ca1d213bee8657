//! Participants, operations, channels and workloads as they were observed.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Layer, Nanos, NodeId, NodeKind};

use super::NotEnough;
use super::arrivals::Arrivals;
use super::capacity::{self, Workers};
use super::handlings::{Act, Asked, Attempt, Cause, Handled, Handling};
use super::names::{slug, unique};
use super::sample::{self, Sample};
use super::steps::{self, Group, Step, Target};
use super::walk::Walk;

/// Errors of one participant in windows of a twentieth of the period: an index of dispersion above this tells of an outage.
const CLUSTERED: f64 = 5.0;
const WINDOWS: i64 = 20;
/// Errors from which on an outage is told from chance.
const ERRORS: usize = 20;

/// A participant.
pub(super) struct Participant {
    pub(super) node: NodeId,
    pub(super) name: String,
    pub(super) layer: Layer,
    /// Unknown for those that say nothing themselves.
    pub(super) workers: Option<Workers>,
    /// One way to it.
    pub(super) network: Sample,
    /// Attempts on it, and those that failed by themselves, outages left out.
    pub(super) attempts: usize,
    pub(super) failures: usize,
    /// Its failures came in clusters.
    pub(super) outage: bool,
}

/// An operation.
pub(super) struct Operation {
    pub(super) asked: Asked,
    /// As the file names it.
    pub(super) name: String,
    pub(super) own: Sample,
    /// Calls that callers gave up, besides: after how long, nanoseconds, and how many.
    pub(super) given_up: Option<(f64, usize)>,
    /// Only quiet times were taken.
    pub(super) quiet_only: bool,
    pub(super) steps: Vec<Group>,
}

/// A destination with publishers and consumers.
pub(super) struct Channel {
    pub(super) topic: NodeId,
    pub(super) name: String,
    pub(super) publish: Sample,
    /// Publish to first handling while nothing waited.
    pub(super) deliver: Sample,
    pub(super) consumers: Vec<Asked>,
    pub(super) most_deliveries: u32,
    pub(super) batch: u32,
}

/// A stream of requests from outside.
pub(super) struct Workload {
    pub(super) to: Asked,
    pub(super) name: String,
    pub(super) arrivals: Arrivals,
}

/// Everything a scenario needs.
pub(super) struct Design {
    pub(super) participants: Vec<Participant>,
    pub(super) operations: Vec<Operation>,
    pub(super) channels: Vec<Channel>,
    pub(super) workloads: Vec<Workload>,
    pub(super) period: (Nanos, Nanos),
    pub(super) requests: usize,
    pub(super) notes: Vec<String>,
}

type Groups<'a> = BTreeMap<&'a Asked, Vec<&'a Handling>>;

impl Design {
    pub(super) fn new(handled: &Handled, layers: &dyn Fn(&NodeId) -> Layer) -> Result<Design, NotEnough> {
        let mut by_operation: Groups = BTreeMap::new();
        for h in &handled.all {
            by_operation.entry(&h.asked).or_default().push(h);
        }
        let published: BTreeSet<&NodeId> = handled.all.iter().flat_map(|h| &h.acts).filter_map(published).collect();
        let (entries, requests, period) = entries(&handled.all, &published)?;
        let consumers = consumers(&by_operation, &published);

        let mut walk = Walk {
            observed: by_operation.iter().map(|(asked, of)| (*asked, steps::steps(of))).collect(),
            consumers: &consumers,
            path: Vec::new(),
            kept: BTreeMap::new(),
            unheard: BTreeSet::new(),
            notes: Vec::new(),
        };
        entries.keys().for_each(|entry| walk.visit(entry));
        let Walk { mut kept, unheard, mut notes, .. } = walk;
        notes.extend(unheard.iter().map(|t| format!("Nobody was seen to handle {t}: its messages are left out.")));
        by_operation.retain(|asked, _| kept.contains_key(*asked));

        let mut by_participant: BTreeMap<&NodeId, Vec<&Handling>> = BTreeMap::new();
        for (asked, of) in &by_operation {
            by_participant.entry(&asked.0).or_default().extend(of);
        }
        let names = unique(by_participant.keys().map(|node| (*node, slug(node.name()))));
        let limits = limits(&kept);
        let mut participants: Vec<Participant> = by_participant
            .iter()
            .map(|(node, of)| participant(node, names[node].clone(), layers(node), of, &limits, handled, period))
            .collect();
        let operation_names = unique_operations(&by_operation, &names);
        let reached: BTreeSet<Asked> = kept.keys().cloned().collect();
        let mut operations = Vec::new();
        for (asked, of) in &by_operation {
            let limits = limits.get(asked).map(Vec::as_slice).unwrap_or_default();
            let (given_up, answered): (Vec<&Handling>, Vec<&Handling>) =
                of.iter().copied().partition(|h| steps::given_up(h, limits));
            let (own, quiet_only) = capacity::own_times(&answered, &by_participant[&asked.0]);
            let longest = given_up.iter().map(|h| h.own).max();
            let mut steps = kept.remove(*asked).unwrap_or_default();
            for step in steps.iter_mut().flat_map(Group::steps_mut) {
                step.network = way(step, of, &by_participant);
            }
            operations.push(Operation {
                asked: (*asked).clone(),
                name: operation_names[asked].clone(),
                own,
                given_up: longest.map(|longest| (longest as f64, given_up.len())),
                quiet_only,
                steps,
            });
        }
        // A participant needs a network time of its own only for steps that have none.
        let lacking: BTreeSet<&NodeId> =
            operations.iter().flat_map(|o| &o.steps).flat_map(Group::steps).filter_map(Step::without_network).collect();
        participants.iter_mut().filter(|p| !lacking.contains(&p.node)).for_each(|p| p.network = Sample::default());
        let channels = channels(&handled.all, consumers, &reached);
        let workload_names = unique(entries.keys().map(|asked| (*asked, slug(&asked.1))));
        let workloads = entries
            .iter()
            .map(|(asked, times)| Workload {
                to: (*asked).clone(),
                name: workload_names[asked].clone(),
                arrivals: Arrivals::new(times, period),
            })
            .collect();
        general_notes(handled, &operations, &mut notes);
        Ok(Design { participants, operations, channels, workloads, period, requests, notes })
    }

    pub(super) fn operation_name(&self, asked: &Asked) -> &str {
        self.operations.iter().find(|o| o.asked == *asked).map_or("", |o| &o.name)
    }

    pub(super) fn channel_of(&self, topic: &NodeId) -> Option<&Channel> {
        self.channels.iter().find(|c| c.topic.body() == topic.body())
    }
}

fn published(act: &Act) -> Option<&NodeId> {
    match act {
        Act::Publish { topic, .. } => Some(topic),
        Act::Call(_) => None,
    }
}

/// Arrivals by operation, how many there were, and from when to when.
#[allow(clippy::type_complexity, reason = "said once")]
fn entries<'a>(
    all: &'a [Handling],
    published: &BTreeSet<&NodeId>,
) -> Result<(BTreeMap<&'a Asked, Vec<Nanos>>, usize, (Nanos, Nanos)), NotEnough> {
    let bodies: BTreeSet<&str> = published.iter().map(|t| t.body()).collect();
    let from_outside = |h: &&Handling| match &h.cause {
        Cause::Outside => true,
        // Somebody who was not seen publishes these.
        Cause::Message { topic, delivery: 1, .. } => !bodies.contains(topic.body()),
        _ => false,
    };
    let mut entries: BTreeMap<&Asked, Vec<Nanos>> = BTreeMap::new();
    let mut period = (Nanos::MAX, Nanos::MIN);
    let mut requests = 0;
    for h in all.iter().filter(from_outside) {
        entries.entry(&h.asked).or_default().push(h.start);
        period = (period.0.min(h.start), period.1.max(h.start));
        requests += 1;
    }
    match requests {
        0 => return Err(NotEnough::NoRequests),
        1 => return Err(NotEnough::OneRequest),
        _ => {}
    }
    if period.1 <= period.0 {
        return Err(NotEnough::OneRequest);
    }
    Ok((entries, requests, period))
}

/// Who handles messages of which topic, by the topic's name without its environment.
fn consumers<'a>(by_operation: &Groups<'a>, published: &BTreeSet<&NodeId>) -> BTreeMap<String, Vec<&'a Asked>> {
    let bodies: BTreeSet<&str> = published.iter().map(|t| t.body()).collect();
    let mut out: BTreeMap<String, Vec<&Asked>> = BTreeMap::new();
    for (asked, of) in by_operation {
        let topic = of.iter().find_map(|h| match &h.cause {
            Cause::Message { topic, .. } => Some(topic.body()),
            _ => None,
        });
        if let Some(topic) = topic.filter(|t| bodies.contains(t)) {
            out.entry(topic.to_owned()).or_default().push(asked);
        }
    }
    out
}

/// One way from an operation to whom a step of it asks, where that was seen often enough to tell it from others' ways.
fn way(step: &Step, of: &[&Handling], by_participant: &BTreeMap<&NodeId, Vec<&Handling>>) -> Sample {
    let Target::Call(callee) = &step.target else { return Sample::default() };
    if !matches!(callee.0.kind(), NodeKind::Service) {
        return Sample::default();
    }
    let attempts: Vec<&Attempt> = of.iter().flat_map(|h| attempts_on(h, |asked| asked == callee)).collect();
    let way = by_participant.get(&callee.0).map(|callees| capacity::network(callees, &attempts)).unwrap_or_default();
    if way.has_shape() { way } else { Sample::default() }
}

fn attempts_on(handling: &Handling, wanted: impl Fn(&Asked) -> bool) -> impl Iterator<Item = &Attempt> {
    let calls = handling.acts.iter().filter_map(move |act| match act {
        Act::Call(call) if wanted(&call.asked) => Some(&call.attempts),
        _ => None,
    });
    calls.flatten()
}

/// How long callers of an operation wait before they give up, as far as that was seen, nanoseconds.
fn limits(kept: &BTreeMap<Asked, Vec<Group>>) -> BTreeMap<Asked, Vec<f64>> {
    let mut out: BTreeMap<Asked, Vec<f64>> = BTreeMap::new();
    for step in kept.values().flatten().flat_map(Group::steps) {
        if let (Target::Call(callee), Some((after, _))) = (&step.target, step.timeout) {
            out.entry(callee.clone()).or_default().push(after);
        }
    }
    out
}

fn participant(
    node: &NodeId,
    name: String,
    layer: Layer,
    of: &[&Handling],
    limits: &BTreeMap<Asked, Vec<f64>>,
    handled: &Handled,
    period: (Nanos, Nanos),
) -> Participant {
    let attempts: Vec<&Attempt> = handled.all.iter().flat_map(|h| attempts_on(h, |asked| asked.0 == *node)).collect();
    let speaks = matches!(node.kind(), NodeKind::Service);
    // Calls that were given up are no failures of their own: they fail by the time-out.
    let given_up = |h: &Handling| limits.get(&h.asked).is_some_and(|limits| steps::given_up(h, limits));
    let failed: Vec<&&Handling> = of.iter().filter(|h| h.failed_itself && !given_up(h)).collect();
    let outage = clustered(&failed, period);
    Participant {
        node: node.clone(),
        name,
        layer,
        workers: speaks.then(|| capacity::workers(of)),
        network: if speaks { capacity::network(of, &attempts) } else { Sample::default() },
        attempts: of.len(),
        failures: if outage { 0 } else { failed.len() },
        outage,
    }
}

fn clustered(failed: &[&&Handling], period: (Nanos, Nanos)) -> bool {
    if failed.len() < ERRORS {
        return false;
    }
    let width = ((period.1 - period.0) / WINDOWS).max(1);
    let mut counts = [0u32; WINDOWS as usize + 1];
    for h in failed {
        counts[((h.start - period.0) / width).clamp(0, WINDOWS) as usize] += 1;
    }
    let mean = failed.len() as f64 / counts.len() as f64;
    sample::variance(counts.iter().map(|c| f64::from(*c)), mean) / mean > CLUSTERED
}

fn channels(all: &[Handling], consumers: BTreeMap<String, Vec<&Asked>>, reached: &BTreeSet<Asked>) -> Vec<Channel> {
    let mut out: BTreeMap<String, Channel> = BTreeMap::new();
    for topic in all.iter().flat_map(|h| &h.acts).filter_map(published) {
        let list: Vec<Asked> = consumers
            .get(topic.body())
            .into_iter()
            .flatten()
            .map(|a| (*a).clone())
            .filter(|a| reached.contains(a))
            .collect();
        if list.is_empty() || out.contains_key(topic.body()) {
            continue;
        }
        let publish = all.iter().flat_map(|h| &h.acts).filter_map(|act| match act {
            Act::Publish { topic: t, start, end } if t.body() == topic.body() => Some(end - start),
            _ => None,
        });
        let mut delays = Vec::new();
        let (mut most_deliveries, mut batch) = (1, 1);
        for h in all.iter().filter(|h| list.contains(&h.asked)) {
            let Cause::Message { delay, delivery, batch: together, .. } = &h.cause else { continue };
            most_deliveries = most_deliveries.max(*delivery);
            batch = batch.max(*together);
            // Negative ones tell of skewed clocks, those of redeliveries of the back-off.
            delays.extend(delay.filter(|d| *d >= 0 && *delivery == 1));
        }
        // Messages that waited are the model's to make: what is left is the quicker quarter.
        let delays = Sample::new(delays);
        let limit = delays.quantile(0.25);
        let deliver = Sample::new(delays.below(limit));
        let publish = Sample::new(publish.collect());
        let channel = Channel {
            topic: topic.clone(),
            name: topic.name().to_owned(),
            publish,
            deliver,
            consumers: list,
            most_deliveries,
            batch,
        };
        out.insert(topic.body().to_owned(), channel);
    }
    out.into_values().collect()
}

fn general_notes(handled: &Handled, operations: &[Operation], notes: &mut Vec<String>) {
    if handled.orphans > 0 {
        let (n, of) = (handled.orphans, handled.spans);
        notes.push(format!(
            "{n} of {of} spans name a parent that was not received: calls may be missing, and self times too long."
        ));
    }
    let slower: Vec<&str> = operations.iter().filter(|o| o.quiet_only).map(|o| o.name.as_str()).collect();
    if !slower.is_empty() {
        notes.push(format!(
            "Slower under load by itself, so only its quiet times were taken and its workers must make the rest: {}.",
            slower.join(", ")
        ));
    }
}

fn unique_operations<'a>(by_operation: &Groups<'a>, names: &BTreeMap<&NodeId, String>) -> BTreeMap<&'a Asked, String> {
    unique(by_operation.keys().map(|asked| (*asked, format!("{}.{}", names[&asked.0], slug(&asked.1)))))
}
