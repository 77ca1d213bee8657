//! Bars of equal width that begin at round instants, so that a chart moves by whole bars while time goes on.

use flowglass_model::Nanos;

const SECOND: i64 = 1_000_000_000;
/// Widths of bars, seconds. The rollups' finest bucket is 10 s; from 1 h on every width is a multiple of the middle one (10 min).
const WIDTHS: [i64; 19] = [
    10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800, 604_800,
    1_209_600, 2_419_200,
];

/// Equal parts of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Start of the first part.
    pub(crate) since: Nanos,
    /// End of the last part.
    pub(crate) until: Nanos,
    /// How many.
    pub(crate) parts: usize,
}

impl Grid {
    /// At most `most` (and one more at the edge) bars over a range, none shorter than `least`, the steps in which there are figures
    /// (10 s, 10 min or 8 h); an open end is where the data ends. `None` without a range.
    pub(crate) fn new(
        since: Option<Nanos>,
        until: Option<Nanos>,
        data: Option<(Nanos, Nanos)>,
        most: usize,
        least: Nanos,
    ) -> Option<Grid> {
        let (since, until) = (since.or(data.map(|d| d.0))?, until.or(data.map(|d| d.1))?);
        let length = until.saturating_sub(since).max(1);
        let wanted = length / (most.max(1) as i64).saturating_mul(SECOND);
        let fits = |w: &i64| *w * SECOND >= least && *w * SECOND * most.max(1) as i64 >= length;
        let seconds = WIDTHS.into_iter().find(fits).unwrap_or_else(|| {
            // Longer than years of data: whole multiples of the widest.
            let widest = WIDTHS[WIDTHS.len() - 1];
            (wanted / widest + 1).saturating_mul(widest)
        });
        let width = seconds.saturating_mul(SECOND);
        let first = since.div_euclid(width);
        let end = until.div_euclid(width) + i64::from(until.rem_euclid(width) != 0);
        let parts = usize::try_from(end - first).unwrap_or(1).clamp(1, most + 2);
        Some(Grid { since: first * width, until: (first + parts as i64) * width, parts })
    }

    /// Without a last bar that has only begun: it would look like a drop.
    pub(crate) fn finished(self, newest: Option<Nanos>) -> Grid {
        let begun = newest.is_some_and(|n| n > self.until - self.width() && n < self.until);
        if self.parts < 4 || !begun {
            return self;
        }
        Grid { until: self.until - self.width(), parts: self.parts - 1, ..self }
    }

    /// Width of a bar, nanoseconds.
    pub(crate) fn width(self) -> Nanos {
        (self.until - self.since) / self.parts as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * SECOND;

    #[test]
    fn bars_begin_at_round_instants_and_cover_the_range() {
        let grid = Grid::new(Some(61 * SECOND), Some(61 * SECOND + 15 * MINUTE), None, 120, 10 * SECOND).unwrap();
        assert_eq!((grid.since, grid.width(), grid.parts), (60 * SECOND, 10 * SECOND, 91));
        let later = Grid::new(Some(68 * SECOND), Some(68 * SECOND + 15 * MINUTE), None, 120, 10 * SECOND).unwrap();
        assert_eq!(later, grid, "seven seconds later the bars stand where they stood");
        let wide = Grid::new(Some(0), Some(7 * 86_400 * SECOND), None, 24, 10 * SECOND).unwrap();
        assert_eq!((wide.width(), wide.parts), (28_800 * SECOND, 21));
    }

    #[test]
    fn bars_are_as_long_as_the_steps_there_are() {
        let grid = |least| Grid::new(Some(0), Some(20 * MINUTE), None, 60, least).unwrap();
        assert_eq!((grid(10 * SECOND).parts, grid(10 * MINUTE).parts, grid(480 * MINUTE).parts), (60, 2, 1));
    }

    #[test]
    fn short_and_open_ranges_have_no_empty_bars_in_between() {
        let data = Some((5 * SECOND, 74 * SECOND));
        let grid = Grid::new(None, None, data, 24, 10 * SECOND).unwrap();
        assert_eq!((grid.since, grid.until, grid.parts), (0, 80 * SECOND, 8), "a bucket of 10 s is the least");
        assert_eq!(Grid::new(None, None, None, 24, 10 * SECOND), None);
        assert_eq!(Grid::new(Some(5), Some(5), None, 24, 10 * SECOND).unwrap().parts, 1);
        assert!(Grid::new(Some(i64::MIN / 4), Some(i64::MAX / 4), None, 24, 10 * SECOND).unwrap().parts <= 26);
    }

    #[test]
    fn a_bar_that_has_only_begun_is_left_out() {
        let grid = Grid::new(Some(0), Some(80 * SECOND), None, 24, 10 * SECOND).unwrap();
        assert_eq!(grid.finished(Some(75 * SECOND)).until, 70 * SECOND);
        assert_eq!(grid.finished(Some(80 * SECOND)), grid);
        assert_eq!(grid.finished(None), grid);
    }
}
