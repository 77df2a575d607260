//! Cells missing from a run: those that the budget cut off, cells whose worker died, and cells that
//! a kill cut in two.

use std::collections::HashSet;

use results::{Identity, Row, Status};

use crate::assignment::Cell;

/// The beginning of the status of a row whose cell the budget cut off.
pub const NOT_MEASURED: &str = "not measured: ";

/// The beginning of the status of a row whose worker process died in the cell.
pub const DIED: &str = "the worker process died: ";

/// The status of a cell that no process reached.
pub(crate) fn not_measured() -> Status {
    Status::Err(format!(
        "{NOT_MEASURED}the budget ran out; continue with --resume, or raise --budget"
    ))
}

fn is_gap(row: &Row) -> bool {
    let status = match row {
        Row::Sample(sample) => &sample.status,
        Row::Value(value) => &value.status,
    };
    matches!(status, Status::Err(why) if why.starts_with(NOT_MEASURED) || why.starts_with(DIED))
}

/// The rows of a run that it can be resumed with: all but the notes on what is missing or died, and
/// the rows of cells that are not complete, whose rounds would belong to no others.
#[must_use]
pub fn resumable(rows: Vec<Row>, cells: &[Cell], processes: u32) -> Vec<Row> {
    let kept: Vec<Row> = rows.into_iter().filter(|row| !is_gap(row)).collect();
    let there: HashSet<Identity> = kept.iter().map(Row::identity).collect();
    let mut whole: HashSet<Identity> = HashSet::new();
    for cell in cells {
        for process in 0..processes {
            let all: Vec<Identity> = cell.identities(process).collect();
            if all.iter().all(|identity| there.contains(identity)) {
                whole.extend(all);
            }
        }
    }
    kept.into_iter()
        .filter(|row| whole.contains(&row.identity()) || is_companion(row, cells))
        .collect()
}

/// Whether a row is a line beside the times of a timed cell: its bandwidth.
fn is_companion(row: &Row, cells: &[Cell]) -> bool {
    let Row::Value(value) = row else {
        return false;
    };
    cells.iter().any(|cell| {
        cell.value.is_none() && cell.workload == value.workload && cell.params == value.params
    })
}
