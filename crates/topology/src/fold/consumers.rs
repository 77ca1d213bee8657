//! Deliveries the broker told of that no span stands for.

use std::collections::BTreeMap;

use flowglass_model::{InteractionKind, NodeId, SeriesKey, SeriesSum, ServiceName};

use super::{EdgeKey, Folding};

/// Deliveries to add to a consume edge.
pub(super) struct Extra {
    pub(super) key: EdgeKey,
    pub(super) count: i64,
}

/// Messages processed per service.
type Processed = BTreeMap<NodeId, i64>;

/// Compares what the broker delivered to each consumer with what its spans processed. What is missing is counted for the
/// service whose spans name that consumer as their group; a consumer that no span names becomes a participant of its own, unless
/// spans without a group cover its deliveries.
pub(super) fn deliveries_without_spans(sums: &[SeriesSum], folding: &Folding) -> Vec<Extra> {
    let mut delivered: BTreeMap<(NodeId, &str), i64> = BTreeMap::new();
    let mut by_group: BTreeMap<(NodeId, &str), Processed> = BTreeMap::new();
    let mut anywhere: BTreeMap<&str, Processed> = BTreeMap::new();
    for sum in sums {
        match &sum.key {
            SeriesKey::Delivered { topic, consumer } => {
                let Some(topic) = folding.node(topic) else { continue };
                *delivered.entry((topic, consumer)).or_default() += sum.count;
            }
            SeriesKey::Group { topic, group, participant } => {
                let (Some(topic), Some(id)) = (folding.node(topic), folding.node(participant)) else { continue };
                let topic = NodeId::from(topic.without_environment());
                *by_group.entry((topic, group)).or_default().entry(id.clone()).or_default() += sum.count;
                if !group.is_empty() {
                    *anywhere.entry(group).or_default().entry(id).or_default() += sum.count;
                }
            }
            _ => {}
        }
    }
    let total = |processed: Option<&Processed>| processed.map_or(0, |p| p.values().sum::<i64>());
    let mut ungrouped: BTreeMap<NodeId, i64> = BTreeMap::new();
    let mut out = Vec::new();
    for ((topic, consumer), count) in delivered {
        let plain = NodeId::from(topic.without_environment());
        let group = by_group.get(&(plain.clone(), consumer));
        let processed = total(group);
        let mut extra = |service: NodeId, count: i64| {
            if count > 0 {
                // The edge of the environment the service lives in, where the topic itself knows none.
                let topic = match topic.environment() {
                    None if service.environment().is_some() && processed > 0 => {
                        plain.in_environment(service.environment())
                    }
                    _ => topic.clone(),
                };
                out.push(Extra { key: (topic, service, InteractionKind::Consume), count });
            }
        };
        if let Some(service) = busiest(group) {
            extra(service, count - processed);
            continue;
        }
        if let Some(service) = busiest(anywhere.get(consumer)) {
            extra(service, count);
            continue;
        }
        let free = ungrouped.entry(plain.clone()).or_insert_with(|| total(by_group.get(&(plain.clone(), ""))));
        if *free >= count {
            *free -= count;
            continue;
        }
        let guess = NodeId::service(&ServiceName { namespace: None, name: consumer.to_owned() }, None);
        extra(folding.node(&guess).unwrap_or(guess), count);
    }
    out
}

fn busiest(processed: Option<&Processed>) -> Option<NodeId> {
    let most = processed?.iter().max_by_key(|(id, count)| (**count, std::cmp::Reverse(*id)));
    most.filter(|(_, count)| **count > 0).map(|(id, _)| id.clone())
}
