//! Decoding: both spellings, bad parts that cost only themselves, garbage that never panics.

use flowglass_ingest::Options;
use flowglass_ingest::otlp::{Encoding, count_data_points, decode_logs, decode_traces};
use flowglass_model::{Batch, SpanKind, SpanStatus, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message;

fn options() -> Options {
    Options::named("test")
}

fn json(text: &str) -> Batch {
    decode_traces(text.as_bytes(), Encoding::Json, &options()).unwrap()
}

fn spans_json(spans: &str) -> Batch {
    json(&format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#))
}

fn span(id: u8) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: format!("span {id}"),
        kind: 2,
        start_time_unix_nano: 1_000,
        end_time_unix_nano: 2_000,
        attributes: vec![KeyValue {
            key: "text".to_owned(),
            value: Some(AnyValue { value: Some(any_value::Value::StringValue("value".to_owned())) }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn request(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
        .encode_to_vec()
}

#[test]
fn json_in_all_its_spellings_is_one_span() {
    let canonical = r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"00f067aa0ba902b7",
        "name":"n","kind":3,"startTimeUnixNano":"1000","endTimeUnixNano":"2000","status":{"code":2,"message":"m"},
        "attributes":[{"key":"i","value":{"intValue":"9007199254740993"}},{"key":"d","value":{"doubleValue":1.5}},
          {"key":"b","value":{"bytesValue":"AQI="}},{"key":"t","value":{"boolValue":true}},{"key":"e","value":{}},
          {"key":"a","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":1}]}}},
          {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}],
        "links":[{"traceId":"0af7651916cd43dd8448eb211c80319d","spanId":"b7ad6b7169203332"}]}"#;
    let dialect = r#"{"trace_id":"0AF7651916CD43DD8448EB211C80319C","span_id":"B7AD6B7169203331","parent_span_id":"00F067AA0BA902B7",
        "name":"n","kind":"SPAN_KIND_CLIENT","start_time_unix_nano":1000,"end_time_unix_nano":2000.0,
        "status":{"code":"STATUS_CODE_ERROR","message":"m"},"events":null,"traceState":null,"flags":null,"new_field":{"x":[1]},
        "attributes":[{"key":"i","value":{"int_value":9007199254740993}},{"key":"d","value":{"double_value":"1.5"}},
          {"key":"b","value":{"bytes_value":"AQI"}},{"key":"t","value":{"bool_value":true}},{"key":"e","value":null},
          {"key":"a","value":{"array_value":{"values":[{"string_value":"x"},{"int_value":"1"}]}}},
          {"key":"m","value":{"kvlist_value":{"values":[{"key":"k","value":{"string_value":"v"}}]}}}],
        "links":[{"trace_id":"0af7651916cd43dd8448eb211c80319d","span_id":"b7ad6b7169203332"}]}"#;
    let (a, b) = (spans_json(canonical), spans_json(dialect));
    assert_eq!(a.rejected, []);
    assert_eq!(b.rejected, []);
    assert_eq!(a.spans, b.spans);
    let facts = &a.spans[0].facts;
    assert_eq!((facts.kind, facts.status, facts.links.len()), (SpanKind::Client, SpanStatus::Error, 1));
    assert_eq!(a.spans[0].attributes[0].1, Value::Int(9_007_199_254_740_993));
    assert_eq!(a.spans[0].attributes[2].1, Value::Bytes(vec![1, 2]));
    let upper = json(&format!(r#"{{"resource_spans":[{{"instrumentationLibrarySpans":[{{"spans":[{dialect}]}}]}}]}}"#));
    assert_eq!(upper.spans, a.spans);
}

#[test]
fn special_doubles() {
    let batch = spans_json(
        r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","attributes":[
        {"key":"a","value":{"doubleValue":"Infinity"}},{"key":"b","value":{"doubleValue":"-Infinity"}},{"key":"c","value":{"doubleValue":"NaN"}}]}"#,
    );
    let doubles: Vec<f64> =
        batch.spans[0].attributes.iter().map(|(_, v)| if let Value::Double(d) = v { *d } else { 0.0 }).collect();
    assert!(doubles[0] == f64::INFINITY && doubles[1] == f64::NEG_INFINITY && doubles[2].is_nan());
}

#[test]
fn one_bad_span_never_costs_the_good_ones() {
    let good = r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}"#;
    for (bad, why) in [
        (
            r#"{"traceId":"0af7651916cd43dd8448eb211c8031","spanId":"b7ad6b7169203331"}"#,
            "expected 32 hexadecimal digits, found 30",
        ),
        (r#"{"traceId":"00000000000000000000000000000000","spanId":"b7ad6b7169203331"}"#, "all zero"),
        (r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000000"}"#, "all zero"),
        (r#"{"traceId":"0af7651916cd43dd8448eb211c80319c"}"#, "expected 16 hexadecimal digits, found 0"),
        (r#"{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"b7ad6b7169203331"}"#, "not hexadecimal"),
        (
            r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","endTimeUnixNano":"18446744073709551615"}"#,
            "2262",
        ),
        (
            r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","startTimeUnixNano":"-5"}"#,
            "unsigned",
        ),
        (r#"{"traceId":7}"#, "cannot be read"),
        ("null", "cannot be read"),
        ("[]", "found 0 characters"),
    ] {
        let batch = spans_json(&format!("{good},{bad},{good}"));
        assert_eq!(batch.spans.len(), 2, "{bad}");
        let refused = &batch.rejected[0];
        assert_eq!((refused.at.as_str(), refused.count), ("resourceSpans[0].scopeSpans[0].spans[1]", 1));
        assert!(refused.reason.contains(why), "{bad}: {}", refused.reason);
    }
}

#[test]
fn a_root_whose_parent_is_zeros_is_a_root() {
    let batch = spans_json(
        r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"0000000000000000"}"#,
    );
    assert_eq!(batch.spans[0].facts.parent, None);
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(10_000), "]}}".repeat(10_000));
    let batch = spans_json(&format!(
        r#"{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","attributes":[{{"key":"a","value":{deep}}}]}}"#
    ));
    assert_eq!((batch.spans.len(), batch.rejected.len()), (0, 1));
    assert!(batch.rejected[0].reason.contains("recursion"), "{}", batch.rejected[0].reason);
}

#[test]
fn what_is_not_json_is_said_with_its_place() {
    for text in ["", "{", "[]", "7", "{\"resourceSpans\":7}", "\u{feff}{\"resourceSpans\":"] {
        let e = decode_traces(text.as_bytes(), Encoding::Json, &options()).unwrap_err().to_string();
        assert!(e.starts_with("not OTLP/JSON: ") && e.contains("line"), "{text}: {e}");
    }
    assert!(decode_traces(b"{\"a\":\"\xff\"}", Encoding::Json, &options()).is_err());
    assert_eq!(json("{}").len(), 0);
    assert_eq!(json("\u{feff}{\"resourceSpans\":null}").len(), 0);
}

#[test]
fn invalid_utf8_in_protobuf_costs_one_span() {
    let mut bytes = request(vec![span(1), span(2), span(3)]);
    let at = bytes.windows(6).position(|w| w == b"span 2").unwrap();
    bytes[at] = 0xff;
    let batch = decode_traces(&bytes, Encoding::Protobuf, &options()).unwrap();
    let names: Vec<_> = batch.spans.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["span 1", "span 3"]);
    assert_eq!(batch.rejected[0].at, "resourceSpans[0].scopeSpans[0].spans[1]");
    assert!(batch.rejected[0].reason.contains("UTF-8"), "{}", batch.rejected[0].reason);
}

#[test]
fn a_request_that_is_cut_off_is_refused_as_a_whole() {
    let bytes = request(vec![span(1), span(2)]);
    let cut = decode_traces(&bytes[..bytes.len() - 3], Encoding::Protobuf, &options()).unwrap_err();
    assert!(cut.to_string().contains("cut off"), "{cut}");
    assert!(decode_traces(b"{\"resourceSpans\":[]}", Encoding::Protobuf, &options()).is_err());
    assert_eq!(decode_traces(b"", Encoding::Protobuf, &options()).unwrap().len(), 0);
}

#[test]
fn many_rejections_are_described_up_to_a_hundred_and_counted_all() {
    let zero = Span { trace_id: vec![0; 16], ..span(1) };
    let batch = decode_traces(&request(vec![zero; 5_000]), Encoding::Protobuf, &options()).unwrap();
    assert_eq!(batch.rejected.len(), 100);
    assert_eq!(batch.rejected.iter().map(|r| r.count).sum::<u64>(), 5_000);
}

#[test]
fn logs_and_data_points() {
    let record = LogRecord {
        observed_time_unix_nano: 7,
        severity_number: 17,
        body: Some(AnyValue { value: Some(any_value::Value::StringValue(r#"{"password":"x"}"#.to_owned())) }),
        trace_id: vec![1; 16],
        span_id: vec![0; 8],
        ..Default::default()
    };
    let bad = LogRecord { time_unix_nano: u64::MAX, ..Default::default() };
    let scope_logs = vec![ScopeLogs { log_records: vec![record, bad], ..Default::default() }];
    let bytes = ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..Default::default() }] }
        .encode_to_vec();
    let batch = decode_logs(&bytes, Encoding::Protobuf, &options()).unwrap();
    assert_eq!((batch.logs.len(), batch.rejected.len(), batch.redacted), (1, 1, 1));
    let log = &batch.logs[0];
    assert_eq!((log.time, log.severity, log.trace_id.is_some(), log.span_id), (7, 17, true, None));
    let text = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5","severityNumber":"SEVERITY_NUMBER_WARN","body":{"stringValue":"hi"}}]}]}]}"#;
    let batch = decode_logs(text.as_bytes(), Encoding::Json, &options()).unwrap();
    assert_eq!((batch.logs[0].severity, batch.logs[0].body.as_str()), (13, Some("hi")));

    let gauge = Gauge { data_points: vec![NumberDataPoint::default(); 3] };
    let metrics = vec![Metric { data: Some(Data::Gauge(gauge)), ..Default::default() }; 2];
    let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
    let bytes = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    assert_eq!(count_data_points(&bytes, Encoding::Protobuf), Ok(6));
    let text =
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","sum":{"dataPoints":[{},{"x":1}]}}]}]}]}"#;
    assert_eq!(count_data_points(text.as_bytes(), Encoding::Json), Ok(2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let _ = decode_traces(&bytes, encoding, &options());
            let _ = decode_logs(&bytes, encoding, &options());
            let _ = count_data_points(&bytes, encoding);
        }
    }

    #[test]
    fn damaged_requests_never_panic_nor_lose_undamaged_structure(at in 0usize..10_000, to in any::<u8>(), cut in 0usize..10_000) {
        let mut bytes = request((1..6).map(span).collect());
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(batch) = decode_traces(&bytes, Encoding::Protobuf, &options()) {
            prop_assert!(batch.spans.len() <= 5 + bytes.len() / 2);
        }
        bytes.truncate(cut % (bytes.len() + 1));
        let _ = decode_traces(&bytes, Encoding::Protobuf, &options());
    }

    #[test]
    fn any_text_attribute_is_survived(name in ".{0,80}", value in ".{0,200}") {
        let mut s = span(1);
        s.attributes[0].key = name;
        s.attributes[0].value = Some(AnyValue { value: Some(any_value::Value::StringValue(value)) });
        let batch = decode_traces(&request(vec![s]), Encoding::Protobuf, &options()).unwrap();
        prop_assert_eq!(batch.spans.len(), 1);
    }
}
