//! Laws of block IO: building, walking, splitting and mapping bios, and their end.

use mm::block::{Bio, Op};
use mm::{BlockIo, KernelVersion};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use super::cases::{Runs, cases_per_law, for_each_case, for_each_case_of, in_one_page};
use crate::case::{Answer, Case, Taken, generate_for_models};
use crate::evaluate::{Built, EvaluateError, anon_and_file, evaluate_on, with_bios};
use crate::reference;
use crate::under::Under;

mod memory;
mod queue;
mod worked;

pub use memory::{
    end_of_io_gives_references_back, slab_io_is_as_claimed, user_pages_name_the_same_bytes,
};
pub use queue::{
    recounts_agree_with_the_split, scatterlists_keep_to_the_limits, segments_bound_the_scatterlist,
    split_parts_add_up,
};
pub use worked::{merging_depends_on_order, worked_cases_come_out};

type Law = Result<(), String>;

fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Law {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// A law of the bios of a case and of the rules that they were built under.
type OfBios<D> = for<'d> fn(&'d D, Under, &Case, &Built<'d, D>) -> Law;

/// Tries a law on the bios of random cases.
fn for_bios<D: BlockIo>(law: OfBios<D>) {
    for_each_case::<D>(&|design, case| {
        with_bios(design, case, &anon_and_file, |under, built| {
            law(design, under, case, built)
        })
        .map_err(|error| error.to_string())?
    });
}

/// The answer, where the kernel takes the case.
fn taken<D: BlockIo>(design: &D, case: &Case) -> Result<Option<Taken>, String> {
    let answer = evaluate_on(design, case).map_err(|error| error.to_string())?;
    Ok(match answer {
        Answer::Taken(taken) => Some(taken),
        Answer::Refused(_) => None,
    })
}

/// The design and the reference give the same answer to the same case, under the rules of
/// every kernel that the design is run under: the same bytes accepted, the same tables,
/// requests, segments, scatterlists and walks, or the same refusal. A design whose vecs name
/// whole allocations is compared with a kernel that has such vecs. At least
/// [`cases_per_law`] cases of each kernel.
pub fn answers_equal_the_reference<D: BlockIo>() {
    for_each_case_of::<D>(generate_for_models, cases_per_law(), &|design, case| {
        let should = if D::NAMES_UNITS {
            reference::evaluate_by_unit(case)
        } else {
            reference::evaluate(case)
        };
        let is = match evaluate_on(design, case) {
            Ok(is) => is,
            // That it cannot tell is an answer, to a question that its kernel asks.
            Err(EvaluateError::DeviceMemory { .. }) if case.has_device_memory() => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        holds(is == should, || {
            let line = |answer| serde_json::to_string(answer).expect("an answer is plain data");
            format!(
                "the design answers {}\n        the reference {}",
                line(&is),
                line(&should)
            )
        })
    });
}

/// The bytes of a bio's table.
fn table_bytes<'d, D: BlockIo>(design: &'d D, bio: &Bio<D::BvPage<'d>>) -> Runs {
    let mut runs = Runs::default();
    for vec in bio.vecs() {
        runs.push(
            design.phys(vec.page) + u64::from(vec.offset),
            vec.len.into(),
        );
    }
    runs
}

/// The single-page, multi-page and by-unit walks of a bio visit the bytes of its table, in
/// order; no step of the first leaves its page, none of the last its allocation.
pub fn walks_cover_the_same_bytes<D: BlockIo>() {
    fn walks<'d, D: BlockIo>(design: &'d D, bio: &Bio<D::BvPage<'d>>) -> Law {
        let mut by_page = Runs::default();
        let mut by_vec = Runs::default();
        let mut by_unit = Runs::default();
        let (mut outside_page, mut outside_unit, mut steps) = (None, None, 0);
        design.for_each_segment(bio, |step| {
            let phys = design.phys(step.page) + u64::from(step.offset);
            if !in_one_page(phys, step.len) {
                outside_page = Some((phys, step.len));
            }
            by_page.push(phys, step.len.into());
        });
        design.for_each_bvec(bio, |step| {
            steps += 1;
            let phys = design.phys(step.page) + u64::from(step.offset);
            by_vec.push(phys, step.len.into());
        });
        design.for_each_unit(bio, |run| {
            let extent = design.extent(run.unit);
            if run.offset + u64::from(run.len) > extent.order.bytes() {
                outside_unit = Some((extent, run.offset, run.len));
            }
            by_unit.push(extent.head.phys() + run.offset, run.len.into());
        });
        holds(outside_unit.is_none(), || {
            format!("{outside_unit:?} leaves its allocation")
        })?;
        holds(outside_page.is_none(), || {
            format!("step {outside_page:x?} leaves its page")
        })?;
        holds(steps == bio.vecs().len(), || {
            "not one step per vec".to_owned()
        })?;
        let table = table_bytes(design, bio);
        for (walk, bytes) in [
            ("single-page", by_page),
            ("multi-page", by_vec),
            ("by-unit", by_unit),
        ] {
            holds(bytes == table, || {
                format!("the {walk} walk visits {bytes:x?}, the table holds {table:x?}")
            })?;
        }
        Ok(())
    }
    for_bios::<D>(|design, _, _, built| built.bios.iter().try_for_each(|bio| walks(design, bio)));
}

/// The lengths of a bio's vecs add up to its size, every add took all of its bytes or none
/// of them, and the bios hold exactly what was taken.
pub fn vecs_sum_to_bi_size<D: BlockIo>() {
    fn sums<D: BlockIo>(case: &Case, built: &Built<'_, D>) -> Law {
        for bio in &built.bios {
            let sum: u64 = bio.vecs().iter().map(|vec| u64::from(vec.len)).sum();
            holds(sum == u64::from(bio.iter.size), || {
                format!("vecs of {sum} bytes in a bio of {}", bio.iter.size)
            })?;
            holds(bio.vecs().len() <= usize::from(case.max_vecs), || {
                "more vecs than there is room for".to_owned()
            })?;
        }
        let mut taken = 0;
        for (add, &got) in case.adds.iter().zip(&built.accepted) {
            holds(got == 0 || got == add.len, || {
                format!("{got} of {} bytes taken", add.len)
            })?;
            taken += u64::from(got);
        }
        let held: u64 = built.bios.iter().map(|bio| u64::from(bio.iter.size)).sum();
        holds(held == taken, || {
            format!("{taken} bytes taken, {held} in the bios")
        })
    }
    for_bios::<D>(|_, _, case, built| sums(case, built));
}

/// Adding parts of allocations in the design's own largest steps takes all bytes or, where
/// the table is full, none, and opens a vec only where the memory does not go on from the
/// last one.
pub fn chunks_are_added_like_folios<D: BlockIo>() {
    fn adds<'d, D: BlockIo>(design: &'d D, under: Under, case: &Case, built: &Built<'d, D>) -> Law {
        let Some(filler) = built.bios.iter().find_map(|bio| bio.vecs().first()) else {
            return Ok(());
        };
        let mut bio = Bio::new(case.max_vecs, 0, Op::Read, filler.page);
        let mut bytes = Runs::default();
        let mut vecs = 0;
        let by_page = under.version() == KernelVersion::V5_0;
        for add in &case.adds {
            let start = (add.pfn << PAGE_SHIFT) + u64::from(add.offset);
            let goes_on = bytes.end() == Some(start);
            let pages =
                (u64::from(add.offset % PAGE_SIZE as u32) + u64::from(add.len)).div_ceil(PAGE_SIZE);
            let opens = if by_page {
                let same_page = goes_on && !start.is_multiple_of(PAGE_SIZE);
                pages - u64::from(same_page)
            } else {
                u64::from(!goes_on)
            };
            let has_room = opens <= u64::from(case.max_vecs) - vecs;
            if by_page && !has_room {
                // Part of it is taken, page by page, which is not what this law is about.
                continue;
            }
            let unit = built.units[&add.pfn];
            let got = under.add_unit(design, &mut bio, unit, add.len, add.offset);
            let wanted = if has_room { add.len } else { 0 };
            holds(got == wanted, || {
                format!("{got} bytes of {add:?} taken, should be {wanted}")
            })?;
            if got > 0 {
                bytes.push(start, got.into());
                vecs += opens;
            }
            holds(bio.vecs().len() as u64 == vecs, || {
                format!("{} vecs after {add:?}, should be {vecs}", bio.vecs().len())
            })?;
        }
        let table = table_bytes(design, &bio);
        holds(table == bytes, || {
            format!("the table holds {table:x?}, added were {bytes:x?}")
        })
    }
    for_bios::<D>(adds);
}
