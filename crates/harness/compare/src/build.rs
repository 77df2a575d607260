//! Making a [`Summary`] from the rows of a run.

use std::collections::{BTreeMap, BTreeSet};

use results::{Params, Row, Run, Sample, Status, Value};
use stats::{Estimate, estimate, geometric_mean, judge, median, ratio_estimate, run_floor};

use crate::NULL;
use crate::summary::{Case, Cell, Family, Mean, MemoryLine, Summary, ValueCase, ValueCell};

/// The reference where no row is a control copy.
const USUAL_REFERENCE: &str = "flat";

/// The samples of one design in one case, by process.
type Processes<'a> = BTreeMap<u32, &'a Sample>;

/// A case's rows by (design, label).
type Rows<'a> = BTreeMap<(String, String), Processes<'a>>;

/// What tells cases apart: workload and parameters.
type CaseKey = (String, Params);

impl Summary {
    /// Sums a run up. Intervals are drawn with seeds made from each row's identity, so
    /// the same record gives the same report everywhere.
    #[must_use]
    pub fn from_run(run: &Run) -> Self {
        let reference = reference_of(run);
        let mut grouped: BTreeMap<CaseKey, Rows<'_>> = BTreeMap::new();
        // Workloads keep the order in which they were measured.
        let mut first_seen: BTreeMap<String, usize> = BTreeMap::new();
        for sample in run.samples() {
            let place = first_seen.len();
            first_seen.entry(sample.workload.clone()).or_insert(place);
            grouped
                .entry((sample.workload.clone(), sample.params.clone()))
                .or_default()
                .entry((sample.design.clone(), sample.label.clone()))
                .or_default()
                .insert(sample.process, sample);
        }
        let mut cases: Vec<Case> = grouped
            .iter()
            .map(|(key, rows)| case_of(key, rows, &reference))
            .collect();
        cases.sort_by_key(|case| first_seen.get(&case.workload).copied());

        let controls: Vec<Estimate> = cases.iter().filter_map(|case| case.control).collect();
        let floor = run_floor(&controls);
        for case in &mut cases {
            case.judge(floor);
        }
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
            floor,
            control_pairs: controls.len(),
            fewest_processes,
            families: families_of(cases),
            values: values_of(run),
            memory: memory_of(run),
        }
    }
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

fn case_of((workload, params): &CaseKey, rows: &Rows<'_>, reference: &str) -> Case {
    let any = rows.values().flat_map(BTreeMap::values).next();
    let base = rows.get(&(reference.to_owned(), String::new()));
    let mut control = None;
    let mut cells = BTreeMap::new();
    for ((design, label), processes) in rows {
        let seed = fnv1a(format!("{workload} {params:?} {design}").as_bytes());
        if label == Sample::CONTROL {
            control = base.and_then(|base| ratio_of(processes, base, seed));
        } else if label.is_empty() {
            let base = base.filter(|_| design != reference && design != NULL);
            cells.insert(design.clone(), cell_of(processes, base, seed));
        }
    }
    Case {
        workload: workload.clone(),
        params: params.clone(),
        axis: any.map(|sample| sample.axis.clone()).unwrap_or_default(),
        unit: any.map(|sample| sample.unit.clone()).unwrap_or_default(),
        floor: None,
        control,
        cells,
    }
}

/// One wrong process spoils the cell: a design that is right two times out of three is
/// not measured, it is broken.
fn cell_of(processes: &Processes<'_>, base: Option<&Processes<'_>>, seed: u64) -> Cell {
    for sample in processes.values() {
        if let Status::Err(reason) = &sample.status {
            return Cell::Failed(reason.clone());
        }
    }
    let rounds: Vec<Vec<f64>> = processes
        .values()
        .map(|sample| sample.rounds.clone())
        .collect();
    let Some(ns) = estimate(&rounds, seed) else {
        let reason = processes.values().find_map(|sample| match &sample.status {
            Status::Absent(reason) => Some(reason.clone()),
            _ => None,
        });
        return Cell::Absent(reason.unwrap_or_else(|| "not measured".to_owned()));
    };
    let counted: Vec<f64> = processes
        .values()
        .filter_map(|sample| sample.instructions)
        .collect();
    Cell::Time {
        ns,
        ratio: base.and_then(|base| ratio_of(processes, base, seed)),
        verdict: None,
        instructions: median(&counted),
    }
}

/// Rounds are matched within the processes that both sides finished.
fn ratio_of(ours: &Processes<'_>, theirs: &Processes<'_>, seed: u64) -> Option<Estimate> {
    let both: Vec<u32> = ours
        .keys()
        .filter(|key| theirs.contains_key(key))
        .copied()
        .collect();
    let rounds = |side: &Processes<'_>| -> Vec<Vec<f64>> {
        both.iter()
            .map(|process| side[process].rounds.clone())
            .collect()
    };
    ratio_estimate(&rounds(ours), &rounds(theirs), seed)
}

impl Case {
    /// Fills in floor and verdicts. A row whose own A/A pair strays further than the
    /// run's floor is judged by its own.
    fn judge(&mut self, run_floor: Option<f64>) {
        let own = self
            .control
            .map(|control| control.value.ln().abs().exp_m1());
        self.floor = match (run_floor, own) {
            (Some(run), Some(own)) => Some(run.max(own)),
            (run, _) => run,
        };
        let Some(floor) = self.floor else { return };
        for cell in self.cells.values_mut() {
            if let Cell::Time {
                ratio: Some(ratio),
                verdict,
                ..
            } = cell
            {
                *verdict = Some(judge(ratio, floor));
            }
        }
    }
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

/// Means per workload and regime, then per family and regime.
fn means_of(cases: &[Case]) -> Vec<Mean> {
    let mut means = Vec::new();
    let mut workloads: Vec<&str> = Vec::new();
    for case in cases {
        if !workloads.contains(&case.workload.as_str()) {
            workloads.push(&case.workload);
        }
    }
    let regimes: BTreeSet<String> = cases.iter().map(Case::regime).collect();
    for workload in workloads.iter().copied().chain([""]) {
        for regime in &regimes {
            let chosen: Vec<&Case> = cases
                .iter()
                .filter(|case| workload.is_empty() || case.workload == workload)
                .filter(|case| case.regime() == *regime)
                .collect();
            let mean = mean_of(workload, regime, &chosen);
            if !mean.designs.is_empty() {
                means.push(mean);
            }
        }
    }
    means
}

fn mean_of(workload: &str, regime: &str, cases: &[&Case]) -> Mean {
    let names: BTreeSet<&String> = cases.iter().flat_map(|case| case.cells.keys()).collect();
    let designs = names
        .into_iter()
        .filter_map(|design| {
            let ratios: Vec<Estimate> =
                cases.iter().filter_map(|case| case.ratio(design)).collect();
            Some((design.clone(), (mean_estimate(&ratios)?, ratios.len())))
        })
        .collect();
    let measured = |case: &&&Case| {
        case.cells
            .values()
            .any(|cell| matches!(cell, Cell::Time { ratio: Some(_), .. }))
    };
    Mean {
        workload: workload.to_owned(),
        regime: regime.to_owned(),
        cases: cases.iter().filter(measured).count(),
        designs,
    }
}

/// The geometric mean with the interval that independent errors of its members give it.
fn mean_estimate(ratios: &[Estimate]) -> Option<Estimate> {
    let values: Vec<f64> = ratios.iter().map(|ratio| ratio.value).collect();
    let value = geometric_mean(&values)?;
    let squares: f64 = ratios
        .iter()
        .map(|ratio| (ratio.half_width() / ratio.value).powi(2))
        .sum();
    let relative = squares.sqrt() / ratios.len() as f64;
    let processes = ratios
        .iter()
        .map(|ratio| ratio.processes)
        .min()
        .unwrap_or(0);
    Some(Estimate {
        value,
        low: value * (-relative).exp(),
        high: value * relative.exp(),
        processes,
    })
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
        cases[place]
            .cells
            .insert(value.design.clone(), value_cell(value));
    }
    cases
}

fn value_cell(value: &Value) -> ValueCell {
    match &value.status {
        Status::Err(reason) => ValueCell::Failed(reason.clone()),
        Status::Absent(reason) => ValueCell::Absent(reason.clone()),
        Status::Ok => {
            let seed = fnv1a(format!("{:?}", value.identity()).as_bytes());
            let sampled = estimate(std::slice::from_ref(&value.samples), seed);
            ValueCell::Value(sampled.unwrap_or_else(|| Estimate::exact(value.value)))
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
/// What is said twice is said once.
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
