//! Which rows are compared, and how their jobs are entered.

use icount::entries::{families, of_family, setup};
use registry::{Enter, Entry, Params, Request, Resident, Setup, SetupError, Workload, enter_all};

use crate::Failure;

/// The design whose copies are the control.
pub(crate) const REFERENCE: &str = "flat";

/// Designs that are compared beside it: every other model that is not a variant of one.
fn compared() -> impl Iterator<Item = &'static str> {
    registry::contenders()
        .iter()
        .filter(|design| !design.is_floor() && design.variant_of.is_none())
        .map(|design| design.name)
        .filter(|name| *name != REFERENCE)
}

/// One workload with one set of parameters, and the designs that have it.
pub(crate) struct Cell {
    pub workload: &'static Workload,
    pub params: Params,
    /// The reference first.
    pub entries: Vec<&'static Entry>,
}

/// Cells with `most` rows in all, evenly over the plan: a row is a design in a cell.
///
/// # Errors
/// A job that cannot be set up for any reason but that its design lacks it.
pub(crate) fn cells(most: usize) -> Result<Vec<Cell>, Failure> {
    let mut all: Vec<Cell> = Vec::new();
    for (workload, params) in families().into_iter().flat_map(of_family) {
        all.extend(cell(workload, params)?);
    }
    let rows: usize = all.iter().map(|cell| cell.entries.len()).sum();
    let (mut taken, mut passed) = (0, 0);
    let mut chosen = Vec::new();
    for mut cell in all {
        passed += cell.entries.len();
        // As many as should be taken by now, if all are to be spread evenly.
        let due = (most * passed).div_ceil(rows.max(1)).min(most);
        let room = due.saturating_sub(taken);
        if room >= 2 {
            cell.entries.truncate(room);
            taken += cell.entries.len();
            chosen.push(cell);
        }
    }
    Ok(chosen)
}

/// The designs that have a cell; `None` where the reference does not.
fn cell(workload: &'static Workload, params: Params) -> Result<Option<Cell>, Failure> {
    let setup = setup(params.clone());
    let mut entries = Vec::new();
    for design in std::iter::once(REFERENCE).chain(compared()) {
        let entry = registry::entry(workload.id, design, &params)?;
        let Enter::Timed(enter) = entry.enter else {
            continue;
        };
        match enter(&setup, &mut |_| {}) {
            Ok(()) => entries.push(entry),
            Err(SetupError::Absent(_)) => {}
            Err(error) => return Err(format!("{} {design}: {error}", workload.id).into()),
        }
    }
    let referred = entries
        .first()
        .is_some_and(|entry| entry.design.name == REFERENCE);
    Ok(referred.then_some(Cell {
        workload,
        params,
        entries,
    }))
}

impl Cell {
    /// The setup of its jobs in a process.
    pub(crate) fn setup(&self, process: u32) -> Setup {
        Setup {
            arena_shift: process.into(),
            ..setup(self.params.clone())
        }
    }

    /// Sets jobs up, all at once, and hands them over with what a call must answer.
    ///
    /// # Errors
    /// The first job that could not be set up.
    pub(crate) fn enter(
        &self,
        entries: &[&'static Entry],
        process: u32,
        then: &mut dyn FnMut(&mut [Resident<'_>], u64),
    ) -> Result<(), Failure> {
        let setup = self.setup(process);
        let known = self.workload.expected(&setup)?;
        let requests: Vec<Request> = entries
            .iter()
            .map(|entry| Request { entry, label: "" })
            .collect();
        let mut failed = None;
        enter_all(&requests, &setup, &mut |residents| {
            for resident in residents.iter_mut() {
                if let Err(error) = &resident.job {
                    failed = Some(format!(
                        "{} {}: {error}",
                        self.workload.id, resident.request.entry.design.name
                    ));
                    return;
                }
            }
            let answer = known.unwrap_or_else(|| first_answer(residents));
            then(residents, answer);
        });
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }
}

/// Where the answer is not known, the first design's is expected of the others.
fn first_answer(residents: &mut [Resident<'_>]) -> u64 {
    match residents.first_mut().map(|resident| &mut resident.job) {
        Some(Ok(job)) => {
            job.prepare(1);
            let raw = job.run(1);
            job.checksum(raw)
        }
        _ => 0,
    }
}
