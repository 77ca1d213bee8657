//! What journeys look like now: which still wait, which lack what others of their kind have.

use std::collections::BTreeSet;

use flowglass_journey::{SHARED_BY, relate};
use flowglass_model::{Journey, JourneySummary, Nanos, Relation, TraceId};
use flowglass_store::{FindHit, JourneyFilter, JourneyPage, Lack};

use crate::words::{grouped, rough_duration};
use crate::workspace::{Workspace, WorkspaceError};

/// Data older than this is a recording: it is judged as of its end.
const LIVE: i64 = 86_400_000_000_000;
/// Keys of a journey that are looked for elsewhere at most.
const KEYS: usize = 12;
/// Waiting messages whose journeys are looked up at most.
const LOOKED_UP: usize = 2_000;

impl Workspace {
    /// The instant by which journeys are judged: the clock, or the end of the data when nothing came for a day.
    pub fn as_of(&self, clock: Nanos) -> Result<Nanos, WorkspaceError> {
        let newest = self.stats()?.newest.unwrap_or(clock);
        Ok(if clock.saturating_sub(newest) > LIVE { newest } else { clock })
    }

    /// Journeys of which a message is known to wait for a consumer.
    fn waiting_journeys(&self) -> Result<BTreeSet<TraceId>, WorkspaceError> {
        let mut out = BTreeSet::new();
        for waiting in self.read(|r| r.waiting())?.rows.into_iter().take(LOOKED_UP) {
            out.extend(self.journeys_of_message(&waiting.message)?);
        }
        Ok(out)
    }

    /// Journeys of a range, newest first, each with its state as of [`JourneyFilter::now`], where that is given.
    pub fn journeys(&self, filter: &JourneyFilter) -> Result<JourneyPage, WorkspaceError> {
        let Some(clock) = filter.now else { return self.read(|r| r.journeys(filter)) };
        let filter =
            JourneyFilter { now: Some(self.as_of(clock)?), waiting: self.waiting_journeys()?, ..filter.clone() };
        self.read(|r| r.journeys(&filter))
    }

    /// Sets the state that journeys have now, and tells what each lacks.
    pub fn judge(&self, journeys: &mut [JourneySummary], clock: Nanos) -> Result<Vec<Vec<Lack>>, WorkspaceError> {
        let (now, waiting) = (self.as_of(clock)?, self.waiting_journeys()?);
        self.read(|r| r.judge(journeys, now, &waiting))
    }

    /// Journeys that seem to belong to one, though no context says so; and values that too many share to tell anything, in words.
    pub fn related(&self, own: &JourneySummary) -> Result<(Vec<Relation>, Vec<String>), WorkspaceError> {
        let (mut out, mut hubs) = (Vec::new(), Vec::new());
        for (name, value) in own.keys.iter().take(KEYS) {
            // One more than may share it would do, if no loose events and traces of one journey were among what is found.
            let found = self.find_first(value, 10 * SHARED_BY)?;
            let journeys: BTreeSet<TraceId> =
                found.iter().filter_map(|hit| if let FindHit::Trace(id) = hit { Some(*id) } else { None }).collect();
            if journeys.len() > SHARED_BY || found.len() >= 10 * SHARED_BY {
                hubs.push(format!("{name} {value} is shared by more than {SHARED_BY} journeys: it relates none"));
                continue;
            }
            let others = self.read(|r| {
                let mut others = Vec::new();
                for id in &journeys {
                    others.extend(r.journey_summary(*id)?);
                }
                Ok(others)
            })?;
            out.extend(relate(own, (name, value), &others, journeys.len()));
        }
        out.sort_by_key(|r| (r.sure, r.journey));
        let mut seen = BTreeSet::new();
        out.retain(|r| seen.insert(r.journey));
        Ok((out, hubs))
    }

    /// The same for a journey in full, in words.
    pub fn judge_journey(&self, journey: &mut Journey, clock: Nanos) -> Result<Vec<String>, WorkspaceError> {
        let lacks = self.judge(std::slice::from_mut(&mut journey.summary), clock)?;
        let now = self.as_of(clock)?;
        Ok(lacks.into_iter().flatten().map(|lack| lacking(&lack, published(journey, &lack), now)).collect())
    }
}

/// When a journey published to the topic in question.
fn published(journey: &Journey, lack: &Lack) -> Nanos {
    let name = lack.topic.name();
    let sent = |i: &&flowglass_model::JourneyItem| {
        i.participant.body() == lack.topic.body() || (i.role == "producer" && i.name.contains(name))
    };
    journey.items.iter().filter(sent).map(|i| i.start).max().unwrap_or(journey.summary.start)
}

/// `499 of 500 such journeys have notification-service handling orders.placed within 2.1 s; this one does not after 40 s`.
fn lacking(lack: &Lack, published: Nanos, now: Nanos) -> String {
    let within = lack.within.map(|n| format!(" within {}", rough_duration(n as f64 / 1e6))).unwrap_or_default();
    format!(
        "{} of {} such journeys have {} handling {}{within}; this one does not after {}",
        grouped(lack.have),
        grouped(lack.of),
        lack.service.name(),
        lack.topic.name(),
        rough_duration(now.saturating_sub(published).max(0) as f64 / 1e6)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_said_with_its_evidence() {
        let lack = Lack {
            topic: "topic:nats/orders.placed".into(),
            service: "service:shop/notification-service@prod".into(),
            have: 499,
            of: 500,
            within: Some(2_100_000_000),
        };
        assert_eq!(
            lacking(&lack, 0, 40_000_000_000),
            "499 of 500 such journeys have notification-service handling orders.placed within 2.1 s; this one does not \
             after 40 s"
        );
    }
}
