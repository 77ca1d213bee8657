//! Every file format, and files that are broken.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flowglass_ingest::files::{ImportReport, import, import_bytes};
use flowglass_ingest::{Options, Sink, SubmitError};
use flowglass_model::{Batch, IngestCounts, SpanKey};
use tokio_util::sync::CancellationToken;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/formats").join(name)
}

/// A sink that keeps all and counts each span once, as the store does.
fn keeper() -> (Sink, Arc<Mutex<Batch>>) {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let kept = Arc::new(Mutex::new(Batch::default()));
    let all = Arc::clone(&kept);
    tokio::spawn(async move {
        let mut seen: BTreeSet<SpanKey> = BTreeSet::new();
        while let Some(submission) = queue.recv().await {
            let b = submission.batch;
            let new = b.spans.iter().filter(|s| seen.insert(s.facts.key())).count() as u64;
            let counts = IngestCounts {
                spans: new,
                known: b.spans.len() as u64 - new,
                events: b.messages.len() as u64,
                logs: b.logs.len() as u64,
                facts: (b.deliveries.len() + b.settlements.len() + b.advisories.len()) as u64,
                rejected: 0,
            };
            all.lock().unwrap().append(b);
            submission.done.send(Ok(counts)).unwrap();
        }
    });
    (sink, kept)
}

async fn take(paths: &[PathBuf]) -> (ImportReport, Batch) {
    let (sink, kept) = keeper();
    let report = import(paths, &sink, &Options::named("test"), |_| {}, CancellationToken::new()).await.unwrap();
    let batch = std::mem::take(&mut *kept.lock().unwrap());
    (report, batch)
}

async fn take_content(name: &str, content: &[u8]) -> ImportReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::File::create(&path).unwrap().write_all(content).unwrap();
    take(&[path]).await.0
}

fn reasons(report: &ImportReport) -> Vec<String> {
    report.rejected.iter().map(|r| format!("{}: {}", r.at, r.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_recognised_by_content() {
    // (file, spans, events, logs, facts, rejected)
    for (name, spans, events, logs, facts, rejected) in [
        ("otlp.json", 2, 0, 0, 0, 0),
        ("otlp.jsonl", 2, 0, 1, 0, 2),
        ("otlp.jsonl.gz", 2, 0, 1, 0, 2),
        ("otlp-bad-line.jsonl", 2, 0, 0, 0, 1),
        ("otlp-bom-crlf.jsonl", 2, 0, 0, 0, 0),
        ("otlp.pb", 3, 0, 0, 0, 0),
        ("otlp-varint.bin", 3, 0, 0, 0, 0),
        ("otlp-fixed.bin", 3, 0, 0, 0, 0),
        ("zipkin.json", 2, 0, 0, 0, 0),
        ("jaeger.json", 1, 0, 0, 0, 0),
        ("kcat.jsonl", 0, 2, 0, 0, 0),
        ("nats.jsonl", 0, 1, 0, 4, 1),
        ("cloudevents.json", 0, 2, 0, 0, 0),
        ("cloudevent.json", 0, 1, 0, 0, 0),
        ("unrelated.jsonl", 0, 0, 0, 0, 1),
    ] {
        let (report, _) = take(&[fixture(name)]).await;
        let c = report.counts;
        assert_eq!(
            (c.spans, c.events, c.logs, c.facts),
            (spans, events, logs, facts),
            "{name}: {:?}",
            reasons(&report)
        );
        assert_eq!(report.rejected_total, rejected, "{name}: {:?}", reasons(&report));
        assert_eq!(report.recognised, u64::from(name != "unrelated.jsonl"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejections_name_place_and_reason() {
    for (name, at, words) in [
        ("otlp-bad-line.jsonl", "line 2", "not a JSON object"),
        ("otlp.jsonl", "line 3", "metrics are not kept"),
        ("nats.jsonl", "line 6", "not base64"),
        ("unrelated.jsonl", "byte 0", "not a format Flowglass knows"),
    ] {
        let (report, _) = take(&[fixture(name)]).await;
        let r = &report.rejected[0];
        assert!(r.at == at && r.reason.contains(words) && r.source.ends_with(name), "{r:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extension_says_nothing() {
    let gz = std::fs::read(fixture("otlp.jsonl.gz")).unwrap();
    assert_eq!(take_content("picture.png", &gz).await.counts.spans, 2);
    let plain = std::fs::read(fixture("otlp.jsonl")).unwrap();
    assert_eq!(take_content("plain.gz", &plain).await.counts.spans, 2);
    let zst = zstd::encode_all(&plain[..], 3).unwrap();
    assert_eq!(take_content("x.json", &zst).await.counts.spans, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_files_keep_their_good_part() {
    let line = std::fs::read_to_string(fixture("otlp-bom-crlf.jsonl")).unwrap();
    let line = line.trim_start_matches('\u{feff}').lines().next().unwrap();
    let text: String = (1..=2_000u32)
        .map(|i| {
            line.replace("0000000000000001", &format!("{:016x}", u64::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                + "\n"
        })
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let report = take_content("half.jsonl.gz", &gz[..gz.len() / 2]).await;
    assert!((500..1_500).contains(&report.counts.spans), "{:?}", report.counts);
    assert_eq!(report.rejected_total, 1, "{:?}", reasons(&report));
    assert!(reasons(&report)[0].contains("ends early or is damaged"), "{:?}", reasons(&report));

    let bin = std::fs::read(fixture("otlp-varint.bin")).unwrap();
    let report = take_content("half.bin", &bin[..bin.len() - 5]).await;
    assert_eq!((report.counts.spans, report.rejected_total), (2, 1), "{:?}", reasons(&report));
    assert!(reasons(&report)[0].contains("middle of a message"), "{:?}", reasons(&report));

    let json = std::fs::read(fixture("cloudevents.json")).unwrap();
    let report = take_content("half.json", &json[..json.len() - 20]).await;
    assert_eq!((report.counts.events, report.rejected_total), (1, 1), "{:?}", reasons(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nothing_is_one_rejection() {
    let garbage: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (content, words) in [
        (&b""[..], "the file is empty"),
        (b" \n", "the file is empty"),
        (b"hello\nworld\n", "first bytes \"hello"),
        (b"\x89PNG\r\n\x1a\n0000", "first bytes 89 50 4e 47"),
        (b"{\"a\":{\"b\":[1,2]}}", "not a format Flowglass knows"),
        (b"[1,2,3]", "not a format Flowglass knows"),
        (b"{\"a\":", "not a format Flowglass knows"),
        (&garbage, "not a format Flowglass knows"),
    ] {
        let report = take_content("x", content).await;
        assert_eq!((report.rejected_total, report.recognised), (1, 0), "{:?}", reasons(&report));
        assert!(reasons(&report)[0].contains(words), "{:?}", reasons(&report));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_walked_and_spans_count_once() {
    let (report, batch) = take(&[fixture("")]).await;
    assert!(report.files >= 15 && report.counts.known > 0, "{report:?}");
    assert_eq!(report.counts.spans + report.counts.known, batch.spans.len() as u64);
    let (sink, _) = keeper();
    let missing = import(&[fixture("nope")], &sink, &Options::named("t"), |_| {}, CancellationToken::new()).await;
    assert!(missing.unwrap_err().to_string().contains("nope"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_imported_like_files_and_can_be_cancelled() {
    let content = std::fs::read(fixture("otlp.jsonl")).unwrap();
    let (sink, _) = keeper();
    let options = Options::named("t");
    let report = import_bytes(
        "pasted",
        std::io::Cursor::new(content.clone()),
        &sink,
        &options,
        |_| {},
        CancellationToken::new(),
    )
    .await
    .unwrap();
    assert_eq!((report.counts.spans, report.first), (2, Some(1_700_000_000_000_000_000)));
    let cancel = CancellationToken::new();
    cancel.cancel();
    let report = import_bytes("pasted", std::io::Cursor::new(content), &sink, &options, |_| {}, cancel).await.unwrap();
    assert!(report.cancelled && report.counts.spans == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_an_import_waits_and_takes_everything_once() {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let stored: Arc<Mutex<Vec<SpanKey>>> = Arc::default();
    let into = Arc::clone(&stored);
    tokio::spawn(async move {
        // Every batch is refused twice: for want of room, and by a disk that does not answer.
        let mut tries = 0;
        while let Some(submission) = queue.recv().await {
            tries += 1;
            let outcome = match tries % 3 {
                1 => Err(SubmitError::Full("no room; senders keep their data and try again".into())),
                2 => Err(SubmitError::Failed { reason: "I/O error".into(), retryable: true }),
                _ => {
                    let spans = &submission.batch.spans;
                    into.lock().unwrap().extend(spans.iter().map(|s| s.facts.key()));
                    Ok(IngestCounts { spans: spans.len() as u64, ..IngestCounts::default() })
                }
            };
            submission.done.send(outcome).unwrap();
        }
    });
    let words: Mutex<Vec<Option<String>>> = Mutex::default();
    let told = |p: flowglass_ingest::files::Progress| words.lock().unwrap().push(p.waiting);
    let paths = [fixture("otlp.json"), fixture("otlp.pb")];
    let report = import(&paths, &sink, &Options::named("test"), told, CancellationToken::new()).await.unwrap();
    let mut stored = std::mem::take(&mut *stored.lock().unwrap());
    assert_eq!((report.counts.spans, report.counts.known, stored.len()), (5, 0, 5));
    let mut all: Vec<SpanKey> = take(&paths).await.1.spans.iter().map(|s| s.facts.key()).collect();
    stored.sort();
    all.sort();
    assert_eq!(stored, all, "all of them, none twice");
    let words = words.into_inner().unwrap();
    let said = |part: &str| words.iter().flatten().any(|w| w.contains(part) && w.contains("goes on by itself"));
    assert!(said("no room. The import waits") && said("I/O error"), "{words:?}");
    assert_eq!(words.last(), Some(&None), "it said that it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_waits_can_be_cancelled_and_one_that_cannot_go_on_fails() {
    let refusing = |error: SubmitError| {
        let (sink, mut queue) = Sink::channel(8, 64 << 20);
        tokio::spawn(async move {
            while let Some(submission) = queue.recv().await {
                submission.done.send(Err(error.clone())).unwrap();
            }
        });
        sink
    };
    let (cancel, paths) = (CancellationToken::new(), [fixture("otlp.json")]);
    let stop = |p: flowglass_ingest::files::Progress| p.waiting.iter().for_each(|_| cancel.cancel());
    let sink = refusing(SubmitError::Full("no room".into()));
    let report = import(&paths, &sink, &Options::named("test"), stop, cancel.clone()).await.unwrap();
    assert!(report.cancelled && report.counts == IngestCounts::default(), "{report:?}");
    let sink = refusing(SubmitError::Failed { reason: "damaged".into(), retryable: false });
    let failed = import(&paths, &sink, &Options::named("test"), |_| {}, CancellationToken::new()).await.unwrap_err();
    assert!(failed.to_string().contains("damaged"), "{failed}");
}
