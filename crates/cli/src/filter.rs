//! The filter expression of `journeys`: terms separated by blanks, all of which must hold.

use flowglass_studio::model::{JourneyState, JourneyStatus, JourneySummary};
use flowglass_studio::parse_journey_state;

/// What a journey must have. Empty parts ask for nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filter {
    /// Participants: node ids or names.
    pub(crate) services: Vec<String>,
    /// States of which it must have one; `None` is any.
    pub(crate) states: Option<Vec<JourneyState>>,
    /// Words in root, participants, keys or failure, case ignored.
    pub(crate) words: Vec<String>,
}

/// States that the contract's coarser word stands for.
pub(crate) fn states_of(status: JourneyStatus) -> Vec<JourneyState> {
    let all = [
        JourneyState::Ok,
        JourneyState::Degraded,
        JourneyState::Failed,
        JourneyState::InProgress,
        JourneyState::Incomplete,
    ];
    all.into_iter().filter(|s| s.status() == status).collect()
}

/// The status of a word of the contract.
fn parse_status(text: &str) -> Option<JourneyStatus> {
    Some(match text {
        "ok" => JourneyStatus::Ok,
        "failed" => JourneyStatus::Failed,
        "incomplete" => JourneyStatus::Incomplete,
        _ => return None,
    })
}

impl Filter {
    /// Reads an expression. Errors name the term and what could stand there.
    pub(crate) fn parse(text: &str) -> Result<Filter, String> {
        let mut filter = Filter::default();
        for term in terms(text)? {
            filter.add(term)?;
        }
        Ok(filter)
    }

    fn add(&mut self, term: Term) -> Result<(), String> {
        let Some((key, value)) = term.key else {
            self.words.push(term.text.to_lowercase());
            return Ok(());
        };
        if value.is_empty() {
            return Err(format!("`{key}:` needs a value right behind the colon"));
        }
        match key.as_str() {
            "service" => self.services.push(if value.contains('/') { format!("service:{value}") } else { value }),
            "status" => {
                let status = parse_status(&value).ok_or_else(|| {
                    format!("`{value}` is no status; write status:ok, status:failed or status:incomplete")
                })?;
                self.restrict(&states_of(status));
            }
            "state" => {
                let state = parse_journey_state(&value).ok_or_else(|| {
                    format!("`{value}` is no state; write state:ok, degraded, failed, in-progress or incomplete")
                })?;
                self.restrict(&[state]);
            }
            _ => {
                return Err(format!(
                    "a filter has no `{key}:`; use service:, status:, state: or words (in quotes if they hold a colon)"
                ));
            }
        }
        Ok(())
    }

    /// Keeps only states that are among these, too.
    pub(crate) fn restrict(&mut self, to: &[JourneyState]) {
        let kept = match self.states.take() {
            Some(states) => states.into_iter().filter(|s| to.contains(s)).collect(),
            None => to.to_vec(),
        };
        self.states = Some(kept);
    }

    /// Whether a journey has all of it.
    pub(crate) fn matches(&self, journey: &JourneySummary) -> bool {
        self.states.as_ref().is_none_or(|states| states.contains(&journey.state))
            && self.services.iter().all(|s| takes_part(journey, s))
            && self.words.iter().all(|w| mentions(journey, w))
    }
}

fn takes_part(journey: &JourneySummary, who: &str) -> bool {
    journey.participants.iter().any(|p| p.as_str() == who || p.without_environment() == who || p.name() == who)
}

fn mentions(journey: &JourneySummary, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    has(&journey.root)
        || has(&journey.id.to_string())
        || journey.failure.as_deref().is_some_and(has)
        || journey.participants.iter().any(|p| has(p.as_str()))
        || journey.keys.iter().any(|(name, value)| has(name) || has(value))
}

/// A term: plain text, or a key with its value.
struct Term {
    text: String,
    key: Option<(String, String)>,
}

/// Splits at blanks outside quotes. A colon outside quotes, behind letters, makes a key.
fn terms(text: &str) -> Result<Vec<Term>, String> {
    let mut out = Vec::new();
    let (mut term, mut colon, mut open, mut quoted) = (String::new(), None, false, false);
    for c in text.chars().chain([' ']) {
        match c {
            '"' => {
                open = !open;
                quoted = true;
            }
            c if c.is_whitespace() && !open => {
                if !term.is_empty() || quoted {
                    let key = colon.map(|at: usize| (term[..at].to_owned(), term[at + 1..].to_owned()));
                    out.push(Term { text: std::mem::take(&mut term), key });
                }
                (colon, quoted) = (None, false);
            }
            c => {
                let is_key = !quoted && colon.is_none() && !term.is_empty() && term.chars().all(char::is_alphabetic);
                if c == ':' && is_key {
                    colon = Some(term.len());
                }
                term.push(c);
            }
        }
    }
    if open { Err(format!("the quote in `{text}` is never closed")) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read() {
        let filter =
            Filter::parse(r#"service:order-prc-api status:ok state:degraded Refund "POST /orders: x""#).unwrap();
        assert_eq!(filter.services, ["order-prc-api"]);
        assert_eq!(filter.states, Some(vec![JourneyState::Degraded]));
        assert_eq!(filter.words, ["refund", "post /orders: x"]);
        assert_eq!(Filter::parse("service:shop/order-prc-api").unwrap().services, ["service:shop/order-prc-api"]);
        assert_eq!(Filter::parse(r#"service:"a b""#).unwrap().services, ["a b"]);
        assert_eq!(Filter::parse("  ").unwrap(), Filter::default());
        assert_eq!(Filter::parse("status:ok status:failed").unwrap().states, Some(vec![]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("owner:me", "`owner:`"),
            ("service:", "needs a value"),
            ("status:fine", "`fine` is no status"),
            ("state:x", "`x` is no state"),
            ("\"open", "never closed"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
