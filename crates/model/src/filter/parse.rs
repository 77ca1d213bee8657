//! Reading expressions.

use std::ops::Range;

use super::field::{FIELDS, LEVELS, has_attributes};
use super::{Comparison, Field, FieldInfo, Filter, Pattern, Term, Test, ValueKind, View, fields_of};

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What is wrong and what could stand there.
    pub message: String,
    /// Where the term stands, bytes.
    pub at: Range<usize>,
}

/// Reads an expression.
pub(super) fn parse(text: &str, view: View) -> Result<Filter, Problem> {
    let mut reader = Reader { text, at: 0, view };
    let mut terms = Vec::new();
    loop {
        reader.blanks();
        if reader.peek().is_none() {
            return Ok(Filter { terms });
        }
        terms.push(reader.term()?);
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    view: View,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip(&mut self, c: char) -> bool {
        let here = self.peek() == Some(c);
        if here {
            self.at += c.len_utf8();
        }
        here
    }

    fn blanks(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    /// Where the term that starts at `from` ends: at the next blank.
    fn term_end(&self, from: usize) -> usize {
        self.text[from..].find(char::is_whitespace).map_or(self.text.len(), |n| from + n)
    }

    fn problem<T>(&self, from: usize, message: impl Into<String>) -> Result<T, Problem> {
        Err(Problem { message: message.into(), at: from..self.term_end(from).max(self.at) })
    }

    fn term(&mut self) -> Result<Term, Problem> {
        let from = self.at;
        let follows = self.text[from..].chars().nth(1);
        let negated = follows.is_some_and(|c| !c.is_whitespace()) && self.skip('-');
        let test = match self.field(from)? {
            Some(field) => self.behind(from, field)?,
            None => match self.value(from, false)? {
                Some(word) => Test::Words(word),
                None => return self.problem(from, "a term must not be empty"),
            },
        };
        Ok(Term { negated, test, at: from..self.at })
    }

    /// The field in front of an operator; nothing is read when there is none.
    fn field(&mut self, from: usize) -> Result<Option<Field>, Problem> {
        let start = self.at;
        if self.skip('@') {
            return self.attribute(from).map(Some);
        }
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let rest = &self.text[start..];
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let name = &rest[..length];
        let operator = rest[length..].starts_with([':', '<', '>']);
        if !operator || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        self.at += length;
        self.named(from, name).map(Some)
    }

    fn named(&self, from: usize, name: &str) -> Result<Field, Problem> {
        let low = name.to_ascii_lowercase();
        let known = |f: &&FieldInfo| f.name == low || f.also.contains(&low.as_str());
        let named_key = low.starts_with("key.").then(|| name[4..].to_owned()).filter(|n| !n.is_empty());
        let lookup =
            if named_key.is_some() { FIELDS.iter().find(|f| f.name == "key") } else { FIELDS.iter().find(known) };
        let has = || fields_of(self.view).map(|f| f.name).collect::<Vec<_>>().join(", ");
        match lookup {
            Some(found) if found.views.contains(&self.view) => {
                Ok(named_key.map_or_else(|| found.field.clone(), |n| Field::Key(Some(n))))
            }
            Some(found) => self
                .problem(from, format!("{} cannot be filtered by `{}`; use {}", self.view.title(), found.name, has())),
            None => self.problem(from, format!("there is no field `{name}`; use {}, or put the text in quotes", has())),
        }
    }

    fn attribute(&mut self, from: usize) -> Result<Field, Problem> {
        let name = if self.peek() == Some('"') {
            let mut parts = vec![String::new()];
            self.quoted(from, &mut parts)?;
            parts.join("*")
        } else {
            let rest = &self.text[self.at..];
            let end =
                rest.find(|c: char| c.is_whitespace() || matches!(c, ':' | '<' | '>' | '"')).unwrap_or(rest.len());
            self.at += end;
            rest[..end].to_owned()
        };
        if !has_attributes(self.view) {
            return self
                .problem(from, "The map has no attributes to filter by; look for them in Journeys, Events or Logs");
        }
        if name.is_empty() || self.peek() != Some(':') {
            return self.problem(
                from,
                "an attribute needs its name and a value: @http.route:/orders, or @http.route:* for any",
            );
        }
        Ok(Field::Attribute(name))
    }

    /// Operator and values behind a field.
    fn behind(&mut self, from: usize, field: Field) -> Result<Test, Problem> {
        let comparison = match () {
            () if self.skip(':') => None,
            () if self.skip('>') => Some(if self.skip('=') { Comparison::AtLeast } else { Comparison::More }),
            () if self.skip('<') => Some(if self.skip('=') { Comparison::AtMost } else { Comparison::Less }),
            () => return self.problem(from, "a value must follow"),
        };
        let (name, kind) = described(&field);
        let mut values = Vec::new();
        loop {
            match self.value(from, true)? {
                Some(value) => values.push(value),
                None => {
                    let what = match kind {
                        ValueKind::Words(words) => format!(": {}", words.join(", ")),
                        ValueKind::Duration => ", such as 500ms or 2s".into(),
                        ValueKind::Level => format!(": {}", LEVELS.join(", ")),
                        ValueKind::Text => String::new(),
                    };
                    return self.problem(from, format!("`{name}` needs a value right behind it{what}"));
                }
            }
            if !self.skip(',') {
                break;
            }
        }
        match comparison {
            None => self.listed(from, field, &name, kind, values),
            Some(comparison) => self.compared(from, field, &name, kind, comparison, &values),
        }
    }

    fn listed(
        &self,
        from: usize,
        f: Field,
        name: &str,
        kind: ValueKind,
        mut values: Vec<Pattern>,
    ) -> Result<Test, Problem> {
        let words: &[&str] = match kind {
            ValueKind::Text => return Ok(Test::Is(f, values)),
            ValueKind::Duration => {
                return self.problem(from, format!("`{name}` is compared: write {name}>500ms or {name}<2s"));
            }
            ValueKind::Words(words) => words,
            ValueKind::Level => &LEVELS,
        };
        for value in &mut values {
            *value = value.lower();
            if words.iter().any(|w| value.matches(w)) {
                continue;
            }
            let shown = super::quoted(value);
            return self.problem(from, format!("`{shown}` is no {name}; write {}", words.join(", ")));
        }
        Ok(Test::Is(f, values))
    }

    fn compared(
        &self,
        from: usize,
        field: Field,
        name: &str,
        kind: ValueKind,
        comparison: Comparison,
        values: &[Pattern],
    ) -> Result<Test, Problem> {
        let value = match values {
            [value] => value.exact(),
            _ => None,
        };
        let (to, example) = match kind {
            ValueKind::Duration => (value.and_then(parse_duration), "500ms, 2s or 1m"),
            ValueKind::Level => {
                let rank = |v: &str| LEVELS.iter().position(|l| l.eq_ignore_ascii_case(v)).map(|n| n as i64);
                (value.and_then(rank), "trace, debug, info, warn, error or fatal")
            }
            _ => return self.problem(from, format!("`{name}` cannot be compared; write {name}:value")),
        };
        match to {
            Some(to) => Ok(Test::Compare(field, comparison, to)),
            None => self.problem(from, format!("`{name}` is compared with one value: {example}")),
        }
    }

    /// A value up to the next blank (or, in a list, comma); `None` when nothing stands here.
    fn value(&mut self, from: usize, in_list: bool) -> Result<Option<Pattern>, Problem> {
        let start = self.at;
        let mut parts = vec![String::new()];
        while let Some(c) = self.peek() {
            if c.is_whitespace() || (in_list && c == ',') {
                break;
            }
            if c == '"' {
                self.quoted(from, &mut parts)?;
                continue;
            }
            self.at += c.len_utf8();
            push(&mut parts, c, c == '*');
        }
        Ok((self.at > start).then(|| Pattern::new(parts)))
    }

    /// What stands in quotes, from the opening one on.
    fn quoted(&mut self, from: usize, parts: &mut Vec<String>) -> Result<(), Problem> {
        self.skip('"');
        loop {
            let Some(c) = self.peek() else {
                let message = format!("the quote in `{}` is never closed", &self.text[from..]);
                return Err(Problem { message, at: from..self.text.len() });
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(()),
                '\\' => {
                    let escaped = self.peek().filter(|c| matches!(c, '"' | '\\' | '*'));
                    self.at += usize::from(escaped.is_some());
                    push(parts, escaped.unwrap_or('\\'), false);
                }
                c => push(parts, c, c == '*'),
            }
        }
    }
}

fn push(parts: &mut Vec<String>, c: char, wildcard: bool) {
    match parts.last_mut() {
        Some(part) if !wildcard => part.push(c),
        _ => parts.push(String::new()),
    }
}

/// How a field is written, and what can stand behind it.
fn described(field: &Field) -> (String, ValueKind) {
    match field {
        Field::Attribute(name) => (format!("@{name}"), ValueKind::Text),
        Field::Key(Some(name)) => (format!("key.{name}"), ValueKind::Text),
        other => {
            let info = FIELDS.iter().find(|f| f.field == *other);
            info.map_or((String::new(), ValueKind::Text), |f| (f.name.to_owned(), f.values))
        }
    }
}

/// Nanoseconds of a duration as people type it: `500ms`, `2s`, `1.5 s`, `3m`, `1h`, `250us`; a bare number is milliseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "" | "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 6e10,
        "h" => 3.6e12,
        _ => return None,
    };
    let nanos = number * unit;
    (nanos.is_finite() && nanos < 9e18).then(|| nanos.round() as i64)
}
