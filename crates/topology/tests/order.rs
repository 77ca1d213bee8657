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
