//! What an attribute's name decides, worked out once per name: senders use few names and repeat them in each span.

use std::cell::RefCell;

use flowglass_model::{Attributes, SpanKind};
use rustc_hash::FxHashMap;

use super::attributes::{current_name, is_compound, is_payload};
use super::facts::Slot;
use super::keys::business_key;
use crate::redact::is_credential;

/// Names remembered per thread; with more than these the memory starts anew.
const REMEMBERED: usize = 4_096;

/// What a name decides, whatever stands under it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameFacts {
    /// An old name, or one that only some spans give another name: `rename` must look at it.
    pub(super) old: bool,
    /// What stands under it is a credential.
    pub(super) credential: bool,
    /// The built-in business key it carries.
    pub(super) key: Option<&'static str>,
    /// What stands under it are members of a W3C `baggage` header.
    pub(super) baggage: bool,
    /// What stands under it is a payload.
    pub(super) payload: bool,
    /// What it tells of the span's role.
    pub(super) slot: Option<Slot>,
}

thread_local! {
    static KNOWN: RefCell<FxHashMap<Box<str>, NameFacts>> = RefCell::default();
}

fn work_out(name: &str) -> NameFacts {
    let kinds = [None, Some(SpanKind::Server), Some(SpanKind::Client)];
    NameFacts {
        old: is_compound(name) || kinds.into_iter().any(|kind| current_name(name, kind).is_some()),
        credential: is_credential(name),
        key: business_key(name),
        baggage: name == "baggage" || name.ends_with(".baggage"),
        payload: is_payload(name),
        slot: Slot::of(name),
    }
}

/// What the names of attributes decide, in their order.
pub(super) fn of(attributes: &Attributes) -> Vec<NameFacts> {
    KNOWN.with_borrow_mut(|known| {
        let each = |name: &str| match known.get(name) {
            Some(facts) => *facts,
            None => {
                let facts = work_out(name);
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(name.into(), facts);
                facts
            }
        };
        attributes.iter().map(|(name, _)| name.as_str()).map(each).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowglass_model::Value;

    #[test]
    fn what_is_remembered_is_what_the_rules_say() {
        let names = ["http.method", "http.target", "net.peer.name", "order.id", "db.password", "http.route", "x"];
        let attributes: Attributes = names.iter().map(|n| ((*n).to_owned(), Value::Null)).collect();
        for _ in 0..2 {
            let facts = of(&attributes);
            assert_eq!(facts.iter().map(|f| f.old).collect::<Vec<_>>(), [true, true, true, false, false, false, false]);
            assert_eq!(facts[3].key, Some("orderId"));
            assert!(facts[4].credential && !facts[3].credential);
            assert!(facts[5].slot.is_some() && facts[6].slot.is_none());
        }
        for n in 0..REMEMBERED {
            of(&vec![(format!("name.{n}"), Value::Null)]);
        }
        assert_eq!(of(&attributes)[3].key, Some("orderId"), "a full memory starts anew");
    }
}
