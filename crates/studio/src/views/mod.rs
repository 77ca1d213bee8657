//! The map as windows show it: figures, sparklines, positions that stay, and differences between revisions.

mod draw;
mod figures;
mod grid;
mod groups;
mod quiet;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use flowglass_model::{Graph, Layer, Nanos, NodeId, NodeKind, SeriesSum};
use flowglass_topology::{Folding, Layout, Noise, Positions};

use crate::api::{Edge, Nearest, Node, QuietSource, TopologyView};
use crate::studio::lock;

pub(crate) use draw::edge_id;
pub(crate) use figures::{figures, health};
pub(crate) use grid::Grid;
pub(crate) use quiet::{LOOK_BACK, may_be_quiet, usual_pause};

/// Bars of a sparkline, about.
pub(crate) const SPARK_BUCKETS: usize = 24;
/// Revisions a window may ask the difference to.
const REVISIONS_KEPT: usize = 16;
/// Once these many cards and lines are kept, older revisions go: a map of 2,000 participants takes 6 MB.
const ITEMS_KEPT: usize = 40_000;

/// A series with its counts and errors over equal parts of the range.
pub(crate) type SparkedSeries = (SeriesSum, Vec<(i64, i64)>);

/// Positions of the session and the last views handed out.
#[derive(Default)]
pub(crate) struct Views {
    state: Mutex<State>,
    quiet: Mutex<Option<(Nanos, Vec<QuietSource>)>>,
}

#[derive(Default)]
struct State {
    standing: Standing,
    revision: u32,
    recent: VecDeque<(u32, String, TopologyView)>,
}

/// Where the cards of a session stand.
#[derive(Default, Clone)]
pub(crate) struct Standing {
    positions: Positions,
    /// What is subtracted from every position; it changes only when everything is laid out anew, so that nobody moves.
    origin: Option<(f64, f64)>,
    /// The last drawing, and of what it is: with other figures alone nothing is laid out again.
    drawn: Option<(Shape, Arc<Layout>)>,
}

/// All of a map that decides where things stand.
#[derive(Clone, PartialEq)]
struct Shape {
    cards: Vec<(NodeId, Layer, NodeKind)>,
    lines: Vec<(NodeId, NodeId)>,
}

impl Shape {
    fn of(graph: &Graph) -> Shape {
        Shape {
            cards: graph.nodes.iter().map(|n| (n.id.clone(), n.layer, n.kind)).collect(),
            lines: graph.edges.iter().map(|e| (e.source.clone(), e.target.clone())).collect(),
        }
    }
}

/// What a map is drawn of.
pub(crate) struct Scene {
    /// Participants and interactions, without noise.
    pub(crate) graph: Graph,
    /// Everything that was counted, noise included.
    pub(crate) series: Vec<SparkedSeries>,
    pub(crate) folding: Folding,
    pub(crate) noise: Noise,
    /// Seconds of the range that have data, for rates.
    pub(crate) seconds: Option<f64>,
    /// Parts of the sparklines.
    pub(crate) parts: usize,
}

/// How the reader wants to see it.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) relayout: bool,
    /// Domains to fold; `None` leaves it to the size of the map.
    pub(crate) folded: Option<Vec<String>>,
    /// Participants that are never folded away.
    pub(crate) keep: Vec<String>,
}

impl Wishes {
    /// Nothing folded.
    pub(crate) fn open() -> Wishes {
        Wishes { folded: Some(Vec::new()), ..Wishes::default() }
    }
}

/// Everything a view is made of.
pub(crate) struct Material<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) wishes: Wishes,
    pub(crate) nearest: Nearest,
    pub(crate) quiet: Vec<QuietSource>,
    /// What the view depends on besides data: differences exist only between views of the same scope.
    pub(crate) scope: String,
    pub(crate) known: Option<u32>,
}

impl Views {
    /// Nodes and edges as they stand on the map; no revision, for details and pictures. Nobody moves because of it.
    pub(crate) fn once(&self, scene: &Scene, wishes: &Wishes) -> TopologyView {
        let mut standing = lock(&self.state).standing.clone();
        draw::full_view(scene, wishes, &mut standing)
    }

    /// The view of this material, or what changed of it since a revision the caller knows.
    pub(crate) fn view(&self, material: Material<'_>) -> TopologyView {
        let mut state = lock(&self.state);
        let mut view = draw::full_view(material.scene, &material.wishes, &mut state.standing);
        view.nearest = material.nearest;
        view.quiet = material.quiet;
        let known = material.known.and_then(|revision| {
            state.recent.iter().find(|(r, scope, _)| *r == revision && *scope == material.scope).map(|(_, _, v)| v)
        });
        let answer = known.map(|old| difference(old, &mut view));
        if let Some(difference) = &answer
            && difference.nodes.is_empty()
            && difference.edges.is_empty()
            && difference.removed_nodes.is_empty()
            && difference.removed_edges.is_empty()
        {
            return TopologyView { revision: material.known.unwrap_or_default(), ..difference.clone() };
        }
        state.revision += 1;
        view.revision = state.revision;
        let answer = answer.map(|d| TopologyView { revision: view.revision, ..d });
        let revision = view.revision;
        state.recent.push_back((revision, material.scope, view.clone()));
        forget(&mut state.recent);
        answer.unwrap_or(view)
    }

    /// Who went quiet, as `find` says, looked up at most every `every` nanoseconds.
    pub(crate) fn quiet<E>(
        &self,
        now: Nanos,
        every: Nanos,
        find: impl FnOnce() -> Result<Vec<QuietSource>, E>,
    ) -> Result<Vec<QuietSource>, E> {
        if let Some((at, known)) = &*lock(&self.quiet)
            && (0..every).contains(&now.saturating_sub(*at))
        {
            return Ok(known.clone());
        }
        let found = find()?;
        *lock(&self.quiet) = Some((now, found.clone()));
        Ok(found)
    }
}

/// Keeps the newest revisions: of large maps fewer.
fn forget(recent: &mut VecDeque<(u32, String, TopologyView)>) {
    let mut items = 0;
    let kept = recent.iter().rev().take(REVISIONS_KEPT).take_while(|(_, _, view)| {
        let room = items < ITEMS_KEPT;
        items += view.nodes.len() + view.edges.len();
        room
    });
    let old = recent.len() - kept.count();
    recent.drain(..old);
}

/// What of `new`, which stays as it is, is not in `old`.
fn difference(old: &TopologyView, new: &mut TopologyView) -> TopologyView {
    let old_nodes: BTreeMap<&str, &Node> = old.nodes.iter().map(|n| (n.id.as_str(), n)).collect();
    let old_edges: BTreeMap<&str, &Edge> = old.edges.iter().map(|e| (e.id.as_str(), e)).collect();
    let new_nodes: BTreeSet<&str> = new.nodes.iter().map(|n| n.id.as_str()).collect();
    let new_edges: BTreeSet<&str> = new.edges.iter().map(|e| e.id.as_str()).collect();
    let nodes = new.nodes.iter().filter(|n| old_nodes.get(n.id.as_str()) != Some(n)).cloned().collect();
    let edges = new.edges.iter().filter(|e| old_edges.get(e.id.as_str()) != Some(e)).cloned().collect();
    let removed_nodes = old_nodes.keys().filter(|id| !new_nodes.contains(*id)).map(|id| (*id).to_owned()).collect();
    let removed_edges = old_edges.keys().filter(|id| !new_edges.contains(*id)).map(|id| (*id).to_owned()).collect();
    // Everything else is small, and the same in both.
    let all = (std::mem::take(&mut new.nodes), std::mem::take(&mut new.edges));
    let rest = new.clone();
    (new.nodes, new.edges) = all;
    TopologyView { full: false, nodes, edges, removed_nodes, removed_edges, ..rest }
}

/// The layer of a node of a graph; what is not on it counts as a process.
pub(crate) fn layer_of(graph: &Graph, id: &NodeId) -> Layer {
    graph.nodes.iter().find(|n| n.id == *id).map_or(Layer::Process, |n| n.layer)
}
