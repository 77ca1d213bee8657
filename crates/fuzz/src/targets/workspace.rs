//! A workspace from a stranger: a good file with made-up bytes in it.

use std::path::PathBuf;
use std::sync::OnceLock;

use flowglass_studio::ingest::Options;
use flowglass_studio::ingest::otlp::{Encoding, decode_traces};
use flowglass_studio::model::Batch;
use flowglass_studio::model::filter::{Filter, View};
use flowglass_studio::store::{
    Access, EventFilter, JourneyFilter, LogFilter, Reader, Writer, check, probe_chunk, repair,
};
use flowglass_studio::{Pipeline, store};

/// A good workspace: its bytes, and a folder for the changed ones.
fn good() -> &'static (Vec<u8>, PathBuf) {
    static GOOD: OnceLock<(Vec<u8>, PathBuf)> = OnceLock::new();
    GOOD.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("flowglass-fuzz-").tempdir().expect("a folder").keep();
        let path = folder.join("good.flowglass");
        let spans = include_bytes!("../../../../tests/fixtures/formats/otlp.json");
        let options = Options::named("fuzz");
        let batch: Batch = decode_traces(spans, Encoding::Json, &options).expect("a good file");
        let writer = Writer::open(&path, Access::Create).expect("a new file");
        let mut pipeline = Pipeline::new(writer, tokio::sync::broadcast::channel(1).0);
        pipeline.write(vec![batch]).expect("it is stored");
        drop(pipeline);
        (std::fs::read(&path).expect("it is there"), folder)
    })
}

/// Patches: four bytes of place, one of length, so many bytes; on a good file. Then everything is asked of it.
pub(super) fn file(bytes: &[u8]) {
    let (good, folder) = good();
    let (mut changed, mut rest) = (good.clone(), bytes);
    while let Some((head, more)) = rest.split_first_chunk::<5>() {
        let at = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize % changed.len();
        let (patch, after) = more.split_at(usize::from(head[4]).min(more.len()));
        let end = (at + patch.len()).min(changed.len());
        changed[at..end].copy_from_slice(&patch[..end - at]);
        rest = after;
    }
    let path = folder.join(format!("changed-{:?}.flowglass", std::thread::current().id()));
    std::fs::write(&path, &changed).expect("there is room");
    let _ = ask(&path);
    let _ = check(&path, &mut |_| true);
    let to = path.with_extension("repaired");
    let _ = std::fs::remove_file(&to);
    let _ = repair(&path, &to, &mut |_| true, |_, _, _| Ok::<_, store::StoreError>(true));
    if let Ok(writer) = Writer::open(&path, Access::Open) {
        drop(writer);
    }
}

fn ask(path: &std::path::Path) -> store::Result<()> {
    let reader = Reader::open(path)?;
    let _ = reader.stats();
    let _ = reader.series(None, None);
    let _ = reader.destinations(None, None);
    let _ = reader.participants_seen();
    let _ = reader.find("5b8efff798038103d269b633813fc60c");
    let words = |view| Filter::parse("order", view).unwrap_or_default();
    let _ = reader.logs(&LogFilter { filter: words(View::Logs), limit: 10, ..LogFilter::default() });
    let _ = reader.events(&EventFilter { filter: words(View::Events), limit: 10, ..EventFilter::default() });
    let _ = reader.journeys(&JourneyFilter { filter: words(View::Journeys), limit: 10, ..JourneyFilter::default() });
    let page = reader.journeys(&JourneyFilter { limit: 10, ..JourneyFilter::default() })?;
    for journey in page.rows {
        for trace in reader.traces_of_journey(journey.id)? {
            let _ = reader.trace(trace);
            let _ = reader.logs_of_trace(trace);
        }
    }
    Ok(())
}

/// What stands packed in a workspace, made up: checksums do not protect from whoever makes them.
pub(super) fn chunk(bytes: &[u8]) {
    if let Err(why) = probe_chunk(bytes) {
        assert!(!why.is_empty());
    }
}
