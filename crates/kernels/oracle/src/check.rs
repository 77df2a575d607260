//! The differential test: random cases, in a real kernel and in the models.

use conformance::case::{Answer, Case, generate_more, shrink};
use conformance::reference::Change;
use mm::KernelVersion;

use crate::arena::origin;
use crate::campaign::{Asked, Batch, Campaign, Checked, Progress, run};
use crate::error::OracleError;
use crate::kernel_answer::KernelAnswer;
use crate::oracle::{Oracle, askable};

/// A model to hold to the kernel: its name and how it answers a case.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    /// The name in reports of mismatches.
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

/// A case on which a model and the kernel differ.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The model.
    pub model: String,
    /// The smallest case found that still differs; its name says where it came from.
    pub case: Case,
    /// The kernel's answer to it.
    pub kernel: KernelAnswer,
    /// The model's answer to it.
    pub answer: Answer,
    /// The first field that differs, with both values.
    pub difference: String,
    /// The case as it was generated.
    pub original: Case,
}

/// A kernel that answers cases, by whatever way of running it.
pub trait Witness: Sync {
    /// Its name in messages and records.
    fn release(&self) -> &str;

    /// The rules that models follow beside it.
    fn rules(&self) -> KernelVersion;

    /// The change of a patch to these rules.
    fn change(&self) -> Option<Change> {
        None
    }

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
) -> Result<Checked<Mismatch>, OracleError> {
    let refused = |heard: &&KernelAnswer| matches!(heard.answer, Answer::Refused(_));
    run(
        campaign,
        |number| case_of(witness, campaign.seed, number),
        |batch| {
            let heard = witness.ask(&batch.cases)?;
            Ok(Asked {
                refused: heard.iter().filter(refused).count() as u64,
                differing: differing(batch, &heard, models),
            })
        },
        |(case, model)| shrunk(witness, model, &case, campaign.shrink_rounds),
        progress,
    )
}

/// The case of this number. Cases are made so that no released kernel stops at them; one that
/// a patched kernel would stop at is passed over for the same number of a further seed.
fn case_of(witness: &dyn Witness, seed: u64, number: u64) -> Case {
    let (rules, change) = (witness.rules(), witness.change());
    let mut seed = seed;
    loop {
        let case = generate_more(seed, number, rules);
        if change.is_none() || askable(&case, rules, change, witness.release()).is_ok() {
            return case;
        }
        seed = seed.wrapping_add(1 << 32);
    }
}

/// Holds the models to a kernel's answers; returns the cases that differ, each with the first
/// model that does: where the reference is wrong, so are the designs that agree with it.
fn differing<'m>(
    batch: &Batch<Case>,
    heard: &[KernelAnswer],
    models: &'m [Model<'m>],
) -> Vec<(Case, &'m Model<'m>)> {
    let mut found = Vec::new();
    for ((case, &number), heard) in batch.cases.iter().zip(&batch.numbers).zip(heard) {
        let wrong = models
            .iter()
            .filter(|model| model.turn.is_on(number))
            .find(|model| {
                (model.answer)(case).is_some_and(|answer| heard.differs(&answer).is_some())
            });
        found.extend(wrong.map(|model| (case.clone(), model)));
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
                let (rules, change) = (witness.rules(), witness.change());
                askable(case, rules, change, witness.release()).is_ok() && origin(case).is_ok()
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
}
