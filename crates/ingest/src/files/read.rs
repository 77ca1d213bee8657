//! One file, from its bytes to batches.

use std::io::{BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::detect::{Kind, Layout, kind, layout};
use super::json::{JsonError, Scanner};
use super::out::{Out, Stop};
use super::source::{in_words, open};
use super::{jaeger, own, protobuf, records, zipkin};
use crate::otlp::{Encoding, count_data_points, decode_logs, decode_traces};

/// What is taken, for people whose file is none of it.
const TAKEN: &str = "it takes OTLP (JSON, JSON lines, protobuf), Jaeger JSON, Zipkin v2 JSON, kcat -J lines, recorded messages \
                     as JSON lines and CloudEvents, each also gzip or zstd";
/// [`own::RECORDS`] as it stands in JSON.
const RECORDS: &str = r#""flowglassRecords""#;
/// Spans normalised together, so that those that share an id can be told apart.
const CHUNK: usize = 2_000;

/// Reads a file to its end. All it finds, good and bad, goes to `out`.
pub(super) fn file(file: impl Read, count: Arc<AtomicU64>, out: &mut Out) {
    // A stop needs no words: whoever asked for it knows.
    let _ = try_file(file, count, out).and_then(|()| out.flush());
    let _ = out.flush();
}

fn try_file(file: impl Read, count: Arc<AtomicU64>, out: &mut Out) -> Result<(), Stop> {
    let mut source = match open(file, count) {
        Ok(source) => source,
        Err(error) => {
            out.reject("byte 0".to_owned(), format!("reading failed: {error}"), 1);
            return Ok(());
        }
    };
    let mut run = Run { spans: Vec::new(), place: String::new(), compression: source.compression };
    let ended = match layout(&source.head, source.complete) {
        Layout::Empty => {
            out.reject("byte 0".to_owned(), "the file is empty".to_owned(), 1);
            return Ok(());
        }
        Layout::Unknown => {
            out.reject("byte 0".to_owned(), not_known(&source.head), 1);
            return Ok(());
        }
        Layout::Protobuf(framing) => match protobuf::read(&mut *source.reader, framing, out) {
            Ok(()) => Ok(()),
            Err(protobuf::End::Stopped) => Err(Stop),
            Err(protobuf::End::Io(at, error)) => {
                out.reject(format!("byte {at}"), in_words(&error, run.compression), 1);
                Ok(())
            }
        },
        Layout::JsonLines => run.lines(Scanner::new(source.reader), out),
        Layout::JsonDocument => run.document(Scanner::new(source.reader), out),
    };
    let ended = ended.and_then(|()| run.spans_done(out));
    if !out.recognised {
        let reason = match out.first_unknown() {
            Some((at, reason)) if at != "line 1" => format!("{} ({at}: {reason})", not_known(&source.head)),
            _ => not_known(&source.head),
        };
        out.reject("byte 0".to_owned(), reason, 1);
    }
    ended
}

/// The one rejection of a file of no known format.
fn not_known(head: &[u8]) -> String {
    // Leading white space says nothing.
    let trimmed = head.trim_ascii_start();
    let shown = &trimmed[..trimmed.len().min(16)];
    let text = std::str::from_utf8(shown).ok().filter(|t| !t.contains(|c: char| c.is_control() && !c.is_whitespace()));
    let first = match text {
        Some(text) => format!("{text:?}"),
        None => shown.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "),
    };
    if let Some(archive) = archive(head) {
        return format!("it is a {archive} archive: unpack it and import the files or their folder");
    }
    format!("not a format Flowglass knows: first bytes {first}; {TAKEN}")
}

/// The kind of archive that begins so. None is unpacked here: what it holds may be anything, of any size, under any name.
fn archive(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => Some("zip"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Some("7z"),
        _ if head.get(257..262) == Some(b"ustar") => Some("tar"),
        _ => None,
    }
}

/// Reading of one JSON file.
struct Run {
    /// Zipkin spans that wait to be normalised together.
    spans: Vec<zipkin::ZipkinSpan>,
    place: String,
    compression: Option<&'static str>,
}

impl Run {
    fn lines<R: BufRead>(&mut self, mut scanner: Scanner<R>, out: &mut Out) -> Result<(), Stop> {
        let mut text = Vec::new();
        for number in 1u64.. {
            match scanner.text_line(&mut text) {
                Ok(false) => break,
                Ok(true) => {}
                Err(JsonError::Io(error)) => {
                    // What was read of the line before the data broke off is no line.
                    out.reject(format!("line {number}"), in_words(&error, self.compression), 1);
                    break;
                }
                Err(_) => {
                    out.unknown(format!("line {number}"), "longer than 256 MiB".to_owned())?;
                    continue;
                }
            }
            let line = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
            if !line.is_empty() {
                self.item(line, format!("line {number}"), out)?;
            }
        }
        Ok(())
    }

    /// Reads documents one behind the other; after an error the rest is lost, since nothing tells where the next one starts.
    fn document<R: BufRead>(&mut self, mut scanner: Scanner<R>, out: &mut Out) -> Result<(), Stop> {
        loop {
            let read = match scanner.peek() {
                Ok(None) => return Ok(()),
                Ok(Some(b'[')) => self.array(&mut scanner, "", "", out),
                Ok(Some(b'{')) => self.object(&mut scanner, out),
                Ok(Some(other)) => Err(Ended::Json(JsonError::Unexpected(other))),
                Err(error) => Err(error.into()),
            };
            match read {
                Ok(()) => {}
                Err(Ended::Stopped) => return Err(Stop),
                Err(Ended::Json(error)) => {
                    let at = format!("line {} (byte {})", scanner.line, scanner.byte);
                    let reason = match error {
                        JsonError::Io(error) => in_words(&error, self.compression),
                        JsonError::Ends => "the text ends in the middle of a value".to_owned(),
                        JsonError::TooLarge => "a single value is larger than 256 MiB".to_owned(),
                        JsonError::Unexpected(b) => {
                            format!("not JSON: unexpected {:?}; the rest is not read", b as char)
                        }
                    };
                    return out.unknown(at, reason);
                }
            }
        }
    }

    /// Elements of an array, each wrapped in `before` and `after`.
    fn array<R: BufRead>(
        &mut self,
        scanner: &mut Scanner<R>,
        before: &str,
        after: &str,
        out: &mut Out,
    ) -> Result<(), Ended> {
        scanner.accept(b'[')?;
        if scanner.accept(b']')? {
            return Ok(());
        }
        let mut text = Vec::new();
        loop {
            scanner.peek()?;
            let at = format!("line {} (byte {})", scanner.line, scanner.byte);
            text.clear();
            text.extend_from_slice(before.as_bytes());
            scanner.value(&mut text)?;
            text.extend_from_slice(after.as_bytes());
            self.item(&text, at, out)?;
            if scanner.accept(b']')? {
                return Ok(());
            }
            if !scanner.accept(b',')? {
                return Err(unexpected(scanner)?);
            }
            // Some writers leave a comma behind the last element.
            if scanner.accept(b']')? {
                return Ok(());
            }
        }
    }

    /// An object: the long arrays of OTLP and Jaeger are read element by element, everything else as a whole.
    fn object<R: BufRead>(&mut self, scanner: &mut Scanner<R>, out: &mut Out) -> Result<(), Ended> {
        scanner.peek()?;
        let at = format!("line {} (byte {})", scanner.line, scanner.byte);
        scanner.accept(b'{')?;
        let (mut whole, mut streamed) = (b"{".to_vec(), false);
        while !scanner.accept(b'}')? {
            let start = whole.len();
            scanner.value(&mut whole)?;
            let name = String::from_utf8_lossy(&whole[start..]).into_owned();
            if !scanner.accept(b':')? {
                return Err(unexpected(scanner)?);
            }
            let long = match name.as_str() {
                r#""resourceSpans""# | r#""resourceLogs""# | r#""resourceMetrics""# | RECORDS => true,
                r#""data""# => !String::from_utf8_lossy(&whole).contains("\"specversion\""),
                _ => false,
            };
            if long && scanner.peek()? == Some(b'[') {
                let (before, after) = match name.as_str() {
                    r#""data""# | RECORDS => (String::new(), ""),
                    name => (format!("{{{name}:["), "]}"),
                };
                self.array(scanner, &before, after, out)?;
                streamed = true;
                whole.extend_from_slice(b":[]");
            } else {
                whole.push(b':');
                scanner.value(&mut whole)?;
            }
            if scanner.accept(b',')? {
                whole.push(b',');
            } else if scanner.peek()? != Some(b'}') {
                return Err(unexpected(scanner)?);
            }
        }
        whole.push(b'}');
        if !streamed {
            self.item(&whole, at, out)?;
        }
        Ok(())
    }

    /// Takes one value: an object of a known kind, or an array of them.
    fn item(&mut self, json: &[u8], at: String, out: &mut Out) -> Result<(), Stop> {
        if json.first() == Some(&b'[') {
            let items: Result<Vec<&serde_json::value::RawValue>, _> = serde_json::from_slice(json);
            let items = match items {
                Ok(items) => items,
                Err(error) => return out.unknown(at, format!("not valid JSON: {error}")),
            };
            return items
                .into_iter()
                .enumerate()
                .try_for_each(|(i, item)| self.object_item(item.get().as_bytes(), format!("{at}, element {i}"), out));
        }
        self.object_item(json, at, out)
    }

    fn object_item(&mut self, json: &[u8], at: String, out: &mut Out) -> Result<(), Stop> {
        let kind = match kind(json) {
            Ok(kind) => kind,
            Err(error) => return out.unknown(at, format!("not a JSON object: {error}")),
        };
        if !matches!(kind, Kind::Unknown | Kind::JaegerAnswer | Kind::Document) {
            out.recognise();
        }
        let refused = |e: String| (e, 1);
        let taken = match kind {
            Kind::OtlpTraces => decode_traces(json, Encoding::Json, &out.options).map_err(|e| refused(e.to_string())),
            Kind::OtlpLogs => decode_logs(json, Encoding::Json, &out.options).map_err(|e| refused(e.to_string())),
            Kind::OtlpMetrics => {
                let points = count_data_points(json, Encoding::Json).unwrap_or(1);
                Err(("metrics are not kept".to_owned(), points.max(1)))
            }
            Kind::ZipkinSpan => return self.zipkin(json, at, out),
            Kind::JaegerTrace => jaeger::trace(json, &out.options).map_err(refused),
            Kind::JaegerSpan => jaeger::span(json, &out.options).map_err(refused),
            Kind::JaegerAnswer => return self.jaeger_answer(json, at, out),
            Kind::Document => return self.one_document(json, &at, out),
            Kind::Own => own::record(json, &out.options).map_err(refused),
            Kind::Kcat => records::kcat(json, &out.options).map_err(refused),
            Kind::Delivery => records::delivery(json).map_err(refused),
            Kind::Acknowledgement => records::acknowledged(json).map_err(refused),
            Kind::CloudEvent => records::cloud_event(json, &out.options).map_err(refused),
            Kind::Message => records::message(json, &out.options, &mut out.evidence).map_err(refused),
            Kind::Unknown => return out.unknown(at, "no record of a known format".to_owned()),
        };
        match taken {
            Ok(batch) => out.add(batch, &at),
            Err((reason, count)) => {
                out.reject(at, reason, count);
                Ok(())
            }
        }
    }

    /// A document of several sorts on one line.
    fn one_document(&mut self, json: &[u8], at: &str, out: &mut Out) -> Result<(), Stop> {
        match self.object(&mut Scanner::new(json), out) {
            Err(Ended::Stopped) => Err(Stop),
            Ok(()) => Ok(()),
            // It was valid JSON a moment ago.
            Err(Ended::Json(_)) => out.unknown(at.to_owned(), "not valid JSON".to_owned()),
        }
    }

    /// `{"data":[…]}` as Jaeger's HTTP API answers, on one line.
    fn jaeger_answer(&mut self, json: &[u8], at: String, out: &mut Out) -> Result<(), Stop> {
        #[derive(serde::Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            data: Vec<&'a serde_json::value::RawValue>,
        }
        let Ok(answer) = serde_json::from_slice::<Answer<'_>>(json) else {
            return out.unknown(at, "no record of a known format".to_owned());
        };
        answer.data.into_iter().enumerate().try_for_each(|(i, trace)| {
            let json = trace.get().as_bytes();
            match kind(json) {
                Ok(Kind::JaegerTrace) => self.object_item(json, format!("{at}, data[{i}]"), out),
                _ => out.unknown(format!("{at}, data[{i}]"), "no record of a known format".to_owned()),
            }
        })
    }

    fn zipkin(&mut self, json: &[u8], at: String, out: &mut Out) -> Result<(), Stop> {
        match serde_json::from_slice(json) {
            Ok(span) => {
                if self.spans.is_empty() {
                    self.place = at;
                }
                self.spans.push(span);
                if self.spans.len() >= CHUNK { self.spans_done(out) } else { Ok(()) }
            }
            Err(error) => {
                out.reject(at, format!("the Zipkin span cannot be read: {error}"), 1);
                Ok(())
            }
        }
    }

    fn spans_done(&mut self, out: &mut Out) -> Result<(), Stop> {
        if self.spans.is_empty() {
            return Ok(());
        }
        let batch = zipkin::batch(std::mem::take(&mut self.spans), &out.options);
        let place = format!("behind {}", self.place);
        out.add(batch, &place)
    }
}

enum Ended {
    Json(JsonError),
    Stopped,
}

impl From<JsonError> for Ended {
    fn from(error: JsonError) -> Self {
        Ended::Json(error)
    }
}

impl From<Stop> for Ended {
    fn from(_: Stop) -> Self {
        Ended::Stopped
    }
}

/// The error for what stands where something else belongs.
fn unexpected<R: BufRead>(scanner: &mut Scanner<R>) -> Result<Ended, Ended> {
    Ok(Ended::Json(scanner.peek()?.map_or(JsonError::Ends, JsonError::Unexpected)))
}
