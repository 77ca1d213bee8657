//! Which names mean the same participant.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use flowglass_model::{Config, InteractionKind, NodeId, NodeKind, SeriesKey, SeriesSum};

/// What the names in series stand for on the map: uninstrumented peers merged into the services that answer at their address or
/// bear their name, topics and guessed services put into their environment, aliases applied.
#[derive(Debug, Clone, Default)]
pub struct Folding {
    shown: BTreeMap<NodeId, Option<NodeId>>,
    titles: BTreeMap<NodeId, String>,
    instrumented: BTreeSet<NodeId>,
}

impl Folding {
    /// Learns the names of these series.
    pub fn new(sums: &[SeriesSum], config: &Config) -> Folding {
        let known = Known::new(sums);
        let mut folding = Folding::default();
        for id in &known.all {
            let merged = known.merge(id).map(|m| known.alias(&m, id, config));
            if let (Some(shown), Some(title)) = (&merged, known.title(id))
                && shown.kind() == NodeKind::External
            {
                folding.titles.insert(shown.clone(), title.to_owned());
            }
            folding.shown.insert(id.clone(), merged);
        }
        for id in known.all.iter().filter(|id| id.kind() == NodeKind::Backend) {
            let embedded = folding.embedded(id);
            if let Some(Some(shown)) = folding.shown.get_mut(id)
                && shown == id
                && let Some(embedded) = embedded
            {
                *shown = embedded;
            }
        }
        folding.instrumented = known.instrumented.iter().filter_map(|id| folding.node(id)).collect();
        folding.guesses(&known, sums, config);
        folding
    }

    /// The participant shown for a name of the series; `None` for bare addresses that no known service answers.
    pub fn node(&self, id: &NodeId) -> Option<NodeId> {
        self.shown.get(id).cloned().unwrap_or_else(|| Some(id.clone()))
    }

    /// What people call a (shown) participant: what its callers call it, else the name in its id.
    pub fn title<'a>(&'a self, shown: &'a NodeId) -> &'a str {
        self.titles.get(shown).map_or(shown.name(), String::as_str)
    }

    /// Whether telemetry of the (shown) participant itself was seen.
    pub fn is_instrumented(&self, shown: &NodeId) -> bool {
        self.instrumented.contains(shown)
    }

    /// A backend without an address belongs to its caller and follows it.
    fn embedded(&self, id: &NodeId) -> Option<NodeId> {
        let (system, caller) = id.as_str().strip_prefix("backend:")?.split_once('/')?;
        let shown = caller.starts_with("service:").then(|| self.node(&NodeId::from(caller)))??;
        Some(NodeId::embedded_backend(system, &shown))
    }

    /// Consumers that only brokers name are services of that name, if there is one.
    fn guesses(&mut self, known: &Known, sums: &[SeriesSum], config: &Config) {
        for sum in sums {
            let SeriesKey::Delivered { consumer, .. } = &sum.key else { continue };
            let guess = NodeId::from(format!("service:{consumer}"));
            let shown = || known.merge(&guess).map(|m| known.alias(&m, &guess, config));
            self.shown.entry(guess.clone()).or_insert_with(shown);
        }
    }
}

/// What the series tell of names.
#[derive(Default)]
struct Known {
    all: BTreeSet<NodeId>,
    instrumented: BTreeSet<NodeId>,
    /// Services by name.
    by_name: BTreeMap<String, BTreeSet<NodeId>>,
    /// Services that answered at an address.
    at_address: BTreeMap<String, BTreeSet<NodeId>>,
    /// What callers call the system outside at an address (`service.peer.name`).
    called: BTreeMap<String, BTreeSet<NodeId>>,
    /// Environments of a topic, by the id without environment.
    topic_environments: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    fn new(sums: &[SeriesSum]) -> Known {
        let mut known = Known::default();
        for sum in sums.iter().filter(|s| s.count > 0) {
            known.learn(sum);
        }
        for id in known.all.iter().chain(&known.instrumented) {
            if id.kind() == NodeKind::Topic
                && let Some(environment) = id.environment()
            {
                let body = id.without_environment().to_owned();
                known.topic_environments.entry(body).or_default().insert(environment.to_owned());
            }
        }
        for id in &known.instrumented {
            known.by_name.entry(id.name().to_owned()).or_default().insert(id.clone());
        }
        known
    }

    fn learn(&mut self, sum: &SeriesSum) {
        match &sum.key {
            SeriesKey::Edge { kind, source, target } => {
                self.all.extend([source.clone(), target.clone()]);
                let told = match kind {
                    InteractionKind::Call => vec![source, target],
                    InteractionKind::Access => vec![source],
                    // Publications guessed from messages have no duration.
                    InteractionKind::Publish if sum.sketch.is_empty() => vec![],
                    InteractionKind::Publish => vec![source],
                    InteractionKind::Consume => vec![target],
                };
                let services = told.into_iter().filter(|id| id.kind() == NodeKind::Service);
                self.instrumented.extend(services.cloned());
            }
            SeriesKey::Entry { source, target, .. } => {
                self.all.extend([source.clone(), target.clone()]);
                self.instrumented.insert(target.clone());
            }
            SeriesKey::Operation { participant, .. }
            | SeriesKey::Declared { participant, .. }
            | SeriesKey::Version { participant, .. } => {
                self.all.insert(participant.clone());
                self.instrumented.insert(participant.clone());
            }
            SeriesKey::Group { topic, participant, .. } => {
                self.all.extend([topic.clone(), participant.clone()]);
                self.instrumented.insert(participant.clone());
            }
            SeriesKey::Address { address, participant } if participant.kind() == NodeKind::External => {
                self.called.entry(address.clone()).or_default().insert(participant.clone());
            }
            SeriesKey::Address { address, participant } => {
                self.at_address.entry(address.clone()).or_default().insert(participant.clone());
            }
            SeriesKey::Delivered { topic, .. } => {
                self.all.insert(topic.clone());
            }
            SeriesKey::Unresolved { participant, .. } => {
                self.all.insert(participant.clone());
                if participant.kind() == NodeKind::Service {
                    self.instrumented.insert(participant.clone());
                }
            }
        }
    }

    /// The real participant behind a name.
    fn merge(&self, id: &NodeId) -> Option<NodeId> {
        match id.kind() {
            NodeKind::Topic if id.environment().is_none() => {
                let environments = self.topic_environments.get(id.without_environment());
                Some(match environments.map(|e| e.iter().collect::<Vec<_>>()).as_deref() {
                    Some([only]) => id.in_environment(Some(only)),
                    _ => id.clone(),
                })
            }
            NodeKind::Service if id.environment().is_none() && !self.instrumented.contains(id) => {
                Some(self.named(id.name(), None).unwrap_or_else(|| id.clone()))
            }
            NodeKind::External => self.peer(id),
            _ => Some(id.clone()),
        }
    }

    /// The only service of that name, preferring the environment if one is given.
    fn named(&self, name: &str, environment: Option<&str>) -> Option<NodeId> {
        let all = self.by_name.get(name)?;
        only(all.iter().filter(|s| environment.is_none() || s.environment() == environment))
    }

    /// What callers call a peer, if they agree.
    fn title(&self, id: &NodeId) -> Option<&str> {
        let mut called = self.called.get(id.body())?.iter().filter(|n| n.environment() == id.environment());
        let first = called.next()?;
        called.next().is_none().then(|| first.body())
    }

    /// A peer as its callers name it: the service that answers at its address, else the service of its name, else a host; bare
    /// addresses mean nothing to people.
    fn peer(&self, id: &NodeId) -> Option<NodeId> {
        let environment = id.environment();
        let address = id.body();
        if let Some(services) = self.at_address.get(address)
            && let Some(service) = only(services.iter().filter(|s| s.environment() == environment))
        {
            return Some(service);
        }
        if let Some(service) = self.title(id).and_then(|name| self.named(name, environment)) {
            return Some(service);
        }
        let host = host_of(address);
        let is_ip = host.parse::<IpAddr>().is_ok();
        let label = host.split('.').next().unwrap_or(host);
        let service = (!is_ip).then(|| self.named(address, environment).or_else(|| self.named(host, environment)));
        let service = service.flatten().or_else(|| if is_ip { None } else { self.named(label, environment) });
        if service.is_some() {
            return service;
        }
        if is_ip || host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost") || host.is_empty() {
            return None;
        }
        Some(NodeId::external(host, environment))
    }

    /// Applies the first alias that fits the name as merged or as seen.
    fn alias(&self, merged: &NodeId, seen: &NodeId, config: &Config) -> NodeId {
        let fits = |from: &str| {
            [merged, seen].iter().any(|id| [id.as_str(), id.without_environment(), id.name()].contains(&from))
        };
        match config.aliases.iter().find(|a| fits(&a.from)) {
            Some(alias) => self.named_by_user(&alias.to, merged),
            None => merged.clone(),
        }
    }

    /// What an alias points to: an id, or the name of a known participant, else a participant of the same kind with that name.
    fn named_by_user(&self, to: &str, from: &NodeId) -> NodeId {
        let prefixes = ["service:", "topic:", "backend:", "external:", "consumer:"];
        if prefixes.iter().any(|p| to.starts_with(p)) {
            let id = NodeId::from(to);
            return if id.environment().is_none() { id.in_environment(from.environment()) } else { id };
        }
        let same_name = |id: &&NodeId| id.name() == to && id.environment() == from.environment();
        if let Some(known) = self.instrumented.iter().find(same_name).or_else(|| self.all.iter().find(same_name)) {
            return known.clone();
        }
        let kind = from.as_str().split(':').next().unwrap_or("service");
        NodeId::from(format!("{kind}:{to}")).in_environment(from.environment())
    }
}

fn only<'a>(mut all: impl Iterator<Item = &'a NodeId>) -> Option<NodeId> {
    let first = all.next()?;
    all.next().is_none().then(|| first.clone())
}

/// The host of `host`, `host:port` or `[v6]:port`.
fn host_of(address: &str) -> &str {
    if let Some(rest) = address.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => host,
        _ => address,
    }
}
