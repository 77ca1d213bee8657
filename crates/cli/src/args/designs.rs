//! The arguments of `design`, `drift`, `diff`, `layout` and `schema`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{RangeArgs, WorkspaceArg};

/// What is done with a design.
#[derive(Debug, Subcommand)]
pub(crate) enum DesignCommand {
    /// Take what was observed as the design
    #[command(after_help = "Examples:
  flowglass design observe --workspace shop.flowglass > shop.design.yaml
  flowglass design observe --workspace shop.flowglass --since 7d -o shop.design.yaml")]
    Observe(DesignObserveArgs),
    /// Read files, folders or addresses of any known format into one design
    #[command(after_help = "Examples:
  flowglass design import specs/ catalog-info.yaml > shop.design.yaml
  flowglass design import https://example.com/openapi.yaml --allow-remote -o shop.design.yaml

Reads OpenAPI 3.0 to 3.2, AsyncAPI 2 and 3, Backstage catalogs, EventCatalog folders and designs of Flowglass. What could not be taken
over is told on stderr. Nothing is fetched without --allow-remote.")]
    Import(DesignImportArgs),
    /// Write a design in the formats others read
    #[command(after_help = "Examples:
  flowglass design export shop.design.yaml --format mermaid
  flowglass design export shop.design.yaml --format backstage -o catalog/

backstage writes a catalog with OpenAPI and AsyncAPI documents beside it; read again, they give the same design.")]
    Export(DesignExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DesignObserveArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Write to this file instead of stdout; one that is there is not overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DesignImportArgs {
    /// Files, folders, addresses
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Fetch addresses, and what files refer to on the web
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Write to this file instead of stdout; one that is there is not overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Formats that a design leaves in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DesignFormat {
    /// A document for each participant with channels
    Asyncapi,
    /// A document for each participant with operations
    Openapi,
    /// A catalog with both
    Backstage,
    /// A flowchart
    Mermaid,
}

#[derive(Debug, Args)]
pub(crate) struct DesignExportArgs {
    /// Files, folders, addresses
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// In which format
    #[arg(long, value_enum)]
    pub(crate) format: DesignFormat,
    /// Folder for the files (mermaid goes to stdout, or to this file)
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

/// Form of the deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftFormatArg {
    /// For programs
    Json,
    /// For people
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// File or folder of the design; may be given several times [default: NAME.design.yaml beside the workspace]
    #[arg(long, value_name = "PATH")]
    pub(crate) design: Vec<String>,
    /// Fetch addresses, and what files refer to on the web
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = DriftFormatArg::Json)]
    pub(crate) format: DriftFormatArg,
    /// Exit with 1 when a deviation of this kind is open, or `any`; may be given several times
    #[arg(long, value_name = "KIND")]
    pub(crate) fail_on: Vec<String>,
}

/// Form of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For programs
    Json,
    /// For people, in a pull request
    Markdown,
    /// One page by itself
    Html,
}

/// What may fail a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangeArg {
    /// Anything that was not there before
    Added,
    /// Anything that is not there any more
    Gone,
    /// Longer times
    Slower,
    /// Shorter times
    Faster,
    /// A greater share of errors
    MoreErrors,
    /// A smaller share of errors
    FewerErrors,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Before: a workspace file, or SINCE..UNTIL of --workspace
    #[arg(value_name = "A")]
    pub(crate) before: String,
    /// After: a workspace file, or SINCE..UNTIL of --workspace
    #[arg(value_name = "B")]
    pub(crate) after: String,
    /// Workspace that the ranges are of
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: Option<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = DiffFormat::Json)]
    pub(crate) format: DiffFormat,
    /// Exit with 1 when there is such a change; may be given several times
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) fail_on: Vec<ChangeArg>,
    /// Changes of times below this share are left out
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(crate) times: f64,
    /// Changes of the share of errors below this are left out
    #[arg(long, value_name = "SHARE", default_value_t = 0.005)]
    pub(crate) errors: f64,
}

#[derive(Debug, Args)]
pub(crate) struct LayoutArgs {
    /// File with nodes and edges
    #[arg(value_name = "GRAPH.json")]
    pub(crate) graph: PathBuf,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Scenario files
    Scenario,
    /// Designs
    Design,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}
