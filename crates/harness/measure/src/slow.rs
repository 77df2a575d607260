//! Cells that a process measured while the machine was slow all the time: they are measured
//! once more, and then stay as they are.

use std::collections::HashSet;

use results::Row;
use stats::FastState;

use crate::assignment::Cell;

/// The cells of a run that wait for a second try.
#[derive(Debug, Default)]
pub(crate) struct SlowCells {
    /// The machine's fast state, as far as it has been seen.
    fast: Option<FastState>,
    waiting: Vec<Cell>,
    /// Process and title of each cell that had its second try or waits for it.
    queued: HashSet<(u32, String)>,
}

impl SlowCells {
    /// Queues the cell if no sample in `rows` was taken in the fast state, unless the same
    /// process had queued it before. Returns whether it did: then the rows are not wanted.
    pub(crate) fn queue(&mut self, process: u32, cell: &Cell, rows: &[Row]) -> bool {
        let walks: Vec<&[f64]> = rows
            .iter()
            .filter_map(|row| match row {
                Row::Sample(sample) => Some(sample.yardsticks.as_ref()?.walk_ns.as_slice()),
                Row::Value(_) => None,
            })
            .collect();
        let Some(here) = FastState::of(walks.iter().copied()) else {
            return false;
        };
        let fast = self.fast.map_or(here, |fast| fast.or_faster(here));
        self.fast = Some(fast);
        if walks
            .iter()
            .any(|walk| walk.iter().any(|ns| fast.holds(*ns)))
        {
            return false;
        }
        let first = self.queued.insert((process, cell.title()));
        if first {
            self.waiting.push(cell.clone());
        }
        first
    }

    /// Takes the cells that wait.
    pub(crate) fn take(&mut self) -> Vec<Cell> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use results::{Params, Status, Yardsticks};

    use super::*;
    use crate::assignment::slots;
    use crate::row::blank_sample;

    fn cell(workload: &str) -> Cell {
        Cell {
            workload: workload.to_owned(),
            params: Params::new(),
            axis: String::new(),
            unit: "page".to_owned(),
            backing: hugemem::Backing::Base,
            value: None,
            slots: slots(["flat"], "flat"),
        }
    }

    fn rows(cell: &Cell, walk_ns: &[f64]) -> Vec<Row> {
        let row = |slot| {
            let mut sample = blank_sample(cell, slot, 0, Status::Ok);
            sample.yardsticks = Some(Yardsticks {
                chain_ns: vec![1.0; walk_ns.len()],
                walk_ns: walk_ns.to_vec(),
            });
            Row::Sample(sample)
        };
        cell.slots.iter().map(row).collect()
    }

    #[test]
    fn a_cell_without_a_fast_sample_is_measured_once_more() {
        let mut slow = SlowCells::default();
        let (a, b) = (cell("merging/add"), cell("merging/split"));
        assert!(!slow.queue(0, &a, &rows(&a, &[0.5, 0.51, 0.5])));
        assert!(slow.queue(0, &b, &rows(&b, &[0.9, 0.95, 0.9])));
        assert_eq!(slow.take(), std::slice::from_ref(&b));
        assert!(
            !slow.queue(0, &b, &rows(&b, &[0.9, 0.95, 0.9])),
            "the second try stands"
        );
        assert!(slow.queue(1, &b, &rows(&b, &[0.9, 0.95, 0.9])));
        assert!(
            !slow.queue(2, &b, &rows(&b, &[0.9, 0.51, 0.9])),
            "one fast sample is enough"
        );
        assert_eq!(slow.take(), [b]);
    }

    #[test]
    fn rows_without_yardsticks_are_never_queued() {
        let mut slow = SlowCells::default();
        let a = cell("merging/add");
        let mut none = rows(&a, &[]);
        assert!(!slow.queue(0, &a, &none));
        if let Row::Sample(sample) = &mut none[0] {
            sample.yardsticks = None;
        }
        assert!(!slow.queue(0, &a, &none));
        assert_eq!(slow.take(), []);
    }
}
