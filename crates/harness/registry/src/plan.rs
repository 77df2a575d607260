//! The rows that run by default, and the contenders of each.

use workloads::{Params, Workload, plan};

use crate::{Contender, contenders};

/// A row of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The workload.
    pub workload: &'static Workload,
    /// With what; complete.
    pub params: Params,
    /// The names of those it is put to.
    pub designs: Vec<&'static str>,
}

/// The rows that are run by default, or for a first look. One that names a kernel's rules is
/// put to those that are run under them.
pub fn plan(quick: bool) -> Vec<Planned> {
    planned(plan::rows(), quick)
}

/// The rows that run where kernels take part beside those of [`plan()`].
pub fn kernel_plan(quick: bool) -> Vec<Planned> {
    planned(plan::kernel_rows(), quick)
}

fn planned(rows: &'static [plan::Row], quick: bool) -> Vec<Planned> {
    let rows = rows.iter().filter(|row| row.quick || !quick);
    rows.map(|row| {
        let rules = row.params.get("rules").map(ToString::to_string);
        let takes_part = |design: &Contender| {
            let is_ruled = |rules: &str| design.runs.iter().any(|run| run.rules.name() == rules);
            (!row.distinct || design.variant_of.is_none()) && rules.as_deref().is_none_or(is_ruled)
        };
        let designs = contenders().iter().filter(|design| takes_part(design));
        Planned {
            workload: row.workload,
            params: row.params.clone(),
            designs: designs.map(|design| design.name).collect(),
        }
    })
    .collect()
}
