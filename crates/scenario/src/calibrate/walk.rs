//! Which operations requests from outside lead to, and which of their steps stay.

use std::collections::{BTreeMap, BTreeSet};

use super::handlings::Asked;
use super::steps::{Group, Step, Target};

/// Operations below each other at most.
const DEEPEST: usize = 100;

/// Follows requests from outside through everything they lead to.
pub(super) struct Walk<'w, 'a> {
    pub(super) observed: BTreeMap<&'a Asked, Vec<Group>>,
    pub(super) consumers: &'w BTreeMap<String, Vec<&'a Asked>>,
    /// Operations from the entry to where the walk is.
    pub(super) path: Vec<Asked>,
    /// Operations reached, with the steps that are kept.
    pub(super) kept: BTreeMap<Asked, Vec<Group>>,
    pub(super) unheard: BTreeSet<String>,
    pub(super) notes: Vec<String>,
}

impl Walk<'_, '_> {
    pub(super) fn visit(&mut self, asked: &Asked) {
        if self.kept.contains_key(asked) {
            return;
        }
        self.kept.insert(asked.clone(), Vec::new());
        self.path.push(asked.clone());
        let mut groups = self.observed.remove(asked).unwrap_or_default();
        groups.retain_mut(|group| match group {
            Group::One(step) => self.keeps(step),
            Group::Parallel(list) | Group::Either(list) => {
                list.retain(|step| self.keeps(step));
                !list.is_empty()
            }
        });
        self.path.pop();
        self.kept.insert(asked.clone(), groups);
    }

    /// Whether a step stays. Steps that lead back to where they come from, or to nobody who was seen, do not, and are noted.
    fn keeps(&mut self, step: &Step) -> bool {
        let targets: Vec<Asked> = match &step.target {
            Target::Call(callee) => vec![callee.clone()],
            Target::Publish(topic) => match self.consumers.get(topic.body()) {
                Some(list) => list.iter().map(|a| (*a).clone()).collect(),
                None => {
                    self.unheard.insert(topic.name().to_owned());
                    return false;
                }
            },
        };
        if let Some(back) = targets.iter().find(|t| self.path.contains(t) || self.path.len() >= DEEPEST) {
            let from = self.path.last().map_or("", |p| p.0.name());
            self.notes.push(format!("A step of {from} leads back to {} {}: it is left out.", back.0.name(), back.1));
            return false;
        }
        targets.iter().for_each(|target| self.visit(target));
        true
    }
}
