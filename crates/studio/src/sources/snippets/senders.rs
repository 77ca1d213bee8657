//! One set-up a kind of sender.

use super::{Place, Setting, Wire, render};
use crate::api::Snippet;

/// All of them, in the order of the tabs.
pub(super) fn all(s: &Setting<'_>) -> Vec<Snippet> {
    let one = |id: &str, title: &str, text: String| Snippet { id: id.into(), title: title.into(), text };
    vec![
        one("shell", "Shell", shell(s)),
        one("spring-3", "Spring Boot 3", spring(s, 3)),
        one("spring-4", "Spring Boot 4", spring(s, 4)),
        one("java-agent", "Java agent", java_agent(s)),
        one("dotnet", ".NET", dotnet(s)),
        one("node", "Node.js", node(s)),
        one("python", "Python", python(s)),
        one("go", "Go", go(s)),
        one("rust", "Rust", rust(s)),
        one("collector", "Collector", collector(s)),
    ]
}

fn with(mut variables: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    variables
}

const NO_METRICS: (&str, &str) = ("OTEL_METRICS_EXPORTER", "none");
const LOGS: (&str, &str) = ("OTEL_LOGS_EXPORTER", "otlp");

/// Comment lines before a text.
fn after(comments: &[&str], text: String) -> String {
    comments.iter().map(|c| format!("# {c}\n")).collect::<String>() + &text
}

fn shell(s: &Setting<'_>) -> String {
    let all = with(s.variables(Wire::Grpc), &[NO_METRICS, ("OTEL_PROPAGATORS", "tracecontext,baggage")]);
    render(s.place, &all, "./my-service").trim_end_matches("\n./my-service").to_owned()
}

/// Boot's own Micrometer Tracing. It reads no `OTEL_EXPORTER_…` variable, samples a tenth unless told, and has its own switch for
/// metrics; version 4 moved the endpoints.
fn spring(s: &Setting<'_>, version: u8) -> String {
    let (tracing, logging, needs) = match version {
        3 => (
            "management.otlp.tracing",
            "management.otlp.logging",
            "Needs spring-boot-starter-actuator, micrometer-tracing-bridge-otel and opentelemetry-exporter-otlp",
        ),
        _ => (
            "management.opentelemetry.tracing.export.otlp",
            "management.opentelemetry.logging.export.otlp",
            "Needs spring-boot-starter-opentelemetry",
        ),
    };
    let endpoint = s.endpoint(Wire::Http);
    let mut properties = vec![
        ("spring.application.name".to_owned(), "order-prc-api".to_owned()),
        (format!("{tracing}.endpoint"), format!("{endpoint}/v1/traces")),
        ("management.tracing.sampling.probability".to_owned(), "1.0".to_owned()),
        (format!("{logging}.endpoint"), format!("{endpoint}/v1/logs")),
        ("management.otlp.metrics.export.enabled".to_owned(), "false".to_owned()),
    ];
    if let Some(token) = s.token() {
        properties.push((format!("{tracing}.headers.authorization"), format!("Bearer {token}")));
        properties.push((format!("{logging}.headers.authorization"), format!("Bearer {token}")));
    }
    let logs = match version {
        3 => "Logs: from 3.4 on, with OpenTelemetry's Logback appender besides",
        _ => "Logs need OpenTelemetry's Logback appender besides",
    };
    if s.place == Place::Local {
        let lines: Vec<String> = properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
        return after(&["application.properties", needs, logs], lines.join("\n"));
    }
    let variable = |name: &str| name.to_uppercase().replace('.', "_").replace('-', "");
    let variables: Vec<(String, String)> = properties.into_iter().map(|(k, v)| (variable(&k), v)).collect();
    after(&[needs, logs], render(s.place, &variables, ""))
}

fn java_agent(s: &Setting<'_>) -> String {
    let agent = "-javaagent:opentelemetry-javaagent.jar";
    let base = with(s.variables(Wire::Http), &[NO_METRICS]);
    if s.place == Place::Local {
        return render(s.place, &base, &format!("java {agent} -jar app.jar"));
    }
    let tools = ("JAVA_TOOL_OPTIONS", "-javaagent:/otel/opentelemetry-javaagent.jar");
    after(&["The image holds the agent as /otel/opentelemetry-javaagent.jar"], render(s.place, &with(base, &[tools]), ""))
}

/// The SDK's exporter speaks gRPC unless told, and does not know `OTEL_METRICS_EXPORTER`: metrics are off by not adding them.
fn dotnet(s: &Setting<'_>) -> String {
    let code = "\n\n// Program.cs, with OpenTelemetry.Extensions.Hosting and OpenTelemetry.Exporter.OpenTelemetryProtocol.\n\
                // No .WithMetrics(): the SDK does not read OTEL_METRICS_EXPORTER.\n\
                builder.Services.AddOpenTelemetry()\n    .WithTracing(t => t.AddAspNetCoreInstrumentation().AddHttpClientInstrumentation())\n    \
                .WithLogging()\n    .UseOtlpExporter();";
    render(s.place, &s.variables(Wire::Grpc), "dotnet run") + code
}

fn node(s: &Setting<'_>) -> String {
    let preload = ("NODE_OPTIONS", "--require @opentelemetry/auto-instrumentations-node/register");
    let all = with(s.variables(Wire::Http), &[NO_METRICS, LOGS, preload]);
    after(&["npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node"], render(s.place, &all, "node app.js"))
}

fn python(s: &Setting<'_>) -> String {
    let logs = ("OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED", "true");
    let all = with(s.variables(Wire::Http), &[NO_METRICS, LOGS, logs]);
    let needs = ["pip install opentelemetry-distro opentelemetry-exporter-otlp && opentelemetry-bootstrap -a install"];
    let container = "The image starts with: opentelemetry-instrument python app.py";
    let text = render(s.place, &all, "opentelemetry-instrument python app.py");
    if s.place == Place::Local { after(&needs, text) } else { after(&[needs[0], container], text) }
}

/// Nothing starts by itself: the exporters read the variables once the code makes them. `autoexport` also reads the protocol and
/// which signals are off.
fn go(s: &Setting<'_>) -> String {
    let code = "\n\n// main.go, with go.opentelemetry.io/contrib/exporters/autoexport: nothing is sent without such code.\n\
                exporter, err := autoexport.NewSpanExporter(ctx)\nif err != nil { log.Fatal(err) }\n\
                provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))\n\
                defer provider.Shutdown(context.Background())\notel.SetTracerProvider(provider)\n\
                otel.SetTextMapPropagator(propagation.TraceContext{})";
    render(s.place, &with(s.variables(Wire::Http), &[NO_METRICS]), "go run .") + code
}

/// The features of the crate choose the protocol; metrics are off by not making a meter provider.
fn rust(s: &Setting<'_>) -> String {
    let code = "\n\n// main.rs, with opentelemetry_sdk and opentelemetry-otlp (feature \"http-proto\", a default).\n\
                // No meter provider: OTEL_METRICS_EXPORTER is not read.\n\
                let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;\n\
                let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();\n\
                opentelemetry::global::set_tracer_provider(provider.clone());\n\
                opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());\n\
                // … at the end: provider.shutdown()?;";
    render(s.place, &s.variables(Wire::Http), "cargo run") + code
}

/// Traces and logs only: metrics have no pipeline to here. Before 0.144 the exporter was called `otlp`.
fn collector(s: &Setting<'_>) -> String {
    let headers = s.token().map(|t| format!("    headers:\n      authorization: \"Bearer {t}\"\n")).unwrap_or_default();
    format!(
        "# Add to what is there. Before version 0.144 it is called otlp/flowglass.\nexporters:\n  otlp_grpc/flowglass:\n    \
         endpoint: {}\n    tls:\n      insecure: true\n{headers}service:\n  pipelines:\n    traces:\n      exporters: \
         [otlp_grpc/flowglass]   # besides those that are there\n    logs:\n      exporters: [otlp_grpc/flowglass]",
        s.authority(Wire::Grpc)
    )
}
