//! Health probes and polls: left out of figures, counted, never dropped.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{NodeId, SeriesKey, SeriesSum, is_noise, noise_pattern_matches};

/// What of the series is noise, by the patterns of the configuration.
///
/// Known per operation: what a service handled, and who called it from outside. A call from service to service has no operation
/// in the rollups, so a poll between services stays on its edge; the service's own figures leave it out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noise {
    series: BTreeSet<SeriesKey>,
    /// Requests left out.
    pub requests: u64,
    /// Participants of which nothing but noise was seen, as the series name them.
    pub hidden: Vec<NodeId>,
}

impl Noise {
    /// Finds the noise of some series.
    pub fn new(sums: &[SeriesSum], patterns: &[String]) -> Noise {
        let mut noise = Noise::default();
        for sum in sums {
            let Some((service, operation)) = sum.key.operation() else { continue };
            if !is_noise(patterns, service.name(), operation) {
                continue;
            }
            if matches!(sum.key, SeriesKey::Operation { .. }) {
                noise.requests += u64::try_from(sum.count).unwrap_or(0);
            }
            noise.series.insert(sum.key.clone());
        }
        noise.hidden = noise.hidden_services(sums);
        // What is wrong with probes alone is no reason to draw their service.
        let of_hidden = |key: &SeriesKey| match key {
            SeriesKey::Unresolved { participant, .. } => noise.hidden.contains(participant),
            _ => false,
        };
        let unresolved: Vec<SeriesKey> = sums.iter().map(|s| &s.key).filter(|k| of_hidden(k)).cloned().collect();
        noise.series.extend(unresolved);
        noise
    }

    /// Whether this series is left out.
    pub fn has(&self, key: &SeriesKey) -> bool {
        self.series.contains(key)
    }

    fn hidden_services(&self, sums: &[SeriesSum]) -> Vec<NodeId> {
        let mut probed: BTreeSet<&NodeId> = self.series.iter().filter_map(|k| Some(k.operation()?.0)).collect();
        for sum in sums.iter().filter(|s| s.count > 0 && !self.series.contains(&s.key)) {
            if let Some((_, source, target)) = sum.key.as_edge() {
                probed.remove(source);
                probed.remove(target);
            }
            if let SeriesKey::Operation { participant, .. } | SeriesKey::Group { participant, .. } = &sum.key {
                probed.remove(participant);
            }
        }
        probed.into_iter().cloned().collect()
    }
}

/// Requests that each pattern folds; one that several fold counts for the first.
pub fn folded_by(patterns: &[String], sums: &[SeriesSum]) -> BTreeMap<String, u64> {
    let mut out: BTreeMap<String, u64> = patterns.iter().map(|p| (p.clone(), 0)).collect();
    for sum in sums {
        let SeriesKey::Operation { participant, operation } = &sum.key else { continue };
        let first = patterns.iter().find(|p| noise_pattern_matches(p, participant.name(), operation));
        if let Some(count) = first.and_then(|p| out.get_mut(p)) {
            *count += u64::try_from(sum.count).unwrap_or(0);
        }
    }
    out
}
