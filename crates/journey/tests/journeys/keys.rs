use flowglass_journey::{Sighting, propose};

use crate::support::trace;

fn sighting(place: &str, name: &str, value: String, of: u8) -> Sighting {
    Sighting { place: place.into(), name: name.into(), value, trace: Some(trace(of)) }
}

#[test]
fn values_that_recur_and_tell_apart_are_keys() {
    let mut seen = Vec::new();
    for n in 1..=60u8 {
        seen.push(sighting("web", "app.parcel", format!("P-{n:04}"), n));
        seen.push(sighting("orders.placed", "data.order.parcelId", format!("P-{n:04}"), n));
        seen.push(sighting("depot", "http.request.header.x-parcel-id", format!("P-{n:04}"), n));
        // The same for all, seen at one place only, an instant, infrastructure, a number that says how many.
        seen.push(sighting("web", "tenant.id", "acme-1".into(), n));
        seen.push(sighting("depot", "tenant.id", "acme-1".into(), n));
        seen.push(sighting("web", "session", format!("s-{n}"), n));
        for place in ["web", "depot"] {
            seen.push(sighting(place, "placedAt", format!("2026-03-10T14:31:{n:02}Z"), n));
            seen.push(sighting(place, "thread.name", format!("worker-{n}"), n));
            seen.push(sighting(place, "quantity", n.to_string(), n));
        }
    }
    let found = propose(&seen);
    let names: Vec<(&str, u64, u64)> = found.iter().map(|p| (p.name.as_str(), p.values, p.recurring)).collect();
    assert_eq!(names, [("data.order.parcelId", 60, 60)]);
    assert_eq!(found[0].places, ["depot", "orders.placed"]);
    assert_eq!(found[0].spellings, ["http.request.header.x-parcel-id"]);
    assert_eq!(found[0].traces_of_one, 1);
    seen.reverse();
    assert_eq!(propose(&seen), found);
}
