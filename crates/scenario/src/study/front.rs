//! What is better than what, where several things count.

use crate::model::Indifference;

/// What counts of a candidate; less is better in each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Costs {
    /// Response and settled p95 in milliseconds, share of failures, load that cannot be carried, brokers' channels and groups.
    pub(super) values: [f64; 5],
}

/// Differences that do not matter: as declared, a twentieth of the load, and no part.
pub(super) fn tolerances(declared: &Indifference, load: f64) -> [f64; 5] {
    [declared.response_ms, declared.settled_ms, declared.share, load / 20.0, 0.0]
}

impl Costs {
    /// Whether it is better than another somewhere by more than does not matter, and nowhere worse by more than that.
    pub(super) fn dominates(&self, other: &Costs, tolerances: &[f64; 5]) -> bool {
        let mut better = false;
        for ((mine, theirs), tolerance) in self.values.iter().zip(&other.values).zip(tolerances) {
            if mine == theirs {
                continue; // Both may be infinite.
            }
            if mine - theirs > *tolerance {
                return false;
            }
            better |= theirs - mine > *tolerance;
        }
        better
    }
}

/// Which of some are on the Pareto front: nothing dominates them. Where what does not matter leads in a circle, the cheapest stays.
pub(super) fn front(all: &[Costs], tolerances: &[f64; 5]) -> Vec<bool> {
    let mut on: Vec<bool> = all.iter().map(|one| !all.iter().any(|other| other.dominates(one, tolerances))).collect();
    if !on.contains(&true)
        && let Some(cheapest) = (0..all.len()).min_by(|a, b| all[*a].values[4].total_cmp(&all[*b].values[4]))
    {
        on[cheapest] = true;
    }
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_dominates() {
        let tolerances = tolerances(&Indifference::default(), 100.0);
        let costs = |values| Costs { values };
        let calls = costs([400.0, 400.0, 0.1, 0.0, 0.0]);
        let events = costs([200.0, 3000.0, 0.0, 0.0, 2.0]);
        let same_but_dearer = costs([202.0, 3010.0, 0.0, 0.0, 4.0]);
        let worse = costs([450.0, 3600.0, 0.2, 0.0, 2.0]);
        assert_eq!(front(&[calls, events, same_but_dearer, worse], &tolerances), [true, true, false, false]);
        let endless = costs([f64::INFINITY, f64::INFINITY, 0.5, 10.0, 0.0]);
        assert_eq!(front(&[endless, events], &tolerances), [true, true], "the cheaper of the two still is cheaper");
    }
}
