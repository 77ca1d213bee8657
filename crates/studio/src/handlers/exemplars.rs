//! Simulated requests in the form of observed ones.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use flowglass_model::{Config, Graph, Layer, NodeId};
use flowglass_scenario::exemplars::{Exemplar, ExemplarOptions, exemplars};

use super::bad_request;
use super::journeys::{fallback_layer, journey_view};
use super::scenario::first_problem;
use crate::Studio;
use crate::api::{ApiError, ExemplarView, Exemplars, ExemplarsRequest};

/// Of each workload: enough to see what is slow and how it ends.
const SLOWEST: usize = 3;
const OF_EACH_FATE: usize = 1;
const RANDOM: usize = 2;

/// See [`Exemplars`].
pub(crate) async fn scenario_exemplars(studio: &Studio, request: ExemplarsRequest) -> Result<Exemplars, ApiError> {
    let (_, checked) = studio.scenario_text(&request.id).await?;
    // A run may have found a variant that the file does not name.
    let run = studio.0.scenarios.finished(&request.id).filter(|run| run.inputs == checked.check.inputs);
    let scenario = match run {
        Some(run) => run.scenario.clone(),
        None => checked.scenario.ok_or_else(|| first_problem(&checked.check))?,
    };
    let options = ExemplarOptions {
        slowest: SLOWEST,
        of_each_fate: OF_EACH_FATE,
        random: RANDOM,
        ..ExemplarOptions::of(&scenario)
    };
    let config = studio.workspace().settings().config;
    let work = move || {
        let found = exemplars(&scenario, &request.variant, &options, &AtomicBool::new(false));
        found.map(|found| found.into_iter().map(|exemplar| view(exemplar, &config)).collect())
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(items) => Ok(Exemplars { items: items.map_err(|e| bad_request(e.to_string()))? }),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn view(exemplar: Exemplar, config: &Config) -> ExemplarView {
    let Exemplar { workload, number, why, fate, journey } = exemplar;
    let layers: BTreeMap<NodeId, Layer> = journey.items.iter().map(|i| (i.participant.clone(), i.layer)).collect();
    let layer = |node: &NodeId| layers.get(node).copied().unwrap_or_else(|| fallback_layer(node));
    let why = match why {
        "slowest" => "among the slowest",
        "fate" => "an example of how it ended",
        _ => "chosen by chance",
    };
    ExemplarView {
        workload,
        number: number as f64,
        why: why.into(),
        fate: fate.replace('_', " "),
        journey: journey_view(journey, &[], &Graph::default(), config, &layer),
    }
}
