//! Loops that may not depend on the order of the allocation: the claim that folios, typed memory
//! and head pages stand for. The registry says which loops of which designs those are.

use std::collections::BTreeMap;

use results::{Loop, LoopCount, Param};

/// The loops of a design whose cost for one allocation may not depend on its order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invariant<'a> {
    /// The design.
    pub design: &'a str,
    /// The workloads.
    pub workloads: &'a [&'a str],
}

/// Instructions by which a larger order may cost more than order 0. A head page's size has
/// to be read where a base page's is known, which is a handful in the kernel too
/// (`bio_for_each_folio_all`: 66 at order 0, 70 at order 3 and at order 9); one step for
/// each page, the regression that is looked for, would be 511 times that.
const SLACK: u64 = 16;

/// The dependence on the order of one loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Steady {
    /// Workload.
    pub workload: String,
    /// Design.
    pub design: String,
    /// Kernel whose rules apply.
    pub rules: String,
    /// Instructions at order 0.
    pub least: u64,
    /// Instructions at the larger order that costs most.
    pub most: u64,
    /// That order.
    pub order: u64,
    /// Instructions by which they may be apart.
    pub slack: u64,
}

impl Steady {
    /// Whether the larger order costs more than it may.
    pub fn is_beyond(&self) -> bool {
        self.most > self.least.saturating_add(self.slack)
    }
}

/// Looks at every steady loop of the selected workloads; the second result names
/// those that are not there.
pub(crate) fn look(
    counts: &BTreeMap<&Loop, &LoopCount>,
    invariant: &[Invariant<'_>],
    wanted: &dyn Fn(&str) -> bool,
) -> (Vec<Steady>, Vec<String>) {
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for &Invariant { design, workloads } in invariant {
        for workload in workloads.iter().filter(|workload| wanted(workload)) {
            match one(counts, workload, design) {
                Some(steady) => found.push(steady),
                None => unseen.push(format!("{workload} {design}")),
            }
        }
    }
    (found, unseen)
}

fn one(counts: &BTreeMap<&Loop, &LoopCount>, workload: &str, design: &str) -> Option<Steady> {
    let orders: BTreeMap<u64, &LoopCount> = counts
        .values()
        .filter(|count| count.of.workload == workload && count.of.design == design)
        .filter_map(|&count| match count.of.params.get("order") {
            Some(Param::Number(order)) => Some((*order, count)),
            _ => None,
        })
        .collect();
    let least = orders.get(&0)?;
    let larger = orders.iter().filter(|(order, _)| **order > 0);
    let (order, most) = larger.max_by_key(|(_, count)| count.instructions)?;
    // A lower order alone would not show a step for each page.
    orders.contains_key(&9).then(|| Steady {
        workload: workload.to_owned(),
        design: design.to_owned(),
        rules: least.of.rules.clone(),
        least: least.instructions,
        most: most.instructions,
        order: *order,
        slack: SLACK,
    })
}
