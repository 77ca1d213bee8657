//! Who is who: names in spans and messages to participants with their layers.

use std::collections::BTreeMap;

use flowglass_model::filter::{Place, Places};
use flowglass_model::{Graph, InteractionKind, Layer, LayerSource, NodeId, NodeKind};
use rustc_hash::FxHashMap;

/// A participant by number: what is compared for every span.
pub(crate) type Who = u32;

/// What a name of spans or messages is called on the map; `None` for what is no participant.
pub type Shown = Box<dyn Fn(&NodeId) -> Option<NodeId> + Send>;

/// A participant.
pub(crate) struct Participant {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) layer: Layer,
    /// Its layer is a guess from its place in the graph.
    pub(crate) guessed: bool,
    /// Telemetry of its own was seen.
    pub(crate) instrumented: bool,
}

impl Participant {
    /// Whether it stands in a layer of APIs by more than being a backend: a service, or a system outside whose name says so.
    fn is_api(&self) -> bool {
        match self.id.kind() {
            NodeKind::Service => true,
            NodeKind::External => !self.guessed,
            _ => false,
        }
    }

    /// The API layer, from 1 (system) to 3 (experience). Event workers and users stand beside the layers.
    pub(crate) fn rank(&self) -> Option<u8> {
        let rank = match self.layer {
            Layer::System => 1,
            Layer::Process => 2,
            Layer::Experience => 3,
            Layer::Backend | Layer::Event | Layer::Consumer => return None,
        };
        self.is_api().then_some(rank)
    }

    pub(crate) fn is(&self, layer: Layer) -> bool {
        self.layer == layer && self.is_api()
    }
}

/// The participants of a workspace and how they are connected.
pub struct Landscape {
    all: Vec<Participant>,
    by_id: FxHashMap<NodeId, Who>,
    by_name: FxHashMap<NodeId, Option<Who>>,
    shown: Shown,
    /// Services by topic (`SYSTEM/NAME`) and consumer group.
    groups: BTreeMap<(String, String), NodeId>,
    publishers: BTreeMap<Who, Vec<Who>>,
    consumers: BTreeMap<Who, Vec<Who>>,
    lags: Vec<(Who, Who, u64, f64)>,
    places: Places,
}

impl Landscape {
    /// Learns the participants of a map. `known` is the map of all times: layers and who consumes what; `seen` that of the range
    /// that is judged. `shown` tells the participant of a name in spans and messages, `groups` the services behind consumer groups.
    pub fn new(known: &Graph, seen: &Graph, shown: Shown, groups: BTreeMap<(String, String), NodeId>) -> Landscape {
        let mut out = Landscape {
            all: Vec::new(),
            by_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            shown,
            groups,
            publishers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            lags: Vec::new(),
            places: Places::new(),
        };
        for node in &known.nodes {
            let place = Place {
                layer: Some(node.layer),
                domain: node.domain.clone(),
                owner: node.owner.clone(),
                alias: (node.name != node.id.name()).then(|| node.name.clone()),
            };
            out.places.insert(node.id.clone(), place);
            out.add(Participant {
                id: node.id.clone(),
                name: node.name.clone(),
                layer: node.layer,
                guessed: node.layer_source == LayerSource::Inferred,
                instrumented: node.instrumented,
            });
        }
        for edge in &known.edges {
            let (source, target) = (out.participant(&edge.source), out.participant(&edge.target));
            match edge.kind {
                InteractionKind::Publish => out.publishers.entry(target).or_default().push(source),
                InteractionKind::Consume => out.consumers.entry(source).or_default().push(target),
                _ => {}
            }
        }
        for edge in seen.edges.iter().filter(|e| e.kind == InteractionKind::Consume) {
            if let Some(p95) = edge.stats.p95_ms {
                let (topic, consumer) = (out.participant(&edge.source), out.participant(&edge.target));
                out.lags.push((topic, consumer, edge.stats.count, p95));
            }
        }
        out
    }

    fn add(&mut self, participant: Participant) -> Who {
        let who = self.all.len() as Who;
        self.by_id.insert(participant.id.clone(), who);
        self.all.push(participant);
        who
    }

    fn participant(&mut self, id: &NodeId) -> Who {
        if let Some(who) = self.by_id.get(id) {
            return *who;
        }
        // Messages know no environment: their topic is the one that spans know by the same name, if there is only one.
        if id.kind() == NodeKind::Topic && id.environment().is_none() {
            let mut same = (0..self.all.len()).filter(|i| {
                let other = &self.all[*i].id;
                other.kind() == NodeKind::Topic && other.body() == id.body()
            });
            if let (Some(only), None) = (same.next(), same.next()) {
                return only as Who;
            }
        }
        // Not on the map of all times: it came in while this is being judged. Nothing is known of its layer.
        let layer = match id.kind() {
            NodeKind::Service => Layer::Process,
            NodeKind::Topic => Layer::Event,
            NodeKind::Consumer => Layer::Consumer,
            NodeKind::Backend | NodeKind::External => Layer::Backend,
        };
        let name = id.name().to_owned();
        self.add(Participant { id: id.clone(), name, layer, guessed: true, instrumented: false })
    }

    /// The participant of a name in spans and messages.
    pub(crate) fn who(&mut self, name: &NodeId) -> Option<Who> {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let who = (self.shown)(name).map(|id| self.participant(&id));
        self.by_name.insert(name.clone(), who);
        who
    }

    /// The service behind a consumer or group that a broker names, as spans told, else a service of that name.
    pub(crate) fn consumer(&mut self, topic: &NodeId, group: &str) -> Option<Who> {
        match self.groups.get(&(topic.body().to_owned(), group.to_owned())).cloned() {
            Some(service) => self.who(&service),
            None => self.who(&NodeId::from(format!("service:{group}"))),
        }
    }

    pub(crate) fn get(&self, who: Who) -> &Participant {
        &self.all[who as usize]
    }

    pub(crate) fn name(&self, who: Who) -> &str {
        &self.get(who).name
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Who publishes to a topic, at any time.
    pub(crate) fn publishers(&self, topic: Who) -> &[Who] {
        self.publishers.get(&topic).map_or(&[], Vec::as_slice)
    }

    /// Who consumes from a topic, at any time.
    pub(crate) fn consumers(&self, topic: Who) -> &[Who] {
        self.consumers.get(&topic).map_or(&[], Vec::as_slice)
    }

    /// Topic, consumer, messages and the 95th percentile of their wait in milliseconds, over the range.
    pub(crate) fn lags(&self) -> &[(Who, Who, u64, f64)] {
        &self.lags
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }
}
