//! A design held against what was observed.
//!
//! One deviation is told once: a participant that is not there takes its interactions with it, and an interaction in another style
//! than designed is neither missing nor undesigned. Of what a design says nothing at all (calls, in one made of AsyncAPI files
//! only), nothing is held against it.

mod accept;
mod interactions;
mod parts;
mod scope;

use std::collections::BTreeMap;

use flowglass_model::{Design, EdgeStats, InteractionKind, NodeId};

use crate::matching::{Match, Matching};
use crate::seen::{Evidence, Seen};

pub use accept::{Edit, accept};
pub(crate) use scope::Scope;

/// What deviates. The order is the one they are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviationKind {
    /// A call where an event was designed, or the other way round.
    OtherStyle,
    /// Seen, but not in the design.
    NotDesigned,
    /// A destination that the design does not know.
    UndocumentedSubject,
    /// An operation that the design does not list, of a participant whose operations it lists.
    UndocumentedOperation,
    /// A consumer of a channel that the design does not know of.
    UnknownConsumer,
    /// A payload that breaks the schema of its channel.
    BrokenSchema,
    /// In the design, but not seen.
    NotSeen,
}

impl DeviationKind {
    /// All, in the order they are told in.
    pub const ALL: [DeviationKind; 7] = [
        DeviationKind::OtherStyle,
        DeviationKind::NotDesigned,
        DeviationKind::UndocumentedSubject,
        DeviationKind::UndocumentedOperation,
        DeviationKind::UnknownConsumer,
        DeviationKind::BrokenSchema,
        DeviationKind::NotSeen,
    ];

    /// The word in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviationKind::OtherStyle => "other-style",
            DeviationKind::NotDesigned => "not-designed",
            DeviationKind::UndocumentedSubject => "undocumented-subject",
            DeviationKind::UndocumentedOperation => "undocumented-operation",
            DeviationKind::UnknownConsumer => "unknown-consumer",
            DeviationKind::BrokenSchema => "broken-schema",
            DeviationKind::NotSeen => "not-seen",
        }
    }
}

/// A place where design and observation differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// How.
    pub kind: DeviationKind,
    /// Of what, in the design's names: `order`, `order → payments`, `order POST /orders`, `orders.placed`.
    pub subject: String,
    /// What was seen, or not, in a sentence.
    pub saw: String,
    /// Observed participants and topics that it is about; none for what was not seen and has no match.
    pub nodes: Vec<NodeId>,
    /// The interaction on the map.
    pub edge: Option<(NodeId, NodeId, InteractionKind)>,
    /// How often it was seen; 0 for what was not.
    pub count: u64,
    /// Where it can be looked at.
    pub evidence: Vec<Evidence>,
    /// How the ends were found in the design.
    pub matches: Vec<Match>,
    /// Why it is lived with; `None` where nobody decided so.
    pub kept: Option<String>,
    /// What accepting it changes in the design; nothing where only somebody can say what is right.
    pub edits: Vec<Edit>,
}

/// All deviations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drift {
    /// Sorted by kind and subject.
    pub deviations: Vec<Deviation>,
    /// Observed participants and topics that are in the design, and all that could be.
    pub matched: (usize, usize),
    /// What the design says nothing about, in words: it was not judged.
    pub silent: Vec<&'static str>,
    /// Kept deviations of the design that are no more: kind and subject.
    pub settled: Vec<(String, String)>,
}

/// What all judges need.
pub(crate) struct Bench<'a> {
    pub(crate) design: &'a Design,
    pub(crate) seen: &'a Seen<'a>,
    pub(crate) matching: &'a Matching,
    pub(crate) scope: Scope,
    /// Names of what is observed: the design's where there is one.
    names: BTreeMap<NodeId, String>,
    out: Vec<Deviation>,
}

impl<'a> Bench<'a> {
    /// What an observed participant or topic is called in the design, or would be.
    pub(crate) fn name(&self, id: &NodeId) -> String {
        let designed = self.matching.of(id).map(str::to_owned);
        designed.or_else(|| self.names.get(id).cloned()).unwrap_or_else(|| id.name().to_owned())
    }

    pub(crate) fn edge(&self, source: &NodeId, target: &NodeId, kind: InteractionKind) -> Option<EdgeStats> {
        let wanted = |e: &&flowglass_model::GraphEdge| e.source == *source && e.target == *target && e.kind == kind;
        self.seen.graph.edges.iter().find(wanted).map(|e| e.stats)
    }

    pub(crate) fn evidence(&self, edge: &(NodeId, NodeId, InteractionKind)) -> Vec<Evidence> {
        self.seen.observer.edges.get(edge).map(|s| s.evidence.clone()).unwrap_or_default()
    }

    /// A deviation of an interaction that was seen.
    pub(crate) fn tell_edge(
        &mut self,
        kind: DeviationKind,
        edge: (NodeId, NodeId, InteractionKind),
        saw: String,
        edits: Vec<Edit>,
    ) {
        let subject = format!("{} → {}", self.name(&edge.0), self.name(&edge.1));
        let count = self.edge(&edge.0, &edge.1, edge.2).map_or(0, |s| s.count);
        let evidence = self.evidence(&edge);
        let nodes = vec![edge.0.clone(), edge.1.clone()];
        self.tell(Deviation { edge: Some(edge), count, evidence, nodes, ..new(kind, subject, saw, edits) });
    }

    /// Takes back what another deviation explains.
    pub(crate) fn untell(&mut self, kind: DeviationKind, subject: &str) {
        self.out.retain(|d| d.kind != kind || d.subject != subject);
    }

    pub(crate) fn tell(&mut self, mut deviation: Deviation) {
        deviation.matches = deviation.nodes.iter().filter_map(|id| self.matching.match_of(id)).collect();
        let kept =
            |k: &&flowglass_model::KeptDeviation| k.kind == deviation.kind.as_str() && k.subject == deviation.subject;
        deviation.kept = self.design.kept.iter().find(kept).map(|k| k.reason.clone());
        // Several environments show the same deviation: it is told once.
        let same = |d: &&mut Deviation| d.kind == deviation.kind && d.subject == deviation.subject;
        match self.out.iter_mut().find(same) {
            Some(known) => {
                known.count += deviation.count;
                known.evidence.extend(deviation.evidence);
                known.nodes.extend(deviation.nodes);
                known.matches.extend(deviation.matches);
            }
            None => self.out.push(deviation),
        }
    }
}

/// A deviation about nothing yet.
pub(crate) fn new(kind: DeviationKind, subject: String, saw: String, edits: Vec<Edit>) -> Deviation {
    Deviation {
        kind,
        subject,
        saw,
        nodes: Vec::new(),
        edge: None,
        count: 0,
        evidence: Vec::new(),
        matches: Vec::new(),
        kept: None,
        edits,
    }
}

/// Holds a design against what was observed.
pub fn drift(design: &Design, seen: &Seen<'_>, matching: &Matching) -> Drift {
    let scope = Scope::of(design);
    let names = crate::observed::names(seen.graph);
    let mut bench = Bench { design, seen, matching, scope, names, out: Vec::new() };
    let absent = parts::judge(&mut bench);
    interactions::judge(&mut bench, &absent);
    parts::operations(&mut bench);
    parts::payloads(&mut bench);
    let mut deviations = bench.out;
    deviations.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    let judged = seen.graph.nodes.iter().filter(|n| scope.judges(n.kind));
    let all: Vec<bool> = judged.map(|n| matching.of(&n.id).is_some()).collect();
    let is_there = |k: &&flowglass_model::KeptDeviation| {
        deviations.iter().any(|d| d.kind.as_str() == k.kind && d.subject == k.subject)
    };
    let settled = design.kept.iter().filter(|k| !is_there(k)).map(|k| (k.kind.clone(), k.subject.clone())).collect();
    Drift { matched: (all.iter().filter(|m| **m).count(), all.len()), deviations, silent: scope.silent(), settled }
}
