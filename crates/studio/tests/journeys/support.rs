//! Recordings read into pieces, and workspaces written of pieces in any order.

use std::path::{Path, PathBuf};

use flowglass_studio::ingest::{Options, Sink, files};
use flowglass_studio::model::{
    Advisory, Batch, Delivery, IngestCounts, Journey, Layer, LogRecord, Message, Settlement, Span, TraceId,
};
use flowglass_studio::store::{Access, Writer};
use flowglass_studio::{Pipeline, Workspace};

/// One thing that can arrive by itself.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a few of them, in tests")]
pub(crate) enum Piece {
    Span(Span),
    Message(Message),
    Delivery(Delivery),
    Settlement(Settlement),
    Advisory(Advisory),
    Log(LogRecord),
}

/// Everything of a batch, in its order.
pub(crate) fn pieces(batch: Batch) -> Vec<Piece> {
    let Batch { spans, messages, deliveries, settlements, advisories, logs, rejected, .. } = batch;
    assert!(rejected.is_empty(), "{rejected:?}");
    let mut out: Vec<Piece> = messages.into_iter().map(Piece::Message).collect();
    out.extend(spans.into_iter().map(Piece::Span));
    out.extend(deliveries.into_iter().map(Piece::Delivery));
    out.extend(settlements.into_iter().map(Piece::Settlement));
    out.extend(advisories.into_iter().map(Piece::Advisory));
    out.extend(logs.into_iter().map(Piece::Log));
    out
}

fn batch(pieces: &[Piece]) -> Batch {
    let mut batch = Batch::default();
    for piece in pieces.iter().cloned() {
        match piece {
            Piece::Span(p) => batch.spans.push(p),
            Piece::Message(p) => batch.messages.push(p),
            Piece::Delivery(p) => batch.deliveries.push(p),
            Piece::Settlement(p) => batch.settlements.push(p),
            Piece::Advisory(p) => batch.advisories.push(p),
            Piece::Log(p) => batch.logs.push(p),
        }
    }
    batch
}

/// What files and folders hold, as the import reads it.
pub(crate) fn read(paths: &[PathBuf]) -> Vec<Piece> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (sink, mut queue) = Sink::channel(8, usize::MAX);
        let options = Options::default();
        let reading = async {
            let done = files::import(paths, &sink, &options, |_| {}, Default::default()).await.expect("readable");
            drop(sink.clone());
            done
        };
        let mut out = Vec::new();
        let taking = async {
            while let Some(submission) = queue.recv().await {
                out.extend(pieces(submission.batch));
                let _ = submission.done.send(Ok(IngestCounts::default()));
            }
        };
        tokio::select! {
            report = reading => assert_eq!(report.rejected_total, 0, "{:?}", report.rejected),
            () = taking => {}
        }
        out
    })
}

/// A workspace in a folder that goes with it.
pub(crate) struct Written {
    pub(crate) workspace: Workspace,
    _folder: tempfile::TempDir,
}

/// Writes pieces in batches of the given sizes, in turn.
pub(crate) fn write(pieces: &[Piece], sizes: &[usize]) -> Written {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journeys.flowglass");
    let writer = Writer::open(&path, Access::Create).expect("a workspace");
    let mut pipeline = Pipeline::new(writer, tokio::sync::broadcast::channel(1).0);
    let (mut rest, mut sizes) = (pieces, sizes.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*sizes.next().expect("sizes")).clamp(1, rest.len()));
        pipeline.write(vec![batch(now)]).expect("stored");
        rest = later;
    }
    drop(pipeline);
    Written { workspace: Workspace::open(&path, None).expect("opens"), _folder: folder }
}

impl Written {
    /// All journeys in full, by id.
    pub(crate) fn journeys(&self) -> Vec<Journey> {
        let ids = self.workspace.read(|r| r.journeys_started(None, None)).expect("listed");
        let mut journeys: Vec<Journey> = ids.into_iter().map(|id| self.journey(id)).collect();
        journeys.sort_by_key(|j| j.summary.id);
        journeys
    }

    /// A journey in full.
    pub(crate) fn journey(&self, id: TraceId) -> Journey {
        self.workspace.journey(id, &|_| Layer::Process).expect("a journey").0
    }
}

/// Turns a list into another order that depends on the seed alone (Fisher and Yates, with SplitMix64).
pub(crate) fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed;
    for i in (1..list.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        list.swap(i, ((z ^ (z >> 31)) % (i as u64 + 1)) as usize);
    }
}

/// A file of a recording, packed or not.
pub(crate) fn file(folder: &Path, name: &str) -> PathBuf {
    let packed = folder.join(format!("{name}.gz"));
    if packed.is_file() { packed } else { folder.join(name) }
}
