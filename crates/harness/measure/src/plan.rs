//! The plan of a run: what was asked for, and the cells that it comes to.

use std::collections::BTreeSet;

use hugemem::Backing;
use registry::Unknown;
use results::look::is_kernel_of;
use results::{Param, Params};
use serde::{Deserialize, Serialize};
use workloads::params::CAPTURED;
use workloads::{Quantity, Workload};

use crate::assignment::{Cell, Slot, ValueKind, slots};

/// The design that all others are compared with.
pub const REFERENCE: &str = "flat";

/// The file of an unfinished run that holds its [`Plan`].
pub const PLAN_FILE: &str = "unfinished.json";

/// The parameter of rows that tells backings apart where a run has several.
pub(crate) const BACKING: &str = "backing";

/// The choice of the rows of a run and of their meaning. Empty lists mean all.
///
/// Fields have the names of their flags. An unfinished run keeps its plan beside it, so
/// that a resumed run measures the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Globs over workload ids.
    pub workload: Vec<String>,
    /// Names of designs. The reference takes part whether named or not: a ratio needs it.
    pub design: Vec<String>,
    /// Names of real kernels that are built on this machine; none unless named.
    #[serde(default)]
    pub kernels: Vec<String>,
    /// Orders of the allocations.
    pub order: Vec<u64>,
    /// Parameters in the place of the plan's: `count=64`. Rows that do not take them are left out.
    #[serde(default)]
    pub param: Vec<String>,
    /// Captures in the place of the plan's layouts, by name; rows that take no layout are left
    /// out.
    #[serde(default)]
    pub layout: Vec<String>,
    /// Backings of the descriptors; none means `auto`.
    pub backing: Vec<Backing>,
    /// Whether the run is a first look: fewer parameters, shorter samples.
    pub quick: bool,
    /// Seed of every random order and layout.
    pub seed: u64,
    /// Fresh processes per cell.
    pub processes: u32,
}

impl Default for Plan {
    /// Everything, in three processes.
    fn default() -> Self {
        Self {
            workload: Vec::new(),
            design: Vec::new(),
            kernels: Vec::new(),
            order: Vec::new(),
            param: Vec::new(),
            layout: Vec::new(),
            backing: Vec::new(),
            quick: false,
            seed: 1,
            processes: 3,
        }
    }
}

/// Why a plan comes to no cells.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No workload or design of this name.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// An order that no selected workload takes.
    #[error("{why}; no selected workload takes order {order}")]
    Order {
        /// The order.
        order: u64,
        /// Error of the workload.
        why: String,
    },
    /// A malformed parameter, or one that no selected workload takes.
    #[error("--param {param}: {why}")]
    Param {
        /// As it was given.
        param: String,
        /// Why.
        why: String,
    },
    /// Everything named exists, but nothing has all of it.
    #[error(
        "nothing to measure: no selected workload has a parameter `order`, or only real kernels \
         answer them (--kernels); `folioscope list` shows what there is"
    )]
    Nothing,
}

impl Plan {
    /// The cells of the run, in the order of the registry's plan.
    ///
    /// # Errors
    /// [`PlanError`]; names come with their near matches.
    pub fn cells(&self) -> Result<Vec<Cell>, PlanError> {
        let ids = self.workload_ids()?;
        let designs = self.designs()?;
        let mut orders = Orders::of(&self.order);
        let asked = self.asked();
        let mut given = asked
            .iter()
            .map(|asked| Given::of(asked))
            .collect::<Result<Vec<_>, _>>()?;
        let mut cells: Vec<Cell> = Vec::new();
        // Most are rows of dashes without kernels.
        let alone = match self.kernels.is_empty() {
            true => Vec::new(),
            false => registry::kernel_plan(self.quick),
        };
        for planned in registry::plan(self.quick).into_iter().chain(alone) {
            if !ids.contains(planned.workload.id) {
                continue;
            }
            let takes_part: Vec<&str> = designs
                .iter()
                .copied()
                .filter(|design| planned.designs.contains(design))
                .collect();
            let sets = orders.over(planned.workload, &planned.params);
            let over = |given: &mut Given<'_>| {
                let sets = sets.iter().cloned();
                sets.filter_map(|params| given.over(planned.workload, params))
                    .collect::<Vec<_>>()
            };
            for params in given.iter_mut().flat_map(over) {
                for mut cell in self.on_backings(planned.workload, &params, &takes_part) {
                    if cell.value.is_none() && !cell.slots.is_empty() {
                        let kernels = self.kernels_under(&cell.params);
                        cell.slots.extend(kernels.map(|name| Slot::of(name)));
                    }
                    if !cell.slots.is_empty() && !cells.contains(&cell) {
                        cells.push(cell);
                    }
                }
            }
        }
        orders.check()?;
        given.into_iter().try_for_each(Given::check)?;
        if cells.is_empty() {
            return Err(PlanError::Nothing);
        }
        Ok(cells)
    }

    fn workload_ids(&self) -> Result<BTreeSet<&'static str>, PlanError> {
        if self.workload.is_empty() {
            return Ok(workloads::every().map(|one| one.id).collect());
        }
        let mut ids = BTreeSet::new();
        for glob in &self.workload {
            ids.extend(registry::workloads_matching(glob)?.iter().map(|one| one.id));
        }
        Ok(ids)
    }

    /// The designs that take part, in the registry's order.
    fn designs(&self) -> Result<Vec<&'static str>, PlanError> {
        for name in &self.design {
            registry::contender(name)?;
        }
        let named = |design: &str| {
            self.design.is_empty()
                || design == REFERENCE
                || self.design.iter().any(|name| name == design)
        };
        let all = registry::contenders().iter().map(|design| design.name);
        Ok(all.filter(|design| named(design)).collect())
    }

    /// The kernels of a row: all, or those of the version whose rules it names.
    fn kernels_under(&self, params: &Params) -> impl Iterator<Item = &String> {
        let rules = params.get("rules").map(ToString::to_string);
        self.kernels.iter().filter(move |name| {
            let is_own = |rules: &str| is_kernel_of(name, rules);
            rules.as_deref().is_none_or(is_own)
        })
    }

    /// The parameters that were asked for, once for each layout that was.
    fn asked(&self) -> Vec<Vec<String>> {
        if self.layout.is_empty() {
            return vec![self.param.clone()];
        }
        let with = |name: &String| {
            let layout = format!("layout={CAPTURED}{name}");
            self.param.iter().cloned().chain([layout]).collect()
        };
        self.layout.iter().map(with).collect()
    }

    /// A workload with its parameters on every backing.
    fn on_backings(&self, workload: &Workload, params: &Params, designs: &[&str]) -> Vec<Cell> {
        let one = |backing: Backing| cell(workload, params.clone(), designs, backing);
        match self.backing.as_slice() {
            [] => vec![one(Backing::Auto)],
            [backing] => vec![one(*backing)],
            several => several
                .iter()
                .map(|backing| {
                    let mut cell = one(*backing);
                    let name = Param::from(backing.name());
                    cell.params.insert(BACKING.to_owned(), name);
                    cell
                })
                .collect(),
        }
    }
}

/// The orders that were asked for, and what the workloads said to them.
struct Orders<'a> {
    asked: &'a [u64],
    taken: BTreeSet<u64>,
    refused: Vec<(u64, String)>,
}

impl<'a> Orders<'a> {
    fn of(asked: &'a [u64]) -> Self {
        Self {
            asked,
            taken: BTreeSet::new(),
            refused: Vec::new(),
        }
    }

    /// The planned parameters, or the same with every order that was asked for and that the
    /// workload takes.
    fn over(&mut self, workload: &Workload, planned: &Params) -> Vec<Params> {
        if self.asked.is_empty() {
            return vec![planned.clone()];
        }
        if !planned.contains_key("order") {
            return Vec::new();
        }
        let mut sets = Vec::new();
        for &order in self.asked {
            let mut params = planned.clone();
            params.insert("order".to_owned(), Param::Number(order));
            match workload.complete(&params) {
                Ok(params) => {
                    self.taken.insert(order);
                    sets.push(params);
                }
                Err(error) => self.refused.push((order, error.to_string())),
            }
        }
        sets
    }

    /// Refuses an order that was asked for and that no workload took.
    fn check(self) -> Result<(), PlanError> {
        let lost = self
            .refused
            .into_iter()
            .find(|(order, _)| !self.taken.contains(order));
        lost.map_or(Ok(()), |(order, why)| Err(PlanError::Order { order, why }))
    }
}

/// The parameters that were asked for, and what the workloads said to them.
struct Given<'a> {
    asked: Vec<(&'a str, String, Param)>,
    taken: bool,
    refused: Option<(&'a str, String)>,
}

impl<'a> Given<'a> {
    fn of(asked: &'a [String]) -> Result<Self, PlanError> {
        let parsed = asked.iter().map(|text| {
            let refuse = |why: &str| PlanError::Param {
                param: text.clone(),
                why: why.to_owned(),
            };
            let (name, value) = text
                .split_once('=')
                .filter(|(name, value)| !name.is_empty() && !value.is_empty())
                .ok_or_else(|| refuse("expected NAME=VALUE"))?;
            if name == "order" {
                return Err(refuse("orders are --order's"));
            }
            Ok((text.as_str(), name.to_owned(), Param::from(value)))
        });
        let mut asked = parsed.collect::<Result<Vec<_>, PlanError>>()?;
        // Others mean something with some layouts only.
        asked.sort_by_key(|(_, name, _)| name != "layout");
        Ok(Self {
            asked,
            taken: false,
            refused: None,
        })
    }

    /// A row's parameters with those that were asked for: the row's other parameters stay as far as
    /// they mean anything beside them. `None` where the workload does not take them.
    fn over(&mut self, workload: &Workload, planned: Params) -> Option<Params> {
        if self.asked.is_empty() {
            return Some(planned);
        }
        let mut params = Params::new();
        for (text, name, value) in &self.asked {
            params.insert(name.clone(), value.clone());
            if let Err(error) = workload.complete(&params) {
                self.refused.get_or_insert((text, error.to_string()));
                return None;
            }
        }
        for (name, value) in planned {
            let mut more = params.clone();
            more.entry(name).or_insert(value);
            if workload.complete(&more).is_ok() {
                params = more;
            }
        }
        self.taken = true;
        workload.complete(&params).ok()
    }

    /// Refuses parameters that no workload took.
    fn check(self) -> Result<(), PlanError> {
        match self.refused {
            Some((param, why)) if !self.taken => Err(PlanError::Param {
                param: param.to_owned(),
                why,
            }),
            _ => Ok(()),
        }
    }
}

fn cell(workload: &Workload, params: Params, designs: &[&str], backing: Backing) -> Cell {
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
    let axis = match params.contains_key(workload.axis) {
        true => workload.axis,
        false => "",
    };
    let slots = match value {
        // An exact value needs no control.
        Some(_) => designs.iter().copied().map(Slot::of).collect(),
        None => slots(designs.iter().copied(), REFERENCE),
    };
    Cell {
        workload: workload.id.to_owned(),
        params,
        axis: axis.to_owned(),
        unit: workload.unit.to_owned(),
        backing,
        value,
        slots,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
