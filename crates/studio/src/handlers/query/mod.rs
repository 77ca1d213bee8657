//! The one grammar of filters: what could be typed, what it means on the map, and what the palette finds.

mod complete;
mod map;
mod search;

pub(crate) use complete::complete;
pub(crate) use map::map_matches;
pub(crate) use search::search;

use flowglass_model::filter::{Field, Filter, Place, Places, Problem, Test, View};
use flowglass_topology::Folding;

use super::bad_request;
use crate::api::{ApiError, FilterProblem};
use crate::workspace::{Workspace, WorkspaceError};

/// Reads a filter expression. Errors name the term and what could stand there.
pub(crate) fn parsed(text: Option<&str>, view: View) -> Result<Filter, ApiError> {
    Filter::parse(text.unwrap_or_default(), view).map_err(|p| bad_request(p.message))
}

/// What is wrong with an expression, as the window counts.
fn problem(text: &str, p: Problem) -> FilterProblem {
    FilterProblem { message: p.message, from: utf16(text, p.at.start), to: utf16(text, p.at.end) }
}

/// UTF-16 units in front of a byte position.
fn utf16(text: &str, at: usize) -> u32 {
    text.get(..at).map_or(0, |t| t.encode_utf16().count()) as u32
}

/// Where participants stand, when the filter asks for it: by the names that spans and messages use.
pub(crate) fn places(workspace: &Workspace, filter: &Filter) -> Result<Places, WorkspaceError> {
    let placed =
        |test: &Test| matches!(test, Test::Is(Field::Layer | Field::Domain | Field::Owner | Field::Service, _));
    if !filter.terms.iter().any(|t| placed(&t.test)) {
        return Ok(Places::new());
    }
    let sums = workspace.read(|r| r.series(None, None))?;
    let seen = workspace.read(|r| r.participants_seen())?;
    let folding = Folding::new(&sums, &workspace.settings().config);
    let graph = workspace.graph(None, None, None)?;
    let mut out = Places::new();
    for node in &graph.nodes {
        let place = Place {
            layer: Some(node.layer),
            domain: node.domain.clone(),
            owner: node.owner.clone(),
            alias: Some(node.name.clone()),
        };
        out.insert(node.id.clone(), place);
    }
    for (raw, ..) in seen {
        let shown = folding.node(&raw).and_then(|shown| out.get(&shown).cloned());
        if let Some(place) = shown {
            out.insert(raw, place);
        }
    }
    Ok(out)
}
