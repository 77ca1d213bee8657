//! Taking traces back leaves what would be there had they never come.

mod common;

use std::collections::BTreeSet;

use common::{Batch, Bench};
use flowglass_model::{Message, TraceId};
use flowglass_testkit::{render_deltas, story};
use proptest::prelude::*;

/// Random spans and messages of four traces that link to each other, share message ids and name parents across traces.
fn text() -> impl Strategy<Value = String> {
    let role = prop_oneof![
        3 => Just("internal"), 3 => Just("server"), 3 => Just("client"), 1 => Just("access"), 1 => Just("consumer"),
        3 => Just("send"), 1 => Just("create"), 3 => Just("process"), 2 => Just("receive"), 1 => Just("settle"),
    ];
    let span = (role, 0..3u8, 0..4u8, 0..14u8, prop::collection::vec(0..14u8, 0..3), 0..4u8, 0..6i64, any::<bool>());
    let message = (0..2u8, 0..4u8, 0..14u8, 0..6i64);
    (prop::collection::vec(span, 1..14), prop::collection::vec(message, 0..6)).prop_map(|(spans, messages)| {
        let mut out = String::new();
        for (i, (role, service, trace, parent, links, id, start, error)) in spans.iter().enumerate() {
            out += &format!(
                "s{i} {role} svc{service} trace=t{trace} peer=host{service}:80 topic=nats/top{} @{start}..{}",
                id % 2,
                start + 5
            );
            if *parent < 12 {
                out += &format!(" <s{parent}");
            }
            links.iter().for_each(|link| out += &format!(" ~s{link}"));
            if *id > 0 {
                out += &format!(" id=m{id}");
            }
            out += if *error { " err\n" } else { "\n" };
        }
        for (topic, id, hop, time) in messages {
            out += &format!("message nats/top{topic} source=/svc{topic} @{time}");
            if id > 0 {
                out += &format!(" id=m{id}");
            }
            if hop < 12 {
                out += &format!(" hop=s{hop}");
            }
            out.push('\n');
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_back_never_came(
        text in text(),
        traces in prop::collection::vec(any::<bool>(), 4),
        messages in prop::collection::vec(any::<bool>(), 6),
        cache in prop_oneof![Just(1usize), Just(1_000)],
    ) {
        let story = story(&text);
        let mut ids: Vec<TraceId> = story.spans.iter().map(|s| s.trace_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let gone: BTreeSet<TraceId> = ids.iter().zip(&traces).filter(|(_, gone)| **gone).map(|(t, _)| *t).collect();
        let (lost, left): (Vec<(usize, &Message)>, Vec<_>) =
            story.messages.iter().enumerate().partition(|(i, _)| messages[*i]);
        let lost: Vec<usize> = lost.into_iter().map(|(i, _)| i).collect();

        let mut bench = Bench::new(cache);
        bench.feed(&Batch { spans: story.spans.clone(), messages: story.messages.clone(), ..Batch::default() }, &[]);
        bench.take_back(&gone, &lost);

        let mut wanted = Bench::new(1_000);
        let spans = story.spans.iter().filter(|s| !gone.contains(&s.trace_id)).cloned().collect();
        let messages = left.into_iter().map(|(_, m)| m.clone()).collect();
        wanted.feed(&Batch { spans, messages, ..Batch::default() }, &[]);
        prop_assert_eq!(render_deltas(&bench.deltas()), render_deltas(&wanted.deltas()));
        prop_assert!(bench.sums.values().all(|n| *n > 0), "nothing is taken back that was not counted");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn figures_outlive_what_expires_and_are_counted_once(
        text in text(),
        traces in prop::collection::vec(any::<bool>(), 4),
        messages in prop::collection::vec(any::<bool>(), 6),
        cache in prop_oneof![Just(1usize), Just(1_000)],
    ) {
        let story = story(&text);
        let mut ids: Vec<TraceId> = story.spans.iter().map(|s| s.trace_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let gone: BTreeSet<TraceId> = ids.iter().zip(&traces).filter(|(_, gone)| **gone).map(|(t, _)| *t).collect();
        // As the store has it: an event goes as a whole, when none of its publications names a trace that stays.
        let goes = |i: &usize| {
            let this = &story.messages[*i];
            let same = |m: &&Message| m.event_id.is_some() && (&m.destination, &m.event_id) == (&this.destination, &this.event_id);
            let all: Vec<&Message> = story.messages.iter().filter(|m| same(m) || std::ptr::eq(*m, this)).collect();
            let named = || all.iter().filter_map(|m| m.hop).map(|hop| hop.trace_id).filter(|t| ids.contains(t));
            let first = story.messages.iter().position(|m| std::ptr::eq(m, all[0])).unwrap();
            if named().next().is_some() { named().all(|t| gone.contains(&t)) } else { messages[first] }
        };
        let lost: Vec<usize> = (0..story.messages.len()).filter(goes).collect();

        let mut bench = Bench::new(cache);
        bench.feed(&Batch { spans: story.spans.clone(), messages: story.messages.clone(), ..Batch::default() }, &[]);
        let all = render_deltas(&bench.deltas());
        bench.expire(&gone, &lost);
        prop_assert_eq!(render_deltas(&bench.deltas()), all.clone());

        let again: Vec<_> = story.spans.iter().filter(|s| gone.contains(&s.trace_id)).cloned().collect();
        bench.feed(&Batch { spans: again, ..Batch::default() }, &[]);
        prop_assert_eq!(render_deltas(&bench.deltas()), all, "what comes again is not counted again");

        let ids: BTreeSet<TraceId> = ids.into_iter().collect();
        let rest: Vec<usize> = (0..story.messages.len() - lost.len()).collect();
        bench.take_back(&ids, &rest);
        prop_assert!(bench.sums.values().all(|n| *n > 0), "nothing is taken back that was not counted");
    }
}

#[test]
fn layers_and_deliveries_go_with_the_spans_that_told_of_them() {
    let story = story("s1 server svc1 trace=t1 @0..5\ns2 server svc1 trace=t2 @1..5\n");
    let declared = vec![(story.spans[0].service.clone(), "system".to_owned())];
    let mut bench = Bench::new(100);
    bench.feed(&Batch { spans: story.spans.clone(), ..Batch::default() }, &declared);
    let all = render_deltas(&bench.deltas());
    let gone = BTreeSet::from([story.spans[1].trace_id]);
    bench.take_back_declared(&gone, &[], &declared);
    let mut wanted = Bench::new(100);
    wanted.feed(&Batch { spans: vec![story.spans[0].clone()], ..Batch::default() }, &declared);
    assert_eq!(render_deltas(&bench.deltas()), render_deltas(&wanted.deltas()));
    assert_ne!(all, render_deltas(&bench.deltas()));
}

#[test]
fn a_span_that_comes_again_after_its_figures_were_closed_stands_for_no_other_message() {
    // The first message goes with the trace that sent it; the second names it as a hop, and stays for the sake of the other.
    let story = story(
        "s0 send svc0 trace=t3 topic=nats/top1 @0..5 id=m1\ns3 send svc0 trace=t3 topic=nats/top1 @0..5 id=m3\n\
         s4 process svc0 trace=t0 topic=nats/top0 @0..5\n\
         message nats/top1 source=/svc1 @0 id=m1 hop=s0\nmessage nats/top1 source=/svc1 @1 id=m3 hop=s0\n\
         message nats/top1 source=/svc1 @0 id=m3 hop=s4\n",
    );
    let mut bench = Bench::new(100);
    bench.feed(&Batch { spans: story.spans.clone(), messages: story.messages.clone(), ..Batch::default() }, &[]);
    let all = render_deltas(&bench.deltas());
    let trace = story.spans[0].trace_id;
    bench.expire(&BTreeSet::from([trace]), &[0]);
    let again = story.spans.iter().filter(|s| s.trace_id == trace).cloned().collect();
    bench.feed(&Batch { spans: again, ..Batch::default() }, &[]);
    assert_eq!(render_deltas(&bench.deltas()), all);
}
