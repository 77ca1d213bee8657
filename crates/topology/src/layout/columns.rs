//! Horizontal geometry: which columns a layer has and where they stand.

use std::collections::BTreeMap;

use flowglass_model::{Layer, NodeId};

use super::net::Net;
use super::{Arrangement, Band, Placed};

/// Between the cards of neighbouring layers.
pub(super) const LAYER_GAP: f64 = 96.0;
/// Between the cards of a layer's sub-columns.
const SUB_GAP: f64 = 56.0;
/// More nodes than this in a column and the layer is wrapped.
const WRAP_AFTER: usize = 14;
/// A layer of a map that can be read at once is wrapped into no more columns than this.
const MAX_COLUMNS: usize = 3;
/// Cards of a larger layer for each column, per column: ten columns for 500. The drawing is then about as wide as a screen is for its height.
const CARDS_PER_COLUMN_SQUARED: usize = 5;
/// With less room than this between layers nothing can be drawn: previous positions are given up.
const LEAST_GAP: f64 = 24.0;

/// Centres of the sub-columns per layer, in the order of [`Layer::ALL`].
pub(super) type Columns = [Vec<f64>; 6];

/// Position of a layer in [`Layer::ALL`].
pub(super) fn slot(layer: Layer) -> usize {
    layer as usize
}

/// How many columns a layer of so many nodes gets (at least one: its space stays reserved).
pub(super) fn columns_for(count: usize) -> usize {
    count.div_ceil(WRAP_AFTER).clamp(1, MAX_COLUMNS).max((count / CARDS_PER_COLUMN_SQUARED).isqrt())
}

/// Width that an empty column reserves.
fn usual_width(layer: Layer) -> f64 {
    match layer {
        Layer::Backend | Layer::Consumer => 112.0,
        Layer::Event => 128.0,
        Layer::System | Layer::Process | Layer::Experience => 148.0,
    }
}

/// Columns of a full layout. `column_of[node]` is its column within its layer, `count[layer]` the number of columns.
pub(super) fn fresh(net: &Net, column_of: &[usize], count: &[usize; 6]) -> Columns {
    let mut columns = Columns::default();
    let mut edge = 0.0;
    for layer in Layer::ALL {
        let l = slot(layer);
        for c in 0..count[l] {
            let nodes = net.in_layer(layer).filter(|&n| column_of[n] == c);
            let width = nodes.map(|n| net.nodes[n].width).fold(usual_width(layer), f64::max).ceil();
            columns[l].push(edge + width / 2.0);
            edge += width + SUB_GAP;
        }
        edge += LAYER_GAP - SUB_GAP;
    }
    columns
}

/// Columns that earlier positions tell, with room found for layers that had none. `None` when the positions contradict the order of the
/// layers or leave no room.
pub(super) fn from_previous(net: &Net, previous: &BTreeMap<NodeId, Placed>) -> Option<Columns> {
    let mut columns = Columns::default();
    let mut extent: [Option<(f64, f64)>; 6] = [None; 6];
    let mut widths: [f64; 6] = Layer::ALL.map(usual_width);
    for node in &net.nodes {
        let w = &mut widths[slot(node.layer)];
        *w = w.max(node.width);
    }
    for (id, p) in previous {
        if !(p.x.is_finite() && p.y.is_finite()) {
            continue;
        }
        let l = slot(p.layer);
        columns[l].push(p.x);
        let width = net.nodes.binary_search_by(|n| n.id.cmp(id)).map_or(0.0, |i| net.nodes[i].width);
        let half = width.max(usual_width(p.layer)) / 2.0;
        let (left, right) = extent[l].unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        extent[l] = Some((left.min(p.x - half), right.max(p.x + half)));
    }
    for xs in &mut columns {
        xs.sort_by(f64::total_cmp);
        xs.dedup();
    }
    let known: Vec<usize> = (0..6).filter(|&l| extent[l].is_some()).collect();
    let (&first, &last) = (known.first()?, known.last()?);
    for pair in known.windows(2) {
        fill_between(&mut columns, &extent, &widths, pair[0], pair[1])?;
    }
    let mut edge = extent[first]?.0;
    for l in (0..first).rev() {
        columns[l].push(edge - LAYER_GAP - widths[l] / 2.0);
        edge -= LAYER_GAP + widths[l];
    }
    let mut edge = extent[last]?.1;
    for l in last + 1..6 {
        columns[l].push(edge + LAYER_GAP + widths[l] / 2.0);
        edge += LAYER_GAP + widths[l];
    }
    Some(columns)
}

/// Spreads the layers between two known ones evenly.
fn fill_between(
    columns: &mut Columns,
    extent: &[Option<(f64, f64)>; 6],
    widths: &[f64; 6],
    a: usize,
    b: usize,
) -> Option<()> {
    let (left, right) = (extent[a]?.1, extent[b]?.0);
    let used: f64 = widths[a + 1..b].iter().sum();
    let gap = (right - left - used) / (b - a) as f64;
    if gap < LEAST_GAP {
        return None;
    }
    let mut edge = left;
    for l in a + 1..b {
        columns[l].push((edge + gap + widths[l] / 2.0).round());
        edge += gap + widths[l];
    }
    Some(())
}

/// The column of its layer that stands nearest to `x`.
pub(super) fn nearest(columns: &[f64], x: f64) -> usize {
    let mut best = 0;
    for (i, c) in columns.iter().enumerate() {
        if (c - x).abs() < (columns[best] - x).abs() {
            best = i;
        }
    }
    best
}

/// The bands of the final arrangement.
pub(super) fn bands(net: &Net, arrangement: &Arrangement) -> [Band; 6] {
    Layer::ALL.map(|layer| {
        let columns = arrangement.columns[slot(layer)].clone();
        let half = usual_width(layer) / 2.0;
        let mut left = columns.iter().fold(f64::INFINITY, |m, x| m.min(x - half));
        let mut right = columns.iter().fold(f64::NEG_INFINITY, |m, x| m.max(x + half));
        let mut count = 0;
        for n in net.in_layer(layer) {
            left = left.min(arrangement.at[n].x - net.nodes[n].width / 2.0);
            right = right.max(arrangement.at[n].x + net.nodes[n].width / 2.0);
            count += 1;
        }
        Band { layer, x: left, width: right - left, columns, count }
    })
}
