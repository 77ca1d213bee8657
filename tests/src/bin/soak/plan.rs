//! What happens when: kills and views, decided by the seed alone.

use std::time::Duration;

use flowglass_tests::multiply::mix;

/// Nothing is killed sooner after the start, or later before the end.
const QUIET: Duration = Duration::from_secs(20);
/// From one kill to the next, milliseconds.
const GAP: (u64, u64) = (15_000, 45_000);
/// How long what was killed stays away, milliseconds.
const AWAY: (u64, u64) = (500, 5_000);

/// Random numbers of a seed: SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one purpose.
    pub(crate) fn new(seed: u64, purpose: u64) -> Dice {
        Dice(mix(seed) ^ mix(purpose))
    }

    /// A whole number from `low` to below `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        low + mix(self.0) % (high - low).max(1)
    }

    /// One of a list that is not empty.
    pub(crate) fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.between(0, list.len() as u64) as usize]
    }

    /// In another order (Fisher and Yates).
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.between(0, last as u64 + 1) as usize);
        }
    }
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Victim {
    /// The NATS server.
    Broker,
    /// The sample landscape.
    Landscape,
    /// An exporter, by its number.
    Sender(usize),
}

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    /// When, from the start.
    pub(crate) at: Duration,
    /// Who.
    pub(crate) victim: Victim,
    /// How long until it is started again.
    pub(crate) away: Duration,
}

/// The kills of a run. Everybody has had a turn before anybody has another.
pub(crate) fn kills(seed: u64, length: Duration, senders: usize) -> Vec<Kill> {
    let mut dice = Dice::new(seed, 1);
    let (mut deck, mut kills, mut at) = (Vec::new(), Vec::new(), QUIET);
    while at + QUIET <= length {
        if deck.is_empty() {
            deck = [Victim::Broker, Victim::Landscape].into_iter().chain((0..senders).map(Victim::Sender)).collect();
            dice.shuffle(&mut deck);
        }
        let away = Duration::from_millis(dice.between(AWAY.0, AWAY.1));
        kills.extend(deck.pop().map(|victim| Kill { at, victim, away }));
        at += Duration::from_millis(dice.between(GAP.0, GAP.1));
    }
    kills
}

/// A view that is looked at: its address, and what scrolls in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Its name.
    pub(crate) label: &'static str,
    /// The part of the address behind `#/`.
    pub(crate) hash: &'static str,
    /// The element that scrolls; none: it is only watched.
    pub(crate) scrolls: Option<&'static str>,
}

const fn view(label: &'static str, hash: &'static str, scrolls: Option<&'static str>) -> View {
    View { label, hash, scrolls }
}

/// All views that are gone through.
pub(crate) const VIEWS: &[View] = &[
    view("map, 15 min", "topology?range=15m", None),
    view("map, everything", "topology?range=all", None),
    view("journeys, scrolling", "journeys?range=15m", Some(".journey-rows .viewport")),
    view("journeys of everything, scrolling", "journeys?range=all", Some(".journey-rows .viewport")),
    view("events, following what arrives", "events?range=15m", None),
    view("events, scrolling", "events?range=all", Some(".tail .viewport")),
    view("scenarios", "scenarios", None),
    view("settings", "settings", None),
];

/// The views of one round, each once.
pub(crate) fn round(dice: &mut Dice) -> Vec<&'static View> {
    let mut views: Vec<&View> = VIEWS.iter().collect();
    dice.shuffle(&mut views);
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_seed_decides_every_kill_and_another_decides_otherwise() {
        assert_eq!(kills(7, HOUR, 2), kills(7, HOUR, 2));
        assert_ne!(kills(7, HOUR, 2), kills(8, HOUR, 2));
        let longer = kills(7, 2 * HOUR, 2);
        assert_eq!(kills(7, HOUR, 2), longer[..kills(7, HOUR, 2).len()], "a longer run begins like a short one");
    }

    #[test]
    fn kills_leave_the_beginning_and_the_end_alone_and_spare_nobody() {
        let kills = kills(3, HOUR, 2);
        assert!(kills.iter().all(|k| k.at >= QUIET && k.at + QUIET <= HOUR));
        assert!(kills.windows(2).all(|w| w[1].at - w[0].at >= Duration::from_millis(GAP.0)));
        assert!(kills.iter().all(|k| k.away < Duration::from_millis(GAP.0)), "it is back before the next kill");
        for turn in kills.chunks_exact(4) {
            let mut victims: Vec<Victim> = turn.iter().map(|k| k.victim).collect();
            victims.sort();
            assert_eq!(victims, [Victim::Broker, Victim::Landscape, Victim::Sender(0), Victim::Sender(1)]);
        }
        assert!(super::kills(3, QUIET, 2).is_empty(), "a run that is too short has none");
    }

    #[test]
    fn every_round_goes_through_all_views_in_another_order() {
        let mut dice = Dice::new(1, 2);
        let (first, second) = (round(&mut dice), round(&mut dice));
        assert_ne!(first, second);
        let names = |views: &[&View]| -> std::collections::BTreeSet<&str> { views.iter().map(|v| v.label).collect() };
        assert_eq!((names(&first), first.len()), (names(&second), VIEWS.len()));
    }
}
