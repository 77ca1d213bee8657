//! Business keys that people name themselves, besides the built-in ones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Prefixes under which instrumentation captures headers as attributes; what follows is the header's name.
const CAPTURED: [&str; 4] =
    ["http.request.header.", "http.response.header.", "rpc.request.metadata.", "rpc.response.metadata."];

/// The names of a settings file, shared by all sources: a change counts for what arrives from then on. Cheap to clone; all
/// clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct KeyNames(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Most people name none: asked without a lock for every attribute.
    any: AtomicBool,
    names: RwLock<Vec<Arc<str>>>,
}

impl KeyNames {
    /// A list of names.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> KeyNames {
        let all = KeyNames::default();
        all.set(names);
        all
    }

    /// Replaces the list. Blank names are passed over.
    pub fn set(&self, names: impl IntoIterator<Item = impl AsRef<str>>) {
        let names: Vec<Arc<str>> = names
            .into_iter()
            .filter_map(|n| n.as_ref().chars().any(char::is_alphanumeric).then(|| Arc::from(n.as_ref().trim())))
            .collect();
        self.0.any.store(!names.is_empty(), Ordering::Relaxed);
        *self.0.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        !self.0.any.load(Ordering::Relaxed)
    }

    /// The name, as written in the settings, that an attribute, a header or the path of a JSON field carries.
    ///
    /// It carries it when it is the same but for case and separators (`parcel-id`, `parcelId`), or, for names of two words and
    /// more, when it ends in these words (`app.parcel.id`). A single word must be all of it: `id` is not in `order.id`.
    pub fn find(&self, name: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let name = CAPTURED.iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
        let names = self.0.names.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().find(|own| carries(name, own)).map(|own| own.to_string())
    }

    /// The name that a field of a JSON payload carries, by its path or by its own name.
    pub(crate) fn find_field(&self, path: &str) -> Option<String> {
        self.find(path).or_else(|| self.find(path.rsplit_once('.')?.1))
    }

    fn list(&self) -> Vec<Arc<str>> {
        self.0.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PartialEq for KeyNames {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.list() == other.list()
    }
}

impl Eq for KeyNames {}

/// Whether a name is `own`, or ends in its words.
fn carries(name: &str, own: &str) -> bool {
    let mut rest = name.char_indices().rev().filter(|(_, c)| c.is_alphanumeric());
    let mut at = name.len();
    for wanted in own.chars().rev().filter(|c| c.is_alphanumeric()) {
        match rest.next() {
            Some((i, c)) if c.eq_ignore_ascii_case(&wanted) => at = i,
            _ => return false,
        }
    }
    let all = !name[..at].chars().any(char::is_alphanumeric);
    all || (has_two_words(own) && starts_word(name, at))
}

fn has_two_words(name: &str) -> bool {
    let first = name.char_indices().find(|(_, c)| c.is_alphanumeric()).map_or(0, |(i, _)| i);
    name.char_indices().any(|(i, c)| i > first && c.is_alphanumeric() && starts_word(name, i))
}

/// Whether a word starts here: behind a separator, or where camelCase starts a new one.
fn starts_word(name: &str, at: usize) -> bool {
    let Some(before) = name[..at].chars().next_back() else { return true };
    let upper = name[at..].starts_with(char::is_uppercase);
    !before.is_alphanumeric() || (upper && !before.is_uppercase())
}

/// The members of a W3C `baggage` header: names and percent-decoded values, properties left out.
pub(crate) fn baggage(value: &str) -> impl Iterator<Item = (&str, String)> {
    value.split(',').filter_map(|member| {
        let (name, value) = member.split(';').next()?.split_once('=')?;
        Some((name.trim(), crate::cloudevents::percent_decode(value.trim())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_its_spelling() {
        let names = KeyNames::new(["parcelId", "tracking", "customer.tier", " "]);
        let found = |name: &str| names.find(name);
        for (name, want) in [
            ("parcelId", Some("parcelId")),
            ("PARCEL-ID", Some("parcelId")),
            ("parcelid", Some("parcelId")),
            ("app.parcel.id", Some("parcelId")),
            ("returnedParcelId", Some("parcelId")),
            ("http.request.header.x-parcel-id", Some("parcelId")),
            ("http.request.header.tracking", Some("tracking")),
            ("Tracking", Some("tracking")),
            ("data.customer.tier", Some("customer.tier")),
            ("customerTier", Some("customer.tier")),
            ("click.tracking", None),
            ("subparcelid", None),
            ("parcel", None),
            ("id", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(found(name).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn a_change_counts_for_every_clone() {
        let names = KeyNames::default();
        let other = names.clone();
        assert!(other.is_empty() && other.find("lot").is_none());
        names.set(["lot"]);
        assert_eq!(other.find("lot").as_deref(), Some("lot"));
        assert_eq!(names, KeyNames::new(["lot"]));
        names.set([] as [&str; 0]);
        assert!(other.is_empty());
    }

    #[test]
    fn baggage_members() {
        let all: Vec<_> = baggage("lot=A%20b;p=1, tenant = acme,broken,x=").collect();
        assert_eq!(all, [("lot", "A b".to_owned()), ("tenant", "acme".to_owned()), ("x", String::new())]);
    }
}
