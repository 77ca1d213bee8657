//! A page of events: what columns can decide is asked of the database, the rest of each row, within a bound. Events that failed
//! are few, and found from what failed.

use flowglass_model::filter::{Field, Pattern, Term, Test};
use flowglass_model::{Message, Nanos, SpanId, TraceId};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use crate::db::Db;
use crate::event_sets::{is_wide, set};
use crate::events::{delivered, gave_up, row};
use crate::fault::Inner;
use crate::lookup::header_is;
use crate::message_rows::{COLUMNS, blocks_with, fill_body, message_at};
use crate::{Around, EventFilter, EventPage, walk};

/// Rows looked at for one page when the database cannot decide.
const ROWS: usize = 30_000;
/// Of which with headers and payload.
const BODIES: usize = 6_000;
/// Filter blocks that a whole value may narrow a search to; more would not narrow it.
const BLOCKS: usize = 400;

/// A condition on `m` with its parameters.
pub(crate) struct Where {
    /// Tables, `m` among them.
    from: String,
    sql: String,
    values: Vec<Sql>,
}

impl Where {
    /// Adds a condition in which `??` is the next value.
    fn and(&mut self, condition: &str, value: impl Into<Sql>) {
        let condition = self.bind(condition, value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition);
    }

    /// A condition in which `??` is the next value.
    pub(crate) fn bind(&mut self, condition: &str, value: impl Into<Sql>) -> String {
        self.values.push(value.into());
        condition.replace("??", &format!("?{}", self.values.len()))
    }

    /// A condition that a text column is one of the values; case is ignored.
    fn text(&mut self, column: &str, values: &[Pattern]) -> String {
        let one = |w: &mut Where, v: &Pattern| {
            let like: Vec<String> = v.parts().iter().map(|p| escape(p)).collect();
            w.bind(&format!("coalesce({column}, '') LIKE ?? ESCAPE '\\'"), like.join("%"))
        };
        let any: Vec<String> = values.iter().map(|v| one(self, v)).collect();
        format!("({})", any.join(" OR "))
    }

    fn among<'a>(&mut self, values: impl Iterator<Item = &'a String>) -> String {
        let list: Vec<String> = values.map(|v| self.bind("??", v.clone())).collect();
        format!("(m.system || '/' || m.destination) IN ({})", list.join(", "))
    }
}

/// Makes a text match itself in a `LIKE` pattern with `\` as escape.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Deliveries that were answered with one of these acknowledgements.
fn answered(with: &str) -> String {
    delivered(&format!(
        "EXISTS(SELECT 1 FROM settlement s WHERE s.stream = d.stream AND s.consumer = d.consumer
         AND s.consumer_sequence = d.consumer_sequence AND s.acknowledgement IN ({with}))"
    ))
}

/// The condition of a term, or `None` when a row must be looked at. Positions name the term.
fn condition(w: &mut Where, f: &EventFilter, i: usize, term: &Term) -> Option<String> {
    let Test::Is(field, values) = &term.test else { return None };
    let word = |word: &str| values.iter().any(|v| v.matches_folded(word));
    Some(match field {
        Field::Subject => {
            let (name, whole) = (w.text("m.destination", values), w.text("m.system || '/' || m.destination", values));
            format!("({name} OR {whole})")
        }
        Field::Type => w.text("m.type", values),
        Field::System => w.text("m.system", values),
        Field::Stream => w.text("m.stream", values),
        Field::Source => w.text("m.source", values),
        Field::Id => match values.as_slice() {
            [one] if one.exact().is_some() => w.bind("m.event_id IS ??", one.exact().unwrap_or_default().to_owned()),
            _ => w.text("m.event_id", values),
        },
        Field::Trace => traces(w, values),
        Field::Span => spans(w, values),
        Field::Service => w.among(f.topics_of.get(&i).into_iter().flatten()),
        Field::Retried => either(word("true"), word("false"), delivered("d.delivered > 1")),
        Field::DeadLettered => either(word("true"), word("false"), dead(w, f)),
        Field::Outcome => outcomes(w, f, values),
        _ => return None,
    })
}

fn either(yes: bool, no: bool, condition: String) -> String {
    match (yes, no) {
        (true, false) => condition,
        (false, true) => format!("NOT {condition}"),
        (both, _) => format!("{both}"),
    }
}

fn dead(w: &mut Where, f: &EventFilter) -> String {
    format!("({} OR {})", gave_up(), w.among(f.dead.iter()))
}

fn outcomes(w: &mut Where, f: &EventFilter, values: &[Pattern]) -> String {
    let mut any = Vec::new();
    for word in ["acked", "nak", "redelivered", "dead-lettered", "unconsumed", "published", "failed"] {
        if !values.iter().any(|v| v.matches_folded(word)) {
            continue;
        }
        any.push(match word {
            "acked" => format!("({} AND NOT {})", answered("1"), dead(w, f)),
            "nak" => answered("2, 3"),
            "redelivered" => delivered("d.delivered > 1"),
            "dead-lettered" => dead(w, f),
            "unconsumed" => format!("(NOT {} AND NOT {})", delivered("1"), w.among(f.consumed.iter())),
            "published" => format!("(NOT {} AND {})", delivered("1"), w.among(f.consumed.iter())),
            _ => format!("({} OR {})", answered("2, 3"), dead(w, f)),
        });
    }
    format!("({})", any.join(" OR "))
}

fn traces(w: &mut Where, values: &[Pattern]) -> String {
    let mut any = vec!["0".to_owned()];
    for value in values {
        match value.exact().map(|v| v.to_ascii_lowercase().parse::<TraceId>()) {
            Some(Ok(trace)) => any.push(w.bind("m.hop_trace = ?? OR m.origin_trace = ??", trace.as_bytes().to_vec())),
            Some(Err(_)) => {}
            None => any.push(w.text("lower(hex(m.hop_trace))", std::slice::from_ref(value))),
        }
    }
    format!("coalesce(({}), 0)", any.join(" OR "))
}

fn spans(w: &mut Where, values: &[Pattern]) -> String {
    let mut any = vec!["0".to_owned()];
    for value in values.iter().filter_map(Pattern::exact) {
        if let Ok(span) = value.to_ascii_lowercase().parse::<SpanId>() {
            any.push(w.bind("m.hop_span = ?? OR m.origin_span = ??", span.as_i64()));
        }
    }
    format!("coalesce(({}), 0)", any.join(" OR "))
}

/// Restricts to the blocks that may hold the whole values of key and attribute terms.
fn narrow(conn: &Connection, f: &EventFilter, w: &mut Where) -> Inner<()> {
    for (_, field, value) in f.filter.whole_values() {
        if !matches!(field, Field::Key(_) | Field::Attribute(_)) || value.is_empty() {
            continue;
        }
        // The CloudEvents attributes that have columns of their own are in no filter.
        if matches!(field, Field::Attribute(name) if ["type", "source"].contains(&name.to_ascii_lowercase().as_str())) {
            continue;
        }
        let blocks = blocks_with(conn, value.as_bytes())?;
        if blocks.len() <= BLOCKS {
            let any: Vec<String> = blocks.iter().map(|(from, to)| format!("m.id >= {from} AND m.id < {to}")).collect();
            w.sql.push_str(&format!(" AND (0 OR {})", if any.is_empty() { "0".into() } else { any.join(" OR ") }));
        }
    }
    Ok(())
}

/// What the database can decide of a filter, and the terms for which rows must be looked at.
fn question<'a>(conn: &Connection, f: &'a EventFilter) -> Inner<(Where, Vec<&'a Term>)> {
    let mut w = Where { from: "message m".to_owned(), sql: "m.event = m.id".to_owned(), values: Vec::new() };
    if let Some(since) = f.since {
        w.and("m.time >= ??", since);
    }
    if let Some(until) = f.until {
        w.and("m.time < ??", until);
    }
    // In a short range there are fewer events than ever failed.
    let first = match is_wide(conn, f)? {
        true => f.filter.terms.iter().enumerate().find_map(|(i, term)| Some((i, set(&mut w, f, term)?))),
        false => None,
    };
    if let Some((_, ids)) = &first {
        w.from = format!("({ids}) b CROSS JOIN message m ON m.id = b.id");
    }
    let mut open = Vec::new();
    for (i, term) in f.filter.terms.iter().enumerate() {
        if first.as_ref().is_some_and(|(set, _)| *set == i) {
            continue;
        }
        match condition(&mut w, f, i, term) {
            Some(sql) => w.sql.push_str(&format!(" AND {}({sql})", if term.negated { "NOT " } else { "" })),
            None => open.push(term),
        }
    }
    narrow(conn, f, &mut w)?;
    Ok((w, open))
}

/// A page of events, newest first.
pub(crate) fn page(db: Db<'_>, f: &EventFilter) -> Inner<EventPage> {
    let conn = db.conn;
    let (mut w, open) = question(conn, f)?;
    let mut total = None;
    if open.is_empty() {
        let count = format!("SELECT count(*) FROM {} WHERE {}", w.from, w.sql);
        let n: i64 = conn.prepare_cached(&count)?.query_row(params_from_iter(&w.values), |r| r.get(0))?;
        total = Some(n as u64);
    }
    if let Some(after) = f.after {
        w.and("m.id > ??", after);
    }
    if let Some(before) = f.before {
        w.and("(m.time, m.id) < (SELECT time, id FROM message WHERE id = ??)", before);
    }
    let limit = if open.is_empty() { f.limit } else { ROWS };
    let limit = w.bind("??", limit as i64);
    let sql = format!("SELECT {COLUMNS} FROM {} WHERE {} ORDER BY m.time DESC, m.id DESC LIMIT {limit}", w.from, w.sql);
    let wanted = Wanted { rows: f.limit, count: true };
    let (found, matched, stopped) = collect(conn, &sql, &w.values, &open, wanted)?;
    let mut page = EventPage { rows: Vec::new(), total: total.unwrap_or(matched), stopped };
    for (id, message) in found {
        page.rows.push(row(conn, id, message)?);
    }
    Ok(page)
}

/// Times of the last event before the range and of the first after it that match the rest of the filter.
pub(crate) fn nearest(db: Db<'_>, f: &EventFilter) -> Inner<Around> {
    let first = |since: Option<Nanos>, until: Option<Nanos>, order: &str| -> Inner<Option<Nanos>> {
        let filter = EventFilter { since, until, ..f.clone() };
        let (w, open) = question(db.conn, &filter)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM {} WHERE {} ORDER BY m.time {order}, m.id {order} LIMIT {ROWS}",
            w.from, w.sql
        );
        let (found, ..) = collect(db.conn, &sql, &w.values, &open, Wanted { rows: 1, count: false })?;
        Ok(found.first().map(|(_, message)| message.time))
    };
    let before = f.since.map(|since| first(None, Some(since), "DESC")).transpose()?.flatten();
    Ok((before, f.until.map(|until| first(Some(until), None, "ASC")).transpose()?.flatten()))
}

/// What is collected.
struct Wanted {
    /// At most this many rows.
    rows: usize,
    /// Whether those beyond them are counted.
    count: bool,
}

/// The first rows that pass, how many passed, and where looking stopped.
type Found = (Vec<(i64, Message)>, u64, Option<(i64, Nanos)>);

fn collect(conn: &Connection, sql: &str, values: &[Sql], open: &[&Term], wanted: Wanted) -> Inner<Found> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut found, mut matched, mut stopped) = (Vec::new(), 0, None);
    let (mut seen, mut bodies) = (0, 0);
    while let Some(r) = rows.next()? {
        let (id, _, mut message) = message_at(r)?;
        seen += 1;
        let time = message.time;
        if passes(conn, open, id, &mut message, &mut bodies)? {
            matched += 1;
            if found.len() < wanted.rows {
                found.push((id, message));
            }
            if !wanted.count && found.len() == wanted.rows {
                break;
            }
        }
        if !open.is_empty() && (seen >= ROWS || bodies >= BODIES) {
            stopped = Some((id, time));
            break;
        }
    }
    Ok((found, matched, stopped))
}

/// Whether a message passes the terms that need it; headers and payload are read only when nothing else decides.
fn passes(conn: &Connection, open: &[&Term], id: i64, message: &mut Message, bodies: &mut usize) -> Inner<bool> {
    let mut later = Vec::new();
    for term in open {
        match by_head(&term.test, message) {
            Some(holds) if holds == term.negated => return Ok(false),
            Some(_) => {}
            None => later.push(term),
        }
    }
    if later.is_empty() {
        return Ok(true);
    }
    *bodies += 1;
    fill_body(conn, id, message)?;
    let passes = later.iter().all(|term| by_body(&term.test, message) != term.negated);
    message.headers.clear();
    message.payload.clear();
    Ok(passes)
}

fn by_head(test: &Test, m: &Message) -> Option<bool> {
    match test {
        Test::Words(word) => {
            let columns = [&m.event_type, &m.event_id, &m.source, &m.key, &m.stream];
            let here = word.occurs_in(&m.destination)
                || columns.into_iter().flatten().any(|c| word.occurs_in(c))
                || m.keys.iter().any(|(_, v)| word.occurs_in(v));
            here.then_some(true)
        }
        Test::Is(Field::Key(name), values) => {
            let is = |key: &str, value: &str| {
                name.as_deref().is_none_or(|n| n.eq_ignore_ascii_case(key)) && values.iter().any(|v| v.matches(value))
            };
            Some(m.keys.iter().any(|(k, v)| is(k, v)) || m.key.as_deref().is_some_and(|v| is("subject", v)))
        }
        Test::Is(Field::Attribute(name), values) => header_is(m, name, values).then_some(true),
        _ => Some(false),
    }
}

fn by_body(test: &Test, m: &Message) -> bool {
    match test {
        Test::Words(word) => {
            m.headers.iter().any(|(_, v)| word.occurs_in(v))
                || std::str::from_utf8(&m.payload).is_ok_and(|text| word.occurs_in(text))
        }
        Test::Is(Field::Attribute(name), values) => header_is(m, name, values) || member_is(m, name, values),
        _ => false,
    }
}

/// Whether a member of a JSON payload, at any depth, has this name and one of the values.
fn member_is(m: &Message, name: &str, values: &[Pattern]) -> bool {
    fn find(json: &serde_json::Value, name: &str, test: &mut dyn FnMut(&serde_json::Value) -> bool) -> bool {
        match json {
            serde_json::Value::Object(map) => {
                map.iter().any(|(k, v)| (k.eq_ignore_ascii_case(name) && test(v)) || find(v, name, test))
            }
            serde_json::Value::Array(items) => items.iter().any(|i| find(i, name, test)),
            _ => false,
        }
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(&m.payload) else { return false };
    find(&json, name, &mut |v| {
        let mut same = false;
        let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        walk::text(&text, &mut |t| same |= values.iter().any(|p| p.matches(t)));
        same
    })
}
