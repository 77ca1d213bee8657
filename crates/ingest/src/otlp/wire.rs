//! OTLP protobuf, read so that one bad span does not cost the others.
//!
//! The two outer levels are walked by hand and each span is decoded alone: a string that is not UTF-8 makes a protobuf
//! decoder refuse the whole message it stands in, here that is one span. It also saves building the whole request in memory.

use std::sync::Arc;

use flowglass_model::Batch;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::{DecodeError, parts, span_wire};
use crate::Options;
use crate::normalise::{Collector, Emitter};

/// Fields of one message; those that are not length-delimited are skipped.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, at: 0 }
    }

    fn error(&self, reason: &'static str) -> DecodeError {
        DecodeError::Protobuf { at: self.at, reason }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.error("the message ends inside a number"))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
            if shift > 63 {
                return Err(self.error("a number is longer than ten bytes"));
            }
        }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).ok().filter(|l| *l <= rest.len());
        let length = length.ok_or_else(|| self.error("a field is longer than the message (cut off?)"))?;
        self.at += length;
        Ok(&rest[..length])
    }

    /// The next length-delimited field: number and content.
    fn next(&mut self) -> Result<Option<(u64, &'a [u8])>, DecodeError> {
        while self.at < self.bytes.len() {
            let tag = self.varint()?;
            let number = tag >> 3;
            if number == 0 {
                return Err(self.error("a field has the number 0"));
            }
            match tag & 7 {
                0 => {
                    self.varint()?;
                }
                1 => {
                    self.take(8)?;
                }
                2 => {
                    let length = self.varint()?;
                    return Ok(Some((number, self.take(length)?)));
                }
                5 => {
                    self.take(4)?;
                }
                _ => return Err(self.error("a field has an unknown wire type")),
            }
        }
        Ok(None)
    }
}

/// The parts of `ResourceSpans`, `ScopeSpans` and their like: field 1 says whose, field 2 repeats, field 3 is the schema.
#[derive(Default)]
struct Group<'a> {
    owner: Vec<&'a [u8]>,
    items: Vec<&'a [u8]>,
    schema_url: &'a [u8],
}

impl<'a> Group<'a> {
    fn read(bytes: &'a [u8]) -> Result<Group<'a>, DecodeError> {
        let mut group = Group::default();
        let mut fields = Fields::of(bytes);
        while let Some((number, content)) = fields.next()? {
            match number {
                1 => group.owner.push(content),
                2 => group.items.push(content),
                3 => group.schema_url = content,
                _ => {}
            }
        }
        Ok(group)
    }

    /// Field 1 as a message. Protobuf lets it stand in pieces, which are merged.
    fn owner<M: Message + Default>(&self) -> Result<M, String> {
        let mut owner = M::default();
        for piece in &self.owner {
            owner.merge(*piece).map_err(|e| e.to_string())?;
        }
        Ok(owner)
    }
}

/// Walks request → resource group → scope group → item.
fn walk<'a>(
    bytes: &'a [u8],
    options: &Options,
    names: [&str; 3],
    mut item: impl FnMut(&mut Collector, &'a [u8], &Emitter, &dyn Fn() -> String),
) -> Result<Batch, DecodeError> {
    // The whole structure is read before anything is kept: a request that is cut off is refused as a whole, since the sender
    // is told so and will not count any of it as stored.
    let mut groups = Vec::new();
    let mut fields = Fields::of(bytes);
    while let Some((number, content)) = fields.next()? {
        if number == 1 {
            let group = Group::read(content)?;
            let scopes = group.items.iter().map(|s| Group::read(s)).collect::<Result<Vec<_>, _>>()?;
            groups.push((group, scopes));
        }
    }
    let mut out = Collector::new(options);
    out.reserve(groups.iter().flat_map(|(_, scopes)| scopes).map(|s| s.items.len()).sum());
    for (r, (group, scopes)) in groups.iter().enumerate() {
        let at_group = || format!("{}[{r}]", names[0]);
        let resource = match group.owner::<Resource>() {
            Ok(resource) => out.resource(Some(resource), String::from_utf8_lossy(group.schema_url).into_owned()),
            Err(e) => {
                let lost = scopes.iter().map(|s| s.items.len() as u64).sum();
                out.reject(at_group, format!("the resource cannot be read: {e}"), lost);
                continue;
            }
        };
        for (s, scoped) in scopes.iter().enumerate() {
            let at_scope = || format!("{}.{}[{s}]", at_group(), names[1]);
            let scope = match scoped.owner::<InstrumentationScope>() {
                Ok(scope) => out.scope(Some(scope)),
                Err(e) => {
                    out.reject(at_scope, format!("the scope cannot be read: {e}"), scoped.items.len() as u64);
                    continue;
                }
            };
            let emitter = Emitter::new(Arc::clone(&resource), scope);
            for (i, bytes) in scoped.items.iter().enumerate() {
                item(&mut out, bytes, &emitter, &|| format!("{}.{}[{i}]", at_scope(), names[2]));
            }
        }
    }
    Ok(out.finish())
}

/// Decodes and normalises a trace request.
pub(super) fn traces(bytes: &[u8], options: &Options) -> Result<Batch, DecodeError> {
    parts::protobuf(bytes, parts::Signal::Traces)?;
    walk(bytes, options, ["resourceSpans", "scopeSpans", "spans"], |out, bytes, emitter, at| {
        if let Some((span, attributes)) = span_wire::span(bytes) {
            return out.span_with(span, attributes, emitter, at);
        }
        match Span::decode(bytes) {
            Ok(span) => out.span(span, emitter, at),
            Err(e) => out.reject(at, format!("the span cannot be read: {e}"), 1),
        }
    })
}

/// Decodes and normalises a log request.
pub(super) fn logs(bytes: &[u8], options: &Options) -> Result<Batch, DecodeError> {
    parts::protobuf(bytes, parts::Signal::Logs)?;
    let names = ["resourceLogs", "scopeLogs", "logRecords"];
    walk(bytes, options, names, |out, bytes, emitter, at| match LogRecord::decode(bytes) {
        Ok(record) => out.log(record, emitter, at),
        Err(e) => out.reject(at, format!("the log record cannot be read: {e}"), 1),
    })
}

/// Counts data points: `resource_metrics`.`scope_metrics`.`metrics`.(one of the data kinds).`data_points`
/// (metrics.proto: gauge 5, sum 7, histogram 9, exponential histogram 10, summary 11; data points are field 1 of each).
pub(super) fn data_points(bytes: &[u8]) -> Result<u64, DecodeError> {
    let mut count = 0;
    each(bytes, &[1], &mut |resource| {
        each(resource, &[2], &mut |scope| {
            each(scope, &[2], &mut |metric| {
                each(metric, &[5, 7, 9, 10, 11], &mut |data| {
                    each(data, &[1], &mut |_| {
                        count += 1;
                        Ok(())
                    })
                })
            })
        })
    })?;
    Ok(count)
}

fn each<'a>(
    bytes: &'a [u8],
    numbers: &[u64],
    visit: &mut dyn FnMut(&'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut fields = Fields::of(bytes);
    while let Some((number, content)) = fields.next()? {
        if numbers.contains(&number) {
            visit(content)?;
        }
    }
    Ok(())
}
