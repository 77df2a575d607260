//! Slab memory in `accounting/charge`: charged by object, the slab itself by nobody.

use std::hint::black_box;

use mm::memcg::{LockStyle, MemCgroup, ObjectOwners, Stat};
use mm::{KernelRules, KernelVersion, Memcg};
use physmem::{Extent, Kind, PAGE_SIZE};

use super::L1;
use crate::checksum::Digest;
use crate::fixture::allocations;
use crate::job::{Extras, Prepared, Then};
use crate::{Setup, SetupError};

/// Bytes of an object, vector entry included (`obj_full_size`): pages hold a whole number.
const BYTES: u32 = 512;
/// Objects in a page.
const IN_PAGE: u64 = PAGE_SIZE / BYTES as u64;

/// An object: the page that it lies in (`virt_to_page`), and its number in its slab.
type Object<'d, D> = (<D as Memcg>::MappedPage<'d>, u64);

/// Objects and what they are charged with.
pub(super) struct Objects<'d, D: Memcg> {
    design: &'d D,
    group: &'d MemCgroup,
    owners: ObjectOwners,
    objects: Vec<Object<'d, D>>,
}

/// Objects charged, references held, pages that their bytes fill and those counted as the
/// kernel's.
fn told(charged: u64, refs: i64, pages: i64, kmem: i64) -> u64 {
    Digest::of(&[charged, refs as u64, pages as u64, kmem as u64])
}

/// [`told`] when every object of these slabs is charged.
pub(super) fn all_charged(extents: &[(Extent, Kind)]) -> u64 {
    let pages: u64 = extents.iter().map(|(extent, _)| extent.order.pages()).sum();
    let objects = pages * IN_PAGE;
    told(objects, objects as i64, pages as i64, pages as i64)
}

/// Sets the workload up for a design.
pub(super) fn enter<D: Memcg, V: KernelRules>(
    setup: &Setup,
    then: Then<'_>,
) -> Result<(), SetupError> {
    let path = setup.word("path")?;
    if path != "any" {
        let why = "objects have a stock of bytes of their own";
        return Err(SetupError::Param(format!("path={path}: {why}")));
    }
    let fixture = allocations(setup, L1)?;
    let design: D = fixture.build(setup)?;
    let slabs = fixture.alloc(&design);
    drop(fixture);
    let pages: u64 = slabs
        .iter()
        .map(|&slab| design.extent(slab).order.pages())
        .sum();
    let owners = ObjectOwners::new(pages * IN_PAGE)?;
    let mut objects = Vec::with_capacity((pages * IN_PAGE) as usize);
    let mut first = 0;
    for &slab in &slabs {
        owners.attach(design.owner_word(slab, LockStyle::Generic), first);
        let in_slab = design.extent(slab).order.pages() * IN_PAGE;
        for index in 0..in_slab {
            objects.push((design.mapped_page(slab, index / IN_PAGE), index));
        }
        first += in_slab;
    }
    let group = design.groups().chain(setup.number("depth")? as usize);
    let elements = objects.len() as u64;
    let of_all = Objects {
        design: &design,
        group,
        owners,
        objects,
    };
    then(
        &mut Prepared::new(
            &design,
            of_all,
            elements,
            |objects, _| entry::<D, V>(objects),
            |objects, charged| objects.told::<V>() ^ (charged ^ elements),
        )
        .with(Extras {
            rewind: Some(|objects: &mut Objects<'_, D>| objects.uncharge::<V>()),
            ..Extras::default()
        }),
    );
    Ok(())
}

impl<D: Memcg> Objects<'_, D> {
    fn uncharge<V: KernelRules>(&self) {
        for &(page, index) in &self.objects {
            self.design
                .uncharge_object::<V>(0, &self.owners, page, (index, BYTES));
        }
        // The byte stock keeps up to a page: every run begins with none.
        self.design.groups().drain::<V>();
    }

    fn told<V: KernelRules>(&self) -> u64 {
        let memory = self.design.groups();
        let owned = (0..self.objects.len() as u64).filter(|&n| self.owners.is_owned(n));
        let pages = self.group.memory.read() - memory.stocked(self.group) as i64;
        // Before v5.18 nobody counts kernel memory apart.
        let kmem = if V::VERSION >= KernelVersion::V6_1 {
            memory.stat(self.group, Stat::Kmem)
        } else {
            pages
        };
        told(owned.count() as u64, self.group.refs(), pages, kmem)
    }
}

/// Charges every object, as its slab's hook does after the allocation.
#[inline(never)]
pub(super) fn entry<D: Memcg, V: KernelRules>(objects: &Objects<'_, D>) -> u64 {
    let of = black_box(objects);
    let mut charged = 0;
    for &(page, index) in &of.objects {
        let object = (index, BYTES);
        let to = (0, of.group);
        let result = of.design.charge_object::<V>(to, &of.owners, page, object);
        charged += u64::from(result.is_ok());
    }
    black_box(charged)
}
