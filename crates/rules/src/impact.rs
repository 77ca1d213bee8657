//! What fails when a participant does, by what was observed.
//!
//! A synchronous call is a hard dependency: who waits for an answer fails without it, unless it was seen to get by. A message is a
//! soft one: it waits in its topic. The share of a service's handlings that reached a participant, at whatever depth, is the
//! evidence; nothing is multiplied up from single edges.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{NodeId, NodeKind, Role};
use rustc_hash::FxHashMap;

use crate::judge::Bench;
use crate::landscape::{Landscape, Who};
use crate::tally::Period;
use crate::trace::{Trace, failed};

/// Failures seen before it is believed that a caller gets by without the callee.
const SEEN_TO_GET_BY: u64 = 5;

/// What one service needed another participant for.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    /// Handlings that reached it, at whatever depth.
    handlings: u64,
    /// Handlings that called it themselves.
    direct: u64,
    /// Of those: handlings in which it failed, and in which the handling failed too.
    failed: u64,
    failed_with: u64,
}

/// Who needs whom.
#[derive(Default)]
pub struct Needs {
    handlings: FxHashMap<Who, u64>,
    needs: FxHashMap<(Who, Who), Need>,
    /// Requests from outside, by the kind of caller and by what they reached.
    journeys: u64,
    reached: FxHashMap<Who, u64>,
    entries: FxHashMap<(Who, Who), u64>,
    /// Messages sent and taken.
    sent: BTreeMap<(Who, Who), u64>,
    taken: BTreeMap<(Who, Who), u64>,
    ids: Vec<NodeId>,
    hours: f64,
}

/// A participant that feels another's failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Who.
    pub who: NodeId,
    /// Over whom it reaches the failed one; itself where it calls it directly.
    pub via: NodeId,
    /// Calls in between, from 1.
    pub hops: u32,
    /// Share of what it handles that reaches the failed one, 0 to 1.
    pub share: f64,
    /// Handlings per hour that this is.
    pub per_hour: f64,
    /// Failures of the one below it that were seen, and how many of them it failed with.
    pub seen: (u64, u64),
}

/// Messages that wait, or do not come.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The topic.
    pub topic: NodeId,
    /// Who does not take from it, or who gets nothing from it.
    pub who: NodeId,
    /// Messages per hour.
    pub per_hour: f64,
    /// They pile up because the failed one does not take them; else they are not sent.
    pub piles_up: bool,
}

/// What the failure of one participant means.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// Who fails with it, nearest first.
    pub fails: Vec<Hit>,
    /// Who was seen to get by.
    pub degrades: Vec<Hit>,
    /// Messages that wait or stay away.
    pub waits: Vec<Waiting>,
    /// Users and automations that notice: who, share of their requests, requests per hour.
    pub users: Vec<(NodeId, f64, f64)>,
    /// Share of all requests from outside that reach it.
    pub share: f64,
    /// How many that is per hour.
    pub per_hour: f64,
}

/// A participant that many depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct SinglePoint {
    /// Who.
    pub who: NodeId,
    /// Share of all requests from outside that reach it.
    pub share: f64,
    /// Services that need it, directly or not.
    pub services: u32,
}

impl Needs {
    pub(crate) fn trace(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>) {
        let period = bench.tally.period;
        let inside = |at: usize| period.has(trace.facts(at).start);
        let mut reached: FxHashMap<usize, BTreeSet<Who>> = FxHashMap::default();
        let mut handlings: Vec<(usize, usize)> = trace.handlings().map(|h| (depth(trace, h), h)).collect();
        handlings.sort_unstable_by(|a, b| b.cmp(a));
        let mut own: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (i, call) in trace.calls.iter().enumerate() {
            own.entry(call.handling).or_default().push(i);
        }
        for (_, handling) in handlings {
            let Some(me) = trace.who[handling] else { continue };
            let mut set = BTreeSet::new();
            let mut direct: BTreeMap<Who, bool> = BTreeMap::new();
            for call in own.get(&handling).into_iter().flatten().map(|i| &trace.calls[*i]) {
                set.insert(call.callee);
                set.extend(call.server.and_then(|s| reached.get(&s)).into_iter().flatten());
                // The last attempt tells whether the callee failed in the end.
                direct.insert(call.callee, call.failed);
            }
            set.remove(&me);
            if inside(handling) {
                self.handled(me, &set, &direct, failed(trace.facts(handling)));
                self.entered(bench, trace, handling, me, &set);
            }
            reached.insert(handling, set);
        }
        for at in (0..trace.spans.len()).filter(|at| inside(*at)) {
            let (topic, into) = match &trace.facts(at).role {
                Role::Send { topic, create: false, .. } => (topic, true),
                Role::Process { topic, .. } => (topic, false),
                _ => continue,
            };
            if let (Some(me), Some(topic)) = (trace.who[at], bench.land.who(topic)) {
                let map = if into { &mut self.sent } else { &mut self.taken };
                *map.entry((me, topic)).or_default() += 1;
            }
        }
    }

    fn handled(&mut self, me: Who, set: &BTreeSet<Who>, direct: &BTreeMap<Who, bool>, fails: bool) {
        *self.handlings.entry(me).or_default() += 1;
        for who in set {
            let need = self.needs.entry((me, *who)).or_default();
            need.handlings += 1;
            if let Some(callee_failed) = direct.get(who) {
                need.direct += 1;
                need.failed += u64::from(*callee_failed);
                need.failed_with += u64::from(*callee_failed && fails);
            }
        }
    }

    /// A request from outside.
    fn entered(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>, handling: usize, me: Who, set: &BTreeSet<Who>) {
        let facts = trace.facts(handling);
        let Role::Server { caller } = &facts.role else { return };
        if facts.parent.is_some() {
            return;
        }
        self.journeys += 1;
        let user = bench.land.who(&NodeId::consumer(caller, facts.service.environment()));
        for who in set.iter().copied().chain([me]) {
            *self.reached.entry(who).or_default() += 1;
            if let Some(user) = user {
                *self.entries.entry((user, who)).or_default() += 1;
            }
        }
        if let Some(user) = user {
            *self.handlings.entry(user).or_default() += 1;
        }
    }

    pub(crate) fn close(&mut self, land: &Landscape, period: Period) {
        self.ids = (0..land.len()).map(|i| land.get(i as Who).id.clone()).collect();
        self.hours = period.hours();
    }

    fn id(&self, who: Who) -> &NodeId {
        &self.ids[who as usize]
    }

    fn share(&self, me: Who, count: u64) -> f64 {
        count as f64 / self.handlings.get(&me).copied().unwrap_or(0).max(count).max(1) as f64
    }

    /// Everybody that can be looked at, the most needed first.
    pub fn single_points(&self) -> Vec<SinglePoint> {
        let mut services: BTreeMap<Who, u32> = BTreeMap::new();
        self.needs.keys().for_each(|(_, who)| *services.entry(*who).or_default() += 1);
        let all: BTreeSet<Who> = self.reached.keys().chain(services.keys()).copied().collect();
        let mut out: Vec<SinglePoint> = all
            .into_iter()
            .map(|who| SinglePoint {
                who: self.id(who).clone(),
                share: self.reached.get(&who).copied().unwrap_or(0) as f64 / self.journeys.max(1) as f64,
                services: services.get(&who).copied().unwrap_or(0),
            })
            .collect();
        out.sort_by(|a, b| b.share.total_cmp(&a.share).then(b.services.cmp(&a.services)).then(a.who.cmp(&b.who)));
        out
    }

    /// What the failure of a participant means; `None` for one that was not seen.
    pub fn impact(&self, id: &NodeId) -> Option<Impact> {
        let down = self.ids.iter().position(|known| known == id)? as Who;
        let hops = self.hops(down);
        let mut fails = Vec::new();
        let mut degrades = Vec::new();
        for (who, (distance, via)) in &hops {
            let Some(need) = self.needs.get(&(*who, down)) else { continue };
            let next = if *distance == 1 { down } else { *via };
            let below = self.needs.get(&(*who, next)).copied().unwrap_or_default();
            let hit = Hit {
                who: self.id(*who).clone(),
                via: self.id(if *distance == 1 { *who } else { *via }).clone(),
                hops: *distance,
                share: self.share(*who, need.handlings),
                per_hour: need.handlings as f64 / self.hours,
                seen: (below.failed, below.failed_with),
            };
            let gets_by = below.failed >= SEEN_TO_GET_BY && below.failed_with * 2 < below.failed;
            if gets_by { degrades.push(hit) } else { fails.push(hit) }
        }
        let order = |a: &Hit, b: &Hit| a.hops.cmp(&b.hops).then(b.share.total_cmp(&a.share)).then(a.who.cmp(&b.who));
        fails.sort_by(order);
        degrades.sort_by(order);
        let users = self.entries.iter().filter(|((_, who), _)| *who == down);
        let mut users: Vec<(NodeId, f64, f64)> = users
            .map(|((user, _), n)| (self.id(*user).clone(), self.share(*user, *n), *n as f64 / self.hours))
            .collect();
        users.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        let reached = self.reached.get(&down).copied().unwrap_or(0);
        Some(Impact {
            waits: self.waits(down, &hops),
            fails,
            degrades,
            users,
            share: reached as f64 / self.journeys.max(1) as f64,
            per_hour: reached as f64 / self.hours,
        })
    }

    /// Callers of a participant by distance, each with the one below it on the way; users left out.
    fn hops(&self, down: Who) -> BTreeMap<Who, (u32, Who)> {
        let mut out: BTreeMap<Who, (u32, Who)> = BTreeMap::new();
        let mut level = vec![down];
        let mut distance = 0;
        while !level.is_empty() {
            distance += 1;
            let mut next = Vec::new();
            let mut callers: Vec<(Who, Who)> = self
                .needs
                .iter()
                .filter(|((_, callee), need)| need.direct > 0 && level.contains(callee))
                .map(|((caller, callee), _)| (*caller, *callee))
                .collect();
            callers.sort_unstable();
            for (caller, callee) in callers {
                if caller != down && !out.contains_key(&caller) {
                    out.insert(caller, (distance, callee));
                    next.push(caller);
                }
            }
            level = next;
        }
        out
    }

    /// Messages the failed one does not take, and those that it and whoever fails with it do not send.
    fn waits(&self, down: Who, hops: &BTreeMap<Who, (u32, Who)>) -> Vec<Waiting> {
        let mut out = Vec::new();
        let topic_itself = self.id(down).kind() == NodeKind::Topic;
        for ((who, topic), n) in &self.taken {
            if *who == down {
                out.push(self.waiting(*topic, *who, *n as f64, true));
            } else if topic_itself && *topic == down {
                out.push(self.waiting(*topic, *who, *n as f64, false));
            }
        }
        for ((sender, topic), sent) in &self.sent {
            let lost = match (*sender == down, hops.contains_key(sender)) {
                (true, _) => 1.0,
                (false, true) => self.needs.get(&(*sender, down)).map_or(0.0, |n| self.share(*sender, n.handlings)),
                _ => continue,
            };
            let all: u64 = self.sent.iter().filter(|((_, t), _)| t == topic).map(|(_, n)| n).sum();
            for ((who, _), taken) in self.taken.iter().filter(|((who, t), _)| t == topic && *who != down) {
                let share = *sent as f64 / all.max(1) as f64 * lost;
                out.push(self.waiting(*topic, *who, *taken as f64 * share, false));
            }
        }
        out.sort_by(|a, b| {
            b.piles_up
                .cmp(&a.piles_up)
                .then(b.per_hour.total_cmp(&a.per_hour))
                .then((&a.topic, &a.who).cmp(&(&b.topic, &b.who)))
        });
        out.retain(|w| w.per_hour > 0.0);
        out.dedup_by(|b, a| (&a.topic, &a.who, a.piles_up) == (&b.topic, &b.who, b.piles_up));
        out
    }

    fn waiting(&self, topic: Who, who: Who, n: f64, piles_up: bool) -> Waiting {
        let (topic, who) = (self.id(topic).clone(), self.id(who).clone());
        Waiting { topic, who, per_hour: n / self.hours, piles_up }
    }
}

/// Handlings above a handling, by synchronous calls.
fn depth(trace: &Trace<'_>, handling: usize) -> usize {
    let (mut current, mut depth) = (handling, 0);
    while let Some(call) = trace.call_into(current) {
        depth += 1;
        current = call.handling;
        if depth > trace.spans.len() {
            break;
        }
    }
    depth
}
