//! Rows that only real kernels were asked: no design has a time in them.

use results::Params;
use results::look::{is_kernel, stock_of};
use serde::Serialize;

use crate::summary::Summary;
use crate::time_fidelity::Interval;

/// A released kernel in a row that no design answers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Alone {
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The unit of one element.
    pub unit: String,
    /// The kernel.
    pub kernel: String,
    /// Nanoseconds an element.
    pub ns: Interval,
}

/// Every time of a released kernel where no design has one. Patched kernels are beside their
/// stock kernels in [`moved`](crate::patched::moved).
#[must_use]
pub fn alone(summary: &Summary) -> Vec<Alone> {
    let (kernels, designs): (Vec<&String>, Vec<&String>) =
        summary.designs.iter().partition(|name| is_kernel(name));
    let released = |name: &&&String| stock_of(name) == name.as_str();
    let mut found = Vec::new();
    for case in summary.cases() {
        if designs.iter().any(|design| case.time(design).is_some()) {
            continue;
        }
        for kernel in kernels.iter().filter(released) {
            found.extend(case.time(kernel).map(|ns| Alone {
                workload: case.workload.clone(),
                params: case.params.clone(),
                unit: case.unit.clone(),
                kernel: (*kernel).clone(),
                ns: ns.into(),
            }));
        }
    }
    found
}
