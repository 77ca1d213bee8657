//! A search without a hit: what was searched, and what is spelled nearly so.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::NodeKind;
use flowglass_store::{FindHit, JourneyFilter, Seen, SeriesFilter};

use super::around;
use crate::api::{NearSpelling, Range, Searched, to_ms};
use crate::workspace::{Workspace, WorkspaceError};

/// Near spellings told at most.
const MOST: usize = 6;
/// Spellings tried at most.
const TRIED: usize = 60;
/// Hits of a spelling that are counted at most.
const COUNTED: usize = 200;
/// Letters that may differ: one in four, at most two.
const EDITS: usize = 2;
/// Parts of the searched period in which gaps are looked for.
const PARTS: usize = 60;
/// Shortest part, nanoseconds: figures are kept per 10 s, so shorter parts would be empty for no reason.
const SHORTEST: i64 = 20_000_000_000;

impl Workspace {
    /// What a search for a text looked through, with spellings near to it that have hits. Without a range everything was searched.
    pub fn searched(&self, text: &str, range: Range) -> Result<Searched, WorkspaceError> {
        let stats = self.stats()?;
        let seen = self.seen()?;
        let (since, until) = super::bounds(range);
        let journeys = JourneyFilter { since, until, ..JourneyFilter::default() };
        let payloads = match seen.payloads {
            (0, 0) => "none",
            (_, 0) => "kept",
            (0, _) => "left-out",
            _ => "partly",
        };
        Ok(Searched {
            text: text.to_owned(),
            from_at: since.or(stats.oldest).map(to_ms),
            to_at: until.or(stats.newest).map(to_ms),
            gaps: gaps(self, range)?,
            sources: systems(self, stats.events)?,
            spans: stats.spans,
            events: stats.events,
            logs: stats.logs,
            lost: stats.rejected + stats.dropped,
            sampled: seen.sampled,
            keys: seen.keys.keys().cloned().collect(),
            payloads: payloads.into(),
            near: near(self, text, &seen)?,
            nearest: around(self.read(|r| r.nearest_journeys(&journeys))?),
            offers: Vec::new(),
        })
    }
}

/// Messaging systems whose events are stored, sorted: as the map tells, else as the events themselves do, which takes longer.
fn systems(workspace: &Workspace, events: u64) -> Result<Vec<String>, WorkspaceError> {
    let topics = workspace.layers()?.into_keys().filter(|id| id.kind() == NodeKind::Topic);
    let mut out: BTreeSet<String> = topics.filter_map(|id| Some(id.body().split_once('/')?.0.to_owned())).collect();
    if out.is_empty() && events > 0 {
        out.extend(workspace.read(|r| r.destinations(None, None))?.into_iter().map(|row| row.system));
    }
    Ok(out.into_iter().collect())
}

/// Parts of the period, at least two in a row, in which nothing was handled and nothing published.
fn gaps(workspace: &Workspace, range: Range) -> Result<Vec<Range>, WorkspaceError> {
    let (since, until) = super::bounds(range);
    let stats = workspace.stats()?;
    let (Some(oldest), Some(newest)) = (stats.oldest, stats.newest) else { return Ok(Vec::new()) };
    let extent = until.unwrap_or(newest).saturating_sub(since.unwrap_or(oldest));
    let step = workspace.read(|r| r.finest_step(since.unwrap_or(oldest)))?;
    let parts = usize::try_from(extent / SHORTEST.max(step)).unwrap_or_default().clamp(1, PARTS);
    let (handled, published) = workspace.read(|r| {
        let of = |filter: SeriesFilter| r.timeline(&filter, since, until, parts);
        let all = SeriesFilter::Operations { noise: Vec::new(), environment: None };
        Ok((of(all)?, of(SeriesFilter::Publishes { environment: None })?))
    })?;
    let counts: Vec<(i64, i64)> =
        handled.iter().enumerate().map(|(i, b)| (b.start, b.count + published.get(i).map_or(0, |p| p.count))).collect();
    let first = counts.iter().position(|(_, n)| *n > 0).unwrap_or(counts.len());
    let last = counts.iter().rposition(|(_, n)| *n > 0).unwrap_or(0);
    let mut out: Vec<Range> = Vec::new();
    let mut from = None;
    for (i, (start, n)) in counts.iter().enumerate().take(last + 1).skip(first) {
        match (*n, from) {
            (0, None) => from = Some(i),
            (0, Some(_)) | (_, None) => {}
            (_, Some(begun)) => {
                from = None;
                if i - begun >= 2 {
                    let since_at = counts.get(begun).map(|(at, _)| to_ms(*at));
                    out.push(Range { since_at, until_at: Some(to_ms(*start)) });
                }
            }
        }
    }
    Ok(out)
}

/// Spellings near to a text that have hits, the nearest first.
fn near(workspace: &Workspace, text: &str, seen: &Seen) -> Result<Vec<NearSpelling>, WorkspaceError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, values) in &seen.keys {
        names.extend(values.keys().map(|value| (value.as_str(), name.as_str())));
    }
    let mut out = Vec::new();
    let mut tried = candidates(text, names.keys().copied());
    tried.truncate(TRIED);
    let may = workspace.read(|r| r.may_find(&tried))?;
    for (candidate, _) in tried.into_iter().zip(may).filter(|(_, may)| *may) {
        let mut journeys = BTreeSet::new();
        for hit in workspace.find_first(&candidate, COUNTED)? {
            if let FindHit::Trace(trace) = hit {
                journeys.insert(trace);
            }
        }
        if !journeys.is_empty() {
            let name = names.get(candidate.as_str()).map(|name| (*name).to_owned());
            out.push(NearSpelling { text: candidate, name, journeys: journeys.len() as u64 });
        }
        if out.len() == MOST {
            break;
        }
    }
    Ok(out)
}

/// What may have been meant, the likeliest first: the same number as known keys write it (`o-4711`, `ORD-004711`), other capitals,
/// without what was copied along, then known keys with few letters changed.
fn candidates<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let trimmed = text.trim().trim_matches(|c: char| !c.is_alphanumeric());
    let mut out = vec![trimmed.to_owned(), trimmed.to_lowercase(), trimmed.to_uppercase()];
    let number = parts(trimmed).1;
    if !number.is_empty() {
        out.push(number.to_owned());
        out.push(number.trim_start_matches('0').to_owned());
        let mut shapes: BTreeMap<(String, usize), usize> = BTreeMap::new();
        for value in known.clone() {
            let (prefix, digits) = parts(value);
            if !digits.is_empty() {
                let width = if digits.starts_with('0') { digits.len() } else { 0 };
                *shapes.entry((prefix.to_owned(), width)).or_default() += 1;
            }
        }
        let mut shapes: Vec<_> = shapes.into_iter().collect();
        shapes.sort_by_key(|(_, often)| std::cmp::Reverse(*often));
        let plain = number.trim_start_matches('0');
        out.extend(shapes.iter().take(TRIED / 2).map(|((prefix, width), _)| format!("{prefix}{plain:0>width$}")));
    }
    let most = (trimmed.chars().count() / 4).min(EDITS);
    let typed = trimmed.to_lowercase();
    let mut close: Vec<(usize, &str)> =
        known.filter_map(|value| Some((edits(&typed, &value.to_lowercase(), most)?, value))).collect();
    close.sort_unstable();
    out.extend(close.into_iter().map(|(_, value)| value.to_owned()));
    let mut seen = BTreeSet::from([text.to_owned(), String::new()]);
    out.retain(|candidate| seen.insert(candidate.clone()));
    out
}

/// A value's last run of digits, and all in front of it. Nothing may follow.
fn parts(value: &str) -> (&str, &str) {
    let at = value
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + value[at..].chars().next().map_or(1, char::len_utf8));
    value.split_at(at)
}

/// Letters to change, add, leave out or swap with their neighbour between two texts, when there are at most `most`
/// (F. J. Damerau 1964, V. I. Levenshtein 1966: optimal string alignment).
fn edits(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if most == 0 || a.len().abs_diff(b.len()) > most {
        return None;
    }
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|n| *n <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_tried_as_known_keys_write_it() {
        let known = ["ORD-004711", "ORD-000017", "o-12"];
        for (typed, meant) in [
            ("4711", "ORD-004711"),
            ("o-4711", "ORD-004711"),
            ("ORD-4711", "ORD-004711"),
            ("#ord-004711", "ORD-004711"),
            ("ORD-0012", "o-12"),
            ("ORD-004717", "ORD-004711"),
            ("ORD-007411", "ORD-004711"),
        ] {
            let tried = candidates(typed, known.into_iter());
            assert!(tried.iter().any(|t| t == meant), "{typed}: {tried:?}");
            assert!(!tried.iter().any(|t| t == typed), "{typed} itself was searched");
        }
        assert!(candidates("", known.into_iter()).iter().all(|t| !t.is_empty()));
    }

    #[test]
    fn letters_are_counted() {
        assert_eq!(edits("ord-47", "ord-74", 2), Some(1));
        assert_eq!(edits("ord-47", "ord-4", 2), Some(1));
        assert_eq!(edits("ord-47", "abc-12", 2), None);
        assert_eq!(parts("ORD-004711"), ("ORD-", "004711"));
        assert_eq!(parts("äß"), ("äß", ""));
        assert_eq!(parts("17"), ("", "17"));
    }
}
