//! What some journeys have in common that others have not.
//!
//! Every journey is told as a set of traits (a participant, a version, an attribute with its value, …). A trait's *effect* is how
//! closely having it goes with being of the group: the φ coefficient (K. Pearson, 1900; H. Cramér, 1946), which counts both what the
//! group lacks and what the rest has too. Whether it may be chance is tested trait by trait, corrected for the number of looks, and traits that stand in exactly the same journeys are one look and one answer. What only began once a
//! journey had failed, and what merely passed the failure on, is kept apart: it follows from the failure and explains nothing.

mod gather;
mod stats;

pub use gather::{EventTold, Story};

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use stats::{Factorials, adjusted, best_cut, rank_sum};

/// Answers whose adjusted probability is above this are not given.
const CHANCE: f64 = 0.05;
/// Smaller differences of shares are not worth an answer.
const LEAST_DIFFERENCE: f64 = 0.05;
/// Answers at most.
const MOST: usize = 60;
/// Other traits named beside an answer at most.
const SAME: usize = 12;

/// What a trait is about. In this order the first of several that stand in the same journeys speaks for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TraitKind {
    /// The first failure: its sentence up to what differs from case to case.
    FirstFailure,
    /// Time that a participant, or one operation of it, spent itself (children taken off), from a value on.
    OwnTime,
    /// Who took part.
    Participant,
    /// What a participant was asked for.
    Operation,
    /// Version of a service (`service.version`).
    Version,
    /// Type of an event.
    EventType,
    /// An attribute of a span or of something that happened in it.
    Attribute,
    /// An attribute of the resource that emitted spans.
    Resource,
    /// A field of an event's payload.
    Payload,
}

impl TraitKind {
    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            TraitKind::FirstFailure => "first-failure",
            TraitKind::Version => "version",
            TraitKind::OwnTime => "own-time",
            TraitKind::Participant => "participant",
            TraitKind::Operation => "operation",
            TraitKind::EventType => "event-type",
            TraitKind::Attribute => "attribute",
            TraitKind::Resource => "resource",
            TraitKind::Payload => "payload",
        }
    }
}

/// Something a journey has or has not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trait {
    /// What it is about.
    pub kind: TraitKind,
    /// Service or subject it was seen at; empty for the journey as a whole.
    pub at: String,
    /// Attribute, payload path, or empty.
    pub name: String,
    /// Its value; for [`TraitKind::OwnTime`] the operation, or empty for the participant as a whole.
    pub value: String,
}

/// A trait that is more or less frequent in the group than in the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The trait.
    pub what: Trait,
    /// For [`TraitKind::OwnTime`]: from this many nanoseconds on.
    pub from: Option<i64>,
    /// Journeys of the group that have it.
    pub group: u32,
    /// Journeys of the rest that have it.
    pub rest: u32,
    /// How closely it goes with being of the group: φ, −1 to 1.
    pub effect: f64,
    /// Probability of such a difference by chance, adjusted for the number of looks (see [`Common::looks`]).
    pub chance: f64,
    /// It appeared only after the first failure, or passed it on.
    pub followed: bool,
    /// Traits that stand in exactly the same journeys.
    pub same: Vec<Trait>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Common {
    /// Journeys of the group.
    pub group: u32,
    /// Journeys of the rest.
    pub rest: u32,
    /// Different traits that were tested: what the probabilities are adjusted for.
    pub looks: u32,
    /// First what is more frequent, by effect; then what is rarer; then what followed from failures.
    pub factors: Vec<Factor>,
}

/// Where a trait was seen.
struct Tally {
    what: Trait,
    group: u32,
    rest: u32,
    /// Journeys of the group in which it was there before anything failed.
    before: u32,
    /// Sum of a random number per journey: equal for traits of exactly the same journeys.
    signature: u64,
}

/// Two groups of journeys being told apart.
#[derive(Default)]
pub struct Contrast {
    /// Tallies by the hash of their trait; a taken place means the next one.
    places: HashMap<u64, usize>,
    tallies: Vec<Tally>,
    /// Own times by participant and operation: journeys without any are left out.
    times: HashMap<(String, String), Vec<(i64, bool)>>,
    group: u32,
    rest: u32,
}

impl Contrast {
    /// Adds a journey to the group, or to the rest.
    pub fn add(&mut self, in_group: bool, story: &Story<'_>) {
        let number = mixed(u64::from(self.group + self.rest) + 1);
        *(if in_group { &mut self.group } else { &mut self.rest }) += 1;
        let mut seen: BTreeMap<usize, bool> = BTreeMap::new();
        let mut times: BTreeMap<(String, String), i64> = BTreeMap::new();
        gather::traits(story, &mut |kind, at, name, value, before| {
            let place = self.place(kind, at, name, value);
            *seen.entry(place).or_default() |= before;
        });
        gather::own_times(story, &mut |at, operation, nanos| {
            *times.entry((at.to_owned(), operation.to_owned())).or_default() += nanos;
        });
        for (place, before) in seen {
            let tally = &mut self.tallies[place];
            *(if in_group { &mut tally.group } else { &mut tally.rest }) += 1;
            tally.before += u32::from(in_group && before);
            tally.signature = tally.signature.wrapping_add(number);
        }
        for (key, nanos) in times {
            self.times.entry(key).or_default().push((nanos, in_group));
        }
    }

    fn place(&mut self, kind: TraitKind, at: &str, name: &str, value: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        (kind, at, name, value).hash(&mut hasher);
        let mut hash = hasher.finish();
        loop {
            match self.places.get(&hash).map(|i| (*i, &self.tallies[*i].what)) {
                Some((i, w)) if w.kind == kind && w.at == at && w.name == name && w.value == value => return i,
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        let what = Trait { kind, at: at.to_owned(), name: name.to_owned(), value: value.to_owned() };
        self.tallies.push(Tally { what, group: 0, rest: 0, before: 0, signature: 0 });
        self.places.insert(hash, self.tallies.len() - 1);
        self.tallies.len() - 1
    }

    /// What tells the group from the rest. O(traits log traits).
    pub fn finish(mut self) -> Common {
        let (group, rest) = (self.group, self.rest);
        if group == 0 || rest == 0 {
            return Common { group, rest, ..Common::default() };
        }
        let (mut factors, mut chances) = (Vec::new(), Vec::new());
        let factorials = Factorials::new(group + rest);
        let difference =
            |has: u32, others: u32| f64::from(has) / f64::from(group) - f64::from(others) / f64::from(rest);
        for same in by_journeys(std::mem::take(&mut self.tallies), group + rest) {
            let mut same = same.into_iter();
            let Some(first) = same.next() else { continue };
            chances.push(factorials.fisher(first.group, group, first.rest, rest));
            factors.push(Factor {
                from: None,
                effect: phi(first.group, group, first.rest, rest),
                chance: 1.0,
                followed: first.before * 2 < first.group,
                group: first.group,
                rest: first.rest,
                what: first.what,
                same: same.take(SAME).map(|t| t.what).collect(),
            });
        }
        let mut times: Vec<_> = self.times.into_iter().filter(|(_, values)| values.len() > 1).collect();
        times.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for ((at, operation), mut values) in times {
            values.sort_unstable();
            let (from, has, others) = best_cut(&values, group, rest);
            // That it took part at all is another trait: only what the time adds to it tells of the time.
            let there = values.iter().filter(|(_, in_group)| *in_group).count() as u32;
            let by_part = difference(there, values.len() as u32 - there);
            if difference(has, others) - by_part < LEAST_DIFFERENCE {
                continue;
            }
            chances.push(rank_sum(&mut values));
            factors.push(Factor {
                what: Trait { kind: TraitKind::OwnTime, at, name: String::new(), value: operation },
                from: Some(from),
                group: has,
                rest: others,
                effect: phi(has, group, others, rest),
                chance: 1.0,
                followed: false,
                same: Vec::new(),
            });
        }
        let looks = chances.len() as u32;
        for (factor, chance) in factors.iter_mut().zip(adjusted(&chances)) {
            factor.chance = chance;
        }
        factors.retain(|f| f.chance <= CHANCE && difference(f.group, f.rest).abs() >= LEAST_DIFFERENCE);
        let section = |f: &Factor| if f.effect < 0.0 { 1 } else { 2 * u8::from(f.followed) };
        factors.sort_by(|a, b| {
            let by_effect = b.effect.abs().total_cmp(&a.effect.abs());
            section(a).cmp(&section(b)).then(by_effect).then_with(|| a.what.cmp(&b.what))
        });
        factors.truncate(MOST);
        Common { group, rest, looks, factors }
    }
}

/// The φ coefficient of having a trait and being of the group.
fn phi(has: u32, group: u32, others: u32, rest: u32) -> f64 {
    let [has, group, others, rest] = [has, group, others, rest].map(f64::from);
    let (with, without) = (has + others, group + rest - has - others);
    let scale = (with * without * group * rest).sqrt();
    if scale > 0.0 { (has * (rest - others) - others * (group - has)) / scale } else { 0.0 }
}

/// Traits of exactly the same journeys together, the one that speaks for them first. Those of a single journey or of all cannot
/// tell groups apart and are no looks (R. E. Tarone, 1990: a test that can never reject costs nothing).
fn by_journeys(mut tallies: Vec<Tally>, all: u32) -> Vec<Vec<Tally>> {
    tallies.retain(|t| t.group + t.rest > 1 && t.group + t.rest < all);
    tallies.sort_by(|a, b| {
        (a.signature, a.group, a.rest).cmp(&(b.signature, b.group, b.rest)).then_with(|| a.what.cmp(&b.what))
    });
    let mut out: Vec<Vec<Tally>> = Vec::new();
    for tally in tallies {
        match out.last_mut().filter(|same| {
            same.first().is_some_and(|s| (s.signature, s.group, s.rest) == (tally.signature, tally.group, tally.rest))
        }) {
            // One that was there before the failure speaks for those that followed.
            Some(same) if same.first().is_some_and(|s| s.before * 2 < s.group) && tally.before * 2 >= tally.group => {
                same.insert(0, tally);
            }
            Some(same) => same.push(tally),
            None => out.push(vec![tally]),
        }
    }
    out
}

/// A number's bits spread evenly (the finaliser of SplitMix64: G. L. Steele and others, 2014).
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
