//! Notes and bookmarks: what people write about a journey, kept in the workspace as one JSON text.

use flowglass_model::Nanos;
use serde::{Deserialize, Serialize};

/// Workspace key of the notes.
pub(crate) const META_NOTES: &str = "notes";
/// Notes kept at most.
pub(crate) const NOTES_MAX: usize = 2_000;
/// Characters of a note at most.
pub(crate) const TEXT_MAX: usize = 10_000;

/// What is written about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// About what: `journey:ID`.
    pub(crate) about: String,
    /// What people call it in a list.
    pub(crate) title: String,
    /// The text; may be empty for a mere bookmark.
    pub(crate) text: String,
    /// Whether it is kept in the list of bookmarks.
    pub(crate) bookmarked: bool,
    /// When it was last changed.
    pub(crate) at: Nanos,
}

/// What a note about a journey is about.
pub(crate) fn about_journey(id: &str) -> String {
    format!("journey:{id}")
}

/// Reads what [`text`] wrote; a text that nobody can read holds no notes.
pub(crate) fn parse(text: Option<&str>) -> Vec<Note> {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
}

/// Notes as the workspace keeps them.
pub(crate) fn text(notes: &[Note]) -> String {
    serde_json::to_string(notes).unwrap_or_else(|_| "[]".to_owned())
}

/// Sets the note about something, the newest first; one that says nothing and is no bookmark goes. Errors in words.
pub(crate) fn set(mut notes: Vec<Note>, note: Note) -> Result<Vec<Note>, String> {
    let length = note.text.chars().count();
    if length > TEXT_MAX {
        return Err(format!("The note has {length} characters; {TEXT_MAX} fit. Shorten it."));
    }
    notes.retain(|n| n.about != note.about);
    if note.text.trim().is_empty() && !note.bookmarked {
        return Ok(notes);
    }
    if notes.len() >= NOTES_MAX {
        return Err(format!("There are {NOTES_MAX} notes already; remove one first."));
    }
    notes.insert(0, note);
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(about: &str, text: &str, bookmarked: bool) -> Note {
        Note { about: about.into(), title: String::new(), text: text.into(), bookmarked, at: 1 }
    }

    #[test]
    fn there_is_one_note_about_one_thing() {
        let notes = set(vec![], note("journey:a", "look", false)).unwrap();
        let notes = set(notes, note("journey:b", "", true)).unwrap();
        let notes = set(notes, note("journey:a", "look again", true)).unwrap();
        let about: Vec<&str> = notes.iter().map(|n| n.about.as_str()).collect();
        assert_eq!(about, ["journey:a", "journey:b"], "newest first, replaced");
        assert_eq!(parse(Some(&text(&notes))), notes);
        let notes = set(notes, note("journey:b", " ", false)).unwrap();
        assert_eq!(notes.len(), 1, "one that says nothing goes");
        assert!(set(notes, note("journey:c", &"x".repeat(TEXT_MAX + 1), false)).is_err());
        assert_eq!(parse(Some("broken")), []);
    }
}
