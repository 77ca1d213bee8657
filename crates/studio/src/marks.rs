//! Marks: named instants that the workspace keeps as one JSON text.

use flowglass_model::Nanos;
use serde::{Deserialize, Serialize};

use crate::time::clock_time;

/// Workspace key of the marks.
pub(crate) const META_MARKS: &str = "marks";
/// Marks kept at most.
pub(crate) const MARKS_MAX: usize = 200;
/// Characters of a name at most.
const NAME_MAX: usize = 80;

/// A named instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedInstant {
    /// Its name, unique.
    pub(crate) name: String,
    /// When.
    pub(crate) at: Nanos,
}

/// Reads what [`text`] wrote; a text that nobody can read holds no marks.
pub(crate) fn parse(text: Option<&str>) -> Vec<NamedInstant> {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
}

/// Marks as the workspace keeps them.
pub(crate) fn text(marks: &[NamedInstant]) -> String {
    serde_json::to_string(marks).unwrap_or_else(|_| "[]".to_owned())
}

/// Sets a mark (one of the same name is moved) or, with `renames`, gives one another name. Newest first. Errors in words.
pub(crate) fn set(
    mut marks: Vec<NamedInstant>,
    name: &str,
    at: Option<Nanos>,
    renames: Option<&str>,
    now: Nanos,
) -> Result<Vec<NamedInstant>, String> {
    let old = match renames {
        None => None,
        Some(old) => {
            let place = marks.iter().position(|m| m.name == old).ok_or_else(|| format!("There is no mark `{old}`."))?;
            Some(marks.remove(place))
        }
    };
    let at = at.or(old.map(|m| m.at)).unwrap_or(now);
    let name: String = match name.trim() {
        "" => format!("From {}", clock_time(at)),
        given => given.chars().take(NAME_MAX).collect(),
    };
    if renames.is_some_and(|old| old != name) && marks.iter().any(|m| m.name == name) {
        return Err(format!("There is a mark `{name}` already; choose another name."));
    }
    marks.retain(|m| m.name != name);
    if marks.len() >= MARKS_MAX {
        return Err(format!("There are {MARKS_MAX} marks already; remove one first."));
    }
    marks.push(NamedInstant { name, at });
    marks.sort_by(|a, b| (b.at, &b.name).cmp(&(a.at, &a.name)));
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(marks: &[NamedInstant]) -> Vec<(&str, Nanos)> {
        marks.iter().map(|m| (m.name.as_str(), m.at)).collect()
    }

    #[test]
    fn marks_are_set_moved_and_renamed() {
        let marks = set(vec![], "", None, None, 1_795_423_890_000_000_000).unwrap();
        assert_eq!(named(&marks), [("From 08:51:30 UTC", 1_795_423_890_000_000_000)]);
        let marks = set(vec![], "deploy", Some(5), None, 9).unwrap();
        let marks = set(marks, " first error ", Some(7), None, 9).unwrap();
        let marks = set(marks, "deploy", Some(6), None, 9).unwrap();
        assert_eq!(named(&marks), [("first error", 7), ("deploy", 6)], "newest first, the same name is moved");
        let marks = set(marks, "deploy 2", None, Some("deploy"), 9).unwrap();
        assert_eq!(named(&marks), [("first error", 7), ("deploy 2", 6)], "renaming keeps the instant");
        assert!(set(marks.clone(), "first error", None, Some("deploy 2"), 9).is_err(), "a name is unique");
        assert!(set(marks.clone(), "x", None, Some("none"), 9).is_err());
        assert_eq!(parse(Some(&text(&marks))), marks);
        assert_eq!(parse(Some("broken")), []);
    }

    #[test]
    fn there_is_a_last_mark() {
        let full: Vec<_> = (0..MARKS_MAX).map(|i| NamedInstant { name: i.to_string(), at: i as i64 }).collect();
        assert!(set(full.clone(), "one more", None, None, 9).is_err());
        assert_eq!(set(full, "7", Some(900), None, 9).unwrap().len(), MARKS_MAX, "moving one is no new one");
    }
}
