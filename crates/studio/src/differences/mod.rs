//! Two ranges of a workspace, or two workspaces, held against each other: the figures, and the report in its forms.

mod html;
mod json;
mod markdown;
mod words;

use flowglass_model::{Nanos, NodeId, SeriesSum};
use flowglass_topology::diff::{Difference, Limits, Side, difference};
use flowglass_topology::{Folding, Noise};

use crate::studio::workspace_name;
use crate::workspace::{Workspace, WorkspaceError};

pub(crate) use words::chance;

/// What is compared: a range of a workspace.
#[derive(Clone)]
pub struct Part {
    /// The workspace.
    pub workspace: Workspace,
    /// From here on.
    pub since: Option<Nanos>,
    /// Up to, but not including, this.
    pub until: Option<Nanos>,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceFormat {
    /// For programs.
    Json,
    /// For people, in a pull request.
    Markdown,
    /// One page by itself.
    Html,
}

/// Everything that has changed between two parts, with the names people know participants by.
pub struct Differences {
    /// What has changed.
    pub difference: Difference,
    /// By which limits.
    pub limits: Limits,
    sides: [Told; 2],
    names: [Folding; 2],
}

/// What a side is called.
struct Told {
    workspace: String,
    since: Option<Nanos>,
    until: Option<Nanos>,
}

impl Differences {
    /// Compares two parts. Health probes and polls are left out, as on the map. Blocking.
    ///
    /// # Errors
    /// When a workspace cannot be read.
    pub fn between(before: &Part, after: &Part, limits: Limits) -> Result<Differences, WorkspaceError> {
        let (names_a, series_a) = side(before)?;
        let (names_b, series_b) = side(after)?;
        let difference = difference(
            &Side { folding: &names_a, series: &series_a },
            &Side { folding: &names_b, series: &series_b },
            &limits,
        );
        let told = |part: &Part| Told {
            workspace: workspace_name(part.workspace.path()),
            since: part.since,
            until: part.until,
        };
        Ok(Differences { difference, limits, sides: [told(before), told(after)], names: [names_a, names_b] })
    }

    /// The report; ends without a line break.
    pub fn render(&self, format: DifferenceFormat) -> String {
        match format {
            DifferenceFormat::Json => json::report(self),
            DifferenceFormat::Markdown => markdown::report(self),
            DifferenceFormat::Html => html::report(self),
        }
    }

    /// What people read for a participant, as the later side names it.
    pub fn name<'a>(&'a self, id: &'a NodeId) -> &'a str {
        let [before, after] = &self.names;
        match after.title(id) {
            same if same == id.name() => before.title(id),
            own => own,
        }
    }
}

/// Names of the whole workspace, and the figures of the range without noise.
fn side(part: &Part) -> Result<(Folding, Vec<SeriesSum>), WorkspaceError> {
    let config = part.workspace.settings().config;
    let (known, mut series) =
        part.workspace.read(|r| Ok((r.series(None, None)?, r.series(part.since, part.until)?)))?;
    let noise = Noise::new(&known, &config.noise);
    series.retain(|sum| !noise.has(&sum.key));
    Ok((Folding::new(&known, &config), series))
}
