//! Journeys by kind: what they began with, and who took part.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{JourneyState, JourneySummary, Nanos, NodeId};

/// Journeys of one kind or shape at a glance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KindFigures {
    /// Journeys.
    pub count: u64,
    /// Failed ones.
    pub failed: u64,
    /// Those that succeeded after failures.
    pub degraded: u64,
    /// What the caller waited, nanoseconds: median, 95th and 99th percentile.
    pub response: Option<[i64; 3]>,
    /// Until the last effect, nanoseconds: the same.
    pub settled: Option<[i64; 3]>,
}

/// Who took part in journeys of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Who takes part beside those of the kind's most frequent shape.
    pub with: Vec<NodeId>,
    /// Who of those does not.
    pub without: Vec<NodeId>,
    /// Figures.
    pub figures: KindFigures,
}

/// Journeys that began with the same operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Service of the first span.
    pub service: NodeId,
    /// `service operation` of the first span.
    pub root: String,
    /// Figures.
    pub figures: KindFigures,
    /// The same over time, in equal parts of the range.
    pub over_time: Vec<KindFigures>,
    /// Shapes, the most frequent first.
    pub shapes: Vec<Shape>,
}

#[derive(Default)]
struct Gathered {
    count: u64,
    failed: u64,
    degraded: u64,
    response: Vec<i64>,
    settled: Vec<i64>,
}

impl Gathered {
    fn add(&mut self, j: &JourneySummary) {
        self.count += 1;
        self.failed += u64::from(j.state == JourneyState::Failed);
        self.degraded += u64::from(j.state == JourneyState::Degraded);
        self.response.extend(j.response);
        self.settled.extend(j.settled);
    }

    fn figures(self) -> KindFigures {
        let Gathered { count, failed, degraded, response, settled } = self;
        KindFigures { count, failed, degraded, response: percentiles(response), settled: percentiles(settled) }
    }
}

/// Median, 95th and 99th percentile by nearest rank.
fn percentiles(mut values: Vec<i64>) -> Option<[i64; 3]> {
    values.sort_unstable();
    let at = |q: f64| values.get(((values.len() as f64 * q).ceil() as usize).saturating_sub(1)).copied();
    Some([at(0.5)?, at(0.95)?, at(0.99)?])
}

/// Sorts journeys that started in `[since, until)` into kinds, the most frequent first; `parts` are the parts over time.
pub fn kinds<'a>(
    journeys: impl IntoIterator<Item = &'a JourneySummary>,
    since: Nanos,
    until: Nanos,
    parts: usize,
) -> Vec<Kind> {
    let mut by_kind: BTreeMap<(&NodeId, &str), Vec<&JourneySummary>> = BTreeMap::new();
    for j in journeys.into_iter().filter(|j| (since..until).contains(&j.start)) {
        by_kind.entry((&j.root_participant, &j.root)).or_default().push(j);
    }
    let width = ((until - since) as f64 / parts.max(1) as f64).max(1.0);
    let mut out: Vec<Kind> = by_kind
        .into_iter()
        .map(|((service, root), journeys)| {
            let mut all = Gathered::default();
            let mut over_time: Vec<Gathered> = (0..parts).map(|_| Gathered::default()).collect();
            for j in &journeys {
                all.add(j);
                let part = ((j.start - since) as f64 / width) as usize;
                if let Some(part) = over_time.get_mut(part) {
                    part.add(j);
                }
            }
            Kind {
                service: service.clone(),
                root: root.to_owned(),
                figures: all.figures(),
                over_time: over_time.into_iter().map(Gathered::figures).collect(),
                shapes: shapes(&journeys),
            }
        })
        .collect();
    out.sort_by(|a, b| b.figures.count.cmp(&a.figures.count).then_with(|| a.root.cmp(&b.root)));
    out
}

fn shapes(journeys: &[&JourneySummary]) -> Vec<Shape> {
    let mut by_shape: BTreeMap<BTreeSet<&NodeId>, Gathered> = BTreeMap::new();
    for j in journeys {
        by_shape.entry(j.participants.iter().collect()).or_default().add(j);
    }
    let mut shapes: Vec<(BTreeSet<&NodeId>, Gathered)> = by_shape.into_iter().collect();
    shapes.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0)));
    let usual = shapes.first().map(|(who, _)| who.clone()).unwrap_or_default();
    let difference = |a: &BTreeSet<&NodeId>, b: &BTreeSet<&NodeId>| a.difference(b).map(|n| (*n).clone()).collect();
    shapes
        .into_iter()
        .map(|(who, gathered)| Shape {
            with: difference(&who, &usual),
            without: difference(&usual, &who),
            figures: gathered.figures(),
        })
        .collect()
}
