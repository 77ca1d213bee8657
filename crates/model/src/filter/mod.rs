//! The one grammar of filters: journeys, events, logs, the map and the command line read the same expressions.
//!
//! Terms stand apart by blanks and all of them must hold: `field:value` (`,` between values: any of them), `-` in front
//! excludes, `*` stands for any run of characters, `duration>500ms` compares, `@name:value` looks at an attribute, resource
//! attribute or header, and a word alone searches the text. Quotes hold blanks, colons and commas together; inside of them
//! `\"`, `\\` and `\*` mean the character itself.

mod field;
mod journeys;
mod parse;
mod pattern;
mod print;
#[cfg(test)]
mod tests;

pub use field::{FIELDS, Field, FieldInfo, ValueKind, View, fields_of, level_word};
pub use journeys::{JourneyColumns, Place, Places, journey_has, operation_of, participant_is};
pub use parse::{Problem, parse_duration};
pub use pattern::Pattern;
pub use print::quoted;

use std::ops::Range;

/// A filter: terms of which every one must hold. Without terms it lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In the order written.
    pub terms: Vec<Term>,
}

/// Two filters are the same when they ask for the same, wherever their terms stand in a text.
impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        let same = |(a, b): (&Term, &Term)| a.negated == b.negated && a.test == b.test;
        self.terms.len() == other.terms.len() && self.terms.iter().zip(&other.terms).all(same)
    }
}

/// One term.
#[derive(Debug, Clone)]
pub struct Term {
    /// With `-` in front: what the test finds is left out.
    pub negated: bool,
    /// What is asked.
    pub test: Test,
    /// Where it stands in the expression, bytes.
    pub at: Range<usize>,
}

/// What a term asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A word somewhere in the text, case ignored.
    Words(Pattern),
    /// One of these values.
    Is(Field, Vec<Pattern>),
    /// More or less than a value: nanoseconds for durations, 0 (unset) to 6 (fatal) for levels.
    Compare(Field, Comparison, i64),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Comparison {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
        }
    }

    /// Whether `value` compares so to `to`.
    pub fn holds(self, value: i64, to: i64) -> bool {
        match self {
            Comparison::More => value > to,
            Comparison::AtLeast => value >= to,
            Comparison::Less => value < to,
            Comparison::AtMost => value <= to,
        }
    }
}

impl Filter {
    /// Reads an expression. Errors name the term and what could stand there.
    pub fn parse(text: &str, view: View) -> Result<Filter, Problem> {
        parse::parse(text, view)
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether every term holds, each decided by `test` (told its position) and turned round where it is negated.
    pub fn holds(&self, mut test: impl FnMut(usize, &Test) -> bool) -> bool {
        self.terms.iter().enumerate().all(|(i, term)| test(i, &term.test) != term.negated)
    }

    /// Terms that ask for one whole value, which an index can find: position, field and value.
    pub fn whole_values(&self) -> impl Iterator<Item = (usize, &Field, &str)> {
        self.terms.iter().enumerate().filter_map(|(i, term)| match &term.test {
            Test::Is(field, values) if !term.negated => match values.as_slice() {
                [value] => value.exact().map(|v| (i, field, v)),
                _ => None,
            },
            _ => None,
        })
    }

    /// The same filter without the terms about these fields: for counts beside a choice of values.
    pub fn without(&self, drop: impl Fn(&Field) -> bool) -> Filter {
        let stays = |term: &&Term| match &term.test {
            Test::Words(_) => true,
            Test::Is(field, _) | Test::Compare(field, ..) => !drop(field),
        };
        Filter { terms: self.terms.iter().filter(stays).cloned().collect() }
    }
}
