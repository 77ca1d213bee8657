//! A scenario from what a workspace holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flowglass_model::{Layer, NodeId, TraceId};
use flowglass_scenario::calibrate::{
    Calibration, NotEnough, Observation, Seen, Validation, calibrate as scenario_of, validate,
};
use flowglass_scenario::decide::{self, Evidence, Facts};
use flowglass_scenario::model::Scenario;
use flowglass_store::JourneyFilter;

use crate::handlers::fallback_layer;
use crate::workspace::{Workspace, WorkspaceError};

/// Spans that a scenario is made from at most: the journeys that begin last count.
const SPANS_MAX: usize = 1_000_000;
/// Journeys asked for at a time.
const PAGE: usize = 500;
/// Journeys, the newest ones, that facts for a decision rest on at most.
const FACTS_FROM: usize = 5_000;

/// A scenario made from observed journeys, and how far it may be trusted.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Observed {
    /// The scenario with the evidence of each input.
    #[serde(flatten)]
    pub calibration: Calibration,
    /// Whether it predicts what it was not made from; `None` when stopped before.
    pub validation: Option<Validation>,
    /// Journeys and spans read.
    pub journeys: usize,
    /// See `journeys`.
    pub spans: usize,
    /// Whether older journeys were left out because there were too many spans.
    pub cut: bool,
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    /// The workspace could not be read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// What was chosen is not enough.
    #[error(transparent)]
    NotEnough(#[from] NotEnough),
    /// Stopped.
    #[error("stopped")]
    Cancelled,
}

/// The spans of journeys.
struct Chosen {
    spans: Vec<Seen>,
    journeys: usize,
    cut: bool,
}

impl Workspace {
    /// Makes a scenario from the journeys that a filter selects; its `limit` counts. Blocking; `cancel` stops it.
    ///
    /// # Errors
    /// When the workspace cannot be read, when fewer than two requests came from outside, or when it was stopped.
    pub fn observed(
        &self,
        title: &str,
        filter: &JourneyFilter,
        cancel: &AtomicBool,
    ) -> Result<Observed, ObservedError> {
        let chosen = self.chosen(filter, cancel)?;
        let layers: BTreeMap<NodeId, Layer> = self.layers()?;
        let layer_of = |node: &NodeId| layers.get(node).copied().unwrap_or_else(|| fallback_layer(node));
        let observation = Observation { title, spans: &chosen.spans, layers: &layer_of };
        let mut calibration = scenario_of(&observation)?;
        let validation = (!cancel.load(Ordering::Relaxed)).then(|| validate(&observation, cancel));
        if let Some(validation) = &validation {
            calibration.yaml.push_str(&validation.yaml());
        }
        let Chosen { spans, journeys, cut } = chosen;
        Ok(Observed { calibration, validation, journeys, spans: spans.len(), cut })
    }

    /// What the newest journeys and the map tell of the steps of a scenario. Blocking; once `cancel` is set, nothing is told.
    ///
    /// # Errors
    /// When the workspace cannot be read.
    pub fn facts(&self, scenario: &Scenario, cancel: &AtomicBool) -> Result<Facts, WorkspaceError> {
        let stats = self.stats()?;
        let seconds = stats.oldest.zip(stats.newest).map_or(0.0, |(from, to)| (to - from) as f64 / 1e9);
        let noise = self.settings().config.noise.clone();
        let spans = match self.chosen(&JourneyFilter { noise, limit: FACTS_FROM, ..JourneyFilter::default() }, cancel) {
            Ok(chosen) => chosen.spans,
            Err(ObservedError::Workspace(error)) => return Err(error),
            Err(ObservedError::NotEnough(_) | ObservedError::Cancelled) => return Ok(Facts::new()),
        };
        let graph = self.graph(None, None, None)?;
        Ok(decide::observed(&Evidence { graph: &graph, seconds, spans: &spans }, scenario))
    }

    fn chosen(&self, filter: &JourneyFilter, cancel: &AtomicBool) -> Result<Chosen, ObservedError> {
        let mut page = JourneyFilter { limit: PAGE.min(filter.limit), ..filter.clone() };
        let mut traces: BTreeSet<TraceId> = BTreeSet::new();
        let mut instances: BTreeMap<String, Arc<str>> = BTreeMap::new();
        let mut chosen = Chosen { spans: Vec::new(), journeys: 0, cut: false };
        loop {
            let found = self.journeys(&page)?;
            for journey in &found.rows {
                if cancel.load(Ordering::Relaxed) {
                    return Err(ObservedError::Cancelled);
                }
                let members = self.read(|r| r.traces_of_journey(journey.id))?;
                for trace in members.into_iter().chain([journey.id]).filter(|t| traces.insert(*t)).collect::<Vec<_>>() {
                    for span in self.read(|r| r.trace(trace))? {
                        let instance = span.resource.instance.as_ref().map(|name| {
                            Arc::clone(instances.entry(name.clone()).or_insert_with(|| Arc::from(name.as_str())))
                        });
                        chosen.spans.push(Seen { facts: span.facts, instance });
                    }
                }
                chosen.journeys += 1;
                if chosen.journeys >= filter.limit {
                    return Ok(chosen);
                }
                if chosen.spans.len() >= SPANS_MAX {
                    chosen.cut = true;
                    return Ok(chosen);
                }
            }
            page.before = match (found.rows.last(), found.stopped) {
                (Some(last), _) if found.rows.len() == page.limit => Some((last.start, last.id)),
                (_, Some(stopped)) if page.before != Some(stopped) => Some(stopped),
                _ => return Ok(chosen),
            };
        }
    }
}
