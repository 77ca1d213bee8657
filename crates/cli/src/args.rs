//! The arguments of every command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod designs;
mod files;
mod values;

pub(crate) use designs::{
    ChangeArg, DesignCommand, DesignExportArgs, DesignFormat, DesignImportArgs, DesignObserveArgs, DiffArgs,
    DiffFormat, DriftArgs, DriftFormatArg, LayoutArgs, SchemaArgs, SchemaOf,
};
pub(crate) use files::{BackupArgs, CompactArgs, ImportArgs, PullArgs};
pub(crate) use values::Listen;
use values::{listen_address, sender_address, size};

/// See what talks to what: traces and events of an integration landscape as one live, layered map.
#[derive(Debug, Parser)]
#[command(
    name = "flowglass",
    version,
    disable_help_subcommand = true,
    // Without a command there is one line to say, as for every other mistake.
    arg_required_else_help = false,
    after_help = "Examples:
  flowglass serve --workspace shop.flowglass --ui 0
  flowglass import --workspace shop.flowglass traces.json recordings/ --json
  flowglass topology --workspace shop.flowglass --since 15m --format mermaid

Exit status: 0 done, 1 a check asked for with --fail-on failed, 2 unusable arguments or input (one line on stderr says what
and where).
Logs go to stderr; FLOWGLASS_LOG sets how much (error, warn, info, debug, or per module).
FLOWGLASS_OTLP_ENDPOINT exports the traces of flowglass itself (http://host:4317 gRPC, http://host:4318 HTTP)."
)]
pub(crate) struct Cli {
    /// Text file (TOML) of layers, domains, aliases, owners and rules [default: the one the workspace names]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive OTLP, CloudEvents and NATS into a workspace until stopped; with --ui, show it in a browser
    #[command(after_help = "Examples:
  flowglass serve --workspace shop.flowglass
  flowglass serve --workspace shop.flowglass --otlp-grpc 0 --otlp-http off --ui 127.0.0.1:8080
  FLOWGLASS_NATS_TOKEN=… flowglass serve --workspace shop.flowglass --nats nats://127.0.0.1:4222
  flowglass serve --workspace shop.flowglass --forward http://127.0.0.1:14318
  flowglass serve --workspace shop.flowglass --otlp-grpc 0.0.0.0:4317 --token-file senders.token

Prints one line of JSON when every listener is bound. SIGTERM or Ctrl-C: stops accepting, flushes, exits 0.
Other machines may send only to an address such as 0.0.0.0:4317, and with the token of --token-file in
OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN; nothing is encrypted on the way.
NATS credentials: --nats-creds, or FLOWGLASS_NATS_TOKEN, or FLOWGLASS_NATS_USER and FLOWGLASS_NATS_PASSWORD.")]
    Serve(ServeArgs),
    /// Store files: OTLP, Jaeger, Zipkin, kcat, recorded messages, CloudEvents; plain, gzip or zstd; folders are walked
    #[command(after_help = "Examples:
  flowglass import --workspace shop.flowglass traces.json --json
  flowglass import --workspace shop.flowglass recordings/ export.json.gz --json

Importing twice changes nothing. Ctrl-C keeps what is stored by then.")]
    Import(ImportArgs),
    /// Fetch traces from Jaeger's or Tempo's HTTP query API, by link or search, and store them
    #[command(after_help = "Examples:
  flowglass pull http://localhost:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736 --workspace shop.flowglass --json
  flowglass pull http://localhost:16686 --service order-prc-api --since 1h --workspace shop.flowglass --json
  flowglass pull https://tempo.example --query '{ status = error }' --since 15m --limit 20 --workspace shop.flowglass --json
  FLOWGLASS_PULL_SECRET=… flowglass pull 'https://grafana.example/explore?panes=…' --workspace shop.flowglass --json

Takes links of Jaeger's and Grafana's pages as well as addresses of the APIs. Only reads; redirects are not followed. The secret of
--secret-file or FLOWGLASS_PULL_SECRET is a bearer token, or with --user a password. Ctrl-C keeps what is stored by then.")]
    Pull(PullArgs),
    /// Whether a workspace file is sound; saves what is left of a damaged one
    #[command(after_help = "Examples:
  flowglass check shop.flowglass
  flowglass check shop.flowglass --repair
  flowglass check shop.flowglass --json

Reads every page, every checksum and every item, also while another process writes, and changes nothing. --repair writes what can be
read of a damaged file into a new one beside it (shop.repaired.flowglass), leaves the old one as it is, and says what was lost.
Exit status: 0 sound, 1 damaged (repaired or not), 2 no file that can be used.")]
    Check(CheckArgs),
    /// Numbers of everything that is stored
    #[command(after_help = "Example:
  flowglass stats --workspace shop.flowglass --json")]
    Stats(StatsArgs),
    /// Write a copy of a workspace into a new file, while others go on writing to it
    #[command(after_help = "Examples:
  flowglass backup shop.flowglass shop-2026-11-23.flowglass
  flowglass backup shop.flowglass /backup/shop.flowglass

The copy holds everything that was acknowledged before the command began, is as small as can be, and appears under its name only
when it is whole. Settings and designs are files beside the workspace: copy them too. Ctrl-C: nothing is left of it, exit status 2.
Prints sizes as one line of JSON; progress goes to stderr.")]
    Backup(BackupArgs),
    /// Write a workspace anew, in its own place, without the room that nothing uses
    #[command(after_help = "Example:
  flowglass compact shop.flowglass

Refuses while anybody has the workspace open. Needs as much free space as the workspace holds data. A crash or Ctrl-C leaves the file
as it was. What is removed by rule or by hand gives its room back by itself, piece by piece: this is for files that another tool
copied, and for the last percent. Prints sizes as one line of JSON; progress goes to stderr.")]
    Compact(CompactArgs),
    /// The map: participants with their layers, interactions with counts and times
    #[command(after_help = "Examples:
  flowglass topology --workspace shop.flowglass
  flowglass topology --workspace shop.flowglass --since 15m --environment prod
  flowglass topology --workspace shop.flowglass --format svg > map.svg")]
    Topology(TopologyArgs),
    /// Journeys, newest first: what one business action caused, across traces and events
    #[command(after_help = "Examples:
  flowglass journeys --workspace shop.flowglass --status failed --limit 20 --json
  flowglass journeys --workspace shop.flowglass --find o-17 --json
  flowglass journeys --workspace shop.flowglass --filter 'service:order-prc-api state:degraded refund' --json

Filter terms, all of which must hold: service:NAME, state:failed,degraded, status:ok, operation:*orders*, duration>2s,
response<500ms, retried:true, dead-lettered:true, key:ORD-1, key.orderId:ORD-1, layer:system, domain:, owner:, env:, subject:,
system:, trace:, span:, id:, @attribute:value, and words anywhere in attributes, payloads, logs, keys or the failure (@NAME is a header or payload field too). `-` in front excludes,
`*` stands for any run of characters, quotes hold blanks and colons: -service:web-* operation:\"POST /orders\".")]
    Journeys(JourneysArgs),
    /// One journey in full, by the id of any trace in it
    #[command(after_help = "Example:
  flowglass journey 4bf92f3577b34da6a3ce929d0e0e4736 --workspace shop.flowglass --json")]
    Journey(JourneyArgs),
    /// What breaks the rules of the architecture: bypassed layers, missing credentials, dead letters, …
    #[command(after_help = "Examples:
  flowglass findings --workspace shop.flowglass
  flowglass findings --workspace shop.flowglass --rule layer-bypass --rule upward-call --fail-on error
  flowglass findings --workspace shop.flowglass --since 1d --format sarif > findings.sarif

Exit status: 1 when --fail-on is given and something that bad (or worse) was found. Severities, thresholds, exceptions and own
rules stand in the settings file under [rules].")]
    Findings(FindingsArgs),
    /// Compare two ranges or two workspaces: what is new, gone, slower, faster, fails more often, and in which versions
    #[command(after_help = "Examples:
  flowglass diff before.flowglass after.flowglass
  flowglass diff ..2026-11-23T09:00:00Z 2026-11-23T09:00:00Z.. --workspace shop.flowglass --format markdown
  flowglass diff 2d..1d 1d.. --workspace shop.flowglass --fail-on slower --fail-on more-errors

A and B are workspace files, or ranges SINCE..UNTIL of --workspace (either end may be left out; RFC 3339 or an age). What is told is
significant: every figure is tested, all tests are corrected together, and small changes are left out (see --times, --errors).
Exit status: 1 when --fail-on is given and such a change was found.")]
    Diff(DiffArgs),
    /// Designs: taken from what was observed, read from OpenAPI, AsyncAPI, Backstage and EventCatalog, written again
    #[command(subcommand)]
    Design(DesignCommand),
    /// Hold a design against what was observed: what is not there, not designed, in another style, undocumented
    #[command(after_help = "Examples:
  flowglass drift --workspace shop.flowglass
  flowglass drift --workspace shop.flowglass --design specs/ --design catalog-info.yaml --format markdown
  flowglass drift --workspace shop.flowglass --since 1d --fail-on other-style --fail-on undocumented-operation

Without --design it is the file NAME.design.yaml beside the workspace. Each deviation says how its ends were matched. Deviations that
the design lists under `kept` are told with their reason and fail nothing.
Exit status: 1 when --fail-on is given and such a deviation is open.")]
    Drift(DriftArgs),
    /// Write journeys into a file for others: case file, report, ticket text, OTLP JSON, sequence diagram or table
    #[command(after_help = "Examples:
  flowglass export 4bf92f3577b34da6a3ce929d0e0e4736 --workspace shop.flowglass -o order-17.flowglass
  flowglass export 4bf92f3577b34da6a3ce929d0e0e4736 --workspace shop.flowglass -o order-17.html
  flowglass export ID1 ID2 --workspace shop.flowglass -o both.json --unredacted

The ending says the form: .flowglass a case file (a small workspace with events, deliveries and notes: drop it on the window, or
name it as --workspace), .html a report that opens anywhere without network, .md text for a ticket, .json OTLP JSON with the
events beside it (`flowglass import` takes it again), .mmd a Mermaid sequence diagram, .csv a table.
What redaction rules hide, and what looks like a credential, is taken out unless --unredacted is given.")]
    Export(ExportArgs),
    /// Write the file for bug reports: a zip of versions, settings, counters and logs, without data and secrets
    #[command(after_help = "Examples:
  flowglass diagnostics -o flowglass.zip
  flowglass diagnostics -o flowglass.zip --workspace shop.flowglass

Prints the names of the files in it. Nothing is sent anywhere. The same file from a running window holds its sources and its log too.")]
    Diagnostics(DiagnosticsArgs),
    /// Make a scenario file of what was observed: structure, times, arrivals, failures, and what traces cannot tell
    #[command(after_help = "Examples:
  flowglass calibrate --workspace shop.flowglass > as-is.yaml
  flowglass calibrate --workspace shop.flowglass --filter 'operation:\"POST /orders\"' --since 1h -o place-order.yaml

The scenario goes to stdout, or to a new file with -o. stderr says how well one learned from the quieter half of the period
predicts the busier half. --json prints the evidence of each input and the open questions too.")]
    Calibrate(CalibrateArgs),
    /// Simulate the variants of a scenario file: response, settled time, fates, with intervals
    #[command(after_help = "Examples:
  flowglass simulate place-order.yaml --json
  flowglass simulate place-order.yaml --variant hybrid --replications 5 --json

The same seed gives the same bytes but for wall_ms, whatever the number of threads. Ctrl-C prints what is known by then.")]
    Simulate(SimulateArgs),
    /// Say for each step of a scenario file whether it should be a call or an event, with reasons
    #[command(after_help = "Examples:
  flowglass decide place-order.yaml --json
  flowglass decide place-order.yaml --study --json
  flowglass decide place-order.yaml --format markdown > decision.md

Ctrl-C prints what is known by then.")]
    Decide(DecideArgs),
    /// Lay a graph out as the map does: left to right by layer, few crossings
    #[command(after_help = "Example:
  flowglass layout graph.json

GRAPH.json: {\"nodes\":[{\"id\":\"a\",\"layer\":\"system\",\"width\":168,\"height\":72}],\"edges\":[{\"source\":\"a\",\"target\":\"b\"}]};
width and height may be left out. Prints {\"a\":[x,y],…}, centres in pixels; how long it took goes to stderr: {\"ms\":1.2}.")]
    Layout(LayoutArgs),
    /// Print a JSON Schema, for editors that complete from it
    #[command(after_help = "Example:
  flowglass schema scenario > scenario.schema.json")]
    Schema(SchemaArgs),
}

/// The workspace file.
#[derive(Debug, Args)]
pub(crate) struct WorkspaceArg {
    /// Workspace file
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: PathBuf,
}

/// Form of the answer.
#[derive(Debug, Args)]
pub(crate) struct JsonArg {
    /// Print JSON (the only form this command has)
    #[arg(long)]
    pub(crate) json: bool,
}

/// `[since, until)`.
#[derive(Debug, Args)]
pub(crate) struct RangeArgs {
    /// From this instant on: RFC 3339, or an age (15m, 2d)
    #[arg(long, value_name = "T")]
    pub(crate) since: Option<String>,
    /// Up to, but not including, this instant: RFC 3339, or an age
    #[arg(long, value_name = "T")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Workspace file; made if it is missing
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: PathBuf,
    /// OTLP/gRPC address: `host:port`, a port, or `off` [default: 127.0.0.1:4317, or the one chosen in the window]
    #[arg(long, value_name = "ADDR", value_parser = sender_address)]
    pub(crate) otlp_grpc: Option<Listen>,
    /// OTLP/HTTP address (CloudEvents and Zipkin too) [default: 127.0.0.1:4318, or the one chosen in the window]
    #[arg(long, value_name = "ADDR", value_parser = sender_address)]
    pub(crate) otlp_http: Option<Listen>,
    /// Serve the window's UI to a browser on this machine: `host:port`, a port (0 picks a free one), or `off`
    #[arg(long, value_name = "ADDR", default_value = "off", value_parser = listen_address)]
    pub(crate) ui: Listen,
    /// Write the one-time token of --ui to this file (readable by you only) instead of printing it: for your browser, not for
    /// senders
    #[arg(long, value_name = "FILE")]
    pub(crate) ui_token_file: Option<PathBuf>,
    /// Pass accepted OTLP requests on, unchanged: http://host:4318 or grpc://host:4317
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// File with the token that senders on other machines must pass (one line; made with a new one if it is missing); it has
    /// nothing to do with --ui
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Room on the disk to keep free, such as 500MB, 2GB or 0: with less, senders are told to keep their data and try again
    #[arg(long, value_name = "SIZE", default_value = "500MB", value_parser = size)]
    pub(crate) reserve: u64,
    /// NATS server to watch, without credentials in it; may be given several times
    #[arg(long, value_name = "URL")]
    pub(crate) nats: Vec<String>,
    /// NATS credentials file
    #[arg(long, value_name = "FILE", requires = "nats")]
    pub(crate) nats_creds: Option<PathBuf>,
    /// File with the certificates (PEM) that the NATS server's own is checked against
    #[arg(long, value_name = "FILE", requires = "nats")]
    pub(crate) nats_ca: Option<PathBuf>,
    /// NATS subject to watch [default: >]; may be given several times
    #[arg(long, value_name = "SUBJ", requires = "nats")]
    pub(crate) nats_subject: Vec<String>,
    /// JetStream stream to read [default: all]; may be given several times
    #[arg(long, value_name = "NAME", requires = "nats")]
    pub(crate) nats_stream: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

/// Form of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapFormat {
    /// For programs
    Json,
    /// Text for Markdown pages
    Mermaid,
    /// A picture
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct TopologyArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Only this environment
    #[arg(long, value_name = "E")]
    pub(crate) environment: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = MapFormat::Json)]
    pub(crate) format: MapFormat,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
}

/// Outcome in the contract's three words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusArg {
    /// Succeeded, perhaps after retries
    Ok,
    /// Something failed for good
    Failed,
    /// Not all that belongs to it was seen
    Incomplete,
}

#[derive(Debug, Args)]
pub(crate) struct JourneysArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    /// With this trace id, span id, message or event id, or business key: a whole value, whatever the time
    #[arg(long, value_name = "TEXT")]
    pub(crate) find: Option<String>,
    /// With all of these terms (see below)
    #[arg(long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,
    /// With this outcome
    #[arg(long, value_enum)]
    pub(crate) status: Option<StatusArg>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct JourneyArgs {
    /// Journey id, or the id of any trace in it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArg {
    /// Worth a look
    Info,
    /// Should be put right
    Warning,
    /// Breaks the architecture
    Error,
}

/// Form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// For programs
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
    /// For test reports (JUnit XML)
    Junit,
    /// For people
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    /// Only this rule, built in or own; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) rule: Vec<String>,
    /// End with status 1 when something is found that is at least this bad
    #[arg(long, value_enum)]
    pub(crate) fail_on: Option<SeverityArg>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = FormatArg::Json)]
    pub(crate) format: FormatArg,
    /// Tell findings too that the settings waive
    #[arg(long)]
    pub(crate) waived: bool,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Workspace file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Write what can be saved of a damaged file into a new one beside it
    #[arg(long)]
    pub(crate) repair: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiagnosticsArgs {
    /// File to write; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Workspace file whose settings and counters go in
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    /// From journeys with all of these terms (see `flowglass journeys --help`)
    #[arg(long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,
    /// From this many journeys at most, the newest
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) limit: usize,
    /// Title of the scenario
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Write the scenario to this file; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Print JSON: the scenario with the evidence of each input
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Journey ids, or ids of any trace in them
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    /// File to write; its ending says the form
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Leave what redaction rules hide as it is stored
    #[arg(long)]
    pub(crate) unredacted: bool,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Scenario file, YAML or JSON
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Seed of all randomness [default: that of the file]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Independent repetitions [default: those of the file]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) replications: Option<u32>,
    /// Only this variant; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Vec<String>,
    /// Go on until the intervals of the decision metrics are this narrow (0.05 is 5 %)
    #[arg(long, value_name = "REL")]
    pub(crate) precision: Option<f64>,
    /// Threads [default: all of the machine]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Scenario file, YAML or JSON
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Workspace whose observed figures count before those of the file
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: Option<PathBuf>,
    /// Also look for break-evens, move every input, sweep the load
    #[arg(long)]
    pub(crate) study: bool,
    /// Only the gates and criteria, without a search for the best mixture
    #[arg(long, conflicts_with = "study")]
    pub(crate) quick: bool,
    /// The verdict, the decision record, or a skeleton of the recommended variant
    #[arg(long, value_enum, default_value_t = DecideFormat::Json)]
    pub(crate) format: DecideFormat,
    /// Threads [default: all of the machine]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

/// How a verdict is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecideFormat {
    /// One object
    Json,
    /// Decision record (MADR)
    Markdown,
    /// Decision record with pictures, one page by itself
    Html,
    /// AsyncAPI 3.0 of its events
    Asyncapi,
    /// OpenAPI 3.1 of its calls
    Openapi,
    /// Flowchart
    Mermaid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
