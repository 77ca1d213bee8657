//! A recording played many times over: as much data as a busy week leaves, with the shape that a real system gave it.
//!
//! Each copy is the text of the recording with fresh ids (trace and span ids wherever they stand: spans, links, `traceparent`
//! headers), fresh business keys and message ids (the name of the recorded run is part of each) and times moved to a place of
//! their own, copy after copy, the last one ending now. Dates inside of payloads stay as they were.

use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Copies in one file: files are read one after the other, and a message should not be far from its spans.
const COPIES_A_FILE: u64 = 25;
/// The name of the recorded run within ids and keys, and how long it is.
const RUN: &[u8] = b"FIX1";

/// Where a copy differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Sixteen hex digits: a span id, or half of a trace id.
    Id(usize),
    /// Nanoseconds since the epoch.
    Time(usize),
    /// The name of the run.
    Run(usize),
}

/// One file of a recording.
#[derive(Debug)]
struct Template {
    name: String,
    text: Vec<u8>,
    marks: Vec<Mark>,
}

/// A recording to multiply.
#[derive(Debug)]
pub struct Recording {
    files: Vec<Template>,
    first: u64,
    last: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Copies.
    pub copies: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Recording {
    /// Reads the `*.jsonl.gz` files of a folder.
    ///
    /// # Errors
    /// If there are none, or one cannot be read.
    pub fn read(folder: &Path) -> Result<Recording> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .with_context(|| folder.display().to_string())?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.to_string_lossy().ends_with(".jsonl.gz"))
            .collect();
        paths.sort();
        let mut recording = Recording { files: Vec::new(), first: u64::MAX, last: 0 };
        for path in paths {
            let text = gunzip(&path)?;
            let marks = marks(&text);
            for mark in &marks {
                if let Mark::Time(at) = mark {
                    let time = digits(&text[*at..*at + 19]);
                    (recording.first, recording.last) = (recording.first.min(time), recording.last.max(time));
                }
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().replace(".jsonl.gz", "");
            recording.files.push(Template { name, text, marks });
        }
        if recording.last == 0 {
            bail!("{} holds no recording with times", folder.display());
        }
        Ok(recording)
    }

    /// Spans in one copy.
    #[must_use]
    pub fn spans(&self) -> u64 {
        let spans = |file: &Template| find_all(&file.text, b"\"startTimeUnixNano\"").count() as u64;
        self.files.iter().map(spans).sum()
    }

    /// OTLP requests in one copy.
    #[must_use]
    pub fn requests_a_copy(&self) -> u64 {
        self.traces().map_or(0, |file| file.text.iter().filter(|b| **b == b'\n').count() as u64)
    }

    /// The OTLP/JSON requests of a copy that ends at `end`, nanoseconds since the epoch.
    #[must_use]
    pub fn requests(&self, copy: u64, end: u64) -> Vec<String> {
        let text = self.traces().map(|file| file.copy(copy, end as i64 - self.last as i64)).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn traces(&self) -> Option<&Template> {
        self.files.iter().find(|file| file.name == "traces")
    }

    /// How long one copy lasts, nanoseconds.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.last - self.first
    }

    /// Writes the copies of these numbers into a folder, `gap` nanoseconds from the end of one to the start of the next, the last
    /// one ending at `end` (nanoseconds since the epoch).
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path, copies: Range<u64>, gap: u64, end: u64) -> Result<Written> {
        let mut bytes = 0;
        for first in copies.clone().step_by(COPIES_A_FILE as usize) {
            for file in &self.files {
                let path = folder.join(format!("{first:06}-{}.jsonl", file.name));
                let mut out = BufWriter::new(std::fs::File::create(&path).with_context(|| path.display().to_string())?);
                for copy in first..copies.end.min(first + COPIES_A_FILE) {
                    let later = (copies.end - 1 - copy) * (self.length() + gap);
                    let moved = end as i64 - self.last as i64 - later as i64;
                    let text = file.copy(copy, moved);
                    bytes += text.len() as u64;
                    out.write_all(&text)?;
                }
                out.flush()?;
            }
        }
        Ok(Written { copies: copies.end - copies.start, bytes })
    }
}

impl Template {
    /// The text as copy `number` has it, its times moved by so many nanoseconds.
    fn copy(&self, number: u64, moved: i64) -> Vec<u8> {
        let mut text = self.text.clone();
        for mark in &self.marks {
            match *mark {
                Mark::Id(at) => {
                    let fresh = mix(hex(&text[at..at + 16]) ^ mix(number + 1));
                    text[at..at + 16].copy_from_slice(format!("{fresh:016x}").as_bytes());
                }
                Mark::Time(at) => {
                    let time = digits(&text[at..at + 19]).saturating_add_signed(moved);
                    text[at..at + 19].copy_from_slice(format!("{time:019}").as_bytes());
                }
                Mark::Run(at) => text[at..at + RUN.len()].copy_from_slice(&run_name(number)),
            }
        }
        text
    }
}

/// Four letters and digits that no other of the first million and a half copies has.
fn run_name(number: u64) -> [u8; 4] {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::array::from_fn(|i| LETTERS[(number / 36_u64.pow(3 - i as u32) % 36) as usize])
}

/// All places where copies differ: words of 32 or 16 hex digits are ids (W3C Trace Context), 19 digits are nanoseconds.
fn marks(text: &[u8]) -> Vec<Mark> {
    let mut out = Vec::new();
    let mut from = 0;
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    while from < text.len() {
        let length = text[from..].iter().take_while(|b| is_word(b)).count();
        let word = &text[from..from + length];
        let is_hex = word.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
        match length {
            16 if is_hex => out.push(Mark::Id(from)),
            32 if is_hex => out.extend([Mark::Id(from), Mark::Id(from + 16)]),
            19 if word.iter().all(u8::is_ascii_digit) => out.push(Mark::Time(from)),
            _ if word == RUN => out.push(Mark::Run(from)),
            _ => {}
        }
        from += length.max(1);
    }
    out
}

fn hex(word: &[u8]) -> u64 {
    std::str::from_utf8(word).ok().and_then(|w| u64::from_str_radix(w, 16).ok()).unwrap_or_default()
}

fn digits(word: &[u8]) -> u64 {
    std::str::from_utf8(word).ok().and_then(|w| w.parse().ok()).unwrap_or_default()
}

/// A bijection of 64 bits (SplitMix64, Steele, Lea and Flood 2014): what differs before differs after.
#[must_use]
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn find_all<'t>(text: &'t [u8], word: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    text.windows(word.len()).enumerate().filter(move |(_, w)| *w == word).map(|(at, _)| at)
}

/// The text of a compressed file, by the system's own `gzip`.
fn gunzip(path: &Path) -> Result<Vec<u8>> {
    let mut child = Command::new("gzip").arg("-dc").arg(path).stdout(Stdio::piped()).spawn().context("gzip")?;
    let mut text = Vec::new();
    let output = child.stdout.take().context("gzip has an output")?;
    BufReader::new(output).read_to_end(&mut text)?;
    if !child.wait()?.success() {
        bail!("gzip cannot read {}", path.display());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: &str = r#"{"traceId":"4cbddd2694a058c942fc16a00f848827","spanId":"37bab6cc677f878f","startTimeUnixNano":"1795451066248805082","v":"tok_ee5849992eba6c1c","k":"ORD-FIX1-000000"}"#;
    const MESSAGE: &str = r#"{"t":1795451067000000000,"headers":{"traceparent":"00-4cbddd2694a058c942fc16a00f848827-37bab6cc677f878f-01"}}"#;

    fn template(text: &str) -> Template {
        Template { name: "x".into(), text: text.into(), marks: marks(text.as_bytes()) }
    }

    #[test]
    fn a_copy_is_fresh_and_fits_together() {
        let (span, message) = (template(SPAN), template(MESSAGE));
        let copies: Vec<String> = (0..3).map(|n| String::from_utf8(span.copy(n, 1_000)).unwrap()).collect();
        assert_eq!(copies[1].len(), SPAN.len());
        for copy in &copies {
            assert!(!copy.contains("4cbddd26") && !copy.contains("37bab6cc") && !copy.contains("FIX1"), "{copy}");
            assert!(copy.contains("1795451066248806082") && copy.contains("tok_ee5849992eba6c1c"), "{copy}");
        }
        assert!(copies[0] != copies[1] && copies[1] != copies[2]);
        // The header of the message names the same ids as the span of the same copy.
        let message = String::from_utf8(message.copy(2, 0)).unwrap();
        let (trace, span) = (&copies[2][12..44], &copies[2][56..72]);
        assert!(message.contains(&format!("00-{trace}-{span}-01")), "{message} {trace} {span}");
    }

    #[test]
    fn names_of_runs_differ() {
        let names: std::collections::BTreeSet<_> = (0..50_000).map(run_name).collect();
        assert_eq!((names.len(), run_name(0), run_name(37)), (50_000, *b"0000", *b"0011"));
    }
}
