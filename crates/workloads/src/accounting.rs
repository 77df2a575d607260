//! Charging memory to groups, statistics, the binding lock, and all of it at once.

pub mod charge;
pub mod contention;
pub mod lock;
mod objects;
pub mod stat;
pub mod uncharge;

use mm::memcg::{MemCgroup, MemcgTree, Stat};
use mm::{KernelRules, KernelVersion, Memcg};
use physmem::{Extent, Kind};

use crate::bodies::charge_each;
use crate::checksum::Digest;
use crate::params::ParamSpec;
use crate::{Setup, SetupError};

/// Chunks of the footprint `l1`: a whole number of stocks.
pub(crate) const L1: u64 = 256;

/// The path that a charge takes.
const PATH: ParamSpec = ParamSpec::words(
    "path",
    "any: one group, and whatever the order leads to; hit: the same, the stock holds enough; \
     miss: two groups in turn, so that it never does; bypass: more pages than it holds",
    &["any", "hit", "miss", "bypass"],
);

/// Chunks and the group that they are charged to, or the two that take turns.
struct Ledger<'d, D: Memcg> {
    design: &'d D,
    units: Vec<D::Unit<'d>>,
    group: &'d MemCgroup,
    second: Option<&'d MemCgroup>,
    is_kernel: bool,
}

impl<'d, D: Memcg> Ledger<'d, D> {
    /// Groups as the parameters `path`, `depth` and `order` ask for.
    fn new(setup: &Setup, design: &'d D, units: Vec<D::Unit<'d>>) -> Result<Self, SetupError> {
        let path = setup.word("path")?;
        let batch = match path.as_str() {
            "bypass" => 65..u64::MAX,
            "any" => 0..u64::MAX,
            _ => 0..33,
        };
        if !batch.contains(&setup.order()?.pages()) {
            let why = "hit and miss take orders 0 to 5, bypass takes 7 and more";
            return Err(SetupError::Param(format!("path={path}: {why}")));
        }
        let memory = design.groups();
        let group = memory.chain(setup.number("depth")? as usize);
        let second = (path == "miss").then(|| {
            let parent = memory.parent(group).unwrap_or(memory.root());
            memory.create(parent).unwrap_or(group)
        });
        let is_kernel = is_kernel(setup.kind()?);
        if is_kernel && path == "miss" {
            let why = "kernel memory is charged to one group here";
            return Err(SetupError::Param(format!("path=miss: {why}")));
        }
        Ok(Self {
            design,
            units,
            group,
            second,
            is_kernel,
        })
    }

    /// Charges every unit of kernel memory.
    #[inline(always)]
    fn charge_kernel<V: KernelRules>(&self, cpu: usize) -> u64 {
        let refused = charge_kernel_each::<D, V>(self.design, cpu, self.group, &self.units);
        self.units.len() as u64 - refused
    }

    /// Charges every unit, outside the clock.
    fn charge_any<V: KernelRules>(&self) -> u64 {
        if self.is_kernel {
            self.charge_kernel::<V>(0)
        } else {
            self.charge::<V>(0)
        }
    }

    /// Charges every unit; the groups take turns.
    #[inline(always)]
    fn charge<V: KernelRules>(&self, cpu: usize) -> u64 {
        let Some(second) = self.second else {
            let refused = charge_each::<D, V>(self.design, cpu, self.group, &self.units);
            return self.units.len() as u64 - refused;
        };
        let mut charged = 0;
        for pair in self.units.chunks(2) {
            for (&unit, group) in pair.iter().zip([self.group, second]) {
                charged += u64::from(self.design.charge::<V>(cpu, group, unit).is_ok());
            }
        }
        charged
    }

    /// The holdings of the groups: pages charged and not in stock, references, kernel pages.
    fn told<V: KernelRules>(&self) -> u64 {
        let memory = self.design.groups();
        let owned = self
            .units
            .iter()
            .filter(|&&unit| self.design.owner(unit).is_some())
            .count();
        let groups = [self.group].into_iter().chain(self.second);
        let pages = groups
            .clone()
            .map(|group| group.memory.read() - memory.stocked(group) as i64)
            .sum();
        let refs = groups.clone().map(|group| group.refs()).sum();
        // Before v5.18 nobody counts kernel memory apart.
        let kmem = if V::VERSION >= KernelVersion::V6_1 {
            groups.map(|group| memory.stat(group, Stat::Kmem)).sum()
        } else if self.is_kernel {
            pages
        } else {
            0
        };
        told(owned as u64, pages, refs, kmem)
    }
}

/// Chunks with an owner, pages charged, references held and kernel pages charged.
fn told(owned: u64, pages: i64, refs: i64, kmem: i64) -> u64 {
    Digest::of(&[owned, pages as u64, refs as u64, kmem as u64])
}

/// The holdings of groups when all of this is charged to them.
fn all_charged(extents: &[(Extent, Kind)]) -> u64 {
    let pages: u64 = extents.iter().map(|(extent, _)| extent.order.pages()).sum();
    let kernel = extents.iter().filter(|(_, kind)| is_kernel(*kind));
    let kmem: u64 = kernel.map(|(extent, _)| extent.order.pages()).sum();
    let owned = extents.len() as u64;
    told(owned, pages as i64, owned as i64, kmem as i64)
}

/// Whether a kind is charged as kernel memory.
const fn is_kernel(kind: Kind) -> bool {
    !matches!(kind, Kind::Anon | Kind::File | Kind::Free)
}

/// A group at the end of a chain of `depth`, of which all but the last are shared.
fn below<'a>(memory: &'a MemcgTree, shared: &'a MemCgroup) -> &'a MemCgroup {
    memory.create(shared).unwrap_or(shared)
}

/// Charges units of kernel memory, one after the other (`__memcg_kmem_charge_page`); those that
/// were refused. No counting boot asks this, so it is no shared body.
#[inline(always)]
fn charge_kernel_each<'d, D: Memcg, V: KernelRules>(
    design: &'d D,
    cpu: usize,
    group: &MemCgroup,
    units: &[D::Unit<'d>],
) -> u64 {
    let mut refused = 0;
    for &unit in units {
        refused += u64::from(design.charge_kernel::<V>(cpu, group, unit).is_err());
    }
    refused
}

/// Uncharges units of kernel memory, one after the other (`__memcg_kmem_uncharge_page`).
#[inline(always)]
fn uncharge_kernel_each<'d, D: Memcg, V: KernelRules>(
    design: &'d D,
    cpu: usize,
    units: &[D::Unit<'d>],
) {
    for &unit in units {
        design.uncharge_kernel::<V>(cpu, unit);
    }
}
