//! Arguments of commands that bring data in, and of those that copy a workspace.

use std::path::PathBuf;

use clap::Args;

use super::values::size;
use super::{JsonArg, RangeArgs, WorkspaceArg};

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Workspace file; made if it is missing
    #[arg(long, value_name = "FILE")]
    pub(crate) workspace: PathBuf,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Room on the disk to keep free, such as 500MB, 2GB or 0: with less, the import waits until there is more
    #[arg(long, value_name = "SIZE", default_value = "500MB", value_parser = size)]
    pub(crate) reserve: u64,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Link of a trace or search, or the address of a server
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Workspace file; made if it is missing
    #[command(flatten)]
    pub(crate) workspace: WorkspaceArg,
    /// Trace id, when the link names none
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// Search for traces of this service (Jaeger)
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Search with TraceQL (Tempo)
    #[arg(long, value_name = "TRACEQL")]
    pub(crate) query: Option<String>,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// At most this many traces, 1,000 at most [default: that of the link, else 100]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) limit: usize,
    /// User, when the secret is a password
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File with the token or password (one line)
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Tenant, for a Tempo of several (X-Scope-OrgID)
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) _json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Workspace file
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// New file
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Workspace file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
