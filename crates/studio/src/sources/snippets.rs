//! Set-ups to copy.

use std::net::SocketAddr;

use crate::api::Snippet;

/// Set-ups for the addresses in use. The order is that of the tabs.
pub(crate) fn snippets(grpc: Option<SocketAddr>, http: Option<SocketAddr>) -> Vec<Snippet> {
    let (endpoint, protocol) = match (grpc, http) {
        (Some(grpc), _) => (format!("http://{grpc}"), "grpc"),
        (None, Some(http)) => (format!("http://{http}"), "http/protobuf"),
        (None, None) => return Vec::new(),
    };
    let port = endpoint.rsplit(':').next().unwrap_or("4317").to_owned();
    let snippet = |id: &str, title: &str, text: String| Snippet { id: id.into(), title: title.into(), text };
    vec![
        snippet(
            "shell",
            "Shell",
            format!(
                "export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL={protocol}\n\
                 export OTEL_METRICS_EXPORTER=none\nexport OTEL_SERVICE_NAME=order-prc-api\n\
                 export OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop,flowglass.layer=process\n\
                 export OTEL_PROPAGATORS=tracecontext,baggage"
            ),
        ),
        snippet(
            "java-agent",
            "Java agent",
            format!(
                "java -javaagent:opentelemetry-javaagent.jar \\\n  -Dotel.exporter.otlp.endpoint={endpoint} \\\n  \
                 -Dotel.exporter.otlp.protocol={protocol} \\\n  -Dotel.metrics.exporter=none \\\n  \
                 -Dotel.service.name=order-prc-api \\\n  -jar app.jar"
            ),
        ),
        snippet(
            "collector",
            "Collector",
            format!(
                "exporters:\n  otlp/flowglass:\n    endpoint: {}\n    tls:\n      insecure: true\nservice:\n  pipelines:\n    \
                 traces:\n      exporters: [otlp/flowglass]\n    logs:\n      exporters: [otlp/flowglass]",
                endpoint.trim_start_matches("http://")
            ),
        ),
        snippet(
            "docker",
            "Docker on Linux",
            format!(
                "docker run --network host \\\n  -e OTEL_EXPORTER_OTLP_ENDPOINT={endpoint} \\\n  \
                 -e OTEL_EXPORTER_OTLP_PROTOCOL={protocol} \\\n  -e OTEL_METRICS_EXPORTER=none \\\n  \
                 -e OTEL_SERVICE_NAME=order-prc-api my-image"
            ),
        ),
        snippet(
            "docker-desktop",
            "Docker Desktop",
            format!(
                "docker run \\\n  -e OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:{port} \\\n  \
                 -e OTEL_EXPORTER_OTLP_PROTOCOL={protocol} \\\n  -e OTEL_METRICS_EXPORTER=none \\\n  \
                 -e OTEL_SERVICE_NAME=order-prc-api my-image"
            ),
        ),
    ]
}
