//! Writing expressions, so that reading them again gives the same filter.

use std::fmt::{self, Display, Formatter};

use super::field::{FIELDS, LEVELS};
use super::{Field, Filter, Pattern, Term, Test};

/// A value as it is written: in quotes where it must be.
pub fn quoted(pattern: &Pattern) -> String {
    let parts = pattern.parts();
    let special = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '"' | '*' | '<' | '>');
    let plain = parts.iter().all(|p| !p.contains(special))
        && parts.iter().any(|p| !p.is_empty())
        && !parts.first().is_some_and(|p| p.starts_with(['-', '@']))
        || pattern.is_any();
    if plain {
        return parts.join("*");
    }
    let escape = |p: &String| p.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*");
    format!("\"{}\"", parts.iter().map(escape).collect::<Vec<_>>().join("*"))
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            write!(f, "{}{term}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negated { "-" } else { "" })?;
        match &self.test {
            Test::Words(word) => f.write_str(&quoted(word)),
            Test::Is(field, values) => {
                let values: Vec<String> = values.iter().map(quoted).collect();
                write!(f, "{field}:{}", values.join(","))
            }
            Test::Compare(field, comparison, to) => {
                let to = match field {
                    Field::Level => LEVELS.get(*to as usize).copied().unwrap_or_default().to_owned(),
                    _ => duration(*to),
                };
                write!(f, "{field}{}{to}", comparison.as_str())
            }
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Field::Key(Some(name)) => write!(f, "key.{name}"),
            Field::Attribute(name) => {
                let plain =
                    !name.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '<' | '>' | '"' | '*' | '\\'));
                if plain { write!(f, "@{name}") } else { write!(f, "@{}", quoted(&Pattern::whole(name.as_str()))) }
            }
            other => f.write_str(FIELDS.iter().find(|i| i.field == *other).map_or("", |i| i.name)),
        }
    }
}

/// A duration in the largest unit that holds it without a fraction.
fn duration(nanos: i64) -> String {
    let units =
        [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let fits = units.into_iter().find(|(unit, _)| nanos != 0 && nanos % unit == 0);
    fits.map_or_else(|| format!("{nanos}ns"), |(unit, word)| format!("{}{word}", nanos / unit))
}
