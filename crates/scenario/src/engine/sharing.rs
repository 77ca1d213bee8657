//! Processor sharing: all jobs get the same share of the workers at once.

use super::*;

impl Sim<'_> {
    /// A job joins the others.
    pub(super) fn share(&mut self, handling: u32, place: u32) {
        self.attain(place);
        let generation = self.handlings.generation(handling);
        let order = self.next_order();
        let sharing = &mut self.stations[place as usize].sharing;
        let goal = sharing.attained + self.handlings[handling].work as f64;
        let at = sharing.jobs.partition_point(|job| (job.0, job.1) > (goal, order));
        sharing.jobs.insert(at, (goal, order, handling, generation));
        self.plan_shared(place);
    }

    /// Everybody gets what the time since the last change was worth.
    pub(super) fn attain(&mut self, place: u32) {
        let rate = self.shared_rate(place);
        let sharing = &mut self.stations[place as usize].sharing;
        sharing.attained += (self.now - sharing.since) as f64 * rate;
        sharing.since = self.now;
        if sharing.jobs.is_empty() {
            sharing.attained = 0.0;
        }
    }

    fn shared_rate(&self, place: u32) -> f64 {
        let station = &self.stations[place as usize];
        let servers = f64::from(self.program.places[place as usize].servers);
        match station.sharing.jobs.len() {
            0 => 0.0,
            _ if station.is_stopped() => 0.0,
            n => (servers / n as f64).min(1.0),
        }
    }

    /// Plans the end of the job that is nearest to its goal.
    pub(super) fn plan_shared(&mut self, place: u32) {
        let rate = self.shared_rate(place);
        let now = self.now;
        let servers = self.program.places[place as usize].servers;
        let station = &mut self.stations[place as usize];
        station.busy.set(now, servers.min(station.sharing.jobs.len() as u32));
        let sharing = &mut station.sharing;
        sharing.generation = sharing.generation.wrapping_add(1);
        let Some((goal, ..)) = sharing.jobs.last() else { return };
        if rate > 0.0 {
            let wait = ((goal - sharing.attained) / rate).max(0.0).ceil() as Time;
            self.calendar.at(now + wait, Kind::SharedDone, place, sharing.generation);
        }
    }

    pub(super) fn shared_done(&mut self, place: u32, generation: u32) {
        if self.stations[place as usize].sharing.generation != generation {
            return;
        }
        self.attain(place);
        let job = self.stations[place as usize].sharing.jobs.pop();
        self.plan_shared(place);
        if let Some((_, _, handling, generation)) = job
            && self.handlings.is(handling, generation)
        {
            self.work_done(handling);
        }
    }
}
