//! When requests arrive.
//!
//! Poisson arrivals are a unit-rate process stretched by the intensity ("time-warp"), not thinned: a request keeps all its draws at
//! every load, so results move smoothly with the load.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::math::{ln, ln_of_share};
use crate::model::{Arrivals, BatchSize};

impl Sim<'_> {
    /// Plans the first arrival of a workload.
    pub(super) fn begin_source(&mut self, source: u32) {
        let spec = &self.program.sources[source as usize];
        match &spec.arrivals {
            Arrivals::Users { count, .. } => {
                for user in 0..*count {
                    self.think(source, u64::from(user), 0);
                }
            }
            Arrivals::OnOff { .. } => {
                let busy = self.period(source, 0, true);
                self.sources[source as usize].busy_until = busy;
                self.begin_stream(source);
            }
            _ => self.begin_stream(source),
        }
    }

    fn begin_stream(&mut self, source: u32) {
        self.sources[source as usize].next = self.next_arrival(source);
        self.plan(source);
    }

    /// Plans the arrival that was drawn before, then draws the one after it: what happens next never waits for a draw.
    fn plan(&mut self, source: u32) {
        let Some(at) = self.sources[source as usize].next else { return };
        self.calendar.at(at, Kind::Arrival, source, 0);
        self.sources[source as usize].next = self.next_arrival(source);
    }

    fn source_key(&self, source: u32, number: u64) -> u64 {
        below(below(self.seed_key, self.program.sources[source as usize].key), number)
    }

    fn period(&self, source: u32, ordinal: u64, busy: bool) -> Time {
        let samplers = &self.program.sources[source as usize].samplers;
        let purpose = if busy { Purpose::On } else { Purpose::Off };
        samplers[usize::from(!busy)].sample(unit(self.source_key(source, ordinal), purpose))
    }

    /// Draws the arrival (or batch) after the last one drawn; none comes after the end of the stream.
    fn next_arrival(&mut self, source: u32) -> Option<Time> {
        let state = self.sources[source as usize].clone();
        let spec = &self.program.sources[source as usize];
        let ordinal = state.ordinal;
        let u = || unit(self.source_key(source, ordinal), Purpose::Arrival);
        let gap = |rate: f64| (-ln_of_share(1.0 - u()) * (1e9 / rate) + 0.5) as Time;
        let mut at = state.at;
        let mut intensity = state.intensity;
        match &spec.arrivals {
            Arrivals::Poisson(rate) | Arrivals::Batches { poisson: rate, .. } => {
                if *rate <= 0.0 {
                    return None;
                }
                at = at.saturating_add(gap(*rate));
            }
            Arrivals::Every(interval) => at = at.saturating_add(*interval),
            Arrivals::Renewal(_) => at = at.saturating_add(spec.samplers[0].sample(u())),
            Arrivals::Rates(steps) => {
                intensity -= ln_of_share(1.0 - u());
                match instant(steps, self.setup.warm_up, intensity) {
                    Some(time) => at = time,
                    None => return None,
                }
            }
            Arrivals::Times(times) => match times.get(ordinal as usize) {
                Some(time) => at = self.setup.warm_up.saturating_add(*time),
                None => return None,
            },
            Arrivals::OnOff { rate, .. } => {
                at = at.saturating_add(gap(*rate));
                let mut until = state.busy_until;
                let mut rounds = 0;
                // An exponential gap that outlasts the busy period goes on in the next one with what is left of it.
                while at > until && rounds < 1_000_000 {
                    rounds += 1;
                    self.sources[source as usize].periods += 1;
                    let period = self.sources[source as usize].periods;
                    let begin = until.saturating_add(self.period(source, period, false));
                    at = begin.saturating_add(at - until);
                    until = begin.saturating_add(self.period(source, period, true));
                }
                self.sources[source as usize].busy_until = until;
            }
            Arrivals::Users { .. } => return None,
        }
        let state = &mut self.sources[source as usize];
        state.at = at;
        state.intensity = intensity;
        state.ordinal += 1;
        let over = spec.until.is_some_and(|until| at > self.setup.warm_up.saturating_add(until));
        (!over).then_some(at)
    }

    /// A user thinks, then asks. Users and their requests are told apart by number: user + users × ordinal.
    fn think(&mut self, source: u32, user: u64, ordinal: u64) {
        let spec = &self.program.sources[source as usize];
        let Arrivals::Users { count, .. } = spec.arrivals else { return };
        let number = user + u64::from(count) * ordinal;
        let think = spec.samplers[0].sample(unit(self.source_key(source, number), Purpose::Think));
        let at = self.now.saturating_add(think);
        if spec.until.is_some_and(|until| at > self.setup.warm_up.saturating_add(until)) {
            return;
        }
        self.calendar.at(at, Kind::Arrival, source, number as u32);
    }

    /// A user of a closed workload has an answer and thinks again.
    pub(super) fn user_answered(&mut self, source: u32, number: u64) {
        if let Arrivals::Users { count, .. } = self.program.sources[source as usize].arrivals {
            self.think(source, number % u64::from(count), number / u64::from(count) + 1);
        }
    }

    /// One arrival event: one request, or a batch of them. `number` is that of a user's request.
    pub(super) fn request_arrives(&mut self, source: u32, number: u32) {
        let spec = &self.program.sources[source as usize];
        if matches!(spec.arrivals, Arrivals::Users { .. }) {
            self.new_request(source, number.into());
            return;
        }
        let size = match spec.arrivals {
            Arrivals::Batches { size: BatchSize::Fixed(n), .. } => n,
            Arrivals::Batches { size: BatchSize::Geometric(mean), .. } => {
                // One more is drawn already.
                let ordinal = self.sources[source as usize].ordinal - 1;
                let u = unit(self.source_key(source, ordinal), Purpose::Size);
                if mean <= 1.0 { 1 } else { 1 + (ln(1.0 - u) / ln(1.0 - 1.0 / mean)) as u32 }
            }
            _ => 1,
        };
        self.plan(source);
        for _ in 0..size {
            if self.requests.len() > MOST_OPEN {
                return; // The run ends at its next look.
            }
            let number = self.sources[source as usize].number;
            self.sources[source as usize].number += 1;
            self.new_request(source, number);
        }
    }
}

/// The instant at which the accumulated intensity of stepped rates reaches a value; steps count from the warm-up's end.
fn instant(steps: &[(Time, f64)], warm_up: Time, intensity: f64) -> Option<Time> {
    let mut left = intensity;
    let mut from = 0;
    for (i, (_, rate)) in steps.iter().enumerate() {
        let to = steps.get(i + 1).map(|next| warm_up.saturating_add(next.0));
        let length = to.map_or(f64::INFINITY, |to| (to - from) as f64 / 1e9);
        let held = rate * length;
        if left < held {
            return Some(from.saturating_add((left / rate * 1e9 + 0.5) as Time));
        }
        left -= held;
        from = to?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepped_rates_are_inverted() {
        let second = 1_000_000_000;
        let steps = [(0, 10.0), (2 * second, 0.0), (3 * second, 100.0)];
        assert_eq!(instant(&steps, second, 15.0), Some(3 * second / 2), "the first rate holds in the warm-up");
        assert_eq!(instant(&steps, second, 30.0), Some(4 * second), "nothing comes at rate 0");
        assert_eq!(instant(&steps, second, 80.0), Some(4 * second + second / 2));
        assert_eq!(instant(&[(0, 0.0)], 0, 1.0), None);
    }
}
