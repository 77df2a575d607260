//! What is run when nobody says otherwise.

use workloads::{Param, Params, SetupError, Workload};
pub fn plan(_quick: bool) -> Vec<Planned> {
    Vec::new()
}
/// A row of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What is asked.
    pub workload: &'static Workload,
    /// With what; complete.
    pub params: Params,
    /// The designs it is put to; all where unset.
    pub designs: Option<&'static [&'static str]>,
}
