//! The differential test: random cases, in a real kernel and in the models.

use std::time::{Duration, Instant};

use conformance::case::{Answer, Case, generate_one, shrink};
use mm::KernelVersion;
use rayon::prelude::*;

use crate::arena::origin;
use crate::error::OracleError;
use crate::kernel_answer::KernelAnswer;
use crate::oracle::{Oracle, askable};

/// Which part of a campaign this machine does: every `of`-th case, beginning with `index`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// From 1 to `of`.
    pub index: u32,
    /// At least 1.
    pub of: u32,
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
            .ok_or_else(|| format!("`{s}` is no shard: I/N with I from 1 to N, as 2/4"))
    }
}

/// What to run.
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

/// A model to hold to the kernel: its name and how it answers a case.
pub struct Model<'a> {
    /// What mismatches are reported under.
    pub name: &'a str,
    /// Its answer; `None` where the model does not claim to know.
    #[allow(clippy::type_complexity, reason = "said once")]
    pub answer: &'a (dyn Fn(&Case) -> Option<Answer> + Sync),
    /// Which cases it is asked; all of them unless it takes turns with others.
    pub turn: Turn,
}

/// Cases that a model is asked: every `of`-th, beginning with number `at`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Below `of`.
    pub at: u64,
    /// At least 1.
    pub of: u64,
}

impl Turn {
    /// Every case.
    pub const ALL: Self = Self { at: 0, of: 1 };

    fn is_on(self, number: u64) -> bool {
        number % self.of == self.at
    }
}

/// The cases of one boot or batch, with their numbers in the campaign.
#[derive(Default)]
struct Boot {
    numbers: Vec<u64>,
    cases: Vec<Case>,
}

/// A case on which a model and the kernel differ.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The model.
    pub model: String,
    /// The smallest case found that still differs; its name says where it came from.
    pub case: Case,
    /// What the kernel answered to it.
    pub kernel: KernelAnswer,
    /// What the model answered to it.
    pub answer: Answer,
    /// The first field that differs, with both values.
    pub difference: String,
    /// The case as it was generated.
    pub original: Case,
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

/// What a campaign found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Cases asked in the kernel.
    pub cases: u64,
    /// Cases that the kernel refused, the models agreeing.
    pub refused: u64,
    /// Mismatches, shrunk.
    pub mismatches: Vec<Mismatch>,
    /// From the first boot to the last model's answer; shrinking is not in it.
    pub elapsed: Duration,
    /// Boots or batches that asked cases; those of the shrinking are not in it.
    pub boots: u32,
}

/// A kernel that answers cases, by whatever way of running it.
pub trait Witness: Sync {
    /// Its name in messages and records.
    fn release(&self) -> &str;

    /// The rules that models follow beside it.
    fn rules(&self) -> KernelVersion;

    /// Answers cases, in their order.
    ///
    /// # Errors
    /// Anything of [`OracleError`]; then no answer is given.
    fn ask(&self, cases: &[Case]) -> Result<Vec<KernelAnswer>, OracleError>;
}

impl Witness for Oracle {
    fn release(&self) -> &str {
        &self.kernel().release
    }

    fn rules(&self) -> KernelVersion {
        self.kernel().rules
    }

    fn ask(&self, cases: &[Case]) -> Result<Vec<KernelAnswer>, OracleError> {
        Self::ask(self, cases)
    }
}

/// Runs a campaign.
///
/// # Errors
/// Any [`OracleError`] of a boot ends it.
pub fn check(
    witness: &dyn Witness,
    campaign: &Campaign,
    models: &[Model<'_>],
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked, OracleError> {
    let rules = witness.rules();
    let shard = campaign.shard;
    let mut indexes = (0..campaign.cases)
        .filter(|index| index % u64::from(shard.of) == u64::from(shard.index - 1))
        .peekable();
    let of = indexes.clone().count() as u64;
    let mut checked = Checked {
        cases: 0,
        refused: 0,
        mismatches: Vec::new(),
        elapsed: Duration::ZERO,
        boots: 0,
    };
    while indexes.peek().is_some() && checked.mismatches.len() < campaign.most_mismatches {
        let start = Instant::now();
        let mut boots: Vec<Boot> = Vec::new();
        while boots.len() < campaign.at_once.max(1) && indexes.peek().is_some() {
            let numbers: Vec<u64> = indexes.by_ref().take(campaign.per_boot).collect();
            let case = |&number: &u64| generate_one(campaign.seed, number, rules);
            boots.push(Boot {
                cases: numbers.iter().map(case).collect(),
                numbers,
            });
        }
        let asked: Vec<Asked<'_, '_>> = boots
            .par_iter()
            .map(|boot| ask(witness, boot, models))
            .collect::<Result<_, _>>()?;
        checked.elapsed += start.elapsed();
        checked.boots += boots.len() as u32;
        checked.cases += boots
            .iter()
            .map(|boot| boot.cases.len() as u64)
            .sum::<u64>();
        checked.refused += asked.iter().map(|asked| asked.refused).sum::<u64>();
        let room = campaign.most_mismatches - checked.mismatches.len();
        let differing = asked.into_iter().flat_map(|asked| asked.differing);
        for (case, model) in differing.take(room) {
            checked
                .mismatches
                .push(shrunk(witness, model, case, campaign.shrink_rounds)?);
        }
        progress(Progress {
            done: checked.cases,
            of,
            mismatches: checked.mismatches.len(),
        });
    }
    Ok(checked)
}

/// What one boot brought.
struct Asked<'c, 'm> {
    refused: u64,
    differing: Vec<(&'c Case, &'m Model<'m>)>,
}

fn ask<'c, 'm>(
    witness: &dyn Witness,
    boot: &'c Boot,
    models: &'m [Model<'m>],
) -> Result<Asked<'c, 'm>, OracleError> {
    let heard = witness.ask(&boot.cases)?;
    let refused = |heard: &&KernelAnswer| matches!(heard.answer, Answer::Refused(_));
    Ok(Asked {
        refused: heard.iter().filter(refused).count() as u64,
        differing: differing(boot, &heard, models),
    })
}

/// Holds the models to a kernel's answers; returns the cases that differ, each with the first
/// model that does: where the reference is wrong, so are the designs that agree with it.
fn differing<'c, 'm>(
    boot: &'c Boot,
    heard: &[KernelAnswer],
    models: &'m [Model<'m>],
) -> Vec<(&'c Case, &'m Model<'m>)> {
    let mut found = Vec::new();
    for ((case, &number), heard) in boot.cases.iter().zip(&boot.numbers).zip(heard) {
        let wrong = models
            .iter()
            .filter(|model| model.turn.is_on(number))
            .find(|model| {
                (model.answer)(case).is_some_and(|answer| heard.differs(&answer).is_some())
            });
        found.extend(wrong.map(|model| (case, model)));
    }
    found
}

/// Shrinks a case on which `model` differs from the kernel, in at most `rounds` boots.
///
/// Every step needs the kernel's word, and a boot costs seconds however few cases it answers:
/// so all one-step reductions of a case go into one boot, and the smallest that still differs
/// is the next case.
fn shrunk(
    witness: &dyn Witness,
    model: &Model<'_>,
    original: &Case,
    rounds: usize,
) -> Result<Mismatch, OracleError> {
    let judge = |case: &Case, heard: KernelAnswer| {
        let answer = (model.answer)(case)?;
        let difference = heard.differs(&answer)?;
        Some(Mismatch {
            model: model.name.into(),
            case: case.clone(),
            kernel: heard,
            answer,
            difference,
            original: original.clone(),
        })
    };
    let mut best = witness
        .ask(std::slice::from_ref(original))?
        .pop()
        .and_then(|heard| judge(original, heard))
        .ok_or_else(|| OracleError::Part {
            kernel: witness.release().to_owned(),
            part: "cases".into(),
            what: format!("case `{}` differed once and then agreed: the kernel's answer depends on more than the case", original.name),
        })?;
    for _ in 0..rounds {
        let candidates: Vec<Case> = shrink::reductions(&best.case)
            .into_iter()
            .filter(|case| {
                askable(case, witness.rules(), witness.release()).is_ok() && origin(case).is_ok()
            })
            .collect();
        let heard = match witness.ask(&candidates) {
            Ok(heard) => heard,
            // Where the models are wrong, the kernel may stop at a reduction that they take;
            // what was found so far is a finding all the same.
            Err(OracleError::Panic { .. } | OracleError::Native(_)) => break,
            Err(error) => return Err(error),
        };
        let next = candidates
            .iter()
            .zip(heard)
            .filter_map(|(case, heard)| judge(case, heard))
            .min_by_key(|m| shrink::weight(&m.case));
        match next {
            Some(smaller) => best = smaller,
            None => break,
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_take_turns_share_the_cases_among_them() {
        for number in 0..20 {
            let on = (0..6).filter(|&at| Turn { at, of: 6 }.is_on(number));
            assert_eq!(on.count(), 1, "{number}");
            assert!(Turn::ALL.is_on(number));
        }
    }

    #[test]
    fn a_shard_is_read_and_nonsense_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for bad in ["0/4", "5/4", "4", "1/0", "a/b"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
