//! Journeys: stored, replaced, filtered, found.

use flowglass_model::filter::{Filter, View};
use flowglass_model::{JourneyState, JourneySummary};
use flowglass_store::{FindHit, JourneyFilter};

use crate::build::{SECOND, Scratch, T0, message, span, trace_id};

pub(crate) fn journey(n: u64, state: JourneyState) -> JourneySummary {
    JourneySummary {
        id: trace_id(n),
        root: format!("web-api POST /orders/{n}"),
        root_participant: "service:web-api".into(),
        start: T0 + n as i64 * SECOND,
        response: Some(n as i64 * 1_000_000),
        settled: Some(n as i64 * 2_000_000),
        state,
        participants: vec!["service:web-api".into(), format!("service:shop/s{}@prod", n % 2).into()],
        spans: 3,
        events: 0,
        errors: 0,
        retries: n % 2,
        dead_lettered: n == 3,
        keys: vec![("orderId".into(), format!("o-{n}"))],
        failure: None,
        effects: Vec::new(),
    }
}

fn filter() -> JourneyFilter {
    JourneyFilter { limit: 100, ..JourneyFilter::default() }
}

fn by(text: &str) -> JourneyFilter {
    JourneyFilter { filter: Filter::parse(text, View::Journeys).unwrap(), ..filter() }
}

#[test]
fn journeys_are_listed_newest_first_and_filtered() {
    let mut w = Scratch::new();
    let all: Vec<_> =
        (1..=6).map(|n| journey(n, if n % 3 == 0 { JourneyState::Failed } else { JourneyState::Ok })).collect();
    let members: Vec<_> = (1..=6).map(|n| (trace_id(n), trace_id(n))).collect();
    w.write(|tx| tx.put_journeys(&all, &members).unwrap());
    let r = w.reader();
    let ids = |f: JourneyFilter| -> Vec<u64> {
        let page = r.journeys(&f).unwrap();
        let number = |j: &JourneySummary| ((j.start - T0) / SECOND) as u64;
        assert!(page.total as usize >= page.rows.len());
        page.rows.iter().map(number).collect()
    };
    assert_eq!(ids(filter()), [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(JourneyFilter { limit: 2, before: Some((T0 + 5 * SECOND, trace_id(5))), ..filter() }), [4, 3]);
    assert_eq!(ids(JourneyFilter { since: Some(T0 + 2 * SECOND), until: Some(T0 + 4 * SECOND), ..filter() }), [3, 2]);
    assert_eq!(ids(JourneyFilter { state: Some(vec![JourneyState::Failed]), ..filter() }), [6, 3]);
    assert_eq!(ids(JourneyFilter { participant: Some("service:shop/s1@prod".into()), ..filter() }), [5, 3, 1]);
    assert_eq!(ids(JourneyFilter { participant: Some("s0".into()), ..filter() }), [6, 4, 2]);
    assert_eq!(ids(by("o-4")), [4]);
    assert_eq!(ids(by("response>=5ms")), [6, 5]);
    assert_eq!(ids(by("retried:true")), [5, 3, 1]);
    assert_eq!(ids(by("dead-lettered:true")), [3]);
    assert_eq!(ids(by("state:failed -dead-lettered:true")), [6]);
    assert_eq!(ids(by("-operation:*/4 service:s0")), [6, 2]);
    assert_eq!(ids(by("operation:\"POST /orders/4\"")), [4]);
    assert_eq!(ids(by("key:O-4")), [4; 0], "no span carries it yet: an exact key is looked up");
    assert_eq!(ids(by("key:o-*")), [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(by(&format!("trace:{}", trace_id(3)))), [3]);
    assert_eq!(ids(by(&format!("-trace:{}", trace_id(3)))), [6, 5, 4, 2, 1]);
    let around = |f: JourneyFilter, second: i64| -> (Option<i64>, Option<i64>) {
        let (since, until) = (Some(T0 + second * SECOND), Some(T0 + (second + 1) * SECOND));
        let (before, after) = r.nearest_journeys(&JourneyFilter { since, until, ..f }).unwrap();
        let number = |t: i64| (t - T0) / SECOND;
        (before.map(number), after.map(number))
    };
    assert_eq!(around(filter(), 3), (Some(2), Some(4)));
    assert_eq!(around(by("state:failed"), 4), (Some(3), Some(6)), "what the filter means");
    assert_eq!(around(by("o-1"), 3), (Some(1), None));
    assert_eq!(around(by(&format!("trace:{}", trace_id(6))), 3), (None, Some(6)));
    assert_eq!(around(JourneyFilter { noise: vec!["POST /orders/2".into()], ..filter() }, 3), (Some(1), Some(4)));
    let quiet = r.journeys(&JourneyFilter { noise: vec!["POST /orders/5".into()], ..by("retried:true") }).unwrap();
    assert_eq!((quiet.rows.len(), quiet.total, quiet.noise), (2, 2, 1));
    let page = r.journeys(&JourneyFilter { state: Some(vec![JourneyState::Failed]), limit: 1, ..filter() }).unwrap();
    assert_eq!((page.total, page.retried, page.dead_lettered), (2, 1, 1));
    assert_eq!(page.settled, [(12_000_000, true), (6_000_000, true)]);
    assert_eq!(page.by_state, [(JourneyState::Ok, 4), (JourneyState::Failed, 2)]);
    assert_eq!(page.rows, [all[5].clone()]);
}

#[test]
fn two_journeys_become_one_and_every_trace_still_leads_to_it() {
    let mut w = Scratch::new();
    let (one, two) = (journey(1, JourneyState::InProgress), journey(2, JourneyState::Ok));
    w.write(|tx| {
        tx.add_spans(&[span(2, 2, T0)]).unwrap();
        tx.put_journeys(&[one.clone(), two], &[(trace_id(1), trace_id(1)), (trace_id(2), trace_id(2))]).unwrap();
    });
    let merged = JourneySummary { state: JourneyState::Ok, ..one };
    w.write(|tx| {
        tx.delete_journeys(&[trace_id(2)]).unwrap();
        tx.put_journeys(std::slice::from_ref(&merged), &[(trace_id(1), trace_id(1)), (trace_id(1), trace_id(2))])
            .unwrap();
        assert_eq!(tx.journeys_of_trace(trace_id(2)).unwrap(), [trace_id(1)]);
        assert_eq!(tx.traces_of_journey(trace_id(1)).unwrap(), [trace_id(1), trace_id(2)]);
    });
    let r = w.reader();
    for trace in [1, 2] {
        assert_eq!(r.journey_summary(trace_id(trace)).unwrap(), Some(merged.clone()));
    }
    assert_eq!(r.journey_summary(trace_id(3)).unwrap(), None);
    assert_eq!(r.find("o-2").unwrap(), [FindHit::Trace(trace_id(1))], "a value in the second trace finds the journey");
    assert_eq!(r.find(&trace_id(2).to_string()).unwrap(), [FindHit::Trace(trace_id(1))]);
    assert_eq!(r.journeys(&filter()).unwrap().total, 1);
}

#[test]
fn events_lead_to_the_journey_of_their_trace() {
    let mut w = Scratch::new();
    w.write(|tx| tx.put_journeys(&[journey(1, JourneyState::Ok)], &[(trace_id(1), trace_id(1))]).unwrap());
    w.message(&message("orders.placed", Some("e-1"), T0));
    let mut lonely = message("orders.placed", Some("e-2"), T0);
    lonely.hop = None;
    lonely.payload = br#"{"lonely":"yes-9"}"#.to_vec();
    w.message(&lonely);
    let r = w.reader();
    for text in ["e-1", "1299", "o-17"] {
        assert!(r.find(text).unwrap().contains(&FindHit::Trace(trace_id(1))), "{text}");
    }
    let event = r.events_with_ids(&[("orders.placed".into(), "e-2".into())]).unwrap()[0].row;
    for text in ["e-2", "yes-9"] {
        assert_eq!(r.find(text).unwrap(), [FindHit::Event(event)], "{text}");
    }
    assert!(r.find("tenant-9").unwrap().contains(&FindHit::Event(event)), "a header");
}

#[test]
fn attributes_lead_to_journeys_whole_or_in_part() {
    let mut w = Scratch::new();
    let journeys: Vec<_> = (1..=3).map(|n| journey(n, JourneyState::Ok)).collect();
    w.write(|tx| {
        for n in 1..=3u64 {
            let mut s = span(n, n, T0 + n as i64 * SECOND);
            s.attributes.push(("order.region".into(), format!("eu-{n}").into()));
            s.attributes.push(("other".into(), "eu-1".into()));
            tx.add_spans(&[s]).unwrap();
        }
        tx.put_journeys(&journeys, &[1, 2, 3].map(|n| (trace_id(n), trace_id(n)))).unwrap();
    });
    let r = w.reader();
    let ids = |text: &str| -> Vec<_> { r.journeys(&by(text)).unwrap().rows.into_iter().map(|j| j.id).collect() };
    assert_eq!(ids("@order.region:eu-1"), [trace_id(1)]);
    assert_eq!(ids("@ORDER.region:eu-1,eu-3"), [trace_id(3), trace_id(1)]);
    assert_eq!(ids("-@order.region:eu-1"), [trace_id(3), trace_id(2)]);
    assert_eq!(ids("@order.region:eu-*"), [trace_id(3), trace_id(2), trace_id(1)]);
    assert_eq!(ids("@order.region:us-*"), []);
    assert_eq!(ids("@order.region:eu"), []);
}
