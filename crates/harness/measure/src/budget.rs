//! How many cells fit into a budget, estimated before the run.

use std::time::Duration;

use crate::assignment::Cell;

use crate::sampling::{MIN_ROUNDS, WARM_UP_ROUNDS, min_sample};

/// Cells that fit into a budget, set-up time not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fit {
    /// The cells that have room for the fewest rounds in one process, in the order of the plan.
    pub cells: usize,
    /// The time that the fewest rounds of all cells take in all processes.
    pub least: Duration,
}

/// How many cells fit into `time`, and the least time that all of them take.
#[must_use]
pub fn fit(cells: &[Cell], processes: u32, quick: bool, time: Duration) -> Fit {
    let mut all = Duration::ZERO;
    let mut fitting = 0;
    for cell in cells {
        all += least(cell, quick);
        fitting += usize::from(all <= time);
    }
    Fit {
        cells: fitting,
        least: all * processes,
    }
}

/// The shortest samples in the fewest rounds that make a time; an exact value takes none.
fn least(cell: &Cell, quick: bool) -> Duration {
    if cell.value.is_some() {
        return Duration::ZERO;
    }
    let slots = u32::try_from(cell.slots.len()).unwrap_or(u32::MAX);
    (min_sample(quick) * (MIN_ROUNDS + WARM_UP_ROUNDS)).saturating_mul(slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn a_budget_has_room_for_some_rows_all_or_none() {
        let plan = Plan {
            workload: vec!["iteration/*".to_owned()],
            ..Plan::default()
        };
        let cells = plan.cells().unwrap();
        let one = least(&cells[0], false);
        assert!(one > Duration::ZERO);
        assert_eq!(fit(&cells, 3, false, Duration::ZERO).cells, 0);
        assert_eq!(fit(&cells, 3, false, one).cells, 1);
        let all = fit(&cells, 3, false, Duration::from_secs(3600));
        assert_eq!(all.cells, cells.len());
        assert_eq!(all.least, 3 * fit(&cells, 1, false, one).least);
        assert!(
            fit(&cells, 3, true, one).least < all.least,
            "shorter samples"
        );
    }
}
