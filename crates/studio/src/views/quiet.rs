//! Participants that sent regularly and stopped.

use flowglass_model::Nanos;

const SECOND: i64 = 1_000_000_000;
/// Length of the rollups' finest bucket: pauses are known to this.
const BUCKET: i64 = 10 * SECOND;
/// Nobody is called quiet sooner.
const LEAST: i64 = 60 * SECOND;
/// A pause this many times as long as the longest usual one is a silence.
const FACTOR: i64 = 5;
/// Buckets with data that make a habit.
const HABIT: usize = 6;
/// How far before its last data a participant's habit is looked at.
pub(crate) const LOOK_BACK: i64 = 1_800 * SECOND;
/// Who stopped longer ago than this is gone, not quiet.
const FORGOTTEN: i64 = 24 * 3_600 * SECOND;

/// Whether somebody who last sent at `last` may have fallen silent while others (newest data at `newest`) still send.
pub(crate) fn may_be_quiet(last: Nanos, newest: Nanos, now: Nanos) -> bool {
    now.saturating_sub(newest) <= LEAST && (LEAST..FORGOTTEN).contains(&now.saturating_sub(last))
}

/// The longest usual pause of somebody whose silence since `last` is out of the ordinary. `starts`: sorted starts of the buckets
/// with data before it.
pub(crate) fn usual_pause(starts: &[Nanos], last: Nanos, now: Nanos) -> Option<Nanos> {
    if starts.len() < HABIT {
        return None;
    }
    let usual = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(BUCKET).max(BUCKET);
    (now.saturating_sub(last) > usual.saturating_mul(FACTOR).max(LEAST)).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(seconds: i64, times: i64) -> Vec<Nanos> {
        (0..times).map(|i| i * seconds * SECOND).collect()
    }

    #[test]
    fn silence_is_five_usual_pauses_and_a_minute_at_least() {
        let busy = every(10, 30);
        assert_eq!(usual_pause(&busy, 300 * SECOND, 361 * SECOND), Some(BUCKET));
        assert_eq!(usual_pause(&busy, 300 * SECOND, 360 * SECOND), None, "not within a minute");
        let hourly_job = every(60, 10);
        assert_eq!(usual_pause(&hourly_job, 550 * SECOND, 850 * SECOND), None);
        assert_eq!(usual_pause(&hourly_job, 550 * SECOND, 851 * SECOND), Some(60 * SECOND));
        assert_eq!(usual_pause(&every(10, 3), 30 * SECOND, 9_000 * SECOND), None, "three sightings are no habit");
    }

    #[test]
    fn only_while_others_still_send_and_not_for_ever() {
        let now = 100_000 * SECOND;
        assert!(may_be_quiet(now - 120 * SECOND, now - 5 * SECOND, now));
        assert!(!may_be_quiet(now - 20 * SECOND, now, now));
        assert!(!may_be_quiet(now - 120 * SECOND, now - 90 * SECOND, now), "everybody is silent: an old recording");
        assert!(!may_be_quiet(now - 90_000 * SECOND, now, now));
    }
}
