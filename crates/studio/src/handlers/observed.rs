use std::sync::atomic::AtomicBool;

use flowglass_model::NodeId;
use flowglass_model::filter::View;
use flowglass_store::JourneyFilter;

use super::query::{parsed, places};
use super::{bad_request, bounds};
use crate::Studio;
use crate::api::{
    ApiError, ObservedComparison, ObservedInput, ObservedQuestion, ObservedRequest, ObservedScenario,
    ObservedValidation, WhatIfRequest, to_ms,
};
use crate::observed::{Observed, ObservedError};
use crate::scenarios::with_event;

/// Journeys at most.
const MOST: u32 = 20_000;

/// See [`ObservedScenario`].
pub(crate) async fn scenario_observed(studio: &Studio, request: ObservedRequest) -> Result<ObservedScenario, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Journeys)?;
    let made = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let places = places(workspace, &filter)?;
        let noise = workspace.settings().config.noise.clone();
        let limit = request.limit.clamp(2, MOST) as usize;
        let question = JourneyFilter { since, until, filter, places, noise, limit, ..JourneyFilter::default() };
        match workspace.observed(&request.title, &question, &AtomicBool::new(false)) {
            Ok(observed) => Ok(Ok(observed)),
            Err(ObservedError::Workspace(error)) => Err(error),
            Err(other) => Ok(Err(bad_request(format!("no scenario can be made of this: {other}")))),
        }
    });
    made.await?.map(view)
}

/// See [`WhatIfRequest`].
pub(crate) async fn scenario_what_if(studio: &Studio, request: WhatIfRequest) -> Result<ObservedScenario, ApiError> {
    let [source, target] = [&request.source, &request.target].map(|id| NodeId::from(id.as_str()));
    let title = format!("What if {} told {} by an event", source.name(), target.name());
    let term = |id: &NodeId| format!("service:{}", serde_json::json!(id.name()));
    let filter = Some(format!("{} {}", term(&source), term(&target)));
    let (range, limit) = (request.range, request.limit);
    let mut made = scenario_observed(studio, ObservedRequest { title, filter, range, limit }).await?;
    made.yaml = with_event(&made.yaml, source.name(), target.name()).ok_or_else(|| {
        bad_request(
            "the journeys that were read hold no call between the two: choose a range of time with more of them",
        )
    })?;
    Ok(made)
}

fn view(observed: Observed) -> ObservedScenario {
    let Observed { calibration: c, validation, journeys, spans, cut } = observed;
    ObservedScenario {
        yaml: c.yaml,
        inputs: c
            .inputs
            .into_iter()
            .map(|i| ObservedInput {
                path: i.path,
                what: i.what,
                value: i.value,
                n: i.n as u64,
                source: i.source.as_str().into(),
            })
            .collect(),
        questions: c.questions.into_iter().map(|q| ObservedQuestion { path: q.path, text: q.text }).collect(),
        notes: c.notes,
        since_at: to_ms(c.period.0),
        until_at: to_ms(c.period.1),
        requests: c.requests as u64,
        journeys: journeys as u64,
        spans: spans as u64,
        cut,
        validation: validation.map(|v| ObservedValidation {
            grade: format!("{:?}", v.grade),
            why: v.why,
            load_ratio: v.load_ratio,
            compared: v
                .compared
                .into_iter()
                .map(|c| ObservedComparison {
                    workload: c.workload,
                    figure: c.figure.into(),
                    observed: c.observed,
                    predicted: c.predicted,
                    n: c.n as u64,
                })
                .collect(),
        }),
    }
}
