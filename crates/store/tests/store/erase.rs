//! What is erased is gone from chunks, filters and names; what stays is as it was.

use std::collections::BTreeSet;

use flowglass_model::{JourneyState, TraceId};
use flowglass_store::{Access, FindHit, JourneyFilter, Writer};

use crate::build::{SECOND, Scratch, T0, process_span, span, span_id, trace_id};
use crate::journeys::journey;

fn all() -> JourneyFilter {
    JourneyFilter { limit: 100, ..JourneyFilter::default() }
}

#[test]
fn traces_leave_large_chunks_and_the_rest_stays_as_it_was() {
    let mut w = Scratch::new();
    // More than one chunk, packed beside the writer and shared by many traces; then a small one.
    let spans: Vec<_> = (0..9_000).map(|n| span(n % 30, n, T0 + n as i64 * SECOND)).collect();
    let mut packer = w.writer.packer().unwrap();
    let packed = packer.pack(&spans).unwrap();
    w.write(|tx| tx.add_packed(packed).unwrap());
    let late = [process_span(3, 20_000, "orders", "m-1", (4, 4)), process_span(4, 20_001, "orders", "m-2", (3, 3))];
    w.write(|tx| tx.add_spans(&late).unwrap());

    let gone: BTreeSet<u64> = (0..30).filter(|n| n % 2 == 1).collect();
    let before: Vec<_> = (0..30).map(|n| w.reader().trace(trace_id(n)).unwrap()).collect();
    let traces: Vec<TraceId> = gone.iter().map(|n| trace_id(*n)).collect();
    let erased = w.write(|tx| tx.erase_traces(&traces).unwrap());
    assert_eq!(erased.spans, 4_501);
    let mut steps = 1;
    while w.write(|tx| tx.sweep().unwrap()) {
        steps += 1;
    }
    assert!(steps > 1, "a large chunk takes a step of its own");

    let r = w.reader();
    assert_eq!((r.stats().unwrap().spans, r.stats().unwrap().traces), (4_501, 15));
    for n in 0..30 {
        let stays: &[_] = if gone.contains(&n) { &[] } else { &before[n as usize] };
        assert_eq!(r.trace(trace_id(n)).unwrap(), stays, "trace {n}");
    }
    assert_eq!(r.find("o-8998").unwrap(), [FindHit::Trace(trace_id(28))], "new filters know what stayed");
    assert_eq!(r.find("o-8999").unwrap(), []);
    w.write(|tx| {
        assert_eq!(tx.traces_linking_to(trace_id(4), span_id(4)).unwrap(), []);
        assert_eq!(tx.traces_linking_to(trace_id(3), span_id(3)).unwrap(), [trace_id(4)]);
        assert_eq!(tx.traces_with_message("nats/orders", "m-1").unwrap(), []);
        // What was erased may come again.
        assert_eq!(tx.trace_facts(trace_id(3)).unwrap(), []);
        tx.add_spans(&before[3]).unwrap();
    });
    assert_eq!(w.reader().trace(trace_id(3)).unwrap(), before[3]);
    assert_eq!(w.reader().stats().unwrap().traces, 16);
}

#[test]
fn journeys_without_their_joined_traces_keep_no_members() {
    let mut w = Scratch::new();
    let merged = journey(1, JourneyState::Ok);
    w.write(|tx| {
        let how = flowglass_model::LinkHow::SpanLink;
        let (child_trace, parent_trace) = (trace_id(2), trace_id(1));
        tx.add_joins(&[flowglass_model::TraceJoin {
            child_trace,
            child_span: span_id(2),
            parent_trace,
            parent_span: span_id(1),
            how,
        }])
        .unwrap();
        tx.put_journeys(std::slice::from_ref(&merged), &[(parent_trace, parent_trace), (parent_trace, child_trace)])
            .unwrap();
    });
    assert_eq!(w.reader().journey_summary(trace_id(2)).unwrap(), Some(merged.clone()));
    w.write(|tx| {
        assert_eq!(tx.erase_traces(&[trace_id(2)]).unwrap().joins.len(), 1);
        tx.put_journeys(std::slice::from_ref(&merged), &[(trace_id(1), trace_id(1))]).unwrap();
    });
    assert_eq!(w.reader().journey_summary(trace_id(2)).unwrap(), None);
    assert_eq!(w.reader().journey_summary(trace_id(1)).unwrap(), Some(merged));
}

#[test]
fn names_go_with_everything_and_start_anew() {
    let mut w = Scratch::new();
    let put = |w: &mut Scratch, n: u64| {
        w.write(|tx| tx.put_journeys(&[journey(n, JourneyState::Ok)], &[(trace_id(n), trace_id(n))]).unwrap());
    };
    put(&mut w, 1);
    // Taken back: the names are still needed.
    let mut tx = w.writer.begin().unwrap();
    tx.erase_everything().unwrap();
    tx.rehearse().unwrap();
    put(&mut w, 2);
    assert_eq!(w.reader().journeys(&all()).unwrap().rows, [2, 1].map(|n| journey(n, JourneyState::Ok)));

    w.write(|tx| tx.erase_everything().unwrap());
    assert_eq!(w.reader().journeys(&all()).unwrap().total, 0);
    for n in 3..=5 {
        put(&mut w, n);
    }
    let Scratch { folder: _folder, path, writer } = w;
    drop(writer);
    let mut writer = Writer::open(&path, Access::Open).unwrap();
    let mut tx = writer.begin().unwrap();
    tx.put_journeys(&[journey(6, JourneyState::Ok)], &[(trace_id(6), trace_id(6))]).unwrap();
    tx.commit().unwrap();
    let page = flowglass_store::Reader::open(&path).unwrap().journeys(&all()).unwrap();
    assert_eq!(page.rows, [6, 5, 4, 3].map(|n| journey(n, JourneyState::Ok)));
}
