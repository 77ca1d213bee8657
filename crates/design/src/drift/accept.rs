//! Taking a deviation into the design.

use flowglass_model::{Design, DesignedChannel, DesignedParticipant, InteractionKind};

use super::Deviation;

/// A change of a design.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A participant that is not there yet.
    AddParticipant(String, Box<DesignedParticipant>),
    /// A participant with all of its interactions.
    RemoveParticipant(String),
    /// A channel that is not there yet.
    AddChannel {
        /// Its address.
        address: String,
        /// Broker technology.
        system: Option<String>,
    },
    /// A channel with all who publish to it or consume it.
    RemoveChannel(String),
    /// An operation of a participant.
    AddOperation {
        /// Whose.
        participant: String,
        /// Which.
        operation: String,
    },
    /// The inverse.
    RemoveOperation {
        /// Whose.
        participant: String,
        /// Which.
        operation: String,
    },
    /// An interaction is added or taken out.
    Interaction {
        /// Added, else taken out.
        add: bool,
        /// How they interact.
        kind: InteractionKind,
        /// Caller, producer or channel.
        source: String,
        /// Callee, channel, consumer or backend.
        target: String,
        /// For calls, the operation that is asked for; `None` is the whole interaction.
        operation: Option<String>,
    },
}

impl Edit {
    pub(super) fn add(kind: InteractionKind, source: String, target: String, operation: Option<String>) -> Edit {
        Edit::Interaction { add: true, kind, source, target, operation }
    }

    pub(super) fn remove(kind: InteractionKind, source: String, target: String, operation: Option<String>) -> Edit {
        Edit::Interaction { add: false, kind, source, target, operation }
    }
}

/// Changes a design so that a deviation is none any more. Errors, in words, when only a person can say what is right.
pub fn accept(design: &mut Design, deviation: &Deviation) -> Result<(), String> {
    if deviation.edits.is_empty() {
        return Err(match deviation.kind {
            super::DeviationKind::BrokenSchema => {
                "Which of the two is right, the schema or the payload, cannot be told from here: change the schema in the \
                 design, or the publisher."
                    .into()
            }
            _ => "This comes with the participant: accept that one.".into(),
        });
    }
    deviation.edits.iter().for_each(|edit| apply(design, edit));
    Ok(())
}

fn apply(design: &mut Design, edit: &Edit) {
    match edit {
        Edit::AddParticipant(name, participant) => {
            design.participants.entry(name.clone()).or_insert_with(|| (**participant).clone());
        }
        Edit::RemoveParticipant(name) => {
            design.participants.remove(name);
            for p in design.participants.values_mut() {
                p.calls.remove(name);
                p.uses.remove(name);
            }
        }
        Edit::AddChannel { address, system } => {
            let fresh = DesignedChannel { system: system.clone(), ..DesignedChannel::default() };
            design.channels.entry(address.clone()).or_insert(fresh);
        }
        Edit::RemoveChannel(address) => {
            design.channels.remove(address);
            for p in design.participants.values_mut() {
                p.publishes.remove(address);
                p.consumes.remove(address);
            }
        }
        Edit::AddOperation { participant, operation } => {
            if let Some(p) = design.participants.get_mut(participant) {
                p.operations.insert(operation.clone(), String::new());
            }
        }
        Edit::RemoveOperation { participant, operation } => {
            if let Some(p) = design.participants.get_mut(participant) {
                p.operations.remove(operation);
            }
        }
        Edit::Interaction { add, kind, source, target, operation } => {
            let who = if *kind == InteractionKind::Consume { target } else { source };
            let Some(p) = design.participants.get_mut(who) else { return };
            match (kind, add) {
                (InteractionKind::Call, true) => p.calls.entry(target.clone()).or_default().extend(operation.clone()),
                (InteractionKind::Call, false) => match operation {
                    None => drop(p.calls.remove(target)),
                    Some(operation) => {
                        let left = p.calls.get_mut(target).map(|which| {
                            which.remove(operation);
                            which.len()
                        });
                        // An empty list would mean any operation.
                        if left == Some(0) {
                            p.calls.remove(target);
                        }
                    }
                },
                (InteractionKind::Publish, true) => drop(p.publishes.insert(target.clone())),
                (InteractionKind::Publish, false) => drop(p.publishes.remove(target)),
                (InteractionKind::Consume, true) => drop(p.consumes.insert(source.clone())),
                (InteractionKind::Consume, false) => drop(p.consumes.remove(source)),
                (InteractionKind::Access, true) => drop(p.uses.insert(target.clone())),
                (InteractionKind::Access, false) => drop(p.uses.remove(target)),
            }
        }
    }
}
