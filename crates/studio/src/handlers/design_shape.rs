//! A design as forms show it.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Design, DesignedChannel, DesignedParticipant, Layer, NodeKind};

use crate::api::*;

pub(super) fn shape(design: &Design) -> DesignShape {
    DesignShape {
        title: design.title.clone(),
        description: design.description.clone(),
        participants: design.participants.iter().map(|(name, p)| participant(name, p)).collect(),
        channels: channels(design),
    }
}

fn list(texts: &BTreeSet<String>) -> Vec<String> {
    texts.iter().cloned().collect()
}

fn participant(name: &str, p: &DesignedParticipant) -> DesignedParticipantView {
    let kind = match p.kind {
        NodeKind::Service | NodeKind::Topic => "service",
        NodeKind::Backend => "backend",
        NodeKind::External => "external",
        NodeKind::Consumer => "consumer",
    };
    DesignedParticipantView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        layer: p.layer.map(|l| Layer::as_str(l).to_owned()),
        system: p.system.clone(),
        domain: p.domain.clone(),
        owner: p.owner.clone(),
        criticality: p.criticality.clone(),
        description: p.description.clone(),
        aliases: list(&p.aliases),
        servers: list(&p.servers),
        operations: p
            .operations
            .iter()
            .map(|(name, about)| DesignedOperationView { name: name.clone(), about: about.clone() })
            .collect(),
        calls: p
            .calls
            .iter()
            .map(|(to, operations)| DesignedCallView { to: to.clone(), operations: list(operations) })
            .collect(),
        publishes: list(&p.publishes),
        consumes: list(&p.consumes),
        uses: list(&p.uses),
    }
}

/// Who publishes to a channel, and who consumes it.
type Users = (Vec<String>, Vec<String>);

/// The channels of the design and those that only their users name.
fn channels(design: &Design) -> Vec<DesignedChannelView> {
    let mut users: BTreeMap<&String, Users> =
        design.channels.keys().map(|address| (address, Users::default())).collect();
    for (name, p) in &design.participants {
        p.publishes.iter().for_each(|c| users.entry(c).or_default().0.push(name.clone()));
        p.consumes.iter().for_each(|c| users.entry(c).or_default().1.push(name.clone()));
    }
    let none = DesignedChannel::default();
    let all = users.into_iter().map(|(address, (publishers, consumers))| {
        let described = design.channels.get(address);
        let channel = described.unwrap_or(&none);
        DesignedChannelView {
            address: address.clone(),
            described: described.is_some(),
            system: channel.system.clone(),
            owner: channel.owner.clone(),
            description: channel.description.clone(),
            aliases: list(&channel.aliases),
            messages: channel.messages.keys().cloned().collect(),
            publishers,
            consumers,
        }
    });
    all.collect()
}
