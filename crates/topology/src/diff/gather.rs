//! The figures of one side by what they are about.

use std::collections::BTreeMap;

use flowglass_model::{NodeId, SeriesKey};

use super::{Side, Subject};
use crate::fold::Figures;

/// One side, gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) figures: BTreeMap<Subject, Figures>,
    pub(super) versions: BTreeMap<NodeId, BTreeMap<String, i64>>,
    /// Occurrences of all interactions.
    pub(super) occurrences: i64,
}

pub(super) fn gather(side: &Side<'_>) -> Gathered {
    let mut out = Gathered::default();
    for sum in side.series {
        if let Some((kind, source, target)) = sum.key.as_edge() {
            let (Some(source), Some(target)) = (side.folding.node(source), side.folding.node(target)) else { continue };
            out.occurrences += sum.count;
            for end in [&source, &target] {
                out.figures.entry(Subject::Node(end.clone())).or_default().count += sum.count;
            }
            out.figures.entry(Subject::Edge { kind, source, target }).or_default().add(sum);
        }
        match &sum.key {
            SeriesKey::Operation { participant, operation } => {
                let Some(participant) = side.folding.node(participant) else { continue };
                let subject = Subject::Operation { participant, operation: operation.clone() };
                out.figures.entry(subject).or_default().add(sum);
            }
            SeriesKey::Version { participant, version } if sum.count > 0 => {
                let Some(participant) = side.folding.node(participant) else { continue };
                *out.versions.entry(participant).or_default().entry(version.clone()).or_default() += sum.count;
            }
            _ => {}
        }
    }
    out.figures.retain(|_, figures| figures.count > 0);
    out
}
