//! The rule that a pipeline keeps to, and when it looks for what must go.

use flowglass_model::{Nanos, RetentionConfig};

use super::{Expiring, due};
use crate::pipeline::Pipeline;

/// What is kept, and what was looked at for it.
#[derive(Default)]
pub(crate) struct Retention {
    /// What is kept.
    rule: RetentionConfig,
    /// When it was last looked for what must go.
    last: Option<Nanos>,
    /// Up to when log records that belong to nothing are gone.
    pub(crate) logs_gone: Option<Nanos>,
}

impl Retention {
    /// A rule by which nothing was looked for yet.
    pub(crate) fn of(rule: RetentionConfig) -> Retention {
        Retention { rule, ..Retention::default() }
    }
}

impl Pipeline {
    /// The same, keeping what settings say.
    pub fn keeping(mut self, rule: RetentionConfig) -> Pipeline {
        self.retention = Retention::of(rule);
        self
    }

    /// What must go now, if anything; `now` is the clock of whoever asks.
    pub(crate) fn expiring(&mut self, now: Nanos) -> Option<Expiring> {
        let space = match self.writer.space() {
            Ok(space) => space,
            Err(error) => {
                tracing::warn!(%error, "how much room the workspace takes cannot be told; nothing is removed");
                return None;
            }
        };
        let Retention { rule, last, .. } = &mut self.retention;
        if !due(rule, &space, now, *last) {
            return None;
        }
        *last = Some(now);
        Some(Expiring::new(rule.clone(), &space, now))
    }
}
