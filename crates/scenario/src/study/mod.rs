//! What to make of a scenario: previews, the best mixture, break-evens, what matters most, the comparison of its variants.

mod break_even;
mod candidate;
mod comparison;
mod front;
mod input;
mod player;
mod preview;
mod search;
mod sweep;
mod tornado;
mod whole;
mod window;
mod words;

pub use break_even::{BreakEven, Turns, break_evens};
pub use comparison::{Cell, ComparisonRow, comparison};

pub use candidate::Candidate;
pub use input::{Input, inputs};
pub(crate) use input::{step_of, steps};
pub use player::{Effort, Setting};
pub use preview::preview;
pub use search::{Search, SearchOptions, search};
pub use sweep::{Sweep, SweepPoint, load_sweep, sweep};
pub use tornado::{Bar, Gap, Tornado, tornado};
pub use whole::{Study, StudyOptions, study, sync_figures, with_best_hybrid};
pub(crate) use window::shortened;
pub(crate) use words::{ms, percent};

/// What a study is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// What all-call variants do.
    Calls,
    /// The best mixture.
    Search,
    /// Break-evens.
    BreakEven,
    /// The tornado.
    Tornado,
    /// The load sweep.
    Sweep,
}

/// How far a study is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Its stage.
    pub stage: Stage,
    /// Simulations of this stage that are done.
    pub done: u32,
    /// Simulations of this stage that are planned, as far as is known.
    pub planned: u32,
}
