//! From spans and messages to the map.
//!
//! Two steps that never meet: the [`Resolver`] turns what arrives into changes of rolled-up series ([`flowglass_model::Delta`]),
//! whatever the order of arrival; [`graph`] folds summed series and the configuration into participants, interactions and
//! layers. [`layout`] says where to draw them. Nothing here does I/O or reads a clock: what is stored is asked for through [`FactSource`].

pub mod diff;

mod fold;
mod layers;
mod layout;
mod resolve;

pub use fold::{Folding, Noise, folded_by, graph, graph_of};
pub use layers::{Classified, classify, default_patterns, layer_pattern_matches};
pub use layout::{
    Band, Bounds, Layout, LayoutEdge, LayoutInput, LayoutMode, LayoutNode, Placed, Point, Positions, card_size, layout,
    layout_of,
};
pub use resolve::{Derived, Expired, Expiry, FactSource, MessageSighting, Resolver, Retracted, Retraction, Unmatched};
