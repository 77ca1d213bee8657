//! The targets.

mod http;
mod ingest;
mod texts;
mod workspace;

use crate::Target;

#[rustfmt::skip]
const OTLP_WORDS: &[&str] = &[
    "\"resourceSpans\":", "\"scopeSpans\":", "\"spans\":", "\"resourceLogs\":", "\"scopeLogs\":", "\"logRecords\":",
    "\"attributes\":", "\"key\":", "\"value\":", "\"stringValue\":", "\"intValue\":", "\"arrayValue\":",
    "\"kvlistValue\":", "\"values\":", "\"bytesValue\":", "\"traceId\":\"5b8efff798038103d269b633813fc60c\"",
    "\"spanId\":\"eee19b7ec3c1b174\"", "\"startTimeUnixNano\":\"1\"", "\"links\":", "\"events\":", "\"status\":",
    "null", "[", "]", "{", "}", ",", "\"", "1e999", "-0", "\\ud800", "\u{feff}", "\"messaging.system\"",
    "\"messaging.destination.name\"", "\"http.route\"", "\"url.full\"", "\"db.system\"", "\"rpc.method\"",
    "\"service.name\"",
];
#[rustfmt::skip]
const OTLP_TAGS: &[&str] =
    &["\n", "\u{12}", "\u{1a}", "\"", "*", "2", ":", "J", "R", "Z", "j", "\u{0}", "\u{7f}", "\u{8}"];
#[rustfmt::skip]
const RECORD_WORDS: &[&str] = &[
    "\"specversion\":\"1.0\"", "\"id\":", "\"source\":", "\"type\":", "\"data\":", "\"data_base64\":", "\"topic\":",
    "\"partition\":", "\"offset\":", "\"payload\":", "\"headers\":", "\"subject\":", "\"stream\":", "\"seq\":",
    "\"time\":", "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"",
    "\"flowglassRecords\":", "\n", "[", "]", "{", "}", ",", "null", "\"", "\u{1f}\u{8b}", "(\u{b5}/\u{fd}",
    "PK\u{3}\u{4}", "ustar",
];

/// All of them.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target {
        name: "otlp-protobuf",
        run: ingest::otlp_protobuf,
        seeds: &["tests/fixtures/formats/otlp.pb", "tests/fixtures/formats/otlp-varint.bin"],
        words: OTLP_TAGS,
        runs: 4_000,
    },
    Target {
        name: "otlp-json",
        run: ingest::otlp_json,
        seeds: &["tests/fixtures/formats/otlp.json", "tests/fixtures/formats/otlp-bom-crlf.jsonl"],
        words: OTLP_WORDS,
        runs: 2_000,
    },
    Target {
        name: "jaeger",
        run: ingest::jaeger,
        seeds: &["tests/fixtures/formats/jaeger.json"],
        words: &[
            "\"traceID\":", "\"spanID\":", "\"references\":", "\"tags\":", "\"logs\":", "\"fields\":",
            "\"processes\":", "\"p1\"", "null", "[", "]", "{", "}", ",", "\"int64\"", "9e99",
        ],
        runs: 2_000,
    },
    Target {
        name: "zipkin",
        run: ingest::zipkin,
        seeds: &["tests/fixtures/formats/zipkin.json"],
        words: &[
            "\"traceId\":", "\"id\":", "\"kind\":\"CLIENT\"", "\"timestamp\":", "\"annotations\":", "\"tags\":",
            "\"localEndpoint\":", "\"shared\":true", "null", "[", "]", "{", "}", ",", "1e300", "-1",
        ],
        runs: 2_000,
    },
    Target {
        name: "cloudevents",
        run: ingest::cloudevents,
        seeds: &["tests/fixtures/formats/cloudevent.json", "tests/fixtures/formats/cloudevents.json"],
        words: RECORD_WORDS,
        runs: 4_000,
    },
    Target {
        name: "nats",
        run: ingest::nats,
        seeds: &["tests/fixtures/formats/nats.jsonl"],
        words: &[
            "NATS/1.0", "\r\n", ":", "$JS.ACK.", "ORDERS.pay.1.2.3.4.5", "$JS.EVENT.ADVISORY.", "*", ">", ".", "+ACK",
            "-NAK {\"delay\": 1}", "+NXT", "+WPI", "traceparent", "ce-id", "ce-specversion", "b3", "uber-trace-id",
            "content-type", "application/cloudevents+json",
        ],
        runs: 4_000,
    },
    Target {
        name: "headers",
        run: ingest::headers,
        seeds: &[],
        words: &[
            "00-", "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "-", ":", "-01", "1", "T", "Z",
            "2026-03-10", "14:31:02", ".5", "+01:00", "%", "%2", "%zz", "Bearer ", "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "password=", "token\":\"", "/orders/17", "4111 1111 1111 1111", "//user:pass@host", "\u{e9}", "?", "&",
        ],
        runs: 10_000,
    },
    Target {
        name: "import",
        run: ingest::import,
        seeds: &[
            "tests/fixtures/formats/otlp-fixed.bin", "tests/fixtures/formats/otlp.jsonl",
            "tests/fixtures/formats/otlp.jsonl.gz", "tests/fixtures/formats/kcat.jsonl",
            "tests/fixtures/formats/nats.jsonl", "tests/fixtures/formats/jaeger.json",
            "tests/fixtures/formats/zipkin.json", "tests/fixtures/formats/cloudevents.json",
            "tests/fixtures/formats/otlp.pb",
        ],
        words: RECORD_WORDS,
        runs: 1_500,
    },
    Target { name: "descriptors", run: texts::descriptors, seeds: &[], words: OTLP_TAGS, runs: 4_000 },
    Target {
        name: "filter",
        run: texts::filter,
        seeds: &[],
        words: &[
            "service:", "operation:", "state:failed", "duration", ">", "<", ">=", "2s", "500ms", "key.orderId:", "@",
            "-", "*", "\"", "\\", ",", ":", " ", "(", ")", "OR", "'", ";", "--", "%", "layer:", "level>=warn",
            "topic:", "dead-lettered:true", "\u{202e}", "\u{130}",
        ],
        runs: 10_000,
    },
    Target {
        name: "settings",
        run: texts::settings,
        seeds: &[],
        words: &[
            "[rules]", "[retention]", "[[exceptions]]", "[layers]", "[owners]", "[[redaction]]", "[[protobuf]]",
            "size = \"", "20 GB", "age = \"7 days\"", "failed_age", "journeys = ", "until = \"2026-01-01\"", "=", "\n",
            "\"", "[", "]", "{", "}", "'''", "#", "unlimited", "99999999999999999999", "-1", "severity = \"error\"",
        ],
        runs: 4_000,
    },
    Target {
        name: "scenario",
        run: texts::scenario,
        seeds: &["crates/scenario/tests/fixtures/place-order.yaml"],
        words: &[
            "{", "}", "[", "]", ":", ",", "- ", "\n", "  ", "&a ", "*a", "!!str ", "| ", "\"", "'", "~", "-1", "1e308",
            "poisson: ", "/s", "count: ", "parallel:", "do: ", "<<: ", "\t", "%YAML 1.2", "---", "...", "0ns",
            "retry:",
        ],
        runs: 300,
    },
    Target {
        name: "design",
        run: texts::design,
        seeds: &["tests/fixtures/landscape/design.yaml"],
        words: &[
            "openapi: 3.1.0", "asyncapi: 3.0.0", "swagger: '2.0'", "apiVersion: backstage.io/v1alpha1",
            "kind: Component", "$ref: '#/", "paths:", "channels:", "components:", "schemas:", "x", "~1", "~0", "../",
            "\n", "  ", "- ", ": ", "&a ", "*a", "{", "}", "[", "]", "---", "\"", "'", "| ", "<<: ",
        ],
        runs: 500,
    },
    Target {
        name: "link",
        run: texts::link,
        seeds: &[],
        words: &[
            "http://", "https://", "jaeger:16686", "/trace/", "/api/traces/", "/explore?", "panes=", "left=", "%7B",
            "%22", "{\"a\":{\"queries\":[{\"query\":\"", "orgId=1", "&", "=", "now-1h", "lookback=", "start=", "end=",
            "5b8efff798038103d269b633813fc60c", "@", "..", "#", "[::1]",
        ],
        runs: 10_000,
    },
    Target {
        name: "http",
        run: http::requests,
        seeds: &[],
        words: &[
            "POST ", "GET ", "OPTIONS ", "/v1/traces", "/v1/logs", "/v1/metrics", "/cloudevents", "/api/v2/spans",
            " HTTP/1.1\r\n", "Host: 127.0.0.1\r\n", "Content-Length: 2\r\n",
            "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n",
            "Content-Type: application/json\r\n", "Content-Type: application/x-protobuf\r\n",
            "Content-Type: application/grpc\r\n", "Origin: http://evil.example\r\n", "Expect: 100-continue\r\n",
            "Upgrade: websocket\r\nConnection: Upgrade\r\n", "\r\n", "\r\n\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n",
            "{}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}", "ce-id: 1\r\n",
            "ce-specversion: 1.0\r\n",
        ],
        runs: 1_000,
    },
    Target { name: "workspace", run: workspace::file, seeds: &[], words: &[], runs: 40 },
    Target {
        name: "chunk",
        run: workspace::chunk,
        seeds: &[],
        words: &[
            "\u{0}", "\u{1}", "\u{6}", "\u{7}", "\u{7f}",
        ],
        runs: 4_000,
    },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Bytes as text, as whoever reads files and requests makes it.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
