//! Campaigns: the random cases of a seed, divided among machines, asked some batches at once.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::error::OracleError;

/// Which part of a campaign this machine does: every `of`-th case, beginning with `index`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// From 1 to `of`.
    pub index: u32,
    /// At least 1.
    pub of: u32,
}

impl Shard {
    /// The numbers of its cases in a campaign of this many.
    pub fn numbers(self, cases: u64) -> impl Iterator<Item = u64> {
        (u64::from(self.index - 1)..cases).step_by(self.of as usize)
    }

    /// How many they are.
    #[must_use]
    pub fn share(self, cases: u64) -> u64 {
        let (index, of) = (u64::from(self.index - 1), u64::from(self.of));
        cases / of + u64::from(cases % of > index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 1, of: 1 }
    }
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let parsed = s.split_once('/').and_then(|(i, n)| {
            Some(Self {
                index: i.parse().ok()?,
                of: n.parse().ok()?,
            })
        });
        parsed
            .filter(|shard| (1..=shard.of).contains(&shard.index))
            .ok_or_else(|| format!("`{s}` is not a shard: I/N with I from 1 to N, as 2/4"))
    }
}

/// A campaign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// The same seed, the same cases.
    pub seed: u64,
    /// Cases of the whole campaign, over all shards.
    pub cases: u64,
    /// This machine's part.
    pub shard: Shard,
    /// Cases of one boot, or of one batch for a kernel that goes on.
    pub per_boot: usize,
    /// Boots or batches at once: each takes a core, and a boot a few hundred MiB.
    pub at_once: usize,
    /// Mismatches after which the campaign stops; one fault in a model shows many times.
    pub most_mismatches: usize,
    /// Boots or batches that shrinking one mismatch may cost; 0 leaves it as it was generated.
    pub shrink_rounds: usize,
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            seed: 1,
            cases: 10_000,
            shard: Shard::default(),
            per_boot: 2500,
            at_once: rayon::current_num_threads().min(4),
            most_mismatches: 4,
            shrink_rounds: 12,
        }
    }
}

/// How far a campaign is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Cases answered so far.
    pub done: u64,
    /// Cases of this shard.
    pub of: u64,
    /// Mismatches so far.
    pub mismatches: usize,
}

/// The findings of a campaign.
#[derive(Clone, Debug)]
pub struct Checked<M> {
    /// Cases asked in the kernel.
    pub cases: u64,
    /// Cases that the kernel refused, the models agreeing.
    pub refused: u64,
    /// Mismatches, shrunk.
    pub mismatches: Vec<M>,
    /// From the first question to the last model's answer; shrinking is not in it.
    pub elapsed: Duration,
    /// Boots or batches that asked cases; those of the shrinking are not in it.
    pub boots: u32,
}

/// The cases of one boot or batch, with their numbers in the campaign.
pub(crate) struct Batch<C> {
    pub numbers: Vec<u64>,
    pub cases: Vec<C>,
}

/// The outcome of one batch.
pub(crate) struct Asked<D> {
    pub refused: u64,
    /// Mismatches, not yet shrunk.
    pub differing: Vec<D>,
}

/// Runs a campaign: makes each case of the shard, asks batches, shrinks what differs.
///
/// # Errors
/// Any error of `ask` or `shrink` ends it.
pub(crate) fn run<C, D: Send, M>(
    campaign: &Campaign,
    make: impl Fn(u64) -> C + Sync,
    ask: impl Fn(&Batch<C>) -> Result<Asked<D>, OracleError> + Sync,
    mut shrink: impl FnMut(D) -> Result<M, OracleError>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked<M>, OracleError> {
    let mut numbers = campaign.shard.numbers(campaign.cases).peekable();
    let of = campaign.shard.share(campaign.cases);
    let mut checked = Checked {
        cases: 0,
        refused: 0,
        mismatches: Vec::new(),
        elapsed: Duration::ZERO,
        boots: 0,
    };
    while numbers.peek().is_some() && checked.mismatches.len() < campaign.most_mismatches {
        let start = Instant::now();
        let mut batches: Vec<Vec<u64>> = Vec::new();
        while batches.len() < campaign.at_once.max(1) && numbers.peek().is_some() {
            batches.push(numbers.by_ref().take(campaign.per_boot.max(1)).collect());
        }
        checked.boots += batches.len() as u32;
        checked.cases += batches
            .iter()
            .map(|numbers| numbers.len() as u64)
            .sum::<u64>();
        let asked: Vec<Asked<D>> = batches
            .into_par_iter()
            .map(|numbers| {
                let cases = numbers.iter().map(|&number| make(number)).collect();
                ask(&Batch { numbers, cases })
            })
            .collect::<Result<_, _>>()?;
        checked.elapsed += start.elapsed();
        checked.refused += asked.iter().map(|asked| asked.refused).sum::<u64>();
        let room = campaign.most_mismatches - checked.mismatches.len();
        let differing = asked.into_iter().flat_map(|asked| asked.differing);
        for one in differing.take(room) {
            checked.mismatches.push(shrink(one)?);
        }
        progress(Progress {
            done: checked.cases,
            of,
            mismatches: checked.mismatches.len(),
        });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_divide_the_cases_and_lose_none() {
        let mut all: Vec<u64> = (1..=3)
            .flat_map(|index| {
                let shard = Shard { index, of: 3 };
                let numbers: Vec<u64> = shard.numbers(500).collect();
                assert_eq!(numbers.len() as u64, shard.share(500));
                numbers
            })
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..500));
    }

    #[test]
    fn a_shard_is_read_and_nonsense_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for bad in ["0/4", "5/4", "4", "1/0", "a/b"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
