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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_about_descriptors_is_put_to_no_variant() {
        let (mut whole, mut distinct) = (0, 0);
        for row in plan(false) {
            if row.params.contains_key("rules") {
                continue;
            }
            let variants = contenders()
                .iter()
                .filter(|design| row.designs.contains(&design.name))
                .filter(|design| design.variant_of.is_some());
            if variants.count() == 0 {
                assert_eq!(row.workload.id, "iteration/pfn-scan");
                let originals = contenders().iter().filter(|one| one.variant_of.is_none());
                assert_eq!(
                    row.designs.len(),
                    originals.count(),
                    "nobody else is left out"
                );
                assert!(row.designs.contains(&"flat") && row.designs.contains(&"null"));
                distinct += 1;
            } else {
                assert_eq!(row.designs.len(), contenders().len());
                whole += 1;
            }
        }
        assert_eq!((whole, distinct), (144, 3));
    }

    #[test]
    fn a_row_under_rules_is_put_to_those_run_under_them() {
        let (mut of_5_10, mut of_6_1) = (0, 0);
        for row in plan(false) {
            match row.params.get("rules").map(ToString::to_string).as_deref() {
                None => {}
                Some("5.10") => {
                    assert_eq!(row.designs, ["flat"], "{}", row.workload.id);
                    of_5_10 += 1;
                }
                Some("6.1") => {
                    let all = ["flat", "folio", "split", "memdesc", "headpage", "null"];
                    assert_eq!(row.designs, all, "{}", row.workload.id);
                    of_6_1 += 1;
                }
                Some(other) => panic!("{}: rules={other}", row.workload.id),
            }
        }
        assert_eq!((of_5_10, of_6_1), (26, 5));
    }
}
