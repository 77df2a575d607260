//! Making a [`Summary`] from the rows of a run.

use std::collections::{BTreeMap, BTreeSet};

use results::{Row, Run, Status, Value};
use stats::{Estimate, Prior, RowValues};

use crate::means::means_of;
use crate::rows::judged;
use crate::summary::{Case, Cell, Family, MemoryLine, Summary, ValueCase, ValueCell, estimate};

/// The reference where no row is a control copy.
const USUAL_REFERENCE: &str = "flat";

impl Summary {
    /// Sums a run up. Nothing is drawn at random: the same record gives the same report
    /// everywhere.
    #[must_use]
    pub fn from_run(run: &Run) -> Self {
        let reference = reference_of(run);
        let judged = judged(run, &reference);
        let cases = judged.cases;
        let designs: BTreeSet<&String> = cases.iter().flat_map(|case| case.cells.keys()).collect();
        let designs = designs.into_iter().cloned().collect();
        let fewest_processes = cases
            .iter()
            .flat_map(|case| case.cells.values())
            .filter_map(|cell| match cell {
                Cell::Time { ns, .. } => Some(ns.processes),
                _ => None,
            })
            .min()
            .unwrap_or(0);
        Self {
            env: run.env.clone(),
            reference,
            designs,
            floor: judged.floor,
            threaded_floor: judged.threaded_floor,
            fast_share: judged.fast_share,
            yardstick_ns: judged.yardstick_ns,
            rounds: rounds_of(run),
            control_pairs: cases.iter().filter(|case| case.control.is_some()).count(),
            fewest_processes,
            families: families_of(cases),
            values: values_of(run),
            memory: memory_of(run),
        }
    }
}

/// The least and the median number of rounds of a process.
fn rounds_of(run: &Run) -> Option<(usize, usize)> {
    let mut counts: Vec<usize> = run
        .samples()
        .filter(|sample| sample.status.is_ok())
        .map(|sample| sample.rounds.len())
        .collect();
    counts.sort_unstable();
    Some((*counts.first()?, counts[counts.len() / 2]))
}

/// The design whose second copy is the control, or the usual one, or the first there is.
fn reference_of(run: &Run) -> String {
    let control = run.samples().find(|sample| sample.is_control());
    let usual = || {
        run.samples()
            .find(|sample| sample.design == USUAL_REFERENCE)
    };
    control
        .or_else(usual)
        .or_else(|| run.samples().next())
        .map_or_else(
            || USUAL_REFERENCE.to_owned(),
            |sample| sample.design.clone(),
        )
}

fn families_of(cases: Vec<Case>) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for case in cases {
        let name = case.workload.split('/').next().unwrap_or_default();
        match families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.cases.push(case),
            None => families.push(Family {
                name: name.to_owned(),
                cases: vec![case],
                means: Vec::new(),
            }),
        }
    }
    for family in &mut families {
        family.means = means_of(&family.cases);
    }
    families
}

fn values_of(run: &Run) -> Vec<ValueCase> {
    let mut cases: Vec<ValueCase> = Vec::new();
    for value in run.values() {
        let same = |case: &ValueCase| {
            case.workload == value.workload
                && case.params == value.params
                && case.quantity == value.quantity
        };
        let place = cases.iter().position(same).unwrap_or_else(|| {
            cases.push(ValueCase {
                workload: value.workload.clone(),
                params: value.params.clone(),
                axis: value.axis.clone(),
                quantity: value.quantity.clone(),
                unit: value.unit.clone(),
                less_is_better: value.less_is_better,
                cells: BTreeMap::new(),
            });
            cases.len() - 1
        });
        let prior = readings_prior(run, &value.quantity);
        cases[place]
            .cells
            .insert(value.design.clone(), value_cell(value, prior.as_ref()));
    }
    cases
}

/// How the readings of one quantity scatter, one per process in each row.
fn readings_prior(run: &Run, quantity: &str) -> Option<Prior> {
    let rows: Vec<RowValues> = run
        .values()
        .filter(|value| value.quantity == quantity && value.status.is_ok())
        .filter_map(|value| RowValues::of_readings(&value.samples))
        .collect();
    Prior::of_rows(&rows)
}

fn value_cell(value: &Value, prior: Option<&Prior>) -> ValueCell {
    match &value.status {
        Status::Err(reason) => ValueCell::Failed(reason.clone()),
        Status::Absent(reason) => ValueCell::Absent(reason.clone()),
        Status::Ok => {
            let sampled = RowValues::of_readings(&value.samples);
            ValueCell::Value(sampled.map_or_else(
                || Estimate::exact(value.value),
                |readings| estimate(&readings, prior),
            ))
        }
    }
}

fn memory_of(run: &Run) -> Vec<MemoryLine> {
    let mut lines: Vec<MemoryLine> = Vec::new();
    for row in &run.rows {
        let memory = match row {
            Row::Sample(sample) => &sample.memory,
            Row::Value(value) => &value.memory,
        };
        let Some(memory) = memory else { continue };
        let share = memory
            .bytes_huge
            .saturating_mul(100)
            .checked_div(memory.bytes_total);
        let share = u8::try_from(share.unwrap_or(0)).unwrap_or(100);
        let same = |line: &&mut MemoryLine| {
            line.asked == memory.asked
                && line.got == memory.got
                && line.page_size == memory.page_size
                && line.source == memory.source
                && line.reason == in_general(&memory.reason)
        };
        match lines.iter_mut().find(same) {
            Some(line) => {
                line.rows += 1;
                line.huge_percent.0 = line.huge_percent.0.min(share);
                line.huge_percent.1 = line.huge_percent.1.max(share);
                line.largest = line.largest.max(memory.bytes_total);
            }
            None => lines.push(MemoryLine {
                asked: memory.asked.clone(),
                got: memory.got.clone(),
                page_size: memory.page_size,
                source: memory.source.clone(),
                reason: in_general(&memory.reason),
                rows: 1,
                huge_percent: (share, share),
                largest: memory.bytes_total,
            }),
        }
    }
    lines
}

/// A reason without what differs from mapping to mapping: how many pages each wanted.
/// Repeated parts are given once.
fn in_general(reason: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in reason.split("; ") {
        let part = match part.split_once(" page(s) wanted, ") {
            Some((before, after)) => {
                let kept = before.trim_end_matches(|c: char| c.is_ascii_digit());
                format!("{kept}{after} in the pool")
            }
            None => part.to_owned(),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join("; ")
}

/// Hashes bytes, to the same value on every machine and in every release.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::in_general;

    #[test]
    fn reasons_that_differ_in_a_count_are_one() {
        let one = "auto took thp: hugetlb-2m: 1 page(s) wanted, 0 free";
        let two = "auto took thp: hugetlb-2m: 32 page(s) wanted, 0 free; auto took thp: \
                   hugetlb-2m: 8 page(s) wanted, 0 free";
        assert_eq!(
            in_general(one),
            "auto took thp: hugetlb-2m: 0 free in the pool"
        );
        assert_eq!(in_general(one), in_general(two));
        assert_eq!(in_general("hugetlb pool is empty"), "hugetlb pool is empty");
    }
}
