//! Decisions about joins: kept in the settings, and shown with what they are about.

use std::collections::BTreeSet;

use flowglass_model::JoinsConfig;

use super::bad_request;
use crate::Studio;
use crate::api::{ApiError, DecideJoinRequest, JoinDecision, Nothing};
use crate::settings::Change;

/// Keeps a decision, and joins journeys anew by it.
pub(crate) async fn decide_join(studio: &Studio, request: DecideJoinRequest) -> Result<Nothing, ApiError> {
    let entry = request.entry.trim().to_owned();
    if entry.is_empty() || entry.starts_with('=') {
        return Err(bad_request("say what the decision is about, such as `correlationId` or `correlationId=c-1`"));
    }
    let decision = request.decision;
    if !["never", "always", "default"].contains(&decision.as_str()) {
        return Err(bad_request(format!("`{decision}` is no decision; it is never, always or default")));
    }
    studio
        .edit_settings(move |document, now| {
            Change { joins: Some(decided(&now.joins, &entry, &decision)), ..Change::default() }
                .apply(document, now, now);
        })
        .await?;
    Ok(Nothing {})
}

/// The decisions with one more, or one less.
fn decided(joins: &JoinsConfig, entry: &str, decision: &str) -> JoinsConfig {
    let with = |list: &BTreeSet<String>, is: bool| {
        let others = list.iter().filter(|e| *e != entry).cloned();
        others.chain(is.then(|| entry.to_owned())).collect()
    };
    JoinsConfig {
        never: with(&joins.never, decision == "never"),
        always: with(&joins.always, decision == "always"),
        ..joins.clone()
    }
}

/// Decisions in force.
pub(super) fn decisions(joins: &JoinsConfig) -> Vec<JoinDecision> {
    let of = |list: &BTreeSet<String>, decision: &str| {
        let one = |entry: &String| JoinDecision { entry: entry.clone(), decision: decision.to_owned() };
        list.iter().map(one).collect::<Vec<_>>()
    };
    [of(&joins.never, "never"), of(&joins.always, "always")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_decision_counts_and_can_be_taken_back() {
        let never = decided(&JoinsConfig::default(), "requestId", "never");
        assert!(never.is_never("requestId", "r-1"));
        let always = decided(&never, "requestId", "always");
        assert!(always.never.is_empty() && always.is_always("requestId", "r-1"));
        assert_eq!(decided(&always, "requestId", "default"), JoinsConfig::default());
    }
}
