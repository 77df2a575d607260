//! Laws of block IO: building, walking, splitting and mapping bios, and their end.

use mm::block::{Bio, Op};
use mm::{BlockIo, KernelRules, KernelVersion, with_rules};
use physmem::PAGE_SIZE;

use super::cases::{cases_per_law, for_each_case, for_each_case_of, in_one_page, joined};
use crate::case::{Answer, Case, Taken, generate_for_models};
use crate::evaluate::{Built, EvaluateError, anon_and_file, evaluate_with, with_bios};
use crate::reference;

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

/// Lets `look` at the bios of a case and at the rules they were built under.
macro_rules! for_bios {
    ($design:expr, $case:expr, |$built:ident, $v:ident| $look:expr) => {
        with_rules!($case.rules, $v => {
            with_bios::<D, $v, Law>($design, $case, anon_and_file, |$built| $look)
                .map_err(|error| error.to_string())?
        })
    };
}

use for_bios;

/// The answer of a design, where it is one.
#[inline(never)]
fn answer<D: BlockIo>(design: &D, case: &Case) -> Result<Answer, String> {
    with_rules!(case.rules, V => evaluate_with::<D, V>(design, case))
        .map_err(|error| error.to_string())
}

/// The answer, where the kernel takes the case.
fn taken<D: BlockIo>(design: &D, case: &Case) -> Result<Option<Taken>, String> {
    Ok(match answer(design, case)? {
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
    for_each_case_of::<D>(generate_for_models, cases_per_law(), |design, case| {
        let should = if D::NAMES_UNITS {
            reference::evaluate_by_unit(case)
        } else {
            reference::evaluate(case)
        };
        let is = with_rules!(case.rules, V => evaluate_with::<D, V>(design, case));
        let is = match is {
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

/// The bytes that a list of pieces covers.
fn bytes_of<'d, D: BlockIo + 'd>(
    design: &'d D,
    pieces: impl IntoIterator<Item = (D::BvPage<'d>, u32, u32)>,
) -> Vec<(u64, u64)> {
    let phys = |(page, offset, len)| (design.phys(page) + u64::from(offset), u64::from(len));
    joined(pieces.into_iter().map(phys))
}

/// The bytes of a bio's table.
fn table_bytes<'d, D: BlockIo + 'd>(design: &'d D, bio: &Bio<D::BvPage<'d>>) -> Vec<(u64, u64)> {
    bytes_of(
        design,
        bio.vecs().iter().map(|vec| (vec.page, vec.offset, vec.len)),
    )
}

/// The single-page, multi-page and by-unit walks of a bio visit the bytes of its table, in
/// order; no step of the first leaves its page, none of the last its allocation.
pub fn walks_cover_the_same_bytes<D: BlockIo>() {
    fn walks<'d, D: BlockIo>(design: &'d D, bio: &Bio<D::BvPage<'d>>) -> Law {
        let table = table_bytes(design, bio);
        let mut by_page = Vec::new();
        design.for_each_segment(bio, |step| by_page.push((step.page, step.offset, step.len)));
        let mut by_vec = Vec::new();
        design.for_each_bvec(bio, |step| by_vec.push((step.page, step.offset, step.len)));
        let mut by_unit = Vec::new();
        let mut outside = None;
        design.for_each_unit(bio, |run| {
            let extent = design.extent(run.unit);
            if run.offset + u64::from(run.len) > extent.order.bytes() {
                outside = Some(run);
            }
            by_unit.push((extent.head.phys() + run.offset, u64::from(run.len)));
        });
        holds(outside.is_none(), || {
            format!("{outside:?} leaves its allocation")
        })?;
        for &(page, offset, len) in &by_page {
            let phys = design.phys(page) + u64::from(offset);
            holds(in_one_page(phys, len), || {
                format!("step {phys:#x}+{len} leaves its page")
            })?;
        }
        holds(by_vec.len() == bio.vecs().len(), || {
            "not one step per vec".to_owned()
        })?;
        for (walk, bytes) in [
            ("single-page", bytes_of(design, by_page)),
            ("multi-page", bytes_of(design, by_vec)),
            ("by-unit", joined(by_unit)),
        ] {
            holds(bytes == table, || {
                format!("the {walk} walk visits {bytes:x?}, the table holds {table:x?}")
            })?;
        }
        Ok(())
    }
    for_each_case::<D>(0, |design, case| {
        for_bios!(design, case, |built, V| built
            .bios
            .iter()
            .try_for_each(|bio| walks(design, bio)))
    });
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
    for_each_case::<D>(0, |design, case| {
        for_bios!(design, case, |built, V| sums(case, built))
    });
}

/// Adding parts of allocations in the design's own largest steps takes all bytes or, where
/// the table is full, none, and opens a vec only where the memory does not go on from the
/// last one.
pub fn chunks_are_added_like_folios<D: BlockIo>() {
    fn adds<'d, D: BlockIo, V: KernelRules>(
        design: &'d D,
        case: &Case,
        built: &Built<'d, D>,
    ) -> Law {
        let Some(filler) = built.bios.iter().find_map(|bio| bio.vecs().first()) else {
            return Ok(());
        };
        let mut bio = Bio::new(case.max_vecs, 0, Op::Read, filler.page);
        let mut bytes = Vec::new();
        let mut vecs = 0;
        for add in &case.adds {
            let start = add.pfn * PAGE_SIZE + u64::from(add.offset);
            let goes_on = bytes.last().is_some_and(|(phys, len)| phys + len == start);
            let pages =
                (u64::from(add.offset % PAGE_SIZE as u32) + u64::from(add.len)).div_ceil(PAGE_SIZE);
            let (opens, room) = if V::VERSION == KernelVersion::V5_0 {
                let same_page = goes_on && !start.is_multiple_of(PAGE_SIZE);
                (
                    pages - u64::from(same_page),
                    u64::from(case.max_vecs) - vecs,
                )
            } else {
                (u64::from(!goes_on), u64::from(case.max_vecs) - vecs)
            };
            if V::VERSION == KernelVersion::V5_0 && opens > room {
                // Part of it is taken, page by page, which is not what this law is about.
                continue;
            }
            let got = design.add_unit::<V>(&mut bio, built.units[&add.pfn], add.len, add.offset);
            let wanted = if opens > room { 0 } else { add.len };
            holds(got == wanted, || {
                format!("{got} bytes of {add:?} taken, should be {wanted}")
            })?;
            if got > 0 {
                bytes.push((start, u64::from(got)));
                vecs += opens;
            }
            holds(bio.vecs().len() as u64 == vecs, || {
                format!("{} vecs after {add:?}, should be {vecs}", bio.vecs().len())
            })?;
        }
        let (table, bytes) = (table_bytes(design, &bio), joined(bytes));
        holds(table == bytes, || {
            format!("the table holds {table:x?}, added were {bytes:x?}")
        })
    }
    for_each_case::<D>(0, |design, case| {
        for_bios!(design, case, |built, V| adds::<D, V>(design, case, built))
    });
}
