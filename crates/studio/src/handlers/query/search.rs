use std::collections::BTreeSet;

use flowglass_model::filter::{Filter, Pattern, Term, Test};
use flowglass_model::{Graph, SeriesKey};
use flowglass_store::{FindHit, JourneyFilter};

use crate::Studio;
use crate::api::{ApiError, BusinessKey, EventRow, JourneyRow, SearchHits, SearchNode, SearchRequest};
use crate::handlers::journeys::journey_row;
use crate::handlers::with_journeys;
use crate::words;
use crate::workspace::{Workspace, WorkspaceError};

/// Hits of each sort at most.
const MOST: usize = 8;
/// Words shorter than this are looked for in names only.
const SHORT: usize = 3;

/// See [`SearchHits`].
pub(crate) async fn search(studio: &Studio, request: SearchRequest) -> Result<SearchHits, ApiError> {
    let answer = studio.ask(move |workspace| {
        let text = request.text.trim();
        if text.is_empty() {
            return Ok(SearchHits { nodes: vec![], journeys: vec![], exact: false, events: vec![], keys: vec![] });
        }
        let graph = workspace.graph(None, None, None)?;
        let (mut journeys, events) = exact(workspace, &graph, text)?;
        let exact = !journeys.is_empty() || !events.is_empty();
        if !exact && text.chars().count() >= SHORT {
            journeys = by_words(workspace, &graph, text)?;
        }
        Ok(SearchHits { nodes: nodes(workspace, &graph, text)?, journeys, exact, events, keys: keys(workspace, text)? })
    });
    Ok(answer.await?)
}

/// How well a name fits: equal, beginning so, a part of it, or its letters in order; lower is better.
fn fit(name: &str, typed: &str) -> Option<u8> {
    let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
    match name.find(&typed) {
        Some(0) if name.len() == typed.len() => return Some(0),
        Some(0) => return Some(1),
        Some(_) => return Some(2),
        None => {}
    }
    if typed.split_whitespace().count() > 1 && typed.split_whitespace().all(|w| name.contains(w)) {
        return Some(3);
    }
    let mut letters = name.chars();
    let in_order = typed.chars().filter(|c| !c.is_whitespace()).all(|c| letters.any(|l| l == c));
    (in_order && typed.chars().count() >= SHORT).then_some(4)
}

fn nodes(workspace: &Workspace, graph: &Graph, text: &str) -> Result<Vec<SearchNode>, WorkspaceError> {
    let mut found: Vec<(u8, SearchNode)> = Vec::new();
    let node = |n: &flowglass_model::GraphNode, operation| SearchNode {
        id: n.id.to_string(),
        name: n.name.clone(),
        kind: words::node_kind(n.kind).into(),
        system: n.id.system().map(str::to_owned),
        layer: n.layer.as_str().into(),
        operation,
    };
    found.extend(graph.nodes.iter().filter_map(|n| Some((fit(&n.name, text)?, node(n, None)))));
    found.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    found.truncate(MOST);
    let mut operations: Vec<(u8, SearchNode)> = Vec::new();
    for sum in workspace.read(|r| r.series(None, None))? {
        let SeriesKey::Operation { participant, operation } = sum.key else { continue };
        let Some(rank) = fit(&operation, text).filter(|r| *r < 4) else { continue };
        if let Some(n) = graph.nodes.iter().find(|n| n.id == participant || n.name == participant.name()) {
            operations.push((rank, node(n, Some(operation))));
        }
    }
    operations.sort_by(|a, b| (a.0, &a.1.operation, &a.1.name).cmp(&(b.0, &b.1.operation, &b.1.name)));
    operations.dedup_by(|a, b| a.1.id == b.1.id && a.1.operation == b.1.operation);
    operations.truncate(MOST);
    Ok(found.into_iter().chain(operations).map(|(_, n)| n).collect())
}

/// Journeys and events that carry the text as a whole value, whatever their time.
fn exact(workspace: &Workspace, graph: &Graph, text: &str) -> Result<(Vec<JourneyRow>, Vec<EventRow>), WorkspaceError> {
    let (mut journeys, mut events) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for hit in workspace.find_first(text, 4 * MOST)? {
        match hit {
            FindHit::Trace(trace) if journeys.len() < MOST => {
                for id in workspace.read(|r| r.journeys_of_trace(trace))? {
                    if seen.insert(id) && journeys.len() < MOST {
                        journeys.extend(workspace.read(|r| r.journey_summary(id))?.map(|s| journey_row(s, graph)));
                    }
                }
            }
            FindHit::Event(row) if events.len() < MOST => events.extend(workspace.read(|r| r.event_row(row))?),
            _ => {}
        }
    }
    Ok((journeys, with_journeys(workspace, events, graph)?))
}

fn by_words(workspace: &Workspace, graph: &Graph, text: &str) -> Result<Vec<JourneyRow>, WorkspaceError> {
    let term = |word: &str| Term { negated: false, test: Test::Words(Pattern::whole(word)), at: 0..0 };
    let filter = Filter { terms: text.split_whitespace().map(term).collect() };
    let noise = workspace.settings().config.noise.clone();
    let page = workspace.journeys(&JourneyFilter {
        filter,
        noise,
        limit: MOST,
        rows_only: true,
        ..JourneyFilter::default()
    })?;
    Ok(page.rows.into_iter().map(|s| journey_row(s, graph)).collect())
}

/// Business keys that begin so, from the newest journeys and events.
fn keys(workspace: &Workspace, text: &str) -> Result<Vec<BusinessKey>, WorkspaceError> {
    let low = text.to_lowercase();
    let seen = workspace.seen()?;
    let all = seen.keys.iter().flat_map(|(name, values)| values.keys().map(move |value| (name, value)));
    let fits = all.filter(|(_, value)| value.to_lowercase().starts_with(&low));
    let key = |(name, value): (&String, &String)| BusinessKey { name: name.clone(), value: value.clone() };
    Ok(fits.take(MOST).map(key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_start_part_and_letters() {
        let fits = |typed: &str| fit("order-prc-api", typed);
        assert_eq!(
            ["order-prc-api", "ORD", "prc", "api order", "opa", "op", "xyz"].map(fits),
            [Some(0), Some(1), Some(2), Some(3), Some(4), None, None]
        );
    }
}
