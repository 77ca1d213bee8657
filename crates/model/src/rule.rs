//! Rules of an architecture: their names, and what settings say of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::filter::{Field, Filter, Places, Test, View, participant_is};
use crate::{Nanos, NodeId, name_rule_fits};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Info,
    /// Should be put right.
    Warning,
    /// Breaks the architecture.
    Error,
}

impl Severity {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $severity:ident;)*) => {
        /// A built-in rule. A finding of one is an offence seen, not a prediction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Rule { $( $(#[$doc])* #[serde(rename = $id)] $name, )* }

        impl Rule {
            /// All rules, in the contract's order.
            pub const ALL: &[Rule] = &[$(Rule::$name),*];

            /// The id of the contract.
            pub fn as_str(self) -> &'static str {
                match self { $( Rule::$name => $id, )* }
            }

            /// The contract's severity, where settings say nothing.
            pub fn default_severity(self) -> Severity {
                match self { $( Rule::$name => Severity::$severity, )* }
            }
        }
    };
}

rules! {
    /// An experience API calls a system API directly.
    LayerBypass = "layer-bypass", Error;
    /// A lower layer calls a higher one.
    UpwardCall = "upward-call", Error;
    /// Services call each other in a circle.
    Cycle = "cycle", Error;
    /// A system API calls two or more system APIs in one handling.
    LogicInSystemLayer = "logic-in-system-layer", Warning;
    /// A query is made over the event system.
    ReadOverEvent = "read-over-event", Warning;
    /// A create, update or delete chains synchronously to independent systems.
    SyncWriteFanOut = "sync-write-fan-out", Info;
    /// The same read is repeated while its answer is young.
    CacheableRead = "cacheable-read", Info;
    /// One handling asks the same thing over and over (N+1).
    ChattyCalls = "chatty-calls", Warning;
    /// A system API is called without credentials.
    UnauthorizedSystemCall = "unauthorized-system-call", Error;
    /// A date below the experience layer is neither RFC 3339 nor ISO 8601.
    NonRfc3339Date = "non-rfc3339-date", Warning;
    /// A message or request carries no trace context.
    MissingTraceContext = "missing-trace-context", Info;
    /// Nobody consumes what is published.
    EventWithoutConsumer = "event-without-consumer", Warning;
    /// A message was given up.
    DeadLettered = "dead-lettered", Error;
    /// A message had to be delivered more than once.
    Redelivered = "redelivered", Warning;
    /// One event was published twice.
    DuplicateEvent = "duplicate-event", Warning;
    /// Messages wait long before they are handled.
    ConsumerLag = "consumer-lag", Warning;
}

impl Rule {
    /// The inverse of [`Rule::as_str`].
    pub fn parse(text: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|r| r.as_str() == text)
    }
}

/// What settings make of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeverityChoice {
    /// The rule is not judged.
    Off,
    /// As [`Severity::Info`].
    Info,
    /// As [`Severity::Warning`].
    Warning,
    /// As [`Severity::Error`].
    Error,
}

impl SeverityChoice {
    /// The severity; `None` when the rule is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            SeverityChoice::Off => None,
            SeverityChoice::Info => Some(Severity::Info),
            SeverityChoice::Warning => Some(Severity::Warning),
            SeverityChoice::Error => Some(Severity::Error),
        }
    }
}

/// From where on something is an offence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Calls of one operation in one handling that are chatty.
    pub chatty_calls: u32,
    /// Accesses to one backend with one statement in one handling that are chatty.
    pub chatty_accesses: u32,
    /// Reads of one callee by one caller below which nothing is said about caching.
    pub cacheable_reads: u32,
    /// Share of them that must repeat an earlier one, 0 to 1.
    pub cacheable_share: f64,
    /// How old the earlier answer may be, seconds.
    pub cacheable_age_s: f64,
    /// Independent systems a write may reach synchronously; one more is a fan-out.
    pub fan_out_systems: u32,
    /// Time between publication and first handling from which on a message is late, seconds.
    pub consumer_lag_s: f64,
    /// Share of a consumer's messages that must be late, 0 to 1.
    pub consumer_lag_share: f64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            chatty_calls: 5,
            chatty_accesses: 10,
            cacheable_reads: 20,
            cacheable_share: 0.5,
            cacheable_age_s: 60.0,
            fan_out_systems: 1,
            consumer_lag_s: 30.0,
            consumer_lag_share: 0.05,
        }
    }
}

/// A calendar day, the last one on which something holds (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Days since 1970-01-01.
    days: i64,
}

impl Day {
    /// Reads `2027-03-31`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| parts.next().filter(|p| p.len() == digits)?.parse::<i64>().ok();
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if parts.next().is_some() || !(1..=length).contains(&day) {
            return None;
        }
        // Days from civil (Hinnant, chrono-compatible low-level date algorithms): years begin in March.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y - era * 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Day { days: era * 146_097 + day_of_era - 719_468 })
    }

    /// Whether the whole day is over.
    pub fn is_over(self, now: Nanos) -> bool {
        now.div_euclid(86_400_000_000_000) > self.days
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let z = self.days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z - era * 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let (day, month) = (day_of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Day, D::Error> {
        let text = String::deserialize(d)?;
        Day::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no day; write it as 2027-03-31, quoted")))
    }
}

/// Some participants, by a filter of the map: `layer:experience`, `domain:Payments -name-of-one`, `owner:"Team A" kind:service`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    text: String,
    filter: Filter,
}

impl Selector {
    /// Reads a filter. Errors say what could stand there.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let filter = Filter::parse(text, View::Map).map_err(|p| p.message)?;
        if filter.is_empty() {
            return Err(
                "it selects everything; name a layer, domain, owner or service, as in `layer:experience`".into()
            );
        }
        for term in &filter.terms {
            match &term.test {
                Test::Words(_)
                | Test::Is(
                    Field::Service
                    | Field::Layer
                    | Field::Domain
                    | Field::Owner
                    | Field::Env
                    | Field::System
                    | Field::Subject
                    | Field::Kind,
                    _,
                ) => {}
                _ => {
                    return Err(
                        "a dependency is told by service, layer, domain, owner, env, system, subject or kind".into()
                    );
                }
            }
        }
        Ok(Selector { text: text.to_owned(), filter })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a participant is one of these. A word alone is a part of its name.
    pub fn has(&self, id: &NodeId, places: &Places) -> bool {
        self.filter.holds(|_, test| match test {
            Test::Words(word) => word.occurs_in(id.name()),
            Test::Is(field, values) => participant_is(field, values, id, places.get(id)).unwrap_or(false),
            Test::Compare(..) => false,
        })
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Selector, D::Error> {
        let text = String::deserialize(d)?;
        Selector::parse(&text).map_err(|e| D::Error::custom(format!("`{text}`: {e}")))
    }
}

/// Findings somebody has decided to live with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleException {
    /// Id of the rule, built in or own.
    pub rule: String,
    /// The subject: a participant, or `caller → callee` (`->` will do); node ids or names, `*` at an end matches any rest.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds; for ever without one.
    #[serde(default)]
    pub expires: Option<Day>,
}

impl RuleException {
    /// Whether a finding of this rule about these participants is meant.
    pub fn fits(&self, rule: &str, subject: &[&NodeId]) -> bool {
        if self.rule != rule {
            return false;
        }
        let parts: Vec<&str> = self.subject.split(['→', '>']).map(|p| p.trim().trim_end_matches('-').trim()).collect();
        parts.len() == subject.len() && parts.iter().zip(subject).all(|(pattern, id)| name_rule_fits(pattern, id))
    }
}

/// An own rule about who may depend on whom (calls, accesses, publications and consumption).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependencyRule {
    /// Its id: lower-case words joined by `-`.
    pub name: String,
    /// Who depends.
    pub from: Selector,
    /// On whom.
    pub to: Selector,
    /// How bad an offence is; an error where nothing is said.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Why the rule is there; shown with its findings.
    #[serde(default)]
    pub because: Option<String>,
}

/// What settings say of rules.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesConfig {
    /// Severities other than the usual ones.
    pub severity: BTreeMap<Rule, SeverityChoice>,
    /// From where on something is an offence.
    pub thresholds: Thresholds,
    /// What is lived with.
    pub exceptions: Vec<RuleException>,
    /// Dependencies that must not be.
    pub forbidden: Vec<DependencyRule>,
    /// Whoever matches `from` of one of these depends on nothing but what matches `to` of one that names it.
    pub allowed: Vec<DependencyRule>,
}

/// Something in [`RulesConfig`] that its parts cannot tell by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesProblem {
    /// Names of tables and fields below `rules`, rows by number.
    pub path: Vec<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl RulesConfig {
    /// The first thing that is wrong, if anything is.
    pub fn problem(&self) -> Option<RulesProblem> {
        let problem = |path: &[&str], message: String| {
            Some(RulesProblem { path: path.iter().map(|p| (*p).to_owned()).collect(), message })
        };
        let t = &self.thresholds;
        for (name, value, top) in [
            ("cacheable_share", t.cacheable_share, 1.0),
            ("consumer_lag_share", t.consumer_lag_share, 1.0),
            ("cacheable_age_s", t.cacheable_age_s, 1e6),
            ("consumer_lag_s", t.consumer_lag_s, 1e6),
        ] {
            if !(0.0..=top).contains(&value) {
                return problem(&["thresholds", name], format!("`{name}` must be between 0 and {top}"));
            }
        }
        for (name, value) in [("chatty_calls", t.chatty_calls), ("chatty_accesses", t.chatty_accesses)] {
            if value < 2 {
                return problem(&["thresholds", name], format!("`{name}` must be at least 2: one call is not chatty"));
            }
        }
        let mut names: Vec<&str> = Rule::ALL.iter().map(|r| r.as_str()).collect();
        for (section, rows) in [("forbidden", &self.forbidden), ("allowed", &self.allowed)] {
            for (i, row) in rows.iter().enumerate() {
                let at = i.to_string();
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if row.name.is_empty() || !row.name.chars().all(plain) {
                    let message = format!("`{}` is no name of a rule; use lower-case words joined by `-`", row.name);
                    return problem(&[section, &at, "name"], message);
                }
                // Several `allowed` rows may make one rule.
                let again = section == "allowed" && self.allowed[..i].iter().any(|r| r.name == row.name);
                if !again && names.contains(&row.name.as_str()) {
                    return problem(
                        &[section, &at, "name"],
                        format!("there is a rule `{}` already; give this another name", row.name),
                    );
                }
                names.push(&row.name);
            }
        }
        for (i, row) in self.exceptions.iter().enumerate() {
            let at = i.to_string();
            if !names.contains(&row.rule.as_str()) {
                let message = format!("there is no rule `{}`; rules are {}", row.rule, names.join(", "));
                return problem(&["exceptions", &at, "rule"], message);
            }
            if row.subject.trim().is_empty() {
                return problem(&["exceptions", &at, "subject"], "name a participant, or `caller → callee`".into());
            }
            if row.reason.trim().is_empty() {
                return problem(&["exceptions", &at, "reason"], "say why this is lived with".into());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_printed_and_over_when_they_are_over() {
        for text in ["1970-01-01", "2024-02-29", "2027-03-31", "1969-12-31", "2000-12-31"] {
            assert_eq!(Day::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for bad in ["2023-02-29", "2027-13-01", "2027-1-1", "31.03.2027", "2027-03-31-01", ""] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
        let day = Day::parse("1970-01-02").unwrap();
        assert!(!day.is_over(2 * 86_400_000_000_000 - 1));
        assert!(day.is_over(2 * 86_400_000_000_000));
    }

    #[test]
    fn exceptions_name_participants_as_people_do() {
        let exception = |subject: &str| RuleException {
            rule: "layer-bypass".into(),
            subject: subject.into(),
            reason: "known".into(),
            expires: None,
        };
        let (a, b) = (NodeId::from("service:shop/web-exp-api@prod"), NodeId::from("service:shop/stock-sys-api@prod"));
        for subject in ["web-exp-api → stock-sys-api", "web-* -> *", "service:shop/web-exp-api->stock-sys-api"] {
            assert!(exception(subject).fits("layer-bypass", &[&a, &b]), "{subject}");
        }
        for subject in ["web-exp-api", "stock-sys-api → web-exp-api", "web → stock-sys-api"] {
            assert!(!exception(subject).fits("layer-bypass", &[&a, &b]), "{subject}");
        }
        assert!(!exception("* → *").fits("cycle", &[&a, &b]));
    }

    #[test]
    fn problems_name_their_place() {
        let rule = |name: &str| DependencyRule {
            name: name.into(),
            from: Selector::parse("layer:experience").unwrap(),
            to: Selector::parse("domain:crm").unwrap(),
            severity: None,
            because: None,
        };
        let twice = RulesConfig { forbidden: vec![rule("a"), rule("cycle")], ..RulesConfig::default() };
        assert_eq!(twice.problem().unwrap().path, ["forbidden", "1", "name"]);
        let together = RulesConfig { allowed: vec![rule("a"), rule("a")], ..RulesConfig::default() };
        assert_eq!(together.problem(), None);
        assert!(Selector::parse("duration>3s").is_err());
        assert!(Selector::parse(" ").is_err());
    }
}
