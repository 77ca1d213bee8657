//! Values that change in steps.

use crate::model::Time;

/// A value that changes in steps: its integral over time and its largest value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Level {
    area: u128,
    since: Time,
    value: u32,
    max: u32,
}

impl Level {
    #[inline]
    fn advance(&mut self, now: Time) {
        if self.value > 0 {
            self.area += u128::from(self.value) * u128::from(now - self.since);
        }
        self.since = now;
    }

    #[inline]
    pub(crate) fn add(&mut self, now: Time, by: u32) {
        self.advance(now);
        self.value += by;
        self.max = self.max.max(self.value);
    }

    #[inline]
    pub(crate) fn sub(&mut self, now: Time, by: u32) {
        self.advance(now);
        self.value -= by;
    }

    pub(crate) fn set(&mut self, now: Time, value: u32) {
        self.advance(now);
        self.value = value;
        self.max = self.max.max(value);
    }

    #[inline]
    pub(crate) fn value(&self) -> u64 {
        u64::from(self.value)
    }

    /// Forgets what was before.
    pub(crate) fn restart(&mut self, now: Time) {
        self.advance(now);
        self.area = 0;
        self.max = self.value;
    }

    /// Integral and maximum up to now.
    pub(crate) fn read(&self, now: Time) -> (f64, u64) {
        let mut copy = *self;
        copy.advance(now);
        (copy.area as f64, u64::from(copy.max))
    }
}
