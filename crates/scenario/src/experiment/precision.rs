//! When enough is known.

use super::{Observed, Plan};
use crate::model::Scenario;
use crate::outcome::decision_figures;

/// Replications before the first look.
pub(super) const FIRST: u32 = 10;
/// Replications between looks.
pub(super) const STEP: u32 = 5;
/// Replications at most.
pub(super) const MOST: u32 = 200;

/// Whether the half-width of every decision metric is below a share of its value or below what does not matter.
pub(super) fn reached(scenario: &Scenario, plan: &Plan<'_>, observed: &Observed, share: f64) -> bool {
    decision_figures(scenario, plan, observed).into_iter().all(|(figure, indifference)| {
        match (figure.value, figure.ci95) {
            (Some(value), Some(half)) => half <= (share * value.abs()).max(indifference),
            _ => true,
        }
    })
}
