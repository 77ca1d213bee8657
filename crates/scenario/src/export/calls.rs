//! A variant's calls, ready to be written as OpenAPI.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Answer, ApiOperation, ApiSkeleton};
use serde_json::{Map, json};

use super::{info, key};
use crate::flow;
use crate::model::{Do, Intent, Needs, Scenario, Variant};
use crate::program::participant_of;

/// How an operation is asked for, over all who call it.
#[derive(Default)]
struct Asked<'a> {
    callers: BTreeSet<&'a str>,
    intent: Option<Intent>,
    needs: Option<Needs>,
    idempotent: Option<bool>,
    sensitive: bool,
}

/// Every operation that is called (by users or by others), with the method its intent suggests, and 202 where the caller does not wait
/// for the outcome.
pub fn calls(scenario: &Scenario, variant: &Variant) -> ApiSkeleton {
    let design = scenario.design_of(variant);
    let mut asked: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    for workload in &design.workloads {
        asked.entry(&workload.to).or_default().callers.insert(&workload.name);
    }
    for (caller, step) in crate::study::steps(design) {
        if flow::is_event(variant, step) {
            continue;
        }
        let entry = asked.entry(&step.operation).or_default();
        entry.callers.insert(participant_of(caller));
        entry.note(step);
    }
    let mut taken = BTreeSet::new();
    let mut operations = Vec::new();
    for (operation, asked) in &asked {
        let Some(spec) = design.operations.get(*operation) else { continue };
        let participant = participant_of(operation);
        let name = operation.get(participant.len() + 1..).unwrap_or(operation);
        let layer = design.participants.get(participant).and_then(|p| p.layer.clone());
        let later = accepts(variant, spec.reply_early, &spec.steps);
        let base = format!("/{}/{}", key(participant), key(name));
        let mut path = base.clone();
        // Names may differ only in letters that a path has no place for.
        for number in 2.. {
            if taken.insert(path.clone()) {
                break;
            }
            path = format!("{base}-{number}");
        }
        operations.push(asked.described(operation, path, layer, later));
    }
    ApiSkeleton {
        info: info(
            scenario,
            &format!("Calls of the variant {} of a Flowglass scenario. A skeleton: fill in the schemas.", variant.name),
        ),
        servers: vec!["/".into()],
        tags: design.participants.keys().cloned().collect(),
        operations,
    }
}

/// Whether the answer comes before the outcome.
fn accepts(variant: &Variant, early: bool, steps: &[crate::model::Step]) -> bool {
    let mut later = early;
    crate::program::each_do(steps, &mut |step| later |= variant.accept.contains(&step.id));
    later
}

impl<'a> Asked<'a> {
    fn note(&mut self, step: &'a Do) {
        self.intent = self.intent.or(step.intent);
        self.needs = self.needs.or(step.needs);
        self.idempotent = self.idempotent.or(step.idempotent);
        self.sensitive |= step.sensitive == Some(true);
    }

    fn described(&self, operation: &str, path: String, layer: Option<String>, later: bool) -> ApiOperation {
        let read = self.intent == Some(Intent::Read);
        let method = match (read, self.idempotent) {
            (true, _) => "get",
            (false, Some(true)) => "put",
            _ => "post",
        };
        let answer = match (later, read || self.needs == Some(Needs::Answer)) {
            (true, _) => Answer::Accepted,
            (false, true) => Answer::Answered,
            (false, false) => Answer::Done,
        };
        let callers: Vec<&str> = self.callers.iter().copied().collect();
        ApiOperation {
            method: method.into(),
            path,
            id: Some(operation.to_owned()),
            tag: Some(participant_of(operation).to_owned()),
            summary: Some(operation.to_owned()),
            description: Some(format!("Asked by {}.", callers.join(", "))),
            body: !read,
            answers: vec![answer, Answer::Refused, Answer::TooLate],
            // System APIs are never open; neither is what carries data that not everybody may see.
            secured: self.sensitive || layer.as_deref() == Some("system"),
            own: layer.map_or_else(Map::new, |l| Map::from_iter([("x-layer".to_owned(), json!(l))])),
        }
    }
}
