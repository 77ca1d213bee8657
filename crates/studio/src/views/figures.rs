//! Figures, health and sparklines of what is shown.

use std::collections::BTreeMap;

use flowglass_model::{EdgeStats, InteractionKind, NodeId, NodeKind, SeriesKey};
use flowglass_topology::{Folding, Noise};

use super::{SPARK_BUCKETS, SparkedSeries};
use crate::api::Figures;

/// Occurrences and failures over the parts of the range.
pub(crate) type Spark = (Vec<f64>, Vec<f64>);

/// Sparklines by the node that is shown: services by what they handled, topics by what was published, backends and external
/// systems by what was asked of them, consumers by what they asked. Noise is left out.
pub(crate) fn sparks(series: &[SparkedSeries], folding: &Folding, noise: &Noise) -> BTreeMap<NodeId, Spark> {
    let mut out: BTreeMap<NodeId, Spark> = BTreeMap::new();
    for (sum, parts) in series.iter().filter(|(sum, _)| !noise.has(&sum.key)) {
        let raw = match (&sum.key, sum.key.as_edge()) {
            (SeriesKey::Operation { participant, .. }, _) => participant,
            (_, Some((_, source, _))) if source.kind() == NodeKind::Consumer => source,
            (_, Some((InteractionKind::Consume, ..))) => continue,
            (_, Some((_, _, target))) if target.kind() != NodeKind::Service => target,
            _ => continue,
        };
        let Some(node) = folding.node(raw) else { continue };
        let (counts, errors) = out.entry(node).or_default();
        for (i, (count, failed)) in parts.iter().enumerate().take(SPARK_BUCKETS + 2) {
            if counts.len() <= i {
                counts.push(0.0);
                errors.push(0.0);
            }
            counts[i] += *count as f64;
            errors[i] += *failed as f64;
        }
    }
    out
}

/// Several sparklines as one.
pub(crate) fn sum(sparks: impl IntoIterator<Item = Spark>) -> Spark {
    let mut out = Spark::default();
    for (counts, errors) in sparks {
        let longest = out.0.len().max(counts.len());
        out.0.resize(longest, 0.0);
        out.1.resize(longest, 0.0);
        out.0.iter_mut().zip(counts).for_each(|(slot, n)| *slot += n);
        out.1.iter_mut().zip(errors).for_each(|(slot, n)| *slot += n);
    }
    out
}

/// Counts and times with a rate.
pub(crate) fn figures(stats: &EdgeStats, seconds: Option<f64>) -> Figures {
    Figures {
        count: stats.count,
        errors: stats.errors,
        rate: seconds.map(|s| stats.count as f64 / s),
        p50_ms: stats.p50_ms,
        p95_ms: stats.p95_ms,
    }
}

/// Health in one word: failing from 5 % of failures, degraded from 1 %.
pub(crate) fn health(stats: &EdgeStats) -> &'static str {
    let share = stats.errors as f64 / stats.count.max(1) as f64;
    match () {
        () if stats.count == 0 => "quiet",
        () if share >= 0.05 => "failing",
        () if share >= 0.01 => "degraded",
        () => "healthy",
    }
}

/// Whether it counts as failing.
pub(crate) fn is_failing(stats: &EdgeStats) -> bool {
    health(stats) == "failing"
}

/// The worst of several.
pub(crate) fn worst<'a>(all: impl IntoIterator<Item = &'a EdgeStats>) -> &'static str {
    const BY_WEIGHT: [&str; 4] = ["quiet", "healthy", "degraded", "failing"];
    let weight = |word: &str| BY_WEIGHT.iter().position(|w| *w == word).unwrap_or(0);
    all.into_iter().map(health).max_by_key(|word| weight(word)).unwrap_or("quiet")
}
