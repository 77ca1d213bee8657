//! Which versions of services emitted spans, and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Delta, Nanos, NodeId, Resource, SeriesKey};

/// Spans of one stretch become one change, nanoseconds: the finest the figures are kept in.
const STRETCH: Nanos = 10_000_000_000;

/// Counts spans by the version of the service that emitted them. What comes of it does not depend on how spans were batched.
#[derive(Debug, Default)]
pub struct VersionTally {
    /// By the resource's place in memory and the stretch; the resource is kept, so that its place stays its own.
    counts: FxHashMap<(usize, Nanos), (Arc<Resource>, i64)>,
}

impl VersionTally {
    /// Counts a span that this resource emitted. One without `service.version` tells nothing.
    pub fn add(&mut self, resource: &Arc<Resource>, start: Nanos) {
        if resource.version.is_none() {
            return;
        }
        let place = (Arc::as_ptr(resource) as usize, start.div_euclid(STRETCH));
        self.counts.entry(place).or_insert_with(|| (Arc::clone(resource), 0)).1 += 1;
    }

    /// The changes of [`SeriesKey::Version`], sorted; `sign` is -1 for spans that are taken back.
    pub fn deltas(self, sign: i64) -> Vec<Delta> {
        let mut sums: BTreeMap<(NodeId, String), BTreeMap<Nanos, i64>> = BTreeMap::new();
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_unstable_by_key(|(place, _)| *place);
        for ((_, stretch), (resource, count)) in counts {
            let Some(version) = resource.version.clone() else { continue };
            *sums.entry((resource.node_id(), version)).or_default().entry(stretch).or_default() += count * sign;
        }
        let mut out = Vec::new();
        for ((participant, version), stretches) in sums {
            let key = Arc::new(SeriesKey::Version { participant, version });
            out.extend(stretches.into_iter().map(|(stretch, count)| Delta {
                key: Arc::clone(&key),
                at: stretch.saturating_mul(STRETCH),
                count,
                error: false,
                duration: None,
            }));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServiceName;

    #[test]
    fn counts_do_not_depend_on_who_shares_a_resource() {
        let resource = |version: Option<&str>| {
            let service = ServiceName { namespace: None, name: "pay".into() };
            Arc::new(Resource {
                service,
                environment: None,
                instance: None,
                version: version.map(str::to_owned),
                declared_layer: None,
                attributes: Vec::new(),
                schema_url: String::new(),
            })
        };
        let (one, same, next, none) = (resource(Some("1")), resource(Some("1")), resource(Some("2")), resource(None));
        let mut tally = VersionTally::default();
        for (resource, second) in [(&one, 1), (&same, 2), (&one, 11), (&next, 11), (&none, 3)] {
            tally.add(resource, second * 1_000_000_000);
        }
        let told: Vec<String> = tally
            .deltas(-1)
            .iter()
            .map(|d| match &*d.key {
                SeriesKey::Version { version, .. } => format!("{version}@{} {}", d.at / 1_000_000_000, d.count),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, ["1@0 -2", "1@10 -1", "2@10 -1"]);
    }
}
