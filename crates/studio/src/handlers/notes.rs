//! Notes and bookmarks.

use super::bad_request;
use crate::Studio;
use crate::api::{ApiError, NoteView, Notes, Nothing, SetNoteRequest, Update, to_ms};
use crate::notes::{META_NOTES, Note, parse, set, text};

async fn stored(studio: &Studio) -> Result<Vec<Note>, ApiError> {
    Ok(parse(studio.ask(|w| w.read(|r| r.meta(META_NOTES))).await?.as_deref()))
}

fn view(notes: Vec<Note>) -> Notes {
    let note =
        |n: Note| NoteView { about: n.about, title: n.title, text: n.text, bookmarked: n.bookmarked, at: to_ms(n.at) };
    Notes { notes: notes.into_iter().map(note).collect() }
}

/// See [`Notes`].
pub(crate) async fn notes(studio: &Studio, _: Nothing) -> Result<Notes, ApiError> {
    Ok(view(stored(studio).await?))
}

/// See [`SetNoteRequest`].
pub(crate) async fn set_note(studio: &Studio, request: SetNoteRequest) -> Result<Notes, ApiError> {
    let _alone = studio.0.desk.marks.lock().await;
    let SetNoteRequest { about, title, text: words, bookmarked } = request;
    if about.is_empty() || about.len() > 300 || title.len() > 1_000 {
        return Err(bad_request("a note is about something with a name, such as journey:4bf9…"));
    }
    let note = Note { about, title, text: words, bookmarked, at: studio.now() };
    let notes = set(stored(studio).await?, note).map_err(bad_request)?;
    studio.note(META_NOTES, text(&notes)).await?;
    studio.publish(Update::Notes {});
    Ok(view(notes))
}
