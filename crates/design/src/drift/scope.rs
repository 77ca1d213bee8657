//! What a design speaks of. What it says nothing about at all is not held against it.

use flowglass_model::{Design, NodeKind};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) calls: bool,
    pub(crate) events: bool,
    pub(crate) backends: bool,
    pub(crate) users: bool,
}

impl Scope {
    pub(crate) fn of(design: &Design) -> Scope {
        let any = |says: &dyn Fn(&flowglass_model::DesignedParticipant) -> bool| design.participants.values().any(says);
        Scope {
            calls: any(&|p| !p.calls.is_empty()),
            events: !design.channels.is_empty() || any(&|p| !p.publishes.is_empty() || !p.consumes.is_empty()),
            backends: any(&|p| !p.uses.is_empty() || p.kind == NodeKind::Backend),
            users: any(&|p| p.kind == NodeKind::Consumer),
        }
    }

    /// Whether participants of a kind are judged.
    pub(crate) fn judges(self, kind: NodeKind) -> bool {
        match kind {
            NodeKind::Service => true,
            NodeKind::External => self.calls,
            NodeKind::Topic => self.events,
            NodeKind::Backend => self.backends,
            NodeKind::Consumer => self.users,
        }
    }

    /// What is not judged, in words.
    pub(crate) fn silent(self) -> Vec<&'static str> {
        let all = [(self.calls, "calls"), (self.events, "events"), (self.backends, "backends"), (self.users, "users")];
        all.into_iter().filter(|(says, _)| !says).map(|(_, word)| word).collect()
    }
}
