//! Random ledgers, and how one is made smaller.

use mm::KernelVersion;
use rand::RngExt as _;
use rand_pcg::Pcg64;

use super::{Books, LedgerCase, Step};

/// Levels of the tree; two groups a level and parent, so that a kernel keeps 62 of them.
const DEPTH: usize = 5;
/// Groups and steps of one case at most.
const GROUPS: usize = 6;
const STEPS: usize = 48;
/// Kept apart from the streams of other generators.
const STREAM: u128 = 1 << 100;

/// The case with that index of a seed; the same arguments give the same case. Every kernel that
/// has these rules may be asked it.
pub fn generate_one(seed: u64, index: u64, rules: KernelVersion) -> LedgerCase {
    let mut rng = Pcg64::new(
        seed.into(),
        STREAM | (u128::from(index) << 8) | rules as u128,
    );
    let mut groups: Vec<String> = Vec::new();
    for _ in 0..rng.random_range(1..=GROUPS) {
        // Below a group that is there, mostly: chains and siblings, where sums go wrong.
        let above = match groups.len() {
            0 => String::new(),
            n if rng.random_ratio(1, 6) => groups[rng.random_range(0..n)][..2].to_owned(),
            n => groups[rng.random_range(0..n)].clone(),
        };
        let path = format!("{above}/{}", rng.random_range(0..2));
        if path.len() <= 2 * DEPTH && !groups.contains(&path) {
            groups.push(path);
        }
    }
    let mut steps = Vec::new();
    let mut books = Books::new(&groups, rules);
    for _ in 0..rng.random_range(1..=STEPS) {
        let step = propose(&mut rng, groups.len(), books.allocs());
        if books.step(step) {
            steps.push(step);
        }
    }
    LedgerCase {
        name: format!("l{seed:x}-{index}"),
        groups,
        steps,
    }
}

/// Any step; whether it can be taken, the books say.
fn propose(rng: &mut Pcg64, groups: usize, allocs: usize) -> Step {
    if allocs == 0 || rng.random_ratio(1, 5) {
        let order = match rng.random_range(0..8) {
            0 => rng.random_range(1..=9),
            1 => 9,
            2 => 1,
            _ => 0,
        };
        return Step::Charge {
            group: rng.random_range(0..groups),
            order,
            file: rng.random_ratio(1, 2),
        };
    }
    let n = rng.random_range(0..allocs);
    match rng.random_range(0..8) {
        0 => Step::Uncharge(n),
        1 => Step::Stat(n, 1),
        2 => Step::Stat(n, -1),
        3 => Step::Stat(n, [-512, -2, 2, 512][rng.random_range(0..4)]),
        4 => Step::List(n),
        5 => Step::Isolate(n),
        6 => Step::Get(n),
        _ => Step::Put(n),
    }
}

/// Every case that is one step smaller and may be asked.
pub(super) fn reductions(case: &LedgerCase, rules: KernelVersion) -> Vec<LedgerCase> {
    let steps = (0..case.steps.len()).map(|at| without_step(case, at));
    let groups = (0..case.groups.len()).filter_map(|group| without_group(case, group));
    let orders = (0..case.steps.len()).filter_map(|at| {
        let mut smaller = case.clone();
        match &mut smaller.steps[at] {
            Step::Charge { order, .. } if *order > 0 => *order = 0,
            _ => return None,
        }
        Some(smaller)
    });
    let all = groups.chain(steps).chain(orders);
    all.filter(|case| case.is_askable(rules)).collect()
}

/// Without a step, and without those of the allocation that it makes.
fn without_step(case: &LedgerCase, at: usize) -> LedgerCase {
    let charges = |steps: &[Step]| {
        let charge = |step: &&Step| matches!(step, Step::Charge { .. });
        steps.iter().filter(charge).count()
    };
    let gone = matches!(case.steps[at], Step::Charge { .. }).then(|| charges(&case.steps[..at]));
    let renumbered = |n: usize| match gone {
        Some(gone) if n == gone => None,
        Some(gone) if n > gone => Some(n - 1),
        _ => Some(n),
    };
    let mut smaller = case.clone();
    smaller.steps.remove(at);
    smaller.steps = std::mem::take(&mut smaller.steps)
        .into_iter()
        .filter_map(|step| {
            Some(match step {
                Step::Charge { .. } => step,
                Step::Uncharge(n) => Step::Uncharge(renumbered(n)?),
                Step::Stat(n, pages) => Step::Stat(renumbered(n)?, pages),
                Step::List(n) => Step::List(renumbered(n)?),
                Step::Isolate(n) => Step::Isolate(renumbered(n)?),
                Step::Get(n) => Step::Get(renumbered(n)?),
                Step::Put(n) => Step::Put(renumbered(n)?),
                Step::Move(n, group) => Step::Move(renumbered(n)?, group),
                Step::Limit(..) => step,
            })
        })
        .collect();
    smaller
}

/// Without a group that nothing is charged to.
fn without_group(case: &LedgerCase, gone: usize) -> Option<LedgerCase> {
    let mut smaller = case.clone();
    smaller.groups.remove(gone);
    for step in &mut smaller.steps {
        if let Step::Charge { group, .. } | Step::Move(_, group) | Step::Limit(group, _) = step {
            if *group == gone {
                return None;
            }
            *group -= usize::from(*group > gone);
        }
    }
    Some(smaller)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_askable_cases_of_every_kind() {
        let mut kinds = BTreeSet::new();
        for rules in [KernelVersion::V5_10, KernelVersion::V6_12] {
            for index in 0..300 {
                let case = generate_one(7, index, rules);
                assert_eq!(case, generate_one(7, index, rules));
                assert!(case.is_askable(rules), "{case:?}");
                let word = |step: &Step| {
                    format!("{step:?}")
                        .split(['(', ' '])
                        .next()
                        .map(str::to_owned)
                };
                kinds.extend(case.steps.iter().filter_map(word));
                for smaller in reductions(&case, rules) {
                    assert!(smaller.is_askable(rules), "{smaller:?}");
                    assert_ne!(smaller, case);
                }
            }
        }
        assert_eq!(kinds.len(), 7, "{kinds:?}");
        let of = |seed| generate_one(seed, 0, KernelVersion::V6_12).steps;
        assert_ne!(of(1), of(2));
    }
}
