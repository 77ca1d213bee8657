//! What the map costs to lay out, at the sizes people meet: 22, 60 and 300 participants.

use std::collections::BTreeMap;

use criterion::{Criterion, criterion_group, criterion_main};
use flowglass_model::{Layer, NodeId};
use flowglass_topology::{LayoutEdge, LayoutInput, LayoutMode, LayoutNode, layout};

/// A pseudo-random number that depends on its argument only (SplitMix64, Steele, Lea and Flood 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn landscape(nodes: u64, edges: u64) -> (Vec<LayoutNode>, Vec<LayoutEdge>) {
    let id = |n: u64| NodeId::from(format!("service:s{n:04}"));
    let all = (0..nodes)
        .map(|n| LayoutNode { id: id(n), layer: Layer::ALL[(mix(n) % 6) as usize], width: 168.0, height: 72.0 })
        .collect();
    let edges = (0..edges)
        .map(|e| LayoutEdge {
            source: id(mix(e * 2 + 1_000) % nodes),
            target: id(mix(e * 2 + 1_001) % nodes),
            weight: 1,
        })
        .collect();
    (all, edges)
}

fn layouts(c: &mut Criterion) {
    let mut group = c.benchmark_group("layout");
    group.sample_size(10);
    for (nodes, edges) in [(22, 29), (60, 120), (300, 900)] {
        let (nodes, edges) = landscape(nodes, edges);
        let nobody = BTreeMap::new();
        let fresh = LayoutInput { nodes: &nodes, edges: &edges, previous: &nobody, mode: LayoutMode::Relayout };
        let placed = layout(&fresh).positions;
        group.bench_function(format!("full/{}", nodes.len()), |b| b.iter(|| layout(&fresh)));
        let keep = LayoutInput { previous: &placed, mode: LayoutMode::Keep, ..fresh };
        group.bench_function(format!("keep/{}", nodes.len()), |b| b.iter(|| layout(&keep)));
    }
    group.finish();
}

criterion_group!(benches, layouts);
criterion_main!(benches);
