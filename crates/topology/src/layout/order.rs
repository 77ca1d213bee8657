//! Orders of the vertices in their ranks: what one costs, and the two steps that improve it, barycentre sweep and sifting.

use super::proper::Proper;

/// So far a vertex is moved in one step of sifting: where ranks are longer, sweeps have brought it near to its place already.
const REACH: usize = 60;

/// An order of all ranks, with each vertex's place in its rank.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) ranks: Vec<Vec<usize>>,
    place: Vec<usize>,
}

impl Order {
    pub(super) fn new(ranks: Vec<Vec<usize>>, vertices: usize) -> Order {
        let mut order = Order { ranks, place: vec![0; vertices] };
        for rank in 0..order.ranks.len() {
            order.renumber(rank);
        }
        order
    }

    pub(super) fn renumber(&mut self, rank: usize) {
        for (i, &v) in self.ranks[rank].iter().enumerate() {
            self.place[v] = i;
        }
    }

    /// Weighted crossings, plus for each edge within a rank the number of vertices it has to pass.
    pub(super) fn cost(&self, graph: &Proper) -> u64 {
        let mut total = 0;
        for rank in &self.ranks {
            total += self.crossings_right_of(graph, rank);
            for &v in rank {
                for &(u, w) in &graph.flat[v] {
                    // Seen from both ends: count it from the upper one.
                    if self.place[v] < self.place[u] {
                        total += w * (self.place[u] - self.place[v] - 1) as u64;
                    }
                }
            }
        }
        total
    }

    fn crossings_right_of(&self, graph: &Proper, rank: &[usize]) -> u64 {
        let mut ends: Vec<(usize, usize, u64)> = Vec::new();
        for (i, &v) in rank.iter().enumerate() {
            ends.extend(graph.right[v].iter().map(|&(u, w)| (i, self.place[u], w)));
        }
        ends.sort_unstable();
        let size = ends.iter().map(|e| e.1 + 1).max().unwrap_or(0);
        count_inversions(ends.iter().map(|e| (e.1, e.2)), size)
    }

    /// One pass of the barycentre heuristic. Vertices without neighbours on the fixed side stay where they are.
    pub(super) fn sweep(&mut self, graph: &Proper, rightwards: bool) {
        let n = self.ranks.len();
        for i in 1..n {
            let rank = if rightwards { i } else { n - 1 - i };
            let side = if rightwards { &graph.left } else { &graph.right };
            let mut free: Vec<usize> = Vec::new();
            let mut movers: Vec<(f64, usize, usize)> = Vec::new();
            for (place, &v) in self.ranks[rank].iter().enumerate() {
                if side[v].is_empty() {
                    continue;
                }
                let (mut sum, mut weight) = (0.0, 0.0);
                for &(u, w) in &side[v] {
                    sum += (self.place[u] * w as usize) as f64;
                    weight += w as f64;
                }
                free.push(place);
                movers.push((sum / weight, place, v));
            }
            movers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (&place, &(_, _, v)) in free.iter().zip(&movers) {
                self.ranks[rank][place] = v;
            }
            self.renumber(rank);
        }
    }

    /// So many sweeps and nothing else: what the whole is measured against.
    #[cfg(test)]
    pub(super) fn swept(mut self, graph: &Proper, sweeps: usize) -> Order {
        let mut best = self.clone();
        for sweep in 0..sweeps {
            self.sweep(graph, sweep % 2 == 0);
            if self.cost(graph) < best.cost(graph) {
                best = self.clone();
            }
        }
        best
    }

    /// Moves each vertex (or passage) of a rank to its best place, the others' order kept. Returns whether anything was gained.
    pub(super) fn sift(&mut self, graph: &Proper, rank: usize, passages_only: bool) -> bool {
        let sides = self.sides(graph, rank);
        let mut todo = self.ranks[rank].clone();
        todo.retain(|&v| !passages_only || v >= graph.nodes);
        todo.sort_unstable();
        let mut gained = false;
        for v in todo {
            gained |= self.sift_one(graph, &sides, rank, v);
        }
        gained
    }

    fn sides(&self, graph: &Proper, rank: usize) -> Sides {
        let mut sides = Sides { of: vec![[Side::default(); 2]; graph.len()], items: Vec::new() };
        for &v in &self.ranks[rank] {
            sides.of[v] = [sides.add(&graph.left[v], &self.place), sides.add(&graph.right[v], &self.place)];
        }
        sides
    }

    fn sift_one(&mut self, graph: &Proper, sides: &Sides, rank: usize, v: usize) -> bool {
        let from = self.place[v];
        let (mut best, mut best_delta) = (from, 0i64);
        let mut delta = 0;
        for to in (from.saturating_sub(REACH)..from).rev() {
            let w = self.ranks[rank][to];
            delta += sides.swap_gain(w, v) + self.flat_gain(graph, w, v, to);
            if delta < best_delta {
                (best, best_delta) = (to, delta);
            }
        }
        delta = 0;
        for to in from + 1..self.ranks[rank].len().min(from + 1 + REACH) {
            let w = self.ranks[rank][to];
            delta += sides.swap_gain(v, w) + self.flat_gain(graph, v, w, to);
            if delta < best_delta {
                (best, best_delta) = (to, delta);
            }
        }
        if best == from {
            return false;
        }
        let list = &mut self.ranks[rank];
        if best < from {
            list[best..=from].rotate_right(1);
        } else {
            list[from..=best].rotate_left(1);
        }
        self.renumber(rank);
        true
    }

    /// Change of the cost of edges within the rank when `upper` and `lower` change places, where the pair is thought to stand at place `at`.
    fn flat_gain(&self, graph: &Proper, upper: usize, lower: usize, at: usize) -> i64 {
        let gain = |w: u64, nearer: bool| if nearer { -(w as i64) } else { w as i64 };
        let downwards = graph.flat[upper].iter().filter(|f| f.0 != lower).map(|&(u, w)| gain(w, self.place[u] > at));
        let upwards = graph.flat[lower].iter().filter(|f| f.0 != upper).map(|&(u, w)| gain(w, self.place[u] < at));
        downwards.chain(upwards).sum()
    }

    /// The same drawing upside down.
    pub(super) fn flipped(&self) -> Order {
        let ranks = self.ranks.iter().map(|r| r.iter().rev().copied().collect()).collect();
        Order::new(ranks, self.place.len())
    }

    /// Pairs of real nodes of one rank that stand the other way round than in `other`.
    pub(super) fn inversions(&self, graph: &Proper, other: &Order) -> u64 {
        let real =
            |r: &[usize]| r.iter().filter(|&&v| v < graph.nodes).map(|&v| (other.place[v], 1)).collect::<Vec<_>>();
        self.ranks.iter().map(|r| count_inversions(real(r).into_iter(), r.len())).sum()
    }
}

/// Places of the neighbours of a rank's vertices.
struct Sides {
    /// Per vertex: its left and its right neighbours.
    of: Vec<[Side; 2]>,
    items: Vec<(usize, u64)>,
}

/// One vertex's neighbours on one side: a piece of [`Sides::items`], the places of the first and the last, the sum of the weights.
#[derive(Clone, Copy, Default)]
struct Side {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
    weight: u64,
}

impl Sides {
    fn add(&mut self, neighbours: &[(usize, u64)], place: &[usize]) -> Side {
        let start = self.items.len();
        self.items.extend(neighbours.iter().map(|&(u, w)| (place[u], w)));
        let own = &mut self.items[start..];
        own.sort_unstable();
        let (Some(first), Some(last)) = (own.first(), own.last()) else { return Side::default() };
        let weight = own.iter().map(|i| i.1).sum();
        Side { start, end: start + own.len(), first: first.0, last: last.0, weight }
    }

    /// Change of crossings when `upper`, standing just above `lower`, goes below it.
    fn swap_gain(&self, upper: usize, lower: usize) -> i64 {
        let (a, b) = (&self.of[upper], &self.of[lower]);
        self.imbalance(&a[0], &b[0]) + self.imbalance(&a[1], &b[1])
    }

    /// Weighted pairs with the end of `upper` above that of `lower`, minus those with it below.
    fn imbalance(&self, upper: &Side, lower: &Side) -> i64 {
        if upper.weight == 0 || lower.weight == 0 {
            return 0;
        }
        // Most pairs do not interleave.
        let all = (upper.weight * lower.weight) as i64;
        if upper.last < lower.first {
            return all;
        }
        if upper.first > lower.last {
            return -all;
        }
        interleaved(&self.items[upper.start..upper.end], &self.items[lower.start..lower.end], lower.weight)
    }
}

/// [`Sides::imbalance`] of two ascending lists, by merging them.
fn interleaved(upper: &[(usize, u64)], lower: &[(usize, u64)], total: u64) -> i64 {
    let (mut above, mut upto, mut i, mut j) = (0u64, 0u64, 0, 0);
    let mut out = 0i64;
    for &(place, w) in upper {
        while i < lower.len() && lower[i].0 < place {
            above += lower[i].1;
            i += 1;
        }
        while j < lower.len() && lower[j].0 <= place {
            upto += lower[j].1;
            j += 1;
        }
        out += w as i64 * ((total - upto) as i64 - above as i64);
    }
    out
}

/// Weighted pairs that are out of order. Keys are below `size`.
pub(super) fn count_inversions(items: impl Iterator<Item = (usize, u64)>, size: usize) -> u64 {
    let mut tree = vec![0u64; size + 1];
    let (mut seen, mut total) = (0, 0);
    for (key, w) in items {
        let (mut i, mut not_greater) = (key + 1, 0);
        while i > 0 {
            not_greater += tree[i];
            i &= i - 1;
        }
        total += w * (seen - not_greater);
        let mut i = key + 1;
        while i <= size {
            tree[i] += w;
            i += i & i.wrapping_neg();
        }
        seen += w;
    }
    total
}
