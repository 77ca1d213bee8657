//! The order of arrival, batching, repeats and a small cache change nothing.

mod common;

use common::{Batch, Bench};
use flowglass_testkit::{render_deltas, story};
use proptest::prelude::*;

/// A random story: several traces, all roles, parents, links and shared message ids.
fn text() -> impl Strategy<Value = String> {
    let role = prop_oneof![
        3 => Just("internal"), 3 => Just("server"), 3 => Just("client"), 1 => Just("access"), 1 => Just("consumer"),
        3 => Just("send"), 1 => Just("create"), 3 => Just("process"), 2 => Just("receive"), 1 => Just("settle"),
    ];
    let span = (role, 0..3u8, 0..3u8, 0..14u8, prop::collection::vec(0..14u8, 0..3), 0..4u8, 0..6i64, any::<bool>());
    let message = (0..2u8, 0..4u8, 0..14u8, 0..6i64);
    (prop::collection::vec(span, 1..14), prop::collection::vec(message, 0..6)).prop_map(|(spans, messages)| {
        let mut out = String::new();
        for (i, (role, service, trace, parent, links, id, start, error)) in spans.iter().enumerate() {
            out += &format!(
                "s{i} {role} svc{service} trace=t{trace} peer=host{service}:80 topic=nats/top{} @{start}..{}",
                id % 2,
                start + 5
            );
            // Parents may stand in another trace (then they never arrive), later in the text, or be the span itself.
            if *parent < 12 {
                out += &format!(" <s{parent}");
            }
            for link in links {
                out += &format!(" ~s{link}");
            }
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

fn whole(text: &str) -> Bench {
    let s = story(text);
    let mut bench = Bench::new(10_000);
    bench.feed(&Batch { spans: s.spans, messages: s.messages, deliveries: s.deliveries }, &[]);
    bench
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_the_same_sums(
        text in text(),
        order in prop::collection::vec((any::<u32>(), 0..5usize), 20),
        cache in prop_oneof![Just(1usize), Just(4), Just(1_000)],
        repeat in any::<bool>(),
    ) {
        let wanted = whole(&text);
        let story = story(&text);
        let mut batches = vec![(Vec::new(), Batch::default()); 5];
        for (i, span) in story.spans.iter().enumerate() {
            let (key, batch) = order[i];
            batches[batch].0.push((key, span.clone()));
        }
        for (i, message) in story.messages.iter().enumerate() {
            batches[(order[i].0 % 5) as usize].1.messages.push(message.clone());
        }
        let mut bench = Bench::new(cache);
        for (mut spans, mut batch) in batches {
            spans.sort_by_key(|(key, _)| *key);
            batch.spans = spans.into_iter().map(|(_, s)| s).collect();
            bench.feed(&batch, &[]);
            if repeat {
                bench.feed(&Batch { spans: batch.spans, ..Batch::default() }, &[]);
            }
        }
        prop_assert_eq!(render_deltas(&bench.deltas()), render_deltas(&wanted.deltas()));
        prop_assert!(bench.sums.values().all(|n| *n > 0), "nothing is taken back that was not counted");
    }
}

/// Feeds one batch per paragraph, and expects what all at once gives.
fn one_after_the_other(paragraphs: &str) {
    let wanted = whole(paragraphs);
    let all = story(paragraphs);
    let mut bench = Bench::new(1_000);
    let (mut spans, mut messages) = (all.spans.into_iter(), all.messages.into_iter());
    for paragraph in paragraphs.split("\n\n") {
        let (told, others): (Vec<&str>, Vec<&str>) =
            paragraph.lines().filter(|l| !l.is_empty()).partition(|l| l.starts_with("message"));
        let batch = Batch {
            spans: spans.by_ref().take(others.len()).collect(),
            messages: messages.by_ref().take(told.len()).collect(),
            ..Batch::default()
        };
        bench.feed(&batch, &[]);
    }
    assert_eq!(render_deltas(&bench.deltas()), render_deltas(&wanted.deltas()));
}

#[test]
fn a_late_send_span_that_links_to_the_creation_settles_what_the_creation_left_open() {
    // With the third span, the creation and the second one stand for a publication each.
    one_after_the_other(
        "s1 create svc1 trace=t1 topic=nats/top0 @0..5 id=m2\ns2 send svc1 trace=t1 topic=nats/top0 @0..5 id=m2\n\
         message nats/top0 source=/svc0 @0 id=m2\nmessage nats/top0 source=/svc0 @0 id=m2\n\n\
         s3 send svc1 trace=t0 topic=nats/top0 @0..5 ~s1\n",
    );
}

#[test]
fn a_late_span_between_sending_and_creation_decides_how_long_the_message_waited() {
    one_after_the_other(
        "s1 send svc1 trace=t1 topic=nats/top1 @1..6\ns3 create svc1 trace=t1 topic=nats/top1 @0..5 <s2 id=m1\n\
         s4 process svc0 trace=t0 topic=nats/top1 @8..9 ~s3\n\n\
         s2 internal svc1 trace=t1 @1..5 <s1\n",
    );
}
