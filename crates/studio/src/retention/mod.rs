//! What is kept: rules that remove the oldest by themselves, always say so, and leave the figures of the map.

mod expire;
mod keeping;
mod pass;
mod plan;
mod preview;
mod record;

use std::collections::BTreeSet;

use flowglass_model::TraceId;

pub(crate) use keeping::Retention;
pub(crate) use pass::Expiring;
use plan::due;
pub(crate) use preview::{Preview, preview};
pub(crate) use record::META_REMOVED;
pub use record::{Removal, Removed};

use crate::notes;

/// Workspace key of the journeys that people compared, newest first, by blanks.
pub(crate) const META_COMPARED: &str = "compared";
/// Compared journeys that are remembered.
const COMPARED: usize = 200;

/// The list of compared journeys with some more; `None` when they are at its head already.
pub(crate) fn compared(known: Option<&str>, more: &[TraceId]) -> Option<String> {
    let known: Vec<TraceId> = known.unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()).collect();
    if more.iter().all(|id| known.iter().take(COMPARED / 2).any(|k| k == id)) {
        return None;
    }
    let mut out = more.to_vec();
    out.extend(known.into_iter().filter(|id| !more.contains(id)));
    out.truncate(COMPARED);
    Some(out.iter().map(TraceId::to_string).collect::<Vec<_>>().join(" "))
}

/// Journeys that people keep: bookmarked, noted, compared. `meta` reads a note of the workspace.
pub(crate) fn kept<E>(meta: impl Fn(&str) -> Result<Option<String>, E>) -> Result<BTreeSet<TraceId>, E> {
    let noted = notes::parse(meta(notes::META_NOTES)?.as_deref());
    let noted = noted.into_iter().filter_map(|n| n.about.strip_prefix("journey:")?.parse().ok());
    let compared = meta(META_COMPARED)?.unwrap_or_default();
    Ok(noted.chain(compared.split(' ').filter_map(|id| id.parse().ok())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compared_journeys_are_remembered_for_a_while() {
        let id = |n: u128| TraceId::new(n.to_be_bytes()).unwrap();
        let text = compared(None, &[id(1), id(2)]).unwrap();
        assert_eq!(compared(Some(&text), &[id(2)]), None);
        let text = compared(Some(&text), &[id(2), id(3)]).unwrap();
        assert_eq!(text.split(' ').count(), 3, "each once");
        let mut long = text;
        for n in 10..400 {
            long = compared(Some(&long), &[id(n)]).unwrap();
        }
        assert_eq!(long.split(' ').count(), COMPARED);
        let kept = kept(|key| Ok::<_, ()>((key == META_COMPARED).then(|| long.clone()))).unwrap();
        assert!(kept.contains(&id(399)) && !kept.contains(&id(1)));
    }
}
