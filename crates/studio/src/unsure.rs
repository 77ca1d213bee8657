//! What belongs to a journey less surely: joined by an id that both carry, held back, or only guessed.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_journey::infer;
use flowglass_model::{ItemKind, JoinsConfig, Journey, JourneyItem, Layer, LinkHow, NodeId, TraceId};
use flowglass_store::EventRow;

use crate::api::JoinView;
use crate::stitch::{Held, Members, SPAN, Web};
use crate::words::grouped;
use crate::workspace::{Workspace, WorkspaceError};

/// Journeys that are drawn as guesses at most.
const GUESSED: usize = 20;

/// Tells an item of a journey from all others.
fn identity(item: &JourneyItem) -> (ItemKind, Option<TraceId>, String, String) {
    (item.kind, item.trace_id, item.id.clone(), item.role.clone())
}

impl Workspace {
    /// Ids that join parts of a journey without a context, and what joins none because so many meet there.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn joins_of(&self, root: TraceId) -> Result<Vec<JoinView>, WorkspaceError> {
        let joining = self.joining();
        let held = self.read(|r| {
            let mut web = Web::new(r, joining.clone());
            let members = web.members(root)?;
            let mut held = web.held(&members)?;
            held.extend(members.hubs.iter().map(|(place, traces)| Held {
                by: SPAN.to_owned(),
                value: place.clone(),
                traces: *traces,
                held_back: true,
            }));
            Ok(held)
        })?;
        Ok(held.iter().map(|held| join_view(held, &joining)).collect())
    }

    /// A journey with what other journeys seem to have done for it: handlings of its messages that carry its business key and
    /// no context. Says which items are such guesses; the figures of the journey stay without them.
    pub(crate) fn with_guesses(
        &self,
        journey: Journey,
        rows: Vec<EventRow>,
        layers: &dyn Fn(&NodeId) -> Layer,
    ) -> Result<(Journey, Vec<EventRow>, BTreeSet<usize>), WorkspaceError> {
        let (related, _) = self.related(&journey.summary)?;
        let others: Vec<TraceId> =
            related.iter().filter(|r| r.how == LinkHow::Inferred).map(|r| r.journey).take(GUESSED).collect();
        if others.is_empty() {
            return Ok((journey, rows, BTreeSet::new()));
        }
        let (root, joining) = (journey.summary.id, self.joining());
        let (members, all_rows) = self.read(|r| {
            let mut web = Web::new(r, joining.clone());
            let mut own = web.members(root)?;
            let mut all_rows = rows.clone();
            for other in &others {
                let other = web.members(*other)?;
                let joins = infer(&own.spans, &other.spans);
                if !joins.is_empty() {
                    all_rows.extend(web.events(&other)?);
                    add(&mut own, other);
                    own.joins.extend(joins);
                }
            }
            Ok((own, all_rows))
        })?;
        let mut all_rows: Vec<EventRow> =
            all_rows.into_iter().map(|r| (r.row, r)).collect::<BTreeMap<_, _>>().into_values().collect();
        all_rows.sort_by_key(|r| (r.message.time, r.row));
        let whole = members.tell(root, &all_rows, layers, flowglass_journey::build);
        let sure: BTreeSet<_> = journey.items.iter().map(identity).collect();
        let guessed = whole.items.iter().enumerate().filter(|(_, i)| !sure.contains(&identity(i))).map(|(n, _)| n);
        let guessed = guessed.collect();
        Ok((Journey { items: whole.items, links: whole.links, ..journey }, all_rows, guessed))
    }
}

fn add(own: &mut Members, other: Members) {
    let known: BTreeSet<_> = own.spans.iter().map(|s| s.key()).collect();
    own.spans.extend(other.spans.into_iter().filter(|s| !known.contains(&s.key())));
    own.traces.extend(other.traces);
    own.joins.extend(other.joins);
    own.partial.extend(other.partial);
    own.partial.sort_unstable();
    own.partial.dedup();
}

/// What joins, or is held back, in words.
fn join_view(held: &Held, joins: &JoinsConfig) -> JoinView {
    let traces = grouped(held.traces as u64);
    let Held { by, value, .. } = held;
    let words = match (by.as_str(), held.held_back) {
        (SPAN, _) => format!(
            "{traces} traces meet at one span, more than {}: journeys end and begin there",
            grouped(u64::from(joins.traces_per_span))
        ),
        ("causation", _) => format!("{traces} joins by what events name as their cause"),
        (_, true) => format!(
            "{by} {value} is shared by at least {traces} traces, more than {}: it joins none of them",
            grouped(u64::from(joins.shared_by))
        ),
        (_, false) => format!("{by} {value} joins {traces} traces here"),
    };
    JoinView {
        entry: if value.is_empty() { by.clone() } else { JoinsConfig::entry(by, value) },
        all: (by != SPAN && !value.is_empty()).then(|| by.clone()),
        traces: held.traces as u32,
        held_back: held.held_back,
        words,
    }
}
