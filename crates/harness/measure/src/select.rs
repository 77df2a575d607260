//! From what the command line names to the cells of a run.

use hugemem::Backing;
use registry::Unknown;
use results::Param;
use workloads::{Quantity, SetupError};

use crate::plan::{BACKING, Cell, Slot, ValueKind, row_params};

/// The design that all others are compared with.
pub const REFERENCE: &str = "flat";

/// What part of the plan is wanted. Empty lists mean all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Globs over workload ids.
    pub workloads: Vec<String>,
    /// Names of designs. The reference takes part whether named or not: a ratio needs it.
    pub designs: Vec<String>,
    /// Backings of the descriptors; none means `auto`.
    pub backings: Vec<Backing>,
    /// Orders.
    pub orders: Vec<u64>,
    /// Whether the short plan of a first look is wanted.
    pub quick: bool,
}

/// Why nothing could be selected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No workload or design of this name.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// An order that no workload takes.
    #[error("unknown {why}")]
    Order {
        /// The order.
        order: u64,
        /// What a workload said.
        why: String,
    },
    /// Everything named exists, but nothing has all of it.
    #[error("nothing to measure: no selected workload {0}; `folioscope list` shows what there is")]
    Nothing(&'static str),
}

/// The cells of a run, in the order of the plan.
///
/// # Errors
/// [`SelectError`]; names come with their near matches.
pub fn cells(selection: &Selection) -> Result<Vec<Cell>, SelectError> {
    let wanted = wanted(&selection.workloads)?;
    let designs = designs(&selection.designs)?;
    let backings = if selection.backings.is_empty() {
        vec![Backing::Auto]
    } else {
        selection.backings.clone()
    };
    let mut cells: Vec<Cell> = Vec::new();
    let mut refused = None;
    for planned in registry::plan(selection.quick) {
        if !wanted.contains(&planned.workload.id) {
            continue;
        }
        let takes_part: Vec<&str> = designs
            .iter()
            .copied()
            .filter(|design| planned.designs.is_none_or(|some| some.contains(design)))
            .collect();
        for params in with_orders(&planned, &selection.orders, &mut refused) {
            for backing in &backings {
                let mut cell = cell(planned.workload, &params, &takes_part);
                backing.name().clone_into(&mut cell.backing);
                if backings.len() > 1 {
                    cell.params
                        .insert(BACKING.to_owned(), Param::from(backing.name()));
                }
                if !cell.slots.is_empty() && !cells.contains(&cell) {
                    cells.push(cell);
                }
            }
        }
    }
    match (cells.is_empty(), refused) {
        (false, _) => Ok(cells),
        (true, Some((order, why))) => Err(SelectError::Order { order, why }),
        (true, None) => Err(SelectError::Nothing("has a parameter `order`")),
    }
}

fn wanted(globs: &[String]) -> Result<Vec<&'static str>, SelectError> {
    if globs.is_empty() {
        return Ok(registry::workloads()
            .iter()
            .map(|workload| workload.id)
            .collect());
    }
    let mut ids = Vec::new();
    for glob in globs {
        ids.extend(
            registry::workloads_matching(glob)?
                .iter()
                .map(|workload| workload.id),
        );
    }
    Ok(ids)
}

/// The designs that take part, in the registry's order.
fn designs(names: &[String]) -> Result<Vec<&'static str>, SelectError> {
    for name in names {
        registry::design(name)?;
    }
    let all = registry::designs().iter().map(|design| design.name);
    Ok(all
        .filter(|design| {
            names.is_empty() || *design == REFERENCE || names.iter().any(|name| name == design)
        })
        .collect())
}

/// The planned parameters, or the same with every order that was asked for.
fn with_orders(
    planned: &registry::Planned,
    orders: &[u64],
    refused: &mut Option<(u64, String)>,
) -> Vec<workloads::Params> {
    if orders.is_empty() {
        return vec![planned.params.clone()];
    }
    if !planned.params.contains_key("order") {
        return Vec::new();
    }
    let mut sets = Vec::new();
    for order in orders {
        let mut params = planned.params.clone();
        params.insert("order".to_owned(), workloads::Param::Number(*order));
        match planned.workload.complete(&params) {
            Ok(params) => sets.push(params),
            Err(SetupError::Param(why)) => *refused = Some((*order, why)),
            Err(error) => *refused = Some((*order, error.to_string())),
        }
    }
    sets
}

fn cell(workload: &workloads::Workload, params: &workloads::Params, designs: &[&str]) -> Cell {
    let value = match workload.quantity {
        Quantity::Time(_) => None,
        Quantity::Value {
            quantity,
            unit,
            less_is_better,
        } => Some(ValueKind {
            quantity: quantity.to_owned(),
            unit: unit.to_owned(),
            less_is_better,
        }),
    };
    let axis = if params.contains_key(workload.axis) {
        workload.axis
    } else {
        ""
    };
    let slots = match value {
        // An exact value needs no control.
        Some(_) => designs
            .iter()
            .map(|design| Slot {
                design: (*design).to_owned(),
                label: String::new(),
            })
            .collect(),
        None => crate::plan::slots(designs.iter().copied(), REFERENCE),
    };
    Cell {
        workload: workload.id.to_owned(),
        params: row_params(params),
        axis: axis.to_owned(),
        unit: workload.unit.to_owned(),
        backing: String::new(),
        value,
        slots,
    }
}
