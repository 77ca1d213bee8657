//! Many files become one design.

use flowglass_model::{Design, DesignedChannel, DesignedParticipant, NodeKind};

/// A path with what is said of it.
type Said<T> = (String, T);

/// The design so far.
#[derive(Debug, Default)]
pub(super) struct Merge {
    pub(super) design: Design,
    taken: Vec<(String, &'static str)>,
    notes: Vec<(String, String)>,
}

impl Merge {
    pub(super) fn took(&mut self, path: &str, format: &'static str) {
        self.taken.push((path.to_owned(), format));
    }

    pub(super) fn note(&mut self, path: &str, what: impl Into<String>) {
        self.notes.push((path.to_owned(), what.into()));
    }

    /// A service by name, made if it is not there.
    pub(super) fn service(&mut self, name: &str) -> &mut DesignedParticipant {
        self.participant(name, NodeKind::Service)
    }

    pub(super) fn participant(&mut self, name: &str, kind: NodeKind) -> &mut DesignedParticipant {
        self.design.participants.entry(name.to_owned()).or_insert_with(|| DesignedParticipant::new(kind))
    }

    /// A channel by address, made if it is not there.
    pub(super) fn channel(&mut self, address: &str) -> &mut DesignedChannel {
        self.design.channels.entry(address.to_owned()).or_default()
    }

    /// A whole design on top: what it says wins where there is one answer only, lists are joined.
    pub(super) fn all(&mut self, path: &str, more: Design) {
        self.took(path, "Flowglass design");
        if !more.title.is_empty() {
            self.design.title = more.title;
        }
        self.design.description = more.description.or(self.design.description.take());
        self.design.kept.extend(more.kept);
        for (name, p) in more.participants {
            let mine = self.participant(&name, p.kind);
            mine.kind = p.kind;
            mine.layer = p.layer.or(mine.layer);
            for (mine, more) in [
                (&mut mine.system, p.system),
                (&mut mine.domain, p.domain),
                (&mut mine.owner, p.owner),
                (&mut mine.criticality, p.criticality),
                (&mut mine.description, p.description),
            ] {
                fill(mine, more, true);
            }
            mine.aliases.extend(p.aliases);
            mine.servers.extend(p.servers);
            mine.operations.extend(p.operations);
            for (callee, operations) in p.calls {
                mine.calls.entry(callee).or_default().extend(operations);
            }
            mine.publishes.extend(p.publishes);
            mine.consumes.extend(p.consumes);
            mine.uses.extend(p.uses);
        }
        for (address, c) in more.channels {
            let mine = self.channel(&address);
            fill(&mut mine.system, c.system, true);
            fill(&mut mine.owner, c.owner, true);
            fill(&mut mine.description, c.description, true);
            mine.aliases.extend(c.aliases);
            mine.messages.extend(c.messages);
        }
    }

    pub(super) fn finish(mut self) -> (Design, Vec<Said<&'static str>>, Vec<Said<String>>) {
        // Everybody who is called or used is there.
        let mut missing: Vec<(String, NodeKind)> = Vec::new();
        for p in self.design.participants.values() {
            missing.extend(p.calls.keys().map(|c| (c.clone(), NodeKind::Service)));
            missing.extend(p.uses.iter().map(|b| (b.clone(), NodeKind::Backend)));
        }
        for (name, kind) in missing {
            self.participant(&name, kind);
        }
        (self.design, self.taken, self.notes)
    }
}

/// Fills in what is not known; with `wins`, also what is.
pub(super) fn fill(mine: &mut Option<String>, more: Option<String>, wins: bool) {
    if more.is_some() && (wins || mine.is_none()) {
        *mine = more;
    }
}
