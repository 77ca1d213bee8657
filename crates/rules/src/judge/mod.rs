//! The rules one by one: what each looks at, and what it keeps until all is seen.

pub(crate) mod chatty;
pub(crate) mod credentials;
pub(crate) mod cycle;
pub(crate) mod fan_out;
pub(crate) mod layering;
pub(crate) mod local_dates;
pub(crate) mod messages;
pub(crate) mod own;
pub(crate) mod reads;
pub(crate) mod system;
pub(crate) mod troubles;

use flowglass_model::Rule;

use crate::book::Rulebook;
use crate::finding::Evidence;
use crate::landscape::{Landscape, Who};
use crate::tally::{Key, Offence, Tally, Which};
use crate::trace::Trace;

/// What every rule is given: who is who, the rules in force, and where offences go.
pub(crate) struct Bench<'s> {
    pub(crate) land: &'s mut Landscape,
    pub(crate) book: &'s Rulebook,
    pub(crate) tally: &'s mut Tally,
}

impl Bench<'_> {
    pub(crate) fn is_on(&self, rule: Rule) -> bool {
        self.book.severity(Which::BuiltIn(rule)).is_some()
    }

    /// Counts a span's offence.
    pub(crate) fn span(&mut self, key: Key, attempt: u64, trace: &Trace<'_>, at: usize, named: Option<&str>) {
        let facts = trace.facts(at);
        let evidence = Evidence::Span { trace: facts.trace_id, span: facts.span_id };
        let offence = Offence { at: facts.start, evidence: Some(evidence), weight: trace.weight };
        self.tally.offence(key, attempt, offence, named);
    }
}

/// The key of a built-in rule's finding.
pub(crate) fn key(rule: Rule, who: Who, other: Option<Who>) -> Key {
    (Which::BuiltIn(rule), who, other)
}

/// The method of an HTTP operation (`GET /orders/{id}`); `None` for anything else.
pub(crate) fn method(operation: &str) -> Option<&str> {
    let method = operation.split(' ').next()?;
    matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "QUERY").then_some(method)
}

/// Words of a name that ask a question.
const QUESTIONS: [&str; 12] =
    ["get", "query", "fetch", "find", "lookup", "search", "list", "read", "calculate", "validate", "check", "graphql"];

fn asks(word: &str) -> bool {
    QUESTIONS.iter().any(|q| word.eq_ignore_ascii_case(q))
}

/// Whether an operation changes something: a method that writes, and no name that only asks.
pub(crate) fn writes(operation: &str) -> bool {
    if !matches!(method(operation), Some("POST" | "PUT" | "PATCH" | "DELETE")) {
        return false;
    }
    let last = operation.rsplit('/').next().unwrap_or_default();
    !last.split(['-', '_', '.', ':']).any(asks)
}
