//! Reading a range for a design.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use flowglass_design::{Drift, Matching, Observer, Payloads, Seen, drift, observed};
use flowglass_model::{Design, Graph, Nanos, NodeId, SeriesKey, SeriesSum, SpanFacts, is_noise};
use flowglass_topology::{Folding, Noise, graph_of};

use crate::findings::Progress;
use crate::studio::workspace_name;
use crate::workspace::{Workspace, WorkspaceError};

/// Publications read at a time.
const PAGE: usize = 2_000;

/// What came of holding a design against a range.
pub struct Held {
    /// The deviations.
    pub drift: Drift,
    /// What is odd about the design: schemas that cannot be used.
    pub notes: Vec<String>,
    /// The map of the range.
    pub graph: Graph,
    /// Spans read.
    pub spans: u64,
    /// Publications read.
    pub messages: u64,
}

/// The map of a range without noise, and what names on it mean.
struct Landscape {
    folding: Folding,
    graph: Graph,
    addresses: Vec<(String, NodeId)>,
}

fn landscape(workspace: &Workspace, since: Option<Nanos>, until: Option<Nanos>) -> Result<Landscape, WorkspaceError> {
    let config = workspace.settings().config;
    let (known, mut sums) = workspace.read(|r| Ok((r.series(None, None)?, r.series(since, until)?)))?;
    let folding = Folding::new(&known, &config);
    let noise = Noise::new(&known, &config.noise);
    sums.retain(|sum| !noise.has(&sum.key));
    let graph = graph_of(&folding, &sums, &config, None);
    let address = |sum: &SeriesSum| match &sum.key {
        SeriesKey::Address { address, participant } => Some((address.clone(), folding.node(participant)?)),
        _ => None,
    };
    let addresses = known.iter().filter_map(address).collect();
    Ok(Landscape { folding, graph, addresses })
}

/// Reads the spans of a range. `told` hears how far it is and may end it; then nothing comes of it.
fn observe<'a>(
    workspace: &Workspace,
    folding: &'a Folding,
    (since, until): (Option<Nanos>, Option<Nanos>),
    progress: &mut Progress,
    told: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Observer<'a>>, WorkspaceError> {
    let noise = workspace.settings().config.noise.clone();
    let shown = Box::new(move |id: &NodeId| folding.node(id));
    let mut observer = Observer::new(shown, Box::new(move |id, operation| is_noise(&noise, id.name(), operation)));
    let scan = workspace.read(|r| r.scan(since, until))?;
    for index in 0..scan.len() {
        workspace.read(|r| {
            r.scan_chunk(&scan, index, &mut |spans| {
                let inside = |at: Nanos| since.is_none_or(|s| at >= s) && until.is_none_or(|u| at < u);
                let facts: Vec<&SpanFacts> = spans.iter().map(|s| &*s.facts).filter(|f| inside(f.start)).collect();
                progress.spans += facts.len() as u64;
                observer.trace(&facts);
            })
        })?;
        progress.share = (index + 1) as f64 / scan.len() as f64 * 0.8;
        if told(*progress).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(observer))
}

/// Holds a design against `[since, until)`. `told` hears how far it is and may end it; then there is no answer. Blocking.
///
/// # Errors
/// When the workspace cannot be read.
pub fn hold(
    workspace: &Workspace,
    design: &Design,
    since: Option<Nanos>,
    until: Option<Nanos>,
    told: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Held>, WorkspaceError> {
    let land = landscape(workspace, since, until)?;
    let mut progress = Progress { spans: 0, messages: 0, share: 0.0 };
    let Some(observer) = observe(workspace, &land.folding, (since, until), &mut progress, told)? else {
        return Ok(None);
    };
    let mut payloads = Payloads::new(design);
    let mut after = 0;
    while !payloads.is_empty() {
        let page = workspace.read(|r| r.sightings(since, until, after, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.id;
        page.iter().for_each(|sighting| payloads.check(&sighting.message, sighting.event));
        progress.messages += page.len() as u64;
        if told(progress).is_break() {
            return Ok(None);
        }
    }
    let matching = Matching::new(design, &land.graph, &land.addresses);
    let seen = Seen { graph: &land.graph, addresses: &land.addresses, observer: &observer, payloads: &payloads.found };
    let drift = drift(design, &seen, &matching);
    let notes = payloads.unusable.iter().map(|(address, why)| format!("{address}: {why}")).collect();
    drop(observer);
    Ok(Some(Held { drift, notes, graph: land.graph, spans: progress.spans, messages: progress.messages }))
}

/// What was observed in `[since, until)`, as a design. Blocking.
///
/// # Errors
/// When the workspace cannot be read.
pub fn observed_design(
    workspace: &Workspace,
    since: Option<Nanos>,
    until: Option<Nanos>,
) -> Result<Design, WorkspaceError> {
    let land = landscape(workspace, since, until)?;
    let mut progress = Progress { spans: 0, messages: 0, share: 0.0 };
    let mut go_on = |_: Progress| ControlFlow::Continue(());
    let observer = observe(workspace, &land.folding, (since, until), &mut progress, &mut go_on)?;
    let mut operations: BTreeMap<NodeId, BTreeSet<String>> = BTreeMap::new();
    let mut calls: BTreeMap<(NodeId, NodeId), BTreeSet<String>> = BTreeMap::new();
    if let Some(observer) = observer {
        for (id, operation) in observer.operations.keys() {
            operations.entry(id.clone()).or_default().insert(operation.clone());
        }
        for (caller, callee, operation) in observer.calls.keys() {
            calls.entry((caller.clone(), callee.clone())).or_default().insert(operation.clone());
        }
    }
    Ok(observed(&workspace_name(workspace.path()), &land.graph, &operations, &calls))
}
