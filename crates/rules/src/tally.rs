//! Offences added up by rule and subject.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use flowglass_model::{Nanos, Rule};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::finding::{EVIDENCE, Evidence, PARTS};
use crate::landscape::Who;

/// Different operations, fields or values told of a subject; more are only counted.
const NAMED: usize = 12;

/// A rule: built in, or an own one by its number in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Which {
    BuiltIn(Rule),
    Own(usize),
}

/// Rule, who does it, to whom.
pub(crate) type Key = (Which, Who, Option<Who>);

/// One offence.
pub(crate) struct Offence {
    pub(crate) at: Nanos,
    pub(crate) evidence: Option<Evidence>,
    /// How many it stands for: above 1 where traces are sampled.
    pub(crate) weight: f64,
}

/// The offences of one subject against one rule.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    pub(crate) weight: f64,
    pub(crate) evidence: BTreeMap<(Nanos, Evidence), ()>,
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
    pub(crate) parts: Vec<u32>,
    /// Operations, fields or values with their counts.
    pub(crate) named: BTreeMap<String, u64>,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum {
            count: 0,
            weight: 0.0,
            evidence: BTreeMap::new(),
            first: Nanos::MAX,
            last: Nanos::MIN,
            parts: vec![0; PARTS],
            named: BTreeMap::new(),
        }
    }
}

impl Sum {
    pub(crate) fn add(&mut self, offence: Offence, period: Period, named: Option<&str>) {
        self.count += 1;
        self.weight += offence.weight;
        self.first = self.first.min(offence.at);
        self.last = self.last.max(offence.at);
        self.parts[period.part(offence.at)] += 1;
        if let Some(evidence) = offence.evidence {
            // The oldest ones are kept, whatever the order they are found in.
            let full = self.evidence.len() >= EVIDENCE;
            if full && self.evidence.last_key_value().is_some_and(|((last, _), ())| *last <= offence.at) {
                // Younger than all of them.
            } else {
                self.evidence.insert((offence.at, evidence), ());
                if full {
                    self.evidence.pop_last();
                }
            }
        }
        if let Some(name) = named {
            if let Some(count) = self.named.get_mut(name) {
                *count += 1;
            } else if self.named.len() < NAMED {
                self.named.insert(name.to_owned(), 1);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Sum) {
        self.count += other.count;
        self.weight += other.weight;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.parts.iter_mut().zip(other.parts).for_each(|(a, b)| *a += b);
        self.evidence.extend(other.evidence);
        while self.evidence.len() > EVIDENCE {
            self.evidence.pop_last();
        }
        for (name, count) in other.named {
            if self.named.len() < NAMED || self.named.contains_key(&name) {
                *self.named.entry(name).or_default() += count;
            }
        }
    }

    /// The commonest names first.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<(&String, &u64)> = self.named.iter().collect();
        names.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        names.into_iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// What is judged: offences that start in `[since, until)` count.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// First instant.
    pub since: Nanos,
    /// First instant after it.
    pub until: Nanos,
}

impl Period {
    pub(crate) fn has(self, at: Nanos) -> bool {
        at >= self.since && at < self.until
    }

    fn part(self, at: Nanos) -> usize {
        let (at, length) = (at.saturating_sub(self.since), self.until.saturating_sub(self.since).max(1));
        let part = i128::from(at) * PARTS as i128 / i128::from(length);
        part.clamp(0, PARTS as i128 - 1) as usize
    }

    pub(crate) fn hours(self) -> f64 {
        (self.until.saturating_sub(self.since) as f64 / 3.6e12).max(1.0 / 360.0)
    }
}

/// All offences.
pub(crate) struct Tally {
    pub(crate) period: Period,
    pub(crate) sums: FxHashMap<Key, Sum>,
    /// What was counted already, by rule, subject and what was attempted: a retry is no second offence.
    counted: FxHashSet<u64>,
}

impl Tally {
    pub(crate) fn new(period: Period) -> Tally {
        Tally { period, sums: FxHashMap::default(), counted: FxHashSet::default() }
    }

    /// Counts an offence, unless it lies outside the period or `attempt` was counted before for this rule and subject.
    pub(crate) fn offence(&mut self, key: Key, attempt: u64, offence: Offence, named: Option<&str>) {
        if !self.period.has(offence.at) || !self.counted.insert(hash(&(key, attempt))) {
            return;
        }
        self.sums.entry(key).or_default().add(offence, self.period, named);
    }
}

/// The same number for the same value, in every run.
pub(crate) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}
