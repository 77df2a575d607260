//! What a run was asked for, kept beside it until it is complete, so that it can go on.

use std::path::Path;

use results::{ENV_FILE, Row, RowWriter, SAMPLES_FILE, Tail, read_environment, read_rows};
use serde::{Deserialize, Serialize};

use crate::args::{MeasureArgs, Which};
use crate::failure::Failure;
use crate::provenance;

/// The file of an unfinished run that holds its [`Asked`].
pub(crate) const PLAN_FILE: &str = "unfinished.json";

/// The part of the arguments that decides which rows a run has and what they mean.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub workload: Vec<String>,
    pub design: Vec<String>,
    pub order: Vec<u64>,
    pub backing: Vec<String>,
    pub quick: bool,
    pub seed: u64,
    pub processes: u32,
}

impl Asked {
    /// What the arguments ask for.
    pub(crate) fn of(args: &MeasureArgs) -> Self {
        Self::of_which(
            &args.which,
            args.seed.unwrap_or(1),
            args.processes.unwrap_or(3),
        )
    }

    /// What these arguments ask for.
    pub(crate) fn of_which(which: &Which, seed: u64, processes: u32) -> Self {
        Self {
            workload: which.workload.clone(),
            design: which.design.clone(),
            order: which.order.clone(),
            backing: which.backing.iter().map(ToString::to_string).collect(),
            quick: which.quick,
            seed,
            processes,
        }
    }

    /// The selection of cells that this stands for.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a backing that nobody knows.
    pub(crate) fn selection(&self) -> Result<measure::select::Selection, Failure> {
        let backing = |name: &String| {
            name.parse()
                .map_err(|unknown: hugemem::UnknownBacking| Failure::Usage(unknown.to_string()))
        };
        Ok(measure::select::Selection {
            workloads: self.workload.clone(),
            designs: self.design.clone(),
            backings: self.backing.iter().map(backing).collect::<Result<_, _>>()?,
            orders: self.order.clone(),
            quick: self.quick,
        })
    }

    /// Writes it beside the run.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).map_err(|error| Failure::Wrong(error.to_string()))?;
        Ok(results::write_whole(&folder.join(PLAN_FILE), &text)?)
    }

    /// Reads what a run was begun with, and refuses arguments that ask for something else.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the run is complete, damaged, made by another revision, or
    /// the arguments differ.
    pub(crate) fn read(folder: &Path, args: &MeasureArgs) -> Result<Self, Failure> {
        let path = folder.join(PLAN_FILE);
        let text = std::fs::read(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                return Failure::Usage(format!("{}: this run is complete", folder.display()));
            }
            Failure::Wrong(format!("{}: {error}", path.display()))
        })?;
        let asked: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        asked.check(folder, args)?;
        Ok(asked)
    }

    fn check(&self, folder: &Path, args: &MeasureArgs) -> Result<(), Failure> {
        let now = Self::of(args);
        let differs = [
            (
                "--workload",
                !now.workload.is_empty() && now.workload != self.workload,
            ),
            (
                "--design",
                !now.design.is_empty() && now.design != self.design,
            ),
            ("--order", !now.order.is_empty() && now.order != self.order),
            (
                "--backing",
                !now.backing.is_empty() && now.backing != self.backing,
            ),
            ("--quick", now.quick && !self.quick),
            ("--seed", args.seed.is_some() && now.seed != self.seed),
            (
                "--processes",
                args.processes.is_some() && now.processes != self.processes,
            ),
        ];
        if let Some((flag, _)) = differs.iter().find(|(_, differs)| *differs) {
            return Err(Failure::Usage(format!(
                "{}: this run was begun with another {flag}; leave {flag} out, or begin a new run",
                folder.display()
            )));
        }
        let before = read_environment(&folder.join(ENV_FILE))?.git;
        if before != provenance::git() {
            return Err(Failure::Usage(format!(
                "{}: this run was begun with another build of the tool; rows of two builds do not mix: \
                 build the same revision, or begin a new run",
                folder.display()
            )));
        }
        Ok(())
    }
}

/// Opens the rows of a run to be gone on with, without what is not whole.
///
/// # Errors
/// What the record refuses: a damaged line is not silently dropped.
pub(crate) fn writer(
    folder: &Path,
    cells: &[measure::plan::Cell],
    processes: u32,
) -> Result<RowWriter, Failure> {
    let path = folder.join(SAMPLES_FILE);
    if path.exists() {
        let rows = read_rows(&path, Tail::Drop)?;
        let before = rows.len();
        let kept = measure::resumable(rows, cells, processes);
        if kept.len() != before {
            rewrite(&path, &kept)?;
        }
    }
    let (writer, rows) = RowWriter::resume(&path)?;
    eprintln!(
        "folioscope: going on with {}: {} rows are there",
        folder.display(),
        rows.len()
    );
    Ok(writer)
}

fn rewrite(path: &Path, rows: &[Row]) -> Result<(), Failure> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row).map_err(|error| Failure::Wrong(error.to_string()))?;
        text.push(b'\n');
    }
    Ok(results::write_whole(path, &text)?)
}
