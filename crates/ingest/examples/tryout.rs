//! tryout
use std::{collections::*, path::PathBuf};
use flowglass_ingest::{*, files::*};
use flowglass_model::*;
#[tokio::main]
async fn main() {
    for path in std::env::args().skip(1) {
        let (sink, mut queue) = Sink::channel(8, 64 << 20);
        tokio::spawn(async move {
            let mut seen = HashSet::new();
            let mut msgs = HashSet::new();
            while let Some(s) = queue.recv().await {
                let b = s.batch;
                let new = b.spans.iter().filter(|s| seen.insert(s.facts.key())).count() as u64;
                let ev = b.messages.iter().filter(|m| msgs.insert((m.destination.clone(), m.time, m.payload.clone(), m.stream.clone(), m.sequence))).count() as u64;
                let c = IngestCounts { spans: new, known: b.spans.len() as u64 - new, events: ev, logs: b.logs.len() as u64, facts: (b.deliveries.len()+b.settlements.len()+b.advisories.len()) as u64, rejected: 0 };
                let _ = s.done.send(Ok(c));
            }
        });
        let t = std::time::Instant::now();
        let r = import(&[PathBuf::from(&path)], &sink, &Options::named("t"), |_| {}, Default::default()).await.unwrap();
        println!("{path}: files {} recognised {} {:?} rejected {} in {:?}", r.files, r.recognised, r.counts, r.rejected_total, t.elapsed());
        for x in r.rejected.iter().take(60) { println!("   {} | {} | {}", x.source.rsplit('/').take(3).collect::<Vec<_>>().join("<"), x.at, x.reason.chars().take(150).collect::<String>()); }
    }
}
