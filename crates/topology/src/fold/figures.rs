//! Counts and times that add up.

use flowglass_model::{EdgeStats, SeriesSum, Sketch};

/// Sums of several series.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) count: i64,
    pub(crate) errors: i64,
    pub(crate) sketch: Sketch,
}

impl Figures {
    pub(crate) fn add(&mut self, sum: &SeriesSum) {
        self.count += sum.count;
        self.errors += sum.errors;
        self.sketch.merge(&sum.sketch);
    }

    pub(crate) fn stats(&self) -> EdgeStats {
        let ms = |q| self.sketch.quantile(q).map(|nanos| nanos / 1e6);
        EdgeStats {
            count: u64::try_from(self.count).unwrap_or(0),
            errors: u64::try_from(self.errors).unwrap_or(0),
            p50_ms: ms(0.5),
            p95_ms: ms(0.95),
        }
    }
}
