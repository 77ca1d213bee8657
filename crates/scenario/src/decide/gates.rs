//! Gates decide alone; each names its way around.

use super::figures::Figures;
use super::words::time;
use super::{Gate, Style};
use crate::model::{Do, EventCapability, Intent, Needs};
use crate::program::participant_of;

/// All gates that hold for a step.
pub(super) fn gates(f: &Figures<'_>, caller: &str, step: &Do) -> Vec<Gate> {
    let callee = participant_of(&step.operation);
    let mut all = Vec::new();
    let mut gate = |id, forces, because: String, escape| all.push(Gate { id, because, forces, escape });
    if step.needs == Some(Needs::Answer) {
        let because = format!("{} needs data of {} before it goes on", participant_of(caller), step.operation);
        let escape = "answer 202 with a link to a status resource, or push the result when it is there";
        gate("G1", Style::ApiLed, because, Some(escape));
    }
    if step.intent == Some(Intent::Read) {
        let because = format!("{} reads at the moment of need", step.operation);
        let escape = "read from a view that events keep fresh, if data as old as the lag will do";
        gate("G2", Style::ApiLed, because, Some(escape));
    }
    if step.needs == Some(Needs::Success) {
        let because = format!("what follows is only right if {} succeeded first", step.operation);
        let escape = "keep this one a call; undo it later where it must be undone (saga), tell the rest after the commit (outbox)";
        gate("G3", Style::ApiLed, because, Some(escape));
    }
    let capability = |operation: &str| f.participant(operation).map(|p| p.events);
    let cannot_publish = matches!(capability(caller), Some(EventCapability::None | EventCapability::Consume));
    let cannot_consume = matches!(capability(&step.operation), Some(EventCapability::None | EventCapability::Publish));
    if cannot_publish || cannot_consume {
        let (who, what) =
            if cannot_publish { (participant_of(caller), "publish events") } else { (callee, "consume events") };
        let escape = if cannot_publish {
            "an adapter beside it: change data capture, or a bridge that polls it"
        } else {
            "an adapter before it: a consumer that calls it, with retries and dead letters"
        };
        gate("G4", Style::ApiLed, format!("{who} cannot {what}"), Some(escape));
    }
    let (wait, whose) = f.wait(caller, step);
    if let Some(participant) = f.participant(&step.operation) {
        let gone = participant.longest_absence();
        if gone >= wait && gone > 0 {
            let because = format!(
                "{callee} is down for {} at a time, and the caller waits {} ({whose})",
                time(gone as f64),
                time(wait as f64)
            );
            gate("G5", Style::EventDriven, because, None);
        }
    }
    let p99 = f.p99_alone(&step.operation);
    if p99 > wait as f64 {
        let because = format!(
            "one in a hundred {} takes longer than {} by itself, and the caller waits {} ({whose})",
            step.operation,
            time(p99),
            time(wait as f64)
        );
        gate("G6", Style::EventDriven, because, Some("answer 202 and tell the result later"));
    }
    let (_, channel) = f.channel(step);
    if let Some(size) = step.size.filter(|size| *size > channel.max_message) {
        let because =
            format!("its payload of {size} bytes is above the {} bytes a message may have", channel.max_message);
        let escape = "put a reference into the event and let consumers fetch the payload (claim check)";
        gate("G7", Style::ApiLed, because, Some(escape));
    }
    all
}
