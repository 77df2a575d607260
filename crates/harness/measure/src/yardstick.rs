//! Work that never changes, timed beside every sample: it says how fast the machine was.
//!
//! A virtual machine has a fast and a slow state and changes between them within seconds.
//! The chain follows the clock frequency; the walk also follows what another thread on the
//! same core takes away, which a chain that waits for itself hardly feels.

use std::hint::black_box;

use crate::clock::CLOCK;

/// Steps of the chain: about 20 µs.
const CHAIN_STEPS: u64 = 15_000;
/// Words of the walk: 4 KiB, a fraction of any first-level cache.
const WORDS: usize = 512;
/// Passes over them: about 20 µs.
const WALK_PASSES: u64 = 50;

/// The times of the two yardsticks, once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Reading {
    /// Nanoseconds per step of the chain.
    pub chain_ns: f64,
    /// Nanoseconds per word of the walk.
    pub walk_ns: f64,
}

/// The yardsticks' memory.
pub(crate) struct Yardstick {
    words: Box<[u64; WORDS]>,
}

impl Yardstick {
    pub(crate) fn new() -> Self {
        let mut words = Box::new([0; WORDS]);
        let mut word = 1_u64;
        for slot in words.iter_mut() {
            word = word.wrapping_mul(MULTIPLIER).rotate_left(17);
            *slot = word;
        }
        Self { words }
    }

    /// Runs both. The walk comes after a pass that is not timed: the contender before has
    /// pushed its words out of the cache.
    pub(crate) fn read(&mut self) -> Reading {
        let start = CLOCK.now_ns();
        black_box(chain(black_box(1), black_box(CHAIN_STEPS)));
        let chain_ns = CLOCK.now_ns() - start;
        black_box(walk(black_box(&self.words), 1));
        let start = CLOCK.now_ns();
        black_box(walk(black_box(&self.words), black_box(WALK_PASSES)));
        let walk_ns = CLOCK.now_ns() - start;
        Reading {
            chain_ns: per(chain_ns, CHAIN_STEPS),
            walk_ns: per(walk_ns, WALK_PASSES * WORDS as u64),
        }
    }
}

/// An odd number without a pattern.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Nanoseconds per step, to a tenth of a picosecond: more digits would be of no use and
/// would double the size of a record.
fn per(ns: u64, steps: u64) -> f64 {
    let exact = ns.max(1) as f64 / steps as f64;
    ((exact * 1e4).round() / 1e4).max(1e-4)
}

/// Multiplications that each wait for the one before. The step's number stands in between,
/// so that no two of them can become one.
#[inline(never)]
fn chain(mut x: u64, steps: u64) -> u64 {
    for step in 0..steps {
        x = (x ^ step).wrapping_mul(MULTIPLIER);
    }
    x
}

/// A walk whose steps hardly wait for one another: it needs the core's width.
#[inline(never)]
fn walk(words: &[u64; WORDS], passes: u64) -> u64 {
    let mut sums = [0_u64; 4];
    for pass in 0..passes {
        for four in words.chunks_exact(4) {
            for (sum, word) in sums.iter_mut().zip(four) {
                *sum = sum.rotate_left(7).wrapping_add(word ^ pass);
            }
        }
    }
    sums.iter().fold(0, |all, sum| all ^ sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_steps_are_more_work() {
        assert_ne!(chain(1, 10), chain(1, 11));
        let yardstick = Yardstick::new();
        assert_ne!(walk(&yardstick.words, 1), walk(&yardstick.words, 2));
        let mut distinct: Vec<u64> = yardstick.words.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), WORDS);
    }

    #[test]
    fn a_reading_is_positive_and_short_to_write() {
        let reading = Yardstick::new().read();
        for ns in [reading.chain_ns, reading.walk_ns] {
            assert!(ns > 0.0, "{reading:?}");
            assert!(
                ns.to_string().split('.').nth(1).unwrap_or("").len() <= 4,
                "{reading:?}"
            );
        }
    }
}
