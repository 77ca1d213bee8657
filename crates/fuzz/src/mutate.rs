//! Random inputs made of good ones: the same seed gives the same inputs.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{Seed, Target};

/// Longest input, bytes.
const LONGEST: usize = 256 << 10;
/// Numbers at which lengths and counters turn over.
const EDGES: [u64; 10] =
    [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff];

/// Makes inputs for a target.
pub struct Mutator<'a> {
    seeds: &'a [Seed],
    words: &'a [&'a str],
    random: ChaCha8Rng,
}

impl<'a> Mutator<'a> {
    /// Inputs from these good ones.
    pub fn new(target: &'a Target, seeds: &'a [Seed], seed: u64) -> Mutator<'a> {
        Mutator { seeds, words: target.words, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The next input: a good one with some changes, two of them joined, or nothing but noise and words.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = match self.random.random_range(0..20) {
            0 => self.noise(),
            1 => self.spoken(),
            2 => self.joined(),
            _ => self.seed().to_vec(),
        };
        for _ in 0..1 << self.random.random_range(0..5) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { self.random.random_range(0..most) }
    }

    fn seed(&mut self) -> &'a [u8] {
        let seeds = self.seeds;
        match self.below(seeds.len()) {
            _ if seeds.is_empty() => &[],
            n => &seeds[n].bytes,
        }
    }

    fn noise(&mut self) -> Vec<u8> {
        let mut out = vec![0; self.random.random_range(0..200)];
        self.random.fill(out.as_mut_slice());
        out
    }

    fn word(&mut self) -> &'a [u8] {
        let words = self.words;
        match self.below(words.len()) {
            _ if words.is_empty() => b"\0",
            n => words[n].as_bytes(),
        }
    }

    fn spoken(&mut self) -> Vec<u8> {
        (0..self.random.random_range(1..60)).flat_map(|_| self.word().to_vec()).collect()
    }

    fn joined(&mut self) -> Vec<u8> {
        let (a, b) = (self.seed(), self.seed());
        let (end, start) = (self.below(a.len() + 1), self.below(b.len() + 1));
        [&a[..end], &b[start..]].concat()
    }

    /// A place and a stretch of an input.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(1 << self.below(9));
        start..start + self.below(most + 1)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.stretch(input.len());
        match self.random.random_range(0..12) {
            0 | 1 if at.start < input.len() => input[at.start] ^= 1 << self.random.random_range(0..8),
            2 if at.start < input.len() => input[at.start] = self.random.random(),
            3 => drop(input.drain(at)),
            4 => {
                let piece = input[at.clone()].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            // Much of the same: depth, length, repetition.
            5 if self.random.random_range(0..8) == 0 => {
                let piece = match self.random.random() {
                    true => self.word().to_vec(),
                    false => input[at.clone()].to_vec(),
                };
                let times = 1 << self.random.random_range(2..13);
                let most = LONGEST / piece.len().max(1);
                input.splice(at.start..at.start, piece.repeat(times.min(most)));
            }
            6 | 7 => {
                let word = self.word().to_vec();
                let end = if self.random.random() { at.end } else { at.start };
                input.splice(at.start..end, word);
            }
            8 => {
                let edge = EDGES[self.below(EDGES.len())];
                let bytes = if self.random.random() { edge.to_be_bytes() } else { edge.to_le_bytes() };
                let width = [1, 2, 4, 8][self.below(4)];
                let end = (at.start + width).min(input.len());
                input.splice(at.start..end, bytes[..width].to_vec());
            }
            9 => {
                let number = EDGES[self.below(EDGES.len())].to_string();
                input.splice(at, number.into_bytes());
            }
            10 => input.truncate(at.start),
            _ => {
                let other = self.seed();
                let piece = other[self.stretch(other.len())].to_vec();
                input.splice(at, piece);
            }
        }
    }
}
