//! Pauses between tries while there is no room on the disk.

use std::time::Duration;

/// The first.
const FIRST: Duration = Duration::from_millis(200);
/// The longest: whoever makes room does not wait for long.
const LONGEST: Duration = Duration::from_secs(5);

/// Each pause is twice as long as the one before, up to five seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(FIRST)
    }
}

impl Pause {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(LONGEST);
        now
    }
}
