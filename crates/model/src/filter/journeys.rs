//! What a filter means for journeys and participants.

use std::collections::BTreeMap;

use super::{Field, Filter, Pattern, Test};
use crate::{JourneyState, JourneyStatus, JourneySummary, Layer, NodeId, NodeKind};

/// Where a participant stands, as the map shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Layer.
    pub layer: Option<Layer>,
    /// Business domain.
    pub domain: Option<String>,
    /// Who runs it.
    pub owner: Option<String>,
    /// The name it is shown by, where that is another than its own.
    pub alias: Option<String>,
}

/// Places by participant as spans and messages name it.
pub type Places = BTreeMap<NodeId, Place>;

/// Whether a participant has one of these values; `None` when the field says nothing about a participant by itself.
pub fn participant_is(field: &Field, values: &[Pattern], id: &NodeId, place: Option<&Place>) -> Option<bool> {
    let any = |text: &str| values.iter().any(|v| v.matches_folded(text));
    Some(match field {
        Field::Service => {
            let alias = place.and_then(|p| p.alias.as_deref());
            [id.name(), id.as_str(), id.without_environment(), id.body()].into_iter().chain(alias).any(any)
        }
        Field::Layer => place.and_then(|p| p.layer).is_some_and(|l| any(l.as_str())),
        Field::Domain => place.and_then(|p| p.domain.as_deref()).is_some_and(any),
        Field::Owner => place.and_then(|p| p.owner.as_deref()).is_some_and(any),
        Field::Env => id.environment().is_some_and(any),
        Field::System => id.system().is_some_and(any),
        Field::Subject => id.kind() == NodeKind::Topic && (any(id.name()) || any(id.body())),
        Field::Kind => any(kind_word(id.kind())),
        _ => return None,
    })
}

fn kind_word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "service",
        NodeKind::Topic => "topic",
        NodeKind::Backend => "backend",
        NodeKind::External => "external",
        NodeKind::Consumer => "consumer",
    }
}

fn state_word(state: JourneyState) -> &'static str {
    match state {
        JourneyState::Ok => "ok",
        JourneyState::Degraded => "degraded",
        JourneyState::Failed => "failed",
        JourneyState::InProgress => "in-progress",
        JourneyState::Incomplete => "incomplete",
    }
}

fn status_word(status: JourneyStatus) -> &'static str {
    match status {
        JourneyStatus::Ok => "ok",
        JourneyStatus::Failed => "failed",
        JourneyStatus::Incomplete => "incomplete",
    }
}

/// What lists keep of a journey outside of its summary: enough for most terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JourneyColumns {
    /// State.
    pub state: JourneyState,
    /// What the caller waited, nanoseconds.
    pub response: Option<i64>,
    /// Until the last effect, nanoseconds.
    pub settled: Option<i64>,
    /// Retries and redeliveries.
    pub retries: u64,
    /// A message was dead-lettered.
    pub dead_lettered: bool,
}

impl JourneyColumns {
    /// The columns of a summary.
    pub fn of(j: &JourneySummary) -> JourneyColumns {
        let JourneySummary { state, response, settled, retries, dead_lettered, .. } = *j;
        JourneyColumns { state, response, settled, retries, dead_lettered }
    }

    /// Whether a test holds, where the columns can tell.
    pub fn decide(&self, test: &Test) -> Option<bool> {
        let word = |values: &[Pattern], word: &str| values.iter().any(|v| v.matches_folded(word));
        let flag = |values: &[Pattern], flag: bool| word(values, if flag { "true" } else { "false" });
        Some(match test {
            Test::Is(Field::State, values) => word(values, state_word(self.state)),
            Test::Is(Field::Status, values) => word(values, status_word(self.state.status())),
            Test::Is(Field::Retried, values) => flag(values, self.retries > 0),
            Test::Is(Field::DeadLettered, values) => flag(values, self.dead_lettered),
            Test::Compare(Field::Duration, c, to) => self.settled.is_some_and(|n| c.holds(n, *to)),
            Test::Compare(Field::Response, c, to) => self.response.is_some_and(|n| c.holds(n, *to)),
            _ => return None,
        })
    }
}

impl Filter {
    /// Whether a journey passes. `looked_up` answers the terms that its summary cannot (`trace`, `span`, attributes), told
    /// their position.
    pub fn passes_journey(&self, j: &JourneySummary, places: &Places, looked_up: &dyn Fn(usize) -> bool) -> bool {
        let columns = JourneyColumns::of(j);
        let known = |test: &Test| columns.decide(test).or_else(|| journey_has(test, j, places));
        self.holds(|i, test| known(test).unwrap_or_else(|| looked_up(i)))
    }
}

/// Whether a test holds for a journey, where its summary tells more than [`JourneyColumns`] do.
pub fn journey_has(test: &Test, j: &JourneySummary, places: &Places) -> Option<bool> {
    let (field, values) = match test {
        Test::Words(word) => return Some(mentions(j, word)),
        Test::Compare(..) => return None,
        Test::Is(field, values) => (field, values),
    };
    Some(match field {
        Field::Operation => {
            let operation = operation_of(j);
            values.iter().any(|v| v.matches_folded(operation) || v.matches_folded(&j.root))
        }
        Field::Key(name) => j.keys.iter().any(|(key, value)| {
            name.as_deref().is_none_or(|n| n.eq_ignore_ascii_case(key)) && values.iter().any(|v| v.matches(value))
        }),
        Field::Id => values.iter().any(|v| v.matches_folded(&j.id.to_string())),
        Field::Trace | Field::Span | Field::Attribute(_) => return None,
        _ => j.participants.iter().any(|p| participant_is(field, values, p, places.get(p)).unwrap_or(false)),
    })
}

/// The operation part of a journey's first span.
pub fn operation_of(j: &JourneySummary) -> &str {
    j.root.strip_prefix(j.root_participant.name()).map_or(j.root.as_str(), str::trim)
}

fn mentions(j: &JourneySummary, word: &Pattern) -> bool {
    word.occurs_in(&j.root)
        || word.occurs_in(&j.id.to_string())
        || j.failure.as_deref().is_some_and(|f| word.occurs_in(f))
        || j.participants.iter().any(|p| word.occurs_in(p.as_str()))
        || j.keys.iter().any(|(name, value)| word.occurs_in(value) || word.occurs_in(name))
}
