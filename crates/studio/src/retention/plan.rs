//! What goes: decided from figures and a list that begins with the oldest. Pure; the clock is an argument.
//!
//! Healthy journeys are looked at first, then the others. Of each kind, what is older than its age goes; then, as long as there
//! are too many journeys or too many bytes, the oldest. What is kept by hand, or may still be growing, never goes.

use std::collections::BTreeSet;

use flowglass_model::{JourneyState, Nanos, RetentionConfig, TraceId};
use flowglass_store::{Space, Stored};

use super::record::Why;

/// What ended less than this ago stays: late spans and repeated requests still come for it.
const YOUNG: Nanos = 600_000_000_000;
/// A pass that was too many bytes begins above the size asked for and ends this share below it, so that there is one now and
/// then, not one all the time.
const ROOM: u64 = 25;
/// Share of the size that figures of the map may take before those of long ago are kept in longer steps.
const FIGURES: u64 = 10;
/// How often what is too old, or too many figures, is looked for.
const EVERY: Nanos = 60_000_000_000;

/// Which journeys are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Those that went well.
    Healthy,
    /// All others.
    Failed,
}

impl Kind {
    /// The kind of a journey.
    pub(crate) fn of(journey: &Stored) -> Kind {
        let well = journey.state == JourneyState::Ok && !journey.dead_lettered;
        if well { Kind::Healthy } else { Kind::Failed }
    }
}

/// Whether to look for what must go.
pub(crate) fn due(rule: &RetentionConfig, space: &Space, now: Nanos, last: Option<Nanos>) -> bool {
    let over = rule.size.0.is_some_and(|most| space.used > most) || rule.journeys.is_some_and(|n| space.journeys > n);
    let aged = [rule.age, rule.failed_age, rule.events_age, rule.logs_age].iter().any(Option::is_some);
    over || ((aged || figures_over(rule, space, false)) && last.is_none_or(|last| now.saturating_sub(last) >= EVERY))
}

/// Whether figures take more room than they may: above their share it begins, and ends somewhat below it.
pub(crate) fn figures_over(rule: &RetentionConfig, space: &Space, begun: bool) -> bool {
    rule.size.0.is_some_and(|most| {
        let most = most / FIGURES;
        space.figures.bytes > if begun { most - most / ROOM } else { most }
    })
}

/// One look through everything, from the oldest on.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    rule: RetentionConfig,
    now: Nanos,
    /// Journeys above their number.
    journeys_over: u64,
    /// Bytes above the size, and how many of them a journey takes.
    bytes_over: u64,
    bytes_each: u64,
    /// Start of the newest journey that went for want of room.
    reached: Option<Nanos>,
}

/// What became of a page of journeys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Chosen {
    /// What goes, oldest first, and why.
    pub(crate) gone: Vec<(TraceId, Why)>,
    /// How many were looked at.
    pub(crate) looked: usize,
    /// Whether nothing after them can go.
    pub(crate) over: bool,
}

impl Pass {
    /// A pass over a workspace that takes this much room.
    pub(crate) fn new(rule: RetentionConfig, space: &Space, now: Nanos) -> Pass {
        let target = |most: u64| if space.used > most { most - most / ROOM } else { u64::MAX };
        let bytes_over = rule.size.0.map_or(0, |most| space.used.saturating_sub(target(most)));
        Pass {
            journeys_over: rule.journeys.map_or(0, |most| space.journeys.saturating_sub(most)),
            bytes_over,
            bytes_each: (space.used / space.journeys.max(1)).max(1),
            reached: None,
            rule,
            now,
        }
    }

    /// About how many bytes a journey takes, with all that belongs to it.
    pub(crate) fn bytes_each(&self) -> u64 {
        self.bytes_each
    }

    /// What goes of some journeys of a kind, which come oldest first; at most `most` of them.
    pub(crate) fn choose(&mut self, kind: Kind, page: &[Stored], kept: &BTreeSet<TraceId>, most: usize) -> Chosen {
        let age = if kind == Kind::Healthy { self.rule.age } else { self.rule.failed_age };
        let before = age.map(|age| self.now.saturating_sub(age.0));
        let young = self.now.saturating_sub(YOUNG);
        let mut out = Chosen::default();
        for journey in page {
            if out.gone.len() >= most {
                return out;
            }
            let may_be_old = before.is_some_and(|before| journey.start < before);
            if (!may_be_old && self.journeys_over == 0 && self.bytes_over == 0) || journey.start > young {
                out.over = true;
                return out;
            }
            out.looked += 1;
            if Kind::of(journey) != kind || journey.end > young || kept.contains(&journey.id) {
                continue;
            }
            let why = match before {
                Some(before) if journey.end < before => Why::Age,
                _ if self.journeys_over > 0 => Why::Count,
                _ if self.bytes_over > 0 => Why::Size,
                _ => continue,
            };
            if why != Why::Age {
                self.reached = self.reached.max(Some(journey.start));
            }
            self.journeys_over = self.journeys_over.saturating_sub(1);
            self.bytes_over = self.bytes_over.saturating_sub(self.bytes_each);
            out.gone.push((journey.id, why));
        }
        out
    }

    /// Up to when events that belong to no journey go, and why. `oldest` is the first of what is loose; it is only asked for when
    /// no journey is left that may go.
    pub(crate) fn events_until(&self, used: u64, oldest: Option<Nanos>) -> Option<(Nanos, Why)> {
        self.loose_until(self.rule.events_age.map(|age| age.0), used, oldest)
    }

    /// The same for log records.
    pub(crate) fn logs_until(&self, used: u64, oldest: Option<Nanos>) -> Option<(Nanos, Why)> {
        self.loose_until(self.rule.logs_age.map(|age| age.0), used, oldest)
    }

    fn loose_until(&self, age: Option<Nanos>, used: u64, oldest: Option<Nanos>) -> Option<(Nanos, Why)> {
        let young = self.now.saturating_sub(YOUNG);
        let by_age = age.map(|age| (self.now.saturating_sub(age), Why::Age));
        // Journeys made no room, or not enough: a part of what is left, as large as what is too much.
        let share = (self.bytes_over as f64 / used.max(1) as f64).clamp(0.02, 1.0);
        let cut = |oldest: Nanos| oldest.saturating_add((self.now.saturating_sub(oldest) as f64 * share) as Nanos);
        let short = (self.bytes_over > 0).then(|| oldest.map(cut)).flatten();
        let by_size = self.reached.max(short).map(|until| (until, Why::Size));
        let latest = by_age.into_iter().chain(by_size).max_by_key(|(until, _)| *until)?;
        Some((latest.0.min(young), latest.1))
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
