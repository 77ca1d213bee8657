//! Trace context in message headers.

use flowglass_model::{MessageContext, SpanId, TraceId};

/// The context of a W3C `traceparent` value. Zero ids, version `ff` and malformed values are none (W3C Trace Context 3.2.2);
/// a later version may carry more after the flags.
pub fn traceparent(value: &str) -> Option<MessageContext> {
    let mut parts = value.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if version.len() != 2 || flags.len() != 2 || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if ![version, trace, span, flags].into_iter().all(is_hex) {
        return None;
    }
    Some(MessageContext { trace_id: trace.parse().ok()?, span_id: span.parse().ok()? })
}

/// The context of a single `b3` value (`TRACE-SPAN[-SAMPLED[-PARENT]]`, openzipkin/b3-propagation); 64-bit trace ids are
/// padded with zeros on the left.
pub fn b3(value: &str) -> Option<MessageContext> {
    let mut parts = value.trim().split('-');
    ids(parts.next()?, parts.next()?)
}

/// The context of an `uber-trace-id` value (`TRACE:SPAN:PARENT:FLAGS`, Jaeger client libraries, leading zeros may be missing).
pub fn jaeger_context(value: &str) -> Option<MessageContext> {
    let mut parts = value.trim().split(':');
    let (trace, span) = (parts.next()?, parts.next()?);
    if parts.count() != 2 || trace.len() > 32 || span.len() > 16 {
        return None;
    }
    ids(&format!("{trace:0>32}"), &format!("{span:0>16}"))
}

/// The context of Datadog's headers: the lower half of the trace id and the parent in decimal, the upper half in hex among the
/// tags (`_dd.p.tid`), where there is one.
pub(super) fn datadog_context(trace: &str, parent: &str, tags: &str) -> Option<MessageContext> {
    let (lower, parent): (u64, u64) = (trace.trim().parse().ok()?, parent.trim().parse().ok()?);
    let upper = tags.split(',').find_map(|tag| tag.trim().strip_prefix("_dd.p.tid=")).unwrap_or_default();
    ids(&format!("{upper:0>16}{lower:016x}"), &format!("{parent:016x}"))
}

/// Ids written in hex, a 64-bit trace id padded.
pub(super) fn ids(trace: &str, span: &str) -> Option<MessageContext> {
    let trace_id: TraceId = match trace.len() {
        16 => format!("{trace:0>32}").parse().ok()?,
        _ => trace.parse().ok()?,
    };
    let span_id: SpanId = span.parse().ok()?;
    Some(MessageContext { trace_id, span_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(traceparent(good).unwrap().span_id.to_string(), "b7ad6b7169203331");
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
        assert!(traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_some());
        assert_eq!(
            b3("8448eb211c80319c-b7ad6b7169203331-1").unwrap().trace_id.to_string(),
            "00000000000000008448eb211c80319c"
        );
        assert_eq!(b3("0"), None);
        assert_eq!(
            jaeger_context("8448eb211c80319c:7ad6b7169203331:0:1").unwrap().span_id.to_string(),
            "07ad6b7169203331"
        );
        let datadog =
            datadog_context("9532127138774266268", "13235353014750950193", "_dd.p.dm=-0,_dd.p.tid=0af7651916cd43dd");
        assert_eq!(datadog, traceparent(good));
        assert_eq!(datadog_context("0", "1", ""), None);
    }
}
