//! Laws of what IO does to the memory it works on.

use mm::block::{Bio, Op};
use mm::{BlockIo, SlabIo};
use physmem::{Kind, PAGE_SIZE};

use super::{Law, for_bios, holds, table_bytes};
use crate::case::Case;
use crate::evaluate::{Built, EvaluateError, with_bios};
use crate::laws::cases::{Runs, for_each_case};
use crate::under::Under;

/// Taking references for an IO and ending it leaves every allocation with the references it
/// had; in between, those that the IO touches have more. The end releases every byte.
/// Afterwards what was read into is dirty, base pages and large ones, and what no vec names
/// is not.
pub fn end_of_io_gives_references_back<D: BlockIo>() {
    fn ends<'d, D: BlockIo>(design: &'d D, case: &Case, built: &Built<'d, D>) -> Law {
        let touched = |pfn: u64| {
            let mut adds = case.adds.iter().zip(&built.accepted);
            adds.any(|(add, &got)| add.pfn == pfn && got > 0)
        };
        let before: Vec<u32> = built
            .units
            .values()
            .map(|&unit| design.refcount(unit))
            .collect();
        let dirty = built
            .units
            .values()
            .filter(|&&unit| design.is_dirty(unit))
            .count();
        holds(dirty == 0, || {
            format!("{dirty} allocations are dirty before any IO")
        })?;

        // A bio that pinned nothing leaves its memory alone.
        for bio in &built.bios {
            let mut unpinned = bio.clone();
            unpinned.no_page_ref = true;
            let bytes = design.end_io(&unpinned);
            holds(bytes == u64::from(bio.iter.size), || {
                format!("{bytes} of {} bytes of a bio without pins", bio.iter.size)
            })?;
        }
        let untouched = built
            .units
            .values()
            .zip(&before)
            .all(|(&unit, &before)| design.refcount(unit) == before && !design.is_dirty(unit));
        holds(untouched, || {
            "the end of a bio that pinned nothing drops references or dirties".to_owned()
        })?;

        built.bios.iter().for_each(|bio| design.pin(bio));
        for ((&pfn, &unit), &before) in built.units.iter().zip(&before) {
            let during = design.refcount(unit);
            let as_it_should = if touched(pfn) {
                during > before
            } else {
                during == before
            };
            holds(as_it_should, || {
                format!("{pfn:#x}: {before} references before the IO, {during} during it")
            })?;
        }
        for bio in &built.bios {
            let released = design.end_io(bio);
            holds(released == u64::from(bio.iter.size), || {
                format!("{released} of {} bytes released", bio.iter.size)
            })?;
        }
        for ((&pfn, &unit), &before) in built.units.iter().zip(&before) {
            let after = design.refcount(unit);
            holds(after == before, || {
                format!("{pfn:#x}: {before} references before the IO, {after} after it")
            })?;
            let is_dirty = design.is_dirty(unit);
            holds(touched(pfn) || !is_dirty, || {
                format!("{pfn:#x} is dirty, no IO touched it")
            })?;
            holds(is_dirty || !touched(pfn), || {
                format!("{pfn:#x} was read into and is clean")
            })?;
        }
        Ok(())
    }
    for_bios::<D>(|design, _, case, built| ends(design, case, built));
}

/// A page as `get_user_pages` hands it out, head or tail, is named in a vec by a name and an
/// offset that mean its first byte, and a bio filled with such pages in order holds what the
/// allocation holds.
pub fn user_pages_name_the_same_bytes<D: BlockIo>() {
    fn names<'d, D: BlockIo>(design: &'d D, under: Under, built: &Built<'d, D>) -> Law {
        for (&pfn, &unit) in &built.units {
            let pages = design.extent(unit).order.pages();
            let Some(filler) = design.bv_page(unit) else {
                return Err("memory that is no slab cannot be named".to_owned());
            };
            let mut bio = Bio::new(64, 0, Op::Read, filler);
            for n in 0..pages.min(64) {
                // The last pages too: the way to the head is longest there.
                let n = if n % 2 == 0 { n } else { pages - n };
                let named = design.user_page(unit, n);
                let named = named.and_then(|page| design.name_user_page(page));
                let Some((page, offset)) = named else {
                    return Err(format!("page {n} of {pfn:#x} cannot be named"));
                };
                let phys = design.phys(page) + u64::from(offset);
                holds(phys == (pfn + n) * PAGE_SIZE, || {
                    format!("page {n} of {pfn:#x} becomes {phys:#x}")
                })?;
                let added = under.add_page(design, &mut bio, page, PAGE_SIZE as u32, offset);
                holds(added == PAGE_SIZE as u32, || {
                    format!("page {n} of {pfn:#x} is refused")
                })?;
            }
            let held = table_bytes(design, &bio);
            let pages = pages.min(64);
            holds(held.bytes() == pages * PAGE_SIZE, || {
                format!("{pages} pages of {pfn:#x} were added, the table holds {held:x?}")
            })?;
        }
        Ok(())
    }
    for_bios::<D>(|design, under, _, built| names(design, under, built));
}

/// Block IO to slab memory is taken or refused as [`BlockIo::SLAB_IO`] claims: with a
/// reference for the time of the IO, without one, or not at all.
pub fn slab_io_is_as_claimed<D: BlockIo>() {
    fn io<'d, D: BlockIo>(design: &'d D, case: &Case, built: &Built<'d, D>) -> Law {
        let kinds = built
            .units
            .values()
            .filter(|&&unit| design.kind(unit) == Kind::Slab);
        holds(kinds.count() == built.units.len(), || {
            "slab memory does not say so".to_owned()
        })?;
        let (mut added, mut tables) = (Runs::default(), Runs::default());
        for (add, &got) in case.adds.iter().zip(&built.accepted) {
            if got > 0 {
                added.push(add.pfn * PAGE_SIZE + u64::from(add.offset), got.into());
            }
        }
        for vec in built.bios.iter().flat_map(|bio| bio.vecs()) {
            tables.push(
                design.phys(vec.page) + u64::from(vec.offset),
                vec.len.into(),
            );
        }
        holds(tables == added, || {
            format!("the tables hold {tables:x?}, added were {added:x?}")
        })?;

        let count = || -> Vec<u32> {
            built
                .units
                .values()
                .map(|&unit| design.refcount(unit))
                .collect()
        };
        let before = count();
        built.bios.iter().for_each(|bio| design.pin(bio));
        let during = count();
        built.bios.iter().for_each(|bio| {
            design.end_io(bio);
        });
        let after = count();
        holds(after == before, || {
            format!("references {before:?} before the IO, {after:?} after it")
        })?;
        let any = built.accepted.iter().any(|&got| got > 0);
        match D::SLAB_IO {
            SlabIo::Counted => holds(during != before || !any, || {
                "no reference is taken for the IO".to_owned()
            }),
            SlabIo::Uncounted => holds(during == before, || {
                format!("references {before:?}, {during:?} during the IO")
            }),
            SlabIo::Refused => {
                Err("a bio names slab memory, which the design says it refuses".to_owned())
            }
        }
    }
    for_each_case::<D>(
        &|design, case| match with_bios(design, case, &|_| Kind::Slab, |_, built| {
            io(design, case, built)
        }) {
            Ok(law) => law,
            Err(EvaluateError::Refused {
                kind: Kind::Slab, ..
            }) => holds(D::SLAB_IO == SlabIo::Refused, || {
                "a bio to slab memory is refused".to_owned()
            }),
            Err(error) => Err(error.to_string()),
        },
    );
}
