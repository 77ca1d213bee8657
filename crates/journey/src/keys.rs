//! Which names carry business keys, found from the data: values that recur across services and messages, and that tell one
//! piece of business from another.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::TraceId;

/// A value seen under a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Service or topic at which it was seen.
    pub place: String,
    /// Attribute, header or path of a JSON field (`data.order.id`).
    pub name: String,
    /// The value as text.
    pub value: String,
    /// Trace it was seen in, where known.
    pub trace: Option<TraceId>,
}

/// A name that looks like a business key, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The name, as it is written most often; its spellings are one.
    pub name: String,
    /// Its other spellings.
    pub spellings: Vec<String>,
    /// Different values.
    pub values: u64,
    /// Values seen at two places or more.
    pub recurring: u64,
    /// Where it was seen, sorted.
    pub places: Vec<String>,
    /// The most traces that one value was seen in.
    pub traces_of_one: u64,
    /// A value that recurs, and where.
    pub example: (String, Vec<String>),
}

/// Different values a name must have before it is proposed.
const VALUES: usize = 10;
/// Share of values that must recur.
const RECURRING: f64 = 0.5;
/// One value may stand in at most this share of all traces (and in [`TRACES`] anyway): what all share tells nothing.
const SHARED: f64 = 0.05;
/// See [`SHARED`].
const TRACES: usize = 5;
/// Longest value that is a key, bytes.
const LONGEST: usize = 128;

/// Names of infrastructure: their values recur, and mean nothing to the business.
const TECHNICAL: [&str; 24] = [
    "thread",
    "net",
    "network",
    "server",
    "client",
    "url",
    "http",
    "useragent",
    "telemetry",
    "process",
    "code",
    "otel",
    "traceparent",
    "tracestate",
    "ceid",
    "cetraceparent",
    "natsmsgid",
    "messagingmessageid",
    "cloudeventseventid",
    "messagingnats",
    "messagingclient",
    "db",
    "host",
    "peer",
];

#[derive(Default)]
struct Seen<'a> {
    spellings: BTreeMap<&'a str, u64>,
    values: BTreeMap<&'a str, (BTreeSet<&'a str>, BTreeSet<TraceId>)>,
    places: BTreeSet<&'a str>,
}

/// Proposes names, those whose values recur most first. The order of the sightings does not matter. O(n log n).
pub fn propose(sightings: &[Sighting]) -> Vec<Proposal> {
    let mut by_name: BTreeMap<String, Seen<'_>> = BTreeMap::new();
    let mut traces = BTreeSet::new();
    for s in sightings {
        traces.extend(s.trace);
        let key = folded(&s.name);
        if is_technical(&s.name) || !may_be_key(&s.value) {
            continue;
        }
        let seen = by_name.entry(key).or_default();
        *seen.spellings.entry(&s.name).or_default() += 1;
        seen.places.insert(&s.place);
        let (places, of) = seen.values.entry(&s.value).or_default();
        places.insert(&s.place);
        of.extend(s.trace);
    }
    let shared = ((traces.len() as f64 * SHARED) as usize).max(TRACES);
    let mut out: Vec<Proposal> = by_name.into_values().filter_map(|seen| proposal(&seen, shared)).collect();
    out.sort_by(|a, b| b.recurring.cmp(&a.recurring).then_with(|| a.name.cmp(&b.name)));
    out
}

fn proposal(seen: &Seen<'_>, shared: usize) -> Option<Proposal> {
    let recurring: Vec<(&&str, &BTreeSet<&str>)> =
        seen.values.iter().filter(|(_, (places, _))| places.len() > 1).map(|(v, (places, _))| (v, places)).collect();
    let most = seen.values.values().map(|(_, traces)| traces.len()).max().unwrap_or_default();
    let enough = seen.values.len() >= VALUES && recurring.len() as f64 >= seen.values.len() as f64 * RECURRING;
    if !enough || most > shared {
        return None;
    }
    let mut spellings: Vec<(&str, u64)> = seen.spellings.iter().map(|(name, n)| (*name, *n)).collect();
    spellings.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), name.len(), *name));
    let (value, places) = recurring.iter().max_by_key(|(value, places)| (places.len(), std::cmp::Reverse(**value)))?;
    let owned = |set: &BTreeSet<&str>| set.iter().map(|s| (*s).to_owned()).collect();
    Some(Proposal {
        name: spellings[0].0.to_owned(),
        spellings: spellings[1..].iter().map(|(name, _)| (*name).to_owned()).collect(),
        values: seen.values.len() as u64,
        recurring: recurring.len() as u64,
        places: owned(&seen.places),
        traces_of_one: most as u64,
        example: ((**value).to_owned(), owned(places)),
    })
}

/// A name without case, separators and what surrounds a field.
fn folded(name: &str) -> String {
    let name =
        ["http.request.header.", "http.response.header."].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    let own =
        if name.starts_with("data.") || name.contains('[') { name.rsplit('.').next().unwrap_or(name) } else { name };
    let own = own.trim_start_matches("x-").trim_start_matches("X-");
    own.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_technical(name: &str) -> bool {
    let header = name.starts_with("http.request.header.") || name.starts_with("http.response.header.");
    let first = name.split(['.', '_']).next().unwrap_or(name).to_ascii_lowercase();
    let whole = folded(name);
    TECHNICAL.iter().any(|t| (!header && first == *t) || whole == *t || (t.len() > 8 && whole.starts_with(t)))
}

/// Texts that can name a piece of business: no instants, addresses, flags, small numbers, decimals or trace contexts.
fn may_be_key(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let instant = value.len() >= 10 && value.as_bytes().get(4) == Some(&b'-') && value.as_bytes().get(7) == Some(&b'-');
    let number = value.parse::<f64>().is_ok();
    (3..=LONGEST).contains(&value.len())
        && digits > 0
        && !instant
        && !(number && (value.contains('.') || value.len() < 5))
        && !value.contains("://")
        && !value.contains(char::is_whitespace)
        && !(value.len() == 55 && value.starts_with("00-"))
}
