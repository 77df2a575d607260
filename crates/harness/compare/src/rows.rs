//! The rows of times of a run: their estimates, their floors, and what may be said of them.
//!
//! A row is estimated from one value per process, with a variance that all rows of its
//! class moderate, and all rows are judged together (see [`stats`]). Rows on one thread and
//! rows on several are two classes: what several threads do to one another is noise that
//! the others do not have.

use std::collections::BTreeMap;

use results::{Params, Run, Sample, Status};
use stats::{
    Estimate, FastState, Moderated, Prior, RowValues, judge_together, median, row_floor, run_floor,
};

use crate::NULL;
use crate::summary::{Case, Cell, estimate};

/// The samples of one design in one case, by process.
type Processes<'a> = BTreeMap<u32, &'a Sample>;

/// Identifies a case: workload and parameters.
type CaseKey = (String, Params);

/// A design and the label of its copy.
type Slot = (String, String);

/// Fast rounds below which a process counts as slow: their lowest third is one round.
const MIN_FAST_ROUNDS: usize = 5;

/// The rows of a run, judged.
pub(crate) struct Judged {
    /// The rows, workloads in the order in which they were measured.
    pub cases: Vec<Case>,
    /// The floor of the rows on one thread as a whole.
    pub floor: Option<f64>,
    /// The floor that rows on several threads have at least.
    pub threaded_floor: Option<f64>,
    /// The share of samples that were taken in the fast state; `None` without yardsticks.
    pub fast_share: Option<f64>,
    /// Time of the yardstick in the fast state, in nanoseconds a word.
    pub yardstick_ns: Option<f64>,
}

/// Sums up the samples of a run.
pub(crate) fn judged(run: &Run, reference: &str) -> Judged {
    let mut grouped: BTreeMap<CaseKey, BTreeMap<Slot, Processes<'_>>> = BTreeMap::new();
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
    let fast = FastState::of(run.samples().filter_map(walks));
    let mut drafts: Vec<Draft<'_>> = grouped
        .into_iter()
        .map(|(key, rows)| Draft::new(key, rows, reference, fast))
        .collect();
    drafts.sort_by_key(|draft| first_seen.get(&draft.key.0).copied());
    let priors = [false, true].map(|threaded| Priors::of(&drafts, threaded));
    let mut cases: Vec<Case> = Vec::new();
    let mut ratios: Vec<(usize, String, Moderated)> = Vec::new();
    let mut controls: Vec<Option<Moderated>> = Vec::new();
    for draft in &drafts {
        let priors = &priors[usize::from(draft.threaded)];
        let case = draft.case(reference, priors, fast);
        for (slot, values) in &draft.ratios {
            if slot.1.is_empty()
                && matches!(case.cells.get(&slot.0), Some(Cell::Time { .. }))
                && let Some(ratio) = Moderated::of(&values.0, priors.ratio.as_ref())
            {
                ratios.push((cases.len(), slot.0.clone(), ratio));
            }
        }
        controls.push(draft.control(reference, priors));
        cases.push(case);
    }
    let class_floor = |threaded: bool| {
        let pairs: Vec<Estimate> = drafts
            .iter()
            .zip(&controls)
            .filter(|(draft, _)| draft.threaded == threaded)
            .filter_map(|(_, control)| Some(control.as_ref()?.estimate()))
            .collect();
        run_floor(&pairs)
    };
    let threaded_floor = class_floor(true);
    for ((case, draft), control) in cases.iter_mut().zip(&drafts).zip(&controls) {
        let class = threaded_floor.filter(|_| draft.threaded);
        case.floor = row_floor(control.as_ref(), class);
    }
    judge(&mut cases, &ratios);
    Judged {
        floor: class_floor(false).or(threaded_floor),
        threaded_floor,
        fast_share: fast.map(|fast| share_of(run, fast)),
        yardstick_ns: fast.map(FastState::reading),
        cases,
    }
}

/// Fills in the verdicts of all rows that have a floor.
fn judge(cases: &mut [Case], ratios: &[(usize, String, Moderated)]) {
    let (places, rows): (Vec<_>, Vec<_>) = ratios
        .iter()
        .filter_map(|(at, design, ratio)| Some(((*at, design), (*ratio, cases[*at].floor?))))
        .unzip();
    for ((at, design), judged) in places.into_iter().zip(judge_together(&rows)) {
        if let Some(Cell::Time { verdict, .. }) = cases[at].cells.get_mut(design) {
            *verdict = Some(judged);
        }
    }
}

fn walks(sample: &Sample) -> Option<&[f64]> {
    Some(sample.yardsticks.as_ref()?.walk_ns.as_slice())
}

fn share_of(run: &Run, fast: FastState) -> f64 {
    let readings = run.samples().filter_map(walks).flatten();
    let (mut held, mut all) = (0_u32, 0_u32);
    for reading in readings {
        all += 1;
        held += u32::from(fast.holds(*reading));
    }
    f64::from(held) / f64::from(all.max(1))
}

/// The rounds of a sample in the fast state; `None` if there are too few.
fn fast_rounds(sample: &Sample, fast: Option<FastState>) -> Option<Vec<f64>> {
    let rounds = match (fast, walks(sample)) {
        (Some(fast), Some(walks)) => fast.rounds(&sample.rounds, walks),
        _ => sample.rounds.clone(),
    };
    (rounds.len() >= MIN_FAST_ROUNDS.min(sample.rounds.len())).then_some(rounds)
}

/// Values, and whether they are of the slow state because there were none of the fast one.
type Values = (RowValues, bool);

/// One case before the run is known as a whole.
struct Draft<'a> {
    key: CaseKey,
    rows: BTreeMap<Slot, Processes<'a>>,
    threaded: bool,
    times: BTreeMap<Slot, Values>,
    ratios: BTreeMap<Slot, Values>,
}

impl<'a> Draft<'a> {
    fn new(
        key: CaseKey,
        rows: BTreeMap<Slot, Processes<'a>>,
        reference: &str,
        fast: Option<FastState>,
    ) -> Self {
        let times = rows
            .iter()
            .filter_map(|(slot, row)| Some((slot.clone(), times(row, fast)?)))
            .collect();
        let base_slot = (reference.to_owned(), String::new());
        let ratios = rows.get(&base_slot).map_or_else(BTreeMap::new, |base| {
            rows.iter()
                .filter(|(slot, _)| **slot != base_slot && slot.0 != NULL)
                .filter_map(|(slot, row)| Some((slot.clone(), ratios(row, base, fast)?)))
                .collect()
        });
        let threaded = key
            .1
            .get("threads")
            .is_some_and(|threads| threads.to_string() != "1");
        Self {
            key,
            rows,
            threaded,
            times,
            ratios,
        }
    }

    fn control(&self, reference: &str, priors: &Priors) -> Option<Moderated> {
        let slot = (reference.to_owned(), Sample::CONTROL.to_owned());
        Moderated::of(&self.ratios.get(&slot)?.0, priors.ratio.as_ref())
    }

    fn case(&self, reference: &str, priors: &Priors, fast: Option<FastState>) -> Case {
        let any = self.rows.values().flat_map(BTreeMap::values).next();
        let cells = self
            .rows
            .iter()
            .filter(|((_, label), _)| label.is_empty())
            .map(|(slot, row)| (slot.0.clone(), self.cell(slot, row, priors, fast)))
            .collect();
        Case {
            workload: self.key.0.clone(),
            params: self.key.1.clone(),
            axis: any.map(|sample| sample.axis.clone()).unwrap_or_default(),
            unit: any.map(|sample| sample.unit.clone()).unwrap_or_default(),
            floor: None,
            control: self
                .control(reference, priors)
                .map(|control| control.estimate()),
            scatter: priors.ratio,
            cells,
        }
    }

    /// One wrong process spoils the cell: a design that is right two times out of three is
    /// not measured, it is broken.
    fn cell(
        &self,
        slot: &Slot,
        row: &Processes<'_>,
        priors: &Priors,
        fast: Option<FastState>,
    ) -> Cell {
        for sample in row.values() {
            if let Status::Err(reason) = &sample.status {
                return Cell::Failed(reason.clone());
            }
        }
        // A process with too few rounds leaves the row without a time, too.
        for sample in row.values() {
            if let Status::Absent(reason) = &sample.status {
                return Cell::Absent(reason.clone());
            }
        }
        let Some((values, slow)) = self.times.get(slot) else {
            return Cell::Absent("not measured".to_owned());
        };
        let ratio = self.ratios.get(slot);
        let counted: Vec<f64> = row.values().filter_map(|s| s.instructions).collect();
        Cell::Time {
            ns: estimate(values, priors.time.as_ref()),
            ratio: ratio.map(|ratio| estimate(&ratio.0, priors.ratio.as_ref())),
            verdict: None,
            instructions: median(&counted),
            slow: *slow || ratio.is_some_and(|ratio| ratio.1),
            rounds: row
                .iter()
                .filter_map(|(process, sample)| Some((*process, fast_rounds(sample, fast)?)))
                .collect(),
        }
    }
}

fn times(row: &Processes<'_>, fast: Option<FastState>) -> Option<Values> {
    let of_fast: Vec<Vec<f64>> = row
        .values()
        .filter_map(|sample| fast_rounds(sample, fast))
        .collect();
    if let Some(values) = RowValues::of_rounds(&of_fast) {
        return Some((values, false));
    }
    let all: Vec<Vec<f64>> = row.values().map(|sample| sample.rounds.clone()).collect();
    Some((RowValues::of_rounds(&all)?, true))
}

/// Both sides in one state: how much slower the slow state is differs between workloads.
fn ratios(ours: &Processes<'_>, theirs: &Processes<'_>, fast: Option<FastState>) -> Option<Values> {
    let both: Vec<(&Sample, &Sample)> = ours
        .iter()
        .filter_map(|(process, sample)| Some((*sample, *theirs.get(process)?)))
        .collect();
    let (a, b): (Vec<_>, Vec<_>) = both
        .iter()
        .filter_map(|(a, b)| Some((fast_rounds(a, fast)?, fast_rounds(b, fast)?)))
        .unzip();
    if let Some(values) = RowValues::of_ratios(&a, &b) {
        return Some((values, false));
    }
    let (a, b): (Vec<_>, Vec<_>) = both
        .iter()
        .map(|(a, b)| (a.rounds.clone(), b.rounds.clone()))
        .unzip();
    Some((RowValues::of_ratios(&a, &b)?, true))
}

/// How the rows of one class scatter.
struct Priors {
    time: Option<Prior>,
    ratio: Option<Prior>,
}

impl Priors {
    fn of(drafts: &[Draft<'_>], threaded: bool) -> Self {
        let class = || drafts.iter().filter(|draft| draft.threaded == threaded);
        let times = class()
            .flat_map(|draft| &draft.times)
            .filter(|(slot, _)| slot.0 != NULL);
        let ratios = class().flat_map(|draft| &draft.ratios);
        Self {
            time: Prior::of_rows(times.map(|(_, values)| &values.0)),
            ratio: Prior::of_rows(ratios.map(|(_, values)| &values.0)),
        }
    }
}
