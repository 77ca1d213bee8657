//! A journey as messages between participants, in the order in which they happened.

use std::collections::{HashMap, HashSet};

use flowglass_model::{ItemKind, Journey, JourneyItem, Layer, Nanos, NodeId};

/// What passes between two participants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A request; `from` is absent where the caller's span is.
    Call,
    /// The answer of a participant with spans of its own.
    Reply,
    /// A message is published.
    Publish,
    /// A message is delivered.
    Deliver,
    /// A call to something nobody names: shown at the caller.
    Local,
}

impl StepKind {
    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Call => "call",
            StepKind::Reply => "reply",
            StepKind::Publish => "publish",
            StepKind::Deliver => "deliver",
            StepKind::Local => "local",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// Lifeline it leaves, where known.
    pub from: Option<usize>,
    /// Lifeline it reaches.
    pub to: usize,
    /// When, as the sender of the span says.
    pub at: Nanos,
    /// Position among the journey's items of what it shows.
    pub item: usize,
}

/// The diagram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sequence {
    /// Participants, core systems first as on the map; within a layer by first appearance.
    pub lifelines: Vec<(NodeId, Layer)>,
    /// Messages.
    pub steps: Vec<Step>,
}

/// Columns from left to right, as on the map.
fn column(layer: Layer) -> u8 {
    match layer {
        Layer::Backend => 0,
        Layer::System => 1,
        Layer::Event => 2,
        Layer::Process => 3,
        Layer::Experience => 4,
        Layer::Consumer => 5,
    }
}

/// Draws a journey. `reaches` tells what a span without anybody's answer speaks to: the backend or outside system of a call, the
/// topic of a message. Internal spans are left out; a step never stands before the one that led to it, whatever the clocks say.
/// O(n log n).
pub fn sequence(journey: &Journey, reaches: &dyn Fn(&JourneyItem) -> Option<(NodeId, Layer)>) -> Sequence {
    let items = &journey.items;
    let by_id: HashMap<&str, usize> = items.iter().enumerate().rev().map(|(i, item)| (item.id.as_str(), i)).collect();
    let parents: Vec<Option<usize>> = items
        .iter()
        .enumerate()
        .map(|(i, item)| item.parent.as_deref().and_then(|p| by_id.get(p)).copied().filter(|p| *p != i))
        .collect();
    // Answered by somebody with spans of its own, or told by the event itself.
    let mut told = vec![false; items.len()];
    for (item, parent) in items.iter().zip(&parents) {
        let Some(parent) = *parent else { continue };
        let answers = item.role == "server" && items[parent].role == "client";
        told[parent] |= answers || item.kind == ItemKind::Event;
    }
    let mut drawn = Drawn::default();
    for (i, item) in items.iter().enumerate() {
        let above = parents[i].map(|p| &items[p]);
        let own = drawn.lifeline(&item.participant, item.layer);
        let (kind, from, to) = match (item.kind, item.role.as_str()) {
            (ItemKind::Event, _) => (StepKind::Publish, above.map(|p| drawn.lifeline(&p.participant, p.layer)), own),
            (_, "server") => {
                let from = above.map(|p| drawn.lifeline(&p.participant, p.layer)).filter(|from| *from != own);
                if let Some(from) = from {
                    let at = item.start.saturating_add(item.duration);
                    drawn.steps.push(Step { kind: StepKind::Reply, from: Some(own), to: from, at, item: i });
                }
                (StepKind::Call, from, own)
            }
            (_, "consumer") => {
                let event = above.filter(|p| p.kind == ItemKind::Event).map(|p| (p.participant.clone(), p.layer));
                let from = event.or_else(|| reaches(item)).map(|(id, layer)| drawn.lifeline(&id, layer));
                (StepKind::Deliver, from, own)
            }
            (_, "producer") if !told[i] => match reaches(item) {
                Some((topic, layer)) => (StepKind::Publish, Some(own), drawn.lifeline(&topic, layer)),
                None => continue,
            },
            (_, "client") if !told[i] => match reaches(item) {
                Some((id, layer)) => (StepKind::Call, Some(own), drawn.lifeline(&id, layer)),
                None => (StepKind::Local, Some(own), own),
            },
            _ => continue,
        };
        drawn.steps.push(Step { kind, from, to, at: item.start, item: i });
    }
    drawn.finish(&not_before(items, &parents))
}

/// When each item can have begun at the earliest: never before what it hangs below.
fn not_before(items: &[JourneyItem], parents: &[Option<usize>]) -> Vec<Nanos> {
    let mut known: Vec<Option<Nanos>> = vec![None; items.len()];
    for i in 0..items.len() {
        let (mut way, mut at) = (Vec::new(), Some(i));
        while let Some(n) = at.filter(|n| known[*n].is_none()) {
            // Marked at once, so that a circle of parents ends.
            known[n] = Some(items[n].start);
            way.push(n);
            at = parents[n];
        }
        for n in way.into_iter().rev() {
            let above = parents[n].and_then(|p| known[p]).unwrap_or(Nanos::MIN);
            known[n] = Some(above.max(items[n].start));
        }
    }
    known.into_iter().map(Option::unwrap_or_default).collect()
}

#[derive(Default)]
struct Drawn {
    found: Vec<(NodeId, Layer)>,
    by_id: HashMap<String, usize>,
    steps: Vec<Step>,
}

impl Drawn {
    /// The lifeline of a participant; messages know no environment, so that does not tell them apart.
    fn lifeline(&mut self, id: &NodeId, layer: Layer) -> usize {
        *self.by_id.entry(id.without_environment().to_owned()).or_insert_with(|| {
            self.found.push((id.clone(), layer));
            self.found.len() - 1
        })
    }

    fn finish(mut self, not_before: &[Nanos]) -> Sequence {
        // Of answers at one time the innermost comes first.
        self.steps.sort_by_key(|step| match step.kind {
            StepKind::Reply => (step.at.max(not_before[step.item]), 1, usize::MAX - step.item),
            _ => (not_before[step.item], 0, step.item),
        });
        let used: HashSet<usize> = self.steps.iter().flat_map(|s| s.from.into_iter().chain([s.to])).collect();
        let mut places: Vec<usize> = (0..self.found.len()).filter(|n| used.contains(n)).collect();
        places.sort_by_key(|n| (column(self.found[*n].1), *n));
        let mut new = vec![0; self.found.len()];
        for (to, from) in places.iter().enumerate() {
            new[*from] = to;
        }
        for step in &mut self.steps {
            step.to = new[step.to];
            step.from = step.from.map(|from| new[from]);
        }
        Sequence { lifelines: places.iter().map(|n| self.found[*n].clone()).collect(), steps: self.steps }
    }
}
