//! What people decided about joins: by what traces are joined where no context tells, and how many may share one id.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Traces that one id may join, unless settings say otherwise: what more share tells nothing about any one of them.
const SHARED_BY: u32 = 20;
/// Traces that may hang on one span, or one handling lead back to, unless settings say otherwise.
const TRACES_PER_SPAN: u32 = 1_000;

/// How traces without a common context become one journey, and where that ends.
///
/// An entry of [`JoinsConfig::never`] or [`JoinsConfig::always`] is the name of a key (`requestId`), a key with its value
/// (`correlationId=batch-17`), `causation`, or the place of a span at which too many traces meet
/// (`span=TRACE/SPAN`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JoinsConfig {
    /// An id that joins more traces than this joins none of them. Traces that a context joins already do not count.
    pub shared_by: u32,
    /// Where more traces than this hang on one span, or lead to one handling, journeys end and begin.
    pub traces_per_span: u32,
    /// What never joins.
    pub never: BTreeSet<String>,
    /// What joins however many share it.
    pub always: BTreeSet<String>,
}

impl Default for JoinsConfig {
    fn default() -> JoinsConfig {
        JoinsConfig {
            shared_by: SHARED_BY,
            traces_per_span: TRACES_PER_SPAN,
            never: BTreeSet::new(),
            always: BTreeSet::new(),
        }
    }
}

impl JoinsConfig {
    /// Whether this name, or this value of it, must not join anything.
    pub fn is_never(&self, by: &str, value: &str) -> bool {
        holds(&self.never, by, value)
    }

    /// Whether this name, or this value of it, joins however many share it. What never joins does not.
    pub fn is_always(&self, by: &str, value: &str) -> bool {
        holds(&self.always, by, value) && !self.is_never(by, value)
    }

    /// How one value of a name is written in a list.
    pub fn entry(by: &str, value: &str) -> String {
        format!("{by}={value}")
    }
}

fn holds(list: &BTreeSet<String>, by: &str, value: &str) -> bool {
    !list.is_empty() && (list.contains(by) || list.contains(&JoinsConfig::entry(by, value)))
}

/// Names of keys that carry ids made to join what belongs to one action.
pub const CORRELATION_KEYS: [&str; 2] = ["correlationId", "requestId"];

/// Whether a correlation id can tell anything: what stands for "none" in many systems cannot.
pub fn tells_apart(id: &str) -> bool {
    let id = id.trim();
    let mut letters = id.bytes().filter(|b| b.is_ascii_alphanumeric());
    let first = letters.next();
    let varied = letters.any(|b| Some(b) != first);
    let empty = ["null", "none", "undefined", "unknown", "default", "n/a", "nil"];
    varied && id.len() >= 3 && !empty.contains(&id.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_can_be_decided_apart_from_its_name() {
        let set = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        let joins = JoinsConfig {
            never: set(&["requestId", "correlationId=global"]),
            always: set(&["correlationId"]),
            ..Default::default()
        };
        assert!(joins.is_never("requestId", "r-1") && joins.is_never("correlationId", "global"));
        assert!(joins.is_always("correlationId", "c-1") && !joins.is_always("correlationId", "global"));
    }

    #[test]
    fn ids_that_stand_for_none_tell_nothing() {
        for id in ["", "-", "null", "None", "00000000-0000-0000-0000-000000000000", "xx", "aaaa"] {
            assert!(!tells_apart(id), "{id}");
        }
        for id in ["global", "c-1", "0af7651916cd43dd"] {
            assert!(tells_apart(id), "{id}");
        }
    }
}
