//! Named instants.

use super::bad_request;
use crate::Studio;
use crate::api::*;
use crate::marks::{META_MARKS, NamedInstant, parse, set, text};

async fn stored(studio: &Studio) -> Result<Vec<NamedInstant>, ApiError> {
    Ok(parse(studio.ask(|w| w.read(|r| r.meta(META_MARKS))).await?.as_deref()))
}

fn view(marks: Vec<NamedInstant>) -> Marks {
    Marks { marks: marks.into_iter().map(|m| Mark { name: m.name, at: to_ms(m.at) }).collect() }
}

async fn keep(studio: &Studio, marks: Vec<NamedInstant>) -> Result<Marks, ApiError> {
    studio.note(META_MARKS, text(&marks)).await?;
    studio.publish(Update::Marks {});
    Ok(view(marks))
}

/// See [`Marks`].
pub(crate) async fn marks(studio: &Studio, _: Nothing) -> Result<Marks, ApiError> {
    Ok(view(stored(studio).await?))
}

/// See [`SetMarkRequest`].
pub(crate) async fn set_mark(studio: &Studio, request: SetMarkRequest) -> Result<Marks, ApiError> {
    let _alone = studio.0.desk.marks.lock().await;
    let at = request.at.map(to_nanos);
    let marks = set(stored(studio).await?, &request.name, at, request.renames.as_deref(), studio.now());
    keep(studio, marks.map_err(bad_request)?).await
}

/// Removes a mark; one that is gone already stays gone.
pub(crate) async fn remove_mark(studio: &Studio, request: MarkRequest) -> Result<Marks, ApiError> {
    let _alone = studio.0.desk.marks.lock().await;
    let mut marks = stored(studio).await?;
    marks.retain(|m| m.name != request.name);
    keep(studio, marks).await
}
