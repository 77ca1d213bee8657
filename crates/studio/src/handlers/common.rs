//! What the failed, slow or picked journeys have in common.

use std::collections::BTreeSet;

use flowglass_journey::common::{Common, Contrast, EventTold, Factor, Story, Trait, TraitKind};
use flowglass_model::filter::{Comparison, Field, Filter, Pattern, Term, Test, View};
use flowglass_model::{Journey, Span, TraceId, payload_fields, scalar_text};
use flowglass_store::JourneyFilter;

use super::journeys::fallback_layer;
use super::query::{parsed, places};
use super::{bad_request, bounds};
use crate::Studio;
use crate::api::{ApiError, CommonRequest, CommonView, FactorView, Range, TraitView};
use crate::display::Redactor;
use crate::workspace::{Workspace, WorkspaceError};

/// Newest journeys of the range that are told apart.
const KNOWN: usize = 20_000;
/// Journeys of a side that are read at most: more would not change what stands out.
const READ: usize = 600;
/// How it is done, for people.
const METHOD: &str = "Ordered by how closely having it goes with being one of these (φ coefficient, −1 to 1). Whether that may be \
    chance: Fisher's exact test for what is there or not, Mann and Whitney's rank test for times, corrected for all looks as \
    Benjamini and Hochberg do (1995): at most 5 % false among what is shown.";

/// See [`CommonView`].
pub(crate) async fn common(studio: &Studio, request: CommonRequest) -> Result<CommonView, ApiError> {
    let within = parsed(request.within.as_deref(), View::Journeys)?;
    let picked = parsed(request.filter.as_deref(), View::Journeys)?;
    if picked.is_empty() && request.picked.is_none() {
        return Err(bad_request("say which journeys: a filter, or a range"));
    }
    let answer = studio.ask(move |workspace| {
        let noise = if request.noise { Vec::new() } else { workspace.settings().config.noise.clone() };
        let list = |filter: Filter, range: Range| -> Result<Vec<TraceId>, WorkspaceError> {
            let ((since, until), places, noise) = (bounds(range), places(workspace, &filter)?, noise.clone());
            let question =
                JourneyFilter { since, until, filter, places, noise, limit: KNOWN, ..JourneyFilter::default() };
            Ok(workspace.journeys(&question)?.rows.into_iter().map(|s| s.id).collect())
        };
        let all = list(within.clone(), request.range)?;
        let terms = within.terms.iter().chain(&picked.terms).cloned().collect();
        let group: BTreeSet<TraceId> =
            list(Filter { terms }, request.picked.unwrap_or(request.range))?.into_iter().collect();
        let rest: Vec<TraceId> = all.into_iter().filter(|id| !group.contains(id)).collect();
        let group: Vec<TraceId> = group.into_iter().collect();
        let mut contrast = Contrast::default();
        for (in_group, side) in [(true, &group), (false, &rest)] {
            for id in evenly(side) {
                if let Some((journey, spans, events)) = story(workspace, id)? {
                    contrast.add(in_group, &Story { journey: &journey, spans: &spans, events: &events });
                }
            }
        }
        let redactor = Redactor::new(&workspace.settings().config, &[]);
        Ok(view(contrast.finish(), group.len(), rest.len(), &redactor))
    });
    Ok(answer.await?)
}

/// At most [`READ`] of a list, evenly spread over it.
fn evenly(ids: &[TraceId]) -> impl Iterator<Item = TraceId> + '_ {
    let wanted = ids.len().min(READ);
    (0..wanted).filter_map(move |n| ids.get(n * ids.len() / wanted).copied())
}

/// A journey with the spans and events that were sent of it.
type Told = (Journey, Vec<Span>, Vec<EventTold>);

/// A journey with all that was sent of it; `None` when it is gone meanwhile.
fn story(workspace: &Workspace, id: TraceId) -> Result<Option<Told>, WorkspaceError> {
    let (journey, rows) = match workspace.journey(id, &fallback_layer) {
        Ok(found) => found,
        Err(WorkspaceError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Of a trace that several journeys share, only what belongs to this one.
    let own: BTreeSet<(TraceId, &str)> =
        journey.items.iter().filter_map(|i| Some((i.trace_id?, i.id.as_str()))).collect();
    let (spans, events) = workspace.read(|r| {
        let mut spans: Vec<Span> = Vec::new();
        for trace in &journey.traces {
            let of_trace = r.trace(*trace)?;
            spans
                .extend(of_trace.into_iter().filter(|s| own.contains(&(*trace, s.facts.span_id.to_string().as_str()))));
        }
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut fields = Vec::new();
            if let Some(detail) = r.event(row.row)? {
                payload_fields(&detail.message.payload, &mut |path, v| {
                    fields.push((path.to_owned(), scalar_text(v)));
                });
            }
            events.push(EventTold {
                subject: row.message.destination.clone(),
                event_type: row.message.event_type.clone(),
                time: row.message.time,
                fields,
            });
        }
        Ok((spans, events))
    })?;
    Ok((!spans.is_empty()).then_some((journey, spans, events)))
}

fn view(common: Common, group: usize, rest: usize, redactor: &Redactor) -> CommonView {
    let factor = |f: Factor| FactorView {
        from_ms: f.from.map(|n| n as f64 / 1e6),
        group: f.group,
        rest: f.rest,
        effect: f.effect,
        chance: f.chance,
        followed: f.followed,
        same: f.same.into_iter().map(|t| shown(t, None, redactor)).collect(),
        what: shown(f.what, f.from, redactor),
    };
    CommonView {
        group: group as u32,
        rest: rest as u32,
        group_read: common.group,
        rest_read: common.rest,
        looks: common.looks,
        method: METHOD.into(),
        factors: common.factors.into_iter().map(factor).collect(),
    }
}

fn shown(what: Trait, from: Option<i64>, redactor: &Redactor) -> TraitView {
    let attribute = redactor.attribute(&what.name, what.value.clone());
    let hidden = attribute.redacted || attribute.removed;
    TraitView {
        kind: what.kind.as_str().into(),
        filter: if hidden { None } else { Some(expression(&what, from).to_string()) },
        at: what.at,
        name: what.name,
        value: attribute.value,
    }
}

/// The filter that finds journeys with a trait. Of own times it finds those that took at least as long in all.
fn expression(what: &Trait, from: Option<i64>) -> Filter {
    let term = |test| Term { negated: false, test, at: 0..0 };
    let is = |field, value: &str| term(Test::Is(field, vec![Pattern::whole(value)]));
    let words = |text: &str| term(Test::Words(Pattern::whole(text)));
    let service = || is(Field::Service, &what.at);
    let attribute = || is(Field::Attribute(what.name.clone()), &what.value);
    let terms = match what.kind {
        TraitKind::FirstFailure => vec![words(&what.value)],
        TraitKind::Version | TraitKind::Attribute | TraitKind::Resource => vec![service(), attribute()],
        TraitKind::OwnTime => {
            let least = from.unwrap_or_default() / 1_000_000 * 1_000_000;
            let longer = (least > 0).then(|| term(Test::Compare(Field::Duration, Comparison::AtLeast, least)));
            [service()].into_iter().chain(longer).collect()
        }
        TraitKind::Participant if what.name == "topic" => vec![is(Field::Subject, &what.value)],
        TraitKind::Participant => vec![is(Field::Service, &what.value)],
        TraitKind::Operation => vec![service(), words(&what.value)],
        TraitKind::EventType => vec![is(Field::Subject, &what.at), is(Field::Attribute("type".into()), &what.value)],
        TraitKind::Payload => vec![is(Field::Subject, &what.at), attribute()],
    };
    Filter { terms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trait_is_found_by_an_expression_that_can_be_read_again() {
        let of = |kind, at: &str, name: &str, value: &str| {
            let what = Trait { kind, at: at.into(), name: name.into(), value: value.into() };
            let text = expression(&what, Some(1_400_250_000)).to_string();
            assert_eq!(Filter::parse(&text, View::Journeys).unwrap().to_string(), text);
            text
        };
        assert_eq!(of(TraitKind::FirstFailure, "", "", "pay POST /c returned 500"), r#""pay POST /c returned 500""#);
        assert_eq!(of(TraitKind::Version, "pay", "service.version", "2.1"), "service:pay @service.version:2.1");
        assert_eq!(of(TraitKind::OwnTime, "pay", "", ""), "service:pay duration>=1400ms");
        assert_eq!(of(TraitKind::Participant, "", "topic", "orders.placed"), "subject:orders.placed");
        assert_eq!(
            of(TraitKind::Payload, "orders.placed", "customer.tier", "gold"),
            "subject:orders.placed @customer.tier:gold"
        );
        assert_eq!(of(TraitKind::EventType, "o", "", "a:b"), r#"subject:o @type:"a:b""#);
    }
}
