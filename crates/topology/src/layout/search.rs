//! The search for a good order: sweeps and sifting from several deterministic starts, then small shakes of the best.

use super::order::Order;
use super::proper::Proper;

const SWEEPS: usize = 16;
const SWEEPS_WITHOUT_GAIN: usize = 4;
const SIFTING_ROUNDS: usize = 10;
/// A shake shuffles up to this many more than three vertices.
const SHAKEN: usize = 6;
/// Percent of the cost that must be saved before a re-layout moves a few cards.
const WORTH_A_FEW: u64 = 3;
/// Percent of the cost that must be saved before a re-layout changes everything.
const WORTH_MUCH: u64 = 20;

/// Sifts the stale ranks one by one. A rank is looked at again only when it or one beside it has changed.
fn settle(graph: &Proper, order: &mut Order, mut stale: Vec<bool>, passages_only: bool) {
    for _ in 0..SIFTING_ROUNDS {
        for rank in 0..stale.len() {
            if std::mem::take(&mut stale[rank]) && order.sift(graph, rank, passages_only) {
                mark_around(&mut stale, rank);
            }
        }
        if !stale.contains(&true) {
            break;
        }
    }
}

fn mark_around(stale: &mut [bool], rank: usize) {
    let end = (rank + 2).min(stale.len());
    stale[rank.saturating_sub(1)..end].fill(true);
}

/// Improves one start by sweeps, then by sifting. Returns the cheapest order met and its cost.
pub(super) fn improve(graph: &Proper, start: Order) -> (Order, u64) {
    let mut best_cost = start.cost(graph);
    let mut current = start.clone();
    let mut best = start;
    let mut without_gain = 0;
    for sweep in 0..SWEEPS {
        current.sweep(graph, sweep % 2 == 0);
        let cost = current.cost(graph);
        without_gain += 1;
        if cost < best_cost {
            (best, best_cost, without_gain) = (current.clone(), cost, 0);
        }
        if without_gain >= SWEEPS_WITHOUT_GAIN {
            break;
        }
    }
    let all = vec![true; best.ranks.len()];
    settle(graph, &mut best, all, false);
    let cost = best.cost(graph);
    (best, cost)
}

/// Improves what people see now. Previous positions say nothing about the passages, so these give way first; cards move only when that
/// saves enough to be worth it.
pub(super) fn refine(graph: &Proper, mut seen: Order) -> (Order, u64) {
    let all = vec![true; seen.ranks.len()];
    settle(graph, &mut seen, all.clone(), true);
    let cost = seen.cost(graph);
    let mut moved = seen.clone();
    settle(graph, &mut moved, all, false);
    let less = moved.cost(graph);
    if less < worth_moving(cost, WORTH_A_FEW) { (moved, less) } else { (seen, cost) }
}

/// What a cost has to fall below.
fn worth_moving(cost: u64, percent: u64) -> u64 {
    cost.saturating_mul(100 - percent) / 100
}

/// Iterated local search: shuffles a few neighbours somewhere, sifts what is affected, keeps it unless it got dearer.
fn shake(graph: &Proper, best: &mut Order, best_cost: &mut u64, tries: usize) {
    let mut random = Random(1);
    for _ in 0..tries {
        if *best_cost == 0 {
            return;
        }
        let rank = random.below(best.ranks.len());
        let length = best.ranks[rank].len();
        if length < 3 {
            continue;
        }
        let mut order = best.clone();
        let window = (3 + random.below(SHAKEN)).min(length);
        let from = random.below(length - window + 1);
        random.shuffle(&mut order.ranks[rank][from..from + window]);
        order.renumber(rank);
        let mut stale = vec![false; order.ranks.len()];
        mark_around(&mut stale, rank);
        stale[rank] = order.ranks.len() == 1;
        settle(graph, &mut order, stale, false);
        let cost = order.cost(graph);
        if cost <= *best_cost {
            (*best, *best_cost) = (order, cost);
        }
    }
}

/// Further starts and shakes: small graphs can afford many.
fn budget(graph: &Proper) -> (u64, usize) {
    match graph.segments() {
        0..=150 => (16, 150),
        151..=400 => (8, 100),
        401..=1_000 => (4, 80),
        1_001..=2_000 => (2, 40),
        2_001..=6_000 => (0, 30),
        _ => (0, 0),
    }
}

/// The best order found from `start` and further starts. With `previous`, `start` is what people see now: it is only refined, and left for
/// another one only when that saves much; of a drawing and its mirror image the more familiar one is taken.
pub(super) fn best_order(graph: &Proper, start: Order, previous: bool) -> Order {
    let before = start.clone();
    let (first, first_cost) = if previous { refine(graph, start) } else { improve(graph, start) };
    let (starts, shakes) = budget(graph);
    let (mut best, mut cost) = (first.clone(), first_cost);
    for seed in 0..starts {
        if first_cost == 0 {
            break;
        }
        let (order, c) = improve(graph, shuffled(graph, seed));
        if c < cost {
            (best, cost) = (order, c);
        }
    }
    shake(graph, &mut best, &mut cost, shakes);
    if !previous {
        return best;
    }
    if cost >= worth_moving(first_cost, WORTH_MUCH) {
        return first;
    }
    let flipped = best.flipped();
    if flipped.inversions(graph, &before) < best.inversions(graph, &before) { flipped } else { best }
}

/// A start: for seed 0 the order in which the vertices were made, for others a pseudo-random one.
fn shuffled(graph: &Proper, seed: u64) -> Order {
    let mut ranks = graph.ranks.clone();
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    for rank in ranks.iter_mut().filter(|_| seed > 0) {
        random.shuffle(rank);
    }
    Order::new(ranks, graph.len())
}

/// A 64-bit linear congruential generator with Knuth's MMIX constants: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit.max(1) as u64) as usize
    }

    fn shuffle(&mut self, list: &mut [usize]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}
