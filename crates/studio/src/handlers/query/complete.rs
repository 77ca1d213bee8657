use std::collections::BTreeMap;

use flowglass_model::NodeKind;
use flowglass_model::filter::{Field, FieldInfo, Filter, Pattern, ValueKind, View, fields_of, quoted};
use flowglass_store::Counted;

use super::{problem, utf16};
use crate::Studio;
use crate::api::{ApiError, CompleteRequest, Completion, Suggestion};
use crate::handlers::bad_request;
use crate::workspace::{Workspace, WorkspaceError};

/// Suggestions at most.
const MOST: usize = 20;

/// The part of an expression that the cursor is in, bytes.
struct Part<'a> {
    /// Field and what is written before the value, where there is a field.
    field: Option<&'a str>,
    /// What was typed of field, word or value.
    typed: &'a str,
    from: usize,
    to: usize,
}

/// See [`Completion`].
pub(crate) async fn complete(studio: &Studio, request: CompleteRequest) -> Result<Completion, ApiError> {
    let view = View::parse(&request.view)
        .ok_or_else(|| bad_request(format!("`{}` is no view; it is journeys, events, logs or map", request.view)))?;
    let answer = studio.ask(move |workspace| {
        let text = request.text.as_str();
        let part = part(text, bytes_of(text, request.cursor));
        let problem = Filter::parse(text, view).err().map(|p| problem(text, p));
        let mut items = match part.field {
            Some(field) => values(workspace, view, field, part.typed)?,
            None => names(workspace, view, part.typed)?,
        };
        items.truncate(MOST);
        Ok(Completion { from: utf16(text, part.from), to: utf16(text, part.to), items, problem })
    });
    Ok(answer.await?)
}

fn bytes_of(text: &str, cursor: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= cursor as usize {
            return at;
        }
        units += c.len_utf16();
    }
    text.len()
}

/// The part at the cursor: the term it stands in, and in a list of values the one of them.
fn part(text: &str, cursor: usize) -> Part<'_> {
    let (mut start, mut open, mut escaped) = (0, false, false);
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && !open {
            if at >= cursor {
                end = at;
                break;
            }
            start = at + c.len_utf8();
        }
        open ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    let term = &text[start..end];
    let sign = usize::from(term.starts_with('-') && term.len() > 1);
    let operator = term.find([':', '<', '>']).filter(|at| start + at < cursor);
    let Some(operator) = operator else {
        return Part { field: None, typed: &text[start + sign..cursor], from: start + sign, to: end };
    };
    let mut from = start + operator + 1;
    from += usize::from(text[from..end].starts_with('='));
    let field = &text[start + sign..start + operator];
    // Inside of a list only the value at the cursor is replaced.
    let mut open = false;
    let mut to = end;
    for (at, c) in text[from..end].char_indices().map(|(at, c)| (from + at, c)).collect::<Vec<_>>() {
        open ^= c == '"';
        if c == ',' && !open {
            if at >= cursor {
                to = at;
                break;
            }
            from = at + 1;
        }
    }
    Part { field: Some(field), typed: text.get(from..cursor).unwrap_or_default().trim_start_matches('"'), from, to }
}

fn suggestion(insert: String, label: String, detail: Option<String>, kind: &str) -> Suggestion {
    Suggestion { insert, label, detail, kind: kind.into() }
}

/// How well a text fits what was typed: its start, a part of it, or not at all.
fn fit(text: &str, typed: &str) -> Option<u8> {
    let (text, typed) = (text.to_lowercase(), typed.trim_matches('*').to_lowercase());
    match text.find(&typed) {
        Some(0) => Some(0),
        Some(_) => Some(1),
        None => None,
    }
}

/// Fields that begin so, attributes after `@`, and participants or subjects that are called so.
fn names(workspace: &Workspace, view: View, typed: &str) -> Result<Vec<Suggestion>, WorkspaceError> {
    if let Some(name) = typed.strip_prefix('@') {
        return attributes(workspace, view, name);
    }
    let mut fields: Vec<(u8, &FieldInfo)> =
        fields_of(view).filter_map(|f| Some((fit(f.name, typed).filter(|n| *n == 0 || typed.len() > 2)?, f))).collect();
    fields.sort_by_key(|(rank, _)| *rank);
    let mut out: Vec<Suggestion> = fields
        .into_iter()
        .map(|(_, f)| {
            let operator = if f.values == ValueKind::Duration { ">" } else { ":" };
            suggestion(format!("{}{operator}", f.name), f.name.into(), Some(f.help.into()), "field")
        })
        .collect();
    if typed.len() >= 2 {
        let graph = workspace.graph(None, None, None)?;
        let field = |kind| if kind == NodeKind::Topic { "subject" } else { "service" };
        let has = |name: &str| fields_of(view).any(|f| f.name == name);
        let mut nodes: Vec<_> =
            graph.nodes.iter().filter(|n| has(field(n.kind))).filter_map(|n| Some((fit(&n.name, typed)?, n))).collect();
        nodes.sort_by_key(|(rank, n)| (*rank, n.name.clone()));
        out.extend(nodes.into_iter().take(10).map(|(_, n)| {
            let term = format!("{}:{}", field(n.kind), quoted(&Pattern::whole(n.name.as_str())));
            suggestion(term.clone(), term, None, "value")
        }));
    }
    if typed.is_empty() && view != View::Map {
        out.push(suggestion("@".into(), "@".into(), Some("Attribute, resource attribute or header".into()), "field"));
    }
    Ok(out)
}

fn attributes(workspace: &Workspace, view: View, typed: &str) -> Result<Vec<Suggestion>, WorkspaceError> {
    if view == View::Map {
        return Ok(Vec::new());
    }
    let seen = workspace.seen()?;
    let mut found: Vec<(u8, u64, &String)> = seen
        .attributes
        .iter()
        .filter_map(|(name, values)| Some((fit(name, typed)?, values.values().sum(), name)))
        .collect();
    found.sort_by_key(|(rank, n, name)| (*rank, std::cmp::Reverse(*n), name.as_str()));
    let one = |name: &String| {
        let field = Field::Attribute(name.clone()).to_string();
        suggestion(format!("{field}:"), field, None, "field")
    };
    Ok(found.into_iter().map(|(_, _, name)| one(name)).collect())
}

/// Values of a field that fit what was typed.
fn values(workspace: &Workspace, view: View, field: &str, typed: &str) -> Result<Vec<Suggestion>, WorkspaceError> {
    if let Some(name) = field.strip_prefix('@') {
        let seen = workspace.seen()?;
        return Ok(ranked(counted(&seen.attributes, Some(name.trim_matches('"'))), typed));
    }
    let low = field.to_ascii_lowercase();
    if let Some(name) = low.strip_prefix("key.") {
        let seen = workspace.seen()?;
        return Ok(ranked(counted(&seen.keys, Some(name)), typed));
    }
    let Some(info) = fields_of(view).find(|f| f.name == low || f.also.contains(&low.as_str())) else {
        return Ok(Vec::new());
    };
    Ok(match info.values {
        ValueKind::Words(words) => fixed(words, typed),
        ValueKind::Level => fixed(&["error", "warn", "info", "debug", "trace", "fatal", "unset"], typed),
        ValueKind::Duration => fixed(&["100ms", "500ms", "1s", "2s", "5s", "30s"], typed),
        ValueKind::Text => ranked(known(workspace, view, &info.field)?, typed),
    })
}

fn fixed(words: &[&str], typed: &str) -> Vec<Suggestion> {
    let fits = words.iter().filter(|w| fit(w, typed).is_some());
    fits.map(|w| suggestion((*w).into(), (*w).into(), None, "value")).collect()
}

/// What is known to stand behind a field, with what is said about it and how often it was met.
type Values = BTreeMap<String, (Option<String>, u64)>;

fn counted(from: &Counted, name: Option<&str>) -> Values {
    let mut out = Values::new();
    for (key, values) in from {
        if name.is_none_or(|n| n.eq_ignore_ascii_case(key)) {
            let detail = name.is_none().then(|| key.clone());
            out.extend(values.iter().map(|(value, n)| (value.clone(), (detail.clone(), *n))));
        }
    }
    out
}

fn known(workspace: &Workspace, view: View, field: &Field) -> Result<Values, WorkspaceError> {
    let seen = || workspace.seen();
    let graph = || workspace.graph(None, None, None);
    let plain = |texts: Vec<String>| texts.into_iter().map(|t| (t, (None, 0))).collect();
    Ok(match field {
        Field::Service => {
            let nodes = graph()?.nodes.into_iter().filter(|n| n.kind != NodeKind::Topic || view == View::Map);
            nodes.map(|n| (n.name, (Some(n.layer.as_str().to_owned()), 0))).collect()
        }
        Field::Domain => plain(graph()?.nodes.into_iter().filter_map(|n| n.domain).collect()),
        Field::Owner => plain(graph()?.nodes.into_iter().filter_map(|n| n.owner).collect()),
        Field::Env => plain(graph()?.nodes.into_iter().filter_map(|n| n.environment).collect()),
        Field::System => plain(graph()?.nodes.iter().filter_map(|n| Some(n.id.system()?.to_owned())).collect()),
        Field::Subject => {
            let topics = graph()?.nodes.into_iter().filter(|n| n.kind == NodeKind::Topic);
            topics.map(|n| (n.name.clone(), (n.id.system().map(str::to_owned), n.stats.count))).collect()
        }
        Field::Operation if view == View::Map => {
            let sums = workspace.read(|r| r.series(None, None))?;
            sums.into_iter()
                .filter_map(|s| match s.key {
                    flowglass_model::SeriesKey::Operation { participant, operation } => {
                        Some((operation, (Some(participant.name().to_owned()), s.count.max(0) as u64)))
                    }
                    _ => None,
                })
                .collect()
        }
        Field::Operation => seen()?.operations.iter().map(|(o, n)| (o.clone(), (None, *n))).collect(),
        Field::Key(_) => counted(&seen()?.keys, None),
        Field::Type | Field::Stream | Field::Source => counted(&seen()?.events, Some(&field.to_string())),
        _ => Values::new(),
    })
}

/// The values that fit: those that begin so first, then by how often they were met.
fn ranked(values: Values, typed: &str) -> Vec<Suggestion> {
    let mut found: Vec<(u8, u64, String, Option<String>)> =
        values.into_iter().filter_map(|(value, (detail, n))| Some((fit(&value, typed)?, n, value, detail))).collect();
    found.sort_by(|a, b| (a.0, std::cmp::Reverse(a.1), &a.2).cmp(&(b.0, std::cmp::Reverse(b.1), &b.2)));
    found.truncate(MOST);
    let one = |(_, n, value, detail): (u8, u64, String, Option<String>)| {
        let often = (n > 0).then(|| format!("{n}×"));
        let detail = [detail, often].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let insert = quoted(&Pattern::whole(value.as_str()));
        suggestion(insert, value, (!detail.is_empty()).then_some(detail), "value")
    };
    found.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_at_the_cursor_is_what_a_suggestion_replaces() {
        for (text, field, typed, replaced) in [
            ("|", None, "", ""),
            ("state:failed ser|", None, "ser", "ser"),
            ("-ser|", None, "ser", "ser"),
            ("state:|", Some("state"), "", ""),
            ("-state:fa|iled x", Some("state"), "fa", "failed"),
            ("service:a,\"b c\",d|e,f", Some("service"), "d", "de"),
            ("operation:\"POST /o|", Some("operation"), "POST /o", "\"POST /o"),
            ("@http.route:/or|", Some("@http.route"), "/or", "/or"),
            ("duration>=5|", Some("duration"), "5", "5"),
            ("ä st|", None, "st", "st"),
            ("a | b", None, "", ""),
        ] {
            let cursor = text.find('|').unwrap();
            let plain = text.replace('|', "");
            let part = part(&plain, cursor);
            assert_eq!((part.field, part.typed, &plain[part.from..part.to]), (field, typed, replaced), "{text}");
        }
        assert_eq!(bytes_of("ä😀b", 3), 6);
        assert_eq!(utf16("ä😀b", 6), 3);
    }
}
