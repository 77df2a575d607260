//! The effect of a patch: a patched kernel beside the kernel that it was, in one row.

use results::Params;
use results::look::{is_kernel, stock_of};
use serde::Serialize;

use crate::summary::Summary;
use crate::time_fidelity::Interval;

/// A patched kernel beside its stock in one row.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moved {
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The unit of one element.
    pub unit: String,
    /// The kernel with the patch.
    pub patched: String,
    /// The kernel without.
    pub stock: String,
    /// Nanoseconds an element of the stock kernel.
    pub stock_ns: Interval,
    /// Patched over stock.
    pub ratio: Interval,
}

/// Every row of a run in which a patched kernel and its stock were both measured. A row that
/// names the rules of a kernel asks the models another question, and the kernels the same.
#[must_use]
pub fn moved(summary: &Summary) -> Vec<Moved> {
    let patched: Vec<&str> = summary
        .designs
        .iter()
        .map(String::as_str)
        .filter(|name| is_kernel(name) && stock_of(name) != *name)
        .collect();
    let mut moved = Vec::new();
    for case in summary.cases().filter(|case| case.rules().is_none()) {
        for &name in &patched {
            let stock = stock_of(name);
            let (Some(ratio), Some(stock_ns)) = (case.over(name, (case, stock)), case.time(stock))
            else {
                continue;
            };
            moved.push(Moved {
                workload: case.workload.clone(),
                params: case.params.clone(),
                unit: case.unit.clone(),
                patched: name.to_owned(),
                stock: stock.to_owned(),
                stock_ns: stock_ns.into(),
                ratio: ratio.into(),
            });
        }
    }
    moved
}
