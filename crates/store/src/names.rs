//! Texts that journeys repeat (participants, names of roots and keys) by number, each stored once; and what they began with.

use std::cell::RefCell;
use std::sync::Arc;

use flowglass_model::filter::operation_of;
use flowglass_model::{Effect, JourneySummary, NodeId, TraceId};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Inner};

/// Texts that get a number at most; later ones are written out, so that neither memory nor the table grows without end.
const NUMBERED: usize = 20_000;

/// A text as journeys hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Name {
    Number(u32),
    Text(String),
}

/// What a journey's columns do not say. Who takes part stands in front: see [`Who`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Body {
    root: Name,
    root_participant: Name,
    participants: Vec<Name>,
    spans: u64,
    events: u64,
    errors: u64,
    keys: Vec<(Name, String)>,
    failure: Option<String>,
}

/// The writer's view: all numbered texts, and what journeys began with.
pub(crate) struct Numbers {
    known: FxHashMap<String, u32>,
    /// Numbers of roots, by service and operation.
    roots: FxHashMap<String, FxHashMap<String, i64>>,
    /// Numbers of shapes, by their text.
    shapes: FxHashMap<String, i64>,
    /// Roots in memory; later ones are asked for.
    remembered: usize,
}

impl Numbers {
    /// Reads the tables.
    pub(crate) fn load(conn: &Connection) -> Inner<Numbers> {
        let mut statement = conn.prepare("SELECT text, id FROM name")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        let mut numbers = Numbers {
            known: rows.collect::<Result<_, _>>()?,
            roots: FxHashMap::default(),
            shapes: FxHashMap::default(),
            remembered: 0,
        };
        let mut statement = conn.prepare("SELECT text, id FROM journey_shape")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        numbers.shapes = rows.collect::<Result<_, _>>()?;
        let mut statement = conn.prepare("SELECT service, operation, id FROM journey_root LIMIT ?1")?;
        let mut rows = statement.query([NUMBERED as i64])?;
        while let Some(r) = rows.next()? {
            numbers.remember(r.get(0)?, r.get(1)?, r.get(2)?);
        }
        Ok(numbers)
    }

    /// How many texts, roots and shapes are known.
    pub(crate) fn len(&self) -> usize {
        self.known.len() + self.shapes.len() + self.remembered
    }

    fn remember(&mut self, service: String, operation: String, root: i64) {
        if self.remembered < NUMBERED {
            self.remembered += 1;
            self.roots.entry(service).or_default().insert(operation, root);
        }
    }

    /// The number of what a journey began with.
    pub(crate) fn root(&mut self, conn: &Connection, j: &JourneySummary) -> Inner<i64> {
        let (service, operation) = (j.root_participant.name(), operation_of(j));
        if let Some(root) = self.roots.get(service).and_then(|of_service| of_service.get(operation)) {
            return Ok(*root);
        }
        let mut stored = conn.prepare_cached("SELECT id FROM journey_root WHERE service = ?1 AND operation = ?2")?;
        let root = match stored.query_row([service, operation], |r| r.get(0)).optional()? {
            Some(root) => root,
            None => {
                conn.prepare_cached("INSERT INTO journey_root(service, operation) VALUES(?1, ?2)")?
                    .execute([service, operation])?;
                conn.last_insert_rowid()
            }
        };
        self.remember(service.to_owned(), operation.to_owned(), root);
        Ok(root)
    }

    /// The number of what a journey published and who handled it; none for more combinations than tell anything.
    pub(crate) fn shape(&mut self, conn: &Connection, effects: &[Effect]) -> Inner<Option<i64>> {
        let text = text_of(effects);
        if let Some(number) = self.shapes.get(&text) {
            return Ok(Some(*number));
        }
        if self.shapes.len() >= NUMBERED {
            return Ok(None);
        }
        conn.prepare_cached("INSERT INTO journey_shape(text) VALUES(?1)")?.execute([&text])?;
        let number = conn.last_insert_rowid();
        self.shapes.insert(text, number);
        Ok(Some(number))
    }

    fn name(&mut self, conn: &Connection, text: &str) -> Inner<Name> {
        if let Some(number) = self.known.get(text) {
            return Ok(Name::Number(*number));
        }
        if self.known.len() >= NUMBERED {
            return Ok(Name::Text(text.to_owned()));
        }
        let number = self.known.len() as u32;
        conn.prepare_cached("INSERT INTO name(id, text) VALUES(?1, ?2)")?.execute(params![number, text])?;
        self.known.insert(text.to_owned(), number);
        Ok(Name::Number(number))
    }

    /// The body of a journey.
    pub(crate) fn body(&mut self, conn: &Connection, j: &JourneySummary) -> Inner<Vec<u8>> {
        let body = Body {
            root: self.name(conn, &j.root)?,
            root_participant: self.name(conn, j.root_participant.as_str())?,
            participants: j.participants.iter().map(|p| self.name(conn, p.as_str())).collect::<Inner<_>>()?,
            spans: j.spans,
            events: j.events,
            errors: j.errors,
            keys: (j.keys.iter().map(|(k, v)| Ok((self.name(conn, k)?, v.clone())))).collect::<Inner<_>>()?,
            failure: j.failure.clone(),
        };
        postcard::to_stdvec(&body).map_err(|e| Fault::decode("a journey", e))
    }
}

/// A reader's view: texts are looked up when they are first needed.
pub(crate) struct Texts<'c> {
    conn: &'c Connection,
    known: RefCell<FxHashMap<u32, Arc<str>>>,
    shapes: RefCell<FxHashMap<i64, Vec<Effect>>>,
}

impl<'c> Texts<'c> {
    /// Nothing is looked up yet.
    pub(crate) fn new(conn: &'c Connection) -> Texts<'c> {
        Texts { conn, known: RefCell::default(), shapes: RefCell::default() }
    }

    fn text(&self, name: &Name) -> Inner<Arc<str>> {
        let number = match name {
            Name::Text(text) => return Ok(Arc::from(text.as_str())),
            Name::Number(number) => *number,
        };
        if let Some(text) = self.known.borrow().get(&number) {
            return Ok(text.clone());
        }
        let mut statement = self.conn.prepare_cached("SELECT text FROM name WHERE id = ?1")?;
        let text: Option<String> = statement.query_row([number], |r| r.get(0)).optional()?;
        let text: Arc<str> =
            text.ok_or_else(|| Fault::decode("a journey", format!("there is no name {number}")))?.into();
        self.known.borrow_mut().insert(number, text.clone());
        Ok(text)
    }

    /// What a shape stands for.
    pub(crate) fn shape(&self, number: Option<i64>) -> Inner<Vec<Effect>> {
        let Some(number) = number else { return Ok(Vec::new()) };
        if let Some(known) = self.shapes.borrow().get(&number) {
            return Ok(known.clone());
        }
        let mut statement = self.conn.prepare_cached("SELECT text FROM journey_shape WHERE id = ?1")?;
        let text: Option<String> = statement.query_row([number], |r| r.get(0)).optional()?;
        let found = effects(&text.unwrap_or_default());
        self.shapes.borrow_mut().insert(number, found.clone());
        Ok(found)
    }

    /// Fills in what a body says; the rest of the summary comes from columns.
    pub(crate) fn fill(&self, body: &[u8], summary: &mut JourneySummary) -> Inner<()> {
        let body: Body = postcard::from_bytes(body).map_err(|e| Fault::decode("a journey", e))?;
        let node = |name: &Name| self.text(name).map(|t| NodeId::from(&*t));
        summary.root = self.text(&body.root)?.to_string();
        summary.root_participant = node(&body.root_participant)?;
        summary.participants = body.participants.iter().map(node).collect::<Inner<_>>()?;
        let key = |(name, value): (Name, String)| Ok((self.text(&name)?.to_string(), value));
        summary.keys = body.keys.into_iter().map(key).collect::<Inner<_>>()?;
        (summary.spans, summary.events, summary.errors) = (body.spans, body.events, body.errors);
        summary.failure = body.failure;
        Ok(())
    }
}

/// A participant, as bodies name it.
pub(crate) struct Who {
    text: String,
    numbers: FxHashSet<u32>,
}

impl Who {
    /// Looks up the numbers of a participant by its id or its name.
    pub(crate) fn new(conn: &Connection, text: &str) -> Inner<Who> {
        let mut who = Who { text: text.to_owned(), numbers: FxHashSet::default() };
        let mut statement = conn.prepare_cached("SELECT id, text FROM name")?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            if who.is(r.get_ref(1)?.as_str().unwrap_or_default()) {
                who.numbers.insert(r.get(0)?);
            }
        }
        Ok(who)
    }

    fn is(&self, text: &str) -> bool {
        text == self.text || NodeId::from(text).name() == self.text
    }

    /// Whether it takes part in the journey with this body. Reads no more of it than who does.
    pub(crate) fn takes_part(&self, body: &[u8]) -> Inner<bool> {
        type Head = (Name, Name, Vec<Name>);
        let ((_, _, participants), _): (Head, _) =
            postcard::take_from_bytes(body).map_err(|e| Fault::decode("a journey", e))?;
        Ok(participants.iter().any(|name| match name {
            Name::Number(number) => self.numbers.contains(number),
            Name::Text(text) => self.is(text),
        }))
    }
}

/// A summary of which only the identity is known.
pub(crate) fn blank(id: TraceId, state: flowglass_model::JourneyState) -> JourneySummary {
    JourneySummary {
        id,
        root: String::new(),
        root_participant: NodeId::from(""),
        start: 0,
        response: None,
        settled: None,
        state,
        participants: Vec::new(),
        spans: 0,
        events: 0,
        errors: 0,
        retries: 0,
        dead_lettered: false,
        keys: Vec::new(),
        failure: None,
        effects: Vec::new(),
    }
}

/// Effects as a shape's text has them: a line for each, the topic, then who handled it.
fn text_of(effects: &[Effect]) -> String {
    let mut out = String::new();
    for effect in effects {
        let service = effect.handled_by.as_ref().map_or("", |s| s.as_str());
        if effect.topic.as_str().contains(['\t', '\n']) || service.contains(['\t', '\n']) {
            continue;
        }
        out.push_str(effect.topic.as_str());
        if !service.is_empty() {
            out.push('\t');
            out.push_str(service);
        }
        out.push('\n');
    }
    out
}

/// The inverse of [`text_of`].
pub(crate) fn effects(text: &str) -> Vec<Effect> {
    let effect = |line: &str| match line.split_once('\t') {
        Some((topic, service)) => Effect { topic: NodeId::from(topic), handled_by: Some(NodeId::from(service)) },
        None => Effect { topic: NodeId::from(line), handled_by: None },
    };
    text.lines().map(effect).collect()
}
