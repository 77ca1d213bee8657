//! Nothing is lost count of: checked at the end of every replication.

use crate::model::Time;
use crate::program::{NONE, Program};
use crate::tally::Tally;

/// Every request and every message of the window ends in exactly one state or is still open, and nobody works more than there is
/// time.
pub(super) fn check(tally: &Tally, program: &Program, duration: Time) -> Result<(), String> {
    for (source, t) in program.sources.iter().zip(&tally.sources) {
        let answers = t.ok + t.failed + t.refused + t.abandoned + t.in_flight;
        let ends = t.fates.iter().sum::<u64>() + t.open;
        if answers != t.arrivals || ends != t.arrivals {
            return Err(format!("{} requests of {}, {answers} answers, {ends} ends", t.arrivals, source.name));
        }
    }
    for (group, t) in program.groups.iter().zip(&tally.groups) {
        let name = &program.routines[group.routine as usize].name;
        let published = tally.lines[group.line as usize].published;
        let known = t.messages + t.open;
        let ends = t.acked + t.dead + t.lost + t.expired;
        if known != published || ends != t.messages {
            return Err(format!(
                "{published} messages for {name}, {known} known, {} ended, {ends} in a state",
                t.messages
            ));
        }
    }
    for (place, t) in program.places.iter().zip(&tally.places) {
        let most = match place.servers {
            NONE => continue,
            servers => f64::from(servers) * f64::from(place.lanes) * duration as f64,
        };
        // Processor sharing computes with more jobs than workers.
        let computing = if place.discipline == crate::model::Discipline::Ps { 0.0 } else { t.computing };
        if t.busy > most * (1.0 + 1e-9) || computing > t.busy * (1.0 + 1e-9) {
            return Err(format!("{} works {} ns of {most} ns, {} of them computing", place.name, t.busy, t.computing));
        }
    }
    Ok(())
}
