//! A case's memory held by its submitter through the IO, and what is still held at the end.

use mm::block::{Bio, Op, add_page};
use mm::{BlockIo, KernelRules};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use super::Built;
use crate::case::Case;

/// Takes a reference for each accepted add and page that it touches, as `get_user_pages` would have
/// done, ends the IO of all bios, and counts what is left on each allocation.
///
/// Taken after the bios were built, which nothing sees: no step between looks at the counts.
#[inline(never)]
pub(super) fn held<'d, D: BlockIo + 'd, V: KernelRules>(
    design: &'d D,
    case: &Case,
    built: &Built<'d, D>,
) -> Vec<(u64, u64)> {
    let count = || {
        let units = built.units.iter();
        units.map(|(&pfn, &unit)| (pfn, u64::from(design.refcount(unit))))
    };
    let before: Vec<(u64, u64)> = count().collect();
    for (add, &got) in case
        .adds
        .iter()
        .zip(&built.accepted)
        .filter(|(_, got)| **got > 0)
    {
        let unit = built.units[&add.pfn];
        let last = (add.offset + (got - 1)) >> PAGE_SHIFT;
        for page in add.offset >> PAGE_SHIFT..=last {
            hold_page::<D, V>(design, unit, page);
        }
    }
    for bio in &built.bios {
        design.end_io(bio);
    }
    // A count that fell below its owner's wraps around, and is seen.
    let left = count().zip(before);
    left.map(|((pfn, after), (_, before))| (pfn, after.wrapping_sub(before)))
        .collect()
}

/// One page's pin, by the design's own way to take it: for a bio of that page alone.
fn hold_page<'d, D: BlockIo + 'd, V: KernelRules>(design: &'d D, unit: D::Unit<'d>, page: u32) {
    let (name, offset) = design
        .nth_page(unit, page.into())
        .expect("it was named when it was added");
    let mut alone = Bio::new(1, 0, Op::Read, name);
    add_page::<V, D>(design, &mut alone, name, PAGE_SIZE as u32, offset);
    design.pin(&alone);
}
