use std::sync::atomic::AtomicBool;

use flowglass_model::filter::View;
use flowglass_store::JourneyFilter;

use super::query::{parsed, places};
use super::{bad_request, bounds};
use crate::Studio;
use crate::api::{
    ApiError, ObservedComparison, ObservedInput, ObservedQuestion, ObservedRequest, ObservedScenario,
    ObservedValidation, to_ms,
};
use crate::observed::{Observed, ObservedError};

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
