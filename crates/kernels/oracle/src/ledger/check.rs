//! Ledgers in a kernel and in the books.

use mm::KernelVersion;

use super::LedgerCase;
use super::generate::{generate_one, reductions};
use crate::campaign::{Asked, Campaign, Checked, Progress, run};
use crate::error::OracleError;

/// A case on which the kernel and the books differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerMismatch {
    /// The smallest case found that still differs.
    pub case: LedgerCase,
    /// The first line that differs: the kernel's, the reference's.
    pub difference: String,
}

/// How a kernel is asked: for each case the lines of its answer.
pub type Ask<'a> = dyn Fn(&[LedgerCase]) -> Result<Vec<Vec<String>>, OracleError> + Sync + 'a;

/// Runs a campaign: the cases of a seed that belong to its shard, some batches at once.
///
/// # Errors
/// Any error of `ask` ends it.
pub fn check(
    ask: &Ask<'_>,
    rules: KernelVersion,
    campaign: &Campaign,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked<LedgerMismatch>, OracleError> {
    run(
        campaign,
        |number| generate_one(campaign.seed, number, rules),
        |batch| {
            Ok(Asked {
                // Only what kernel code could do is asked: a refusal is a mismatch.
                refused: 0,
                differing: differing(ask, rules, &batch.cases)?,
            })
        },
        |mismatch| shrunk(ask, rules, mismatch, campaign.shrink_rounds),
        progress,
    )
}

fn differing(
    ask: &Ask<'_>,
    rules: KernelVersion,
    cases: &[LedgerCase],
) -> Result<Vec<LedgerMismatch>, OracleError> {
    let heard = ask(cases)?;
    let differs = |(case, heard): (&LedgerCase, Vec<String>)| {
        let difference = difference(&heard, &case.expected(rules))?;
        Some(LedgerMismatch {
            case: case.clone(),
            difference,
        })
    };
    Ok(cases.iter().zip(heard).filter_map(differs).collect())
}

/// The first line that differs.
fn difference(heard: &[String], expected: &[String]) -> Option<String> {
    let line =
        |lines: &[String], at: usize| lines.get(at).map_or("nothing".to_owned(), String::clone);
    (0..heard.len().max(expected.len()))
        .find(|&at| heard.get(at) != expected.get(at))
        .map(|at| {
            let (kernel, books) = (line(heard, at), line(expected, at));
            format!(
                "line {}: the kernel says `{kernel}`, the sums are `{books}`",
                at + 1
            )
        })
}

/// Shrinks in at most this many batches, each of all cases that are one step smaller.
fn shrunk(
    ask: &Ask<'_>,
    rules: KernelVersion,
    mut best: LedgerMismatch,
    rounds: usize,
) -> Result<LedgerMismatch, OracleError> {
    for _ in 0..rounds {
        let smaller = reductions(&best.case, rules);
        let differing = match differing(ask, rules, &smaller) {
            Ok(differing) => differing,
            // What was found so far is a finding all the same.
            Err(OracleError::Native(_)) => break,
            Err(error) => return Err(error),
        };
        let weight = |m: &LedgerMismatch| (m.case.steps.len(), m.case.groups.len());
        match differing.into_iter().min_by_key(weight) {
            Some(next) => best = next,
            None => break,
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;
    use crate::campaign::Shard;

    const RULES: KernelVersion = KernelVersion::V6_12;

    fn campaign(shard: Shard) -> Campaign {
        Campaign {
            cases: 500,
            shard,
            per_boot: 60,
            shrink_rounds: 200,
            ..Campaign::default()
        }
    }

    fn found(ask: &Ask<'_>) -> Checked<LedgerMismatch> {
        check(ask, RULES, &campaign(Shard::default()), &mut |_| ()).unwrap()
    }

    fn right(cases: &[LedgerCase]) -> Vec<Vec<String>> {
        cases.iter().map(|case| case.expected(RULES)).collect()
    }

    #[test]
    fn a_kernel_that_adds_up_has_no_mismatch_and_shards_are_parts() {
        let checked = found(&|cases| Ok(right(cases)));
        assert_eq!((checked.cases, checked.mismatches.len()), (500, 0));
        let of = |index| {
            let shard = campaign(Shard { index, of: 3 });
            let mut last = 0;
            let checked = check(&|cases| Ok(right(cases)), RULES, &shard, &mut |progress| {
                last = progress.of;
            });
            assert_eq!(checked.as_ref().unwrap().cases, last);
            last
        };
        assert_eq!([of(1), of(2), of(3)], [167, 167, 166]);
    }

    /// A kernel in which groups hand nothing up: two groups and a charge are enough to see it.
    #[test]
    fn a_kernel_that_forgets_the_tree_is_found_and_the_case_is_small() {
        let flat = |cases: &[LedgerCase]| {
            let alone = |case: &LedgerCase| {
                let mut case = case.clone();
                for (n, group) in case.groups.iter_mut().enumerate() {
                    *group = format!("/{n}");
                }
                case.expected(RULES)
            };
            Ok(cases.iter().map(alone).collect())
        };
        let checked = found(&flat);
        assert_eq!(
            checked.mismatches.len(),
            campaign(Shard::default()).most_mismatches
        );
        for LedgerMismatch { case, difference } in checked.mismatches {
            assert_eq!((case.groups.len(), case.steps.len()), (2, 1), "{case:?}");
            assert!(
                matches!(case.steps[0], Step::Charge { order: 0, .. }),
                "{case:?}"
            );
            assert!(
                difference.contains("kernel says `g 0 0 0 0 0`"),
                "{difference}"
            );
        }
    }

    #[test]
    fn each_thing_that_a_kernel_may_lose_is_found() {
        let lost: [fn(&Step) -> bool; 6] = [
            |step| matches!(step, Step::Uncharge(_)),
            |step| matches!(step, Step::Stat(..)),
            |step| matches!(step, Step::List(_)),
            |step| matches!(step, Step::Isolate(_)),
            |step| matches!(step, Step::Get(_)),
            |step| matches!(step, Step::Put(_)),
        ];
        for (number, lost) in lost.into_iter().enumerate() {
            let forgetful = move |cases: &[LedgerCase]| {
                let answer = |case: &LedgerCase| {
                    let mut case = case.clone();
                    case.steps.retain(|step| !lost(step));
                    case.expected(RULES)
                };
                Ok(cases.iter().map(answer).collect())
            };
            let checked = found(&forgetful);
            assert!(!checked.mismatches.is_empty(), "{number}");
            for LedgerMismatch { case, .. } in checked.mismatches {
                assert!(case.steps.len() <= 3 && case.groups.len() == 1, "{case:?}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_short_or_long_differs() {
        let lines = |n: usize| vec!["a 0 1 0".to_owned(); n];
        assert_eq!(difference(&lines(2), &lines(2)), None);
        assert!(
            difference(&lines(1), &lines(2))
                .unwrap()
                .contains("says `nothing`")
        );
        assert!(
            difference(&lines(3), &lines(2))
                .unwrap()
                .contains("are `nothing`")
        );
    }
}
