//! `merging/slab-io`: block IO to slab memory.

mod bounce;

use std::hint::black_box;

use mm::block::Bio;
use mm::{BlockIo, KernelRules, SlabIo};

use crate::checksum::Digest;
use crate::fixture::{Added, Fixture, fill};
use crate::job::{Prepared, Then, Truth};
use crate::params::{self, Default, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "merging/slab-io",
    capability: mm::Capability::Block,
    asks: "who takes block IO to slab memory, and what does it cost?",
    analysis: "Filesystems read and write metadata that lies in slabs. With struct page that just \
        works: a slab's page is a page. Weiner's types make slab memory a type of its own, with \
        no reference count and no way into a bio_vec of file or anon memory unless the block \
        layer speaks of any unit of memory; a design may also refuse. \
        The loop is a whole IO: reset, add, walk by page, end. Nobody pins or dirties memory that \
        does not come from user space: the objects' owner keeps the slab, and the end of a bio \
        that pinned nothing returns at once (BIO_NO_PAGE_REF, BIO_PAGE_PINNED). A design whose \
        bio_vecs cannot name slab memory (folio-bvec-noslab) leaves it to the submitter: he \
        allocates a buffer for each piece, does the IO to that, copies what was read, and frees \
        it. The difference to folio-bvec is the price of 'slab must be a subtype'.",
    favours: "designs whose vecs name whole units where slabs are large: one vec, no page \
        arithmetic; at order 0 no design, since nothing asks what a page is used for",
    unfair: "a bounce buffer comes from a pool without an allocator in between, and slab and \
        buffer are warm in the cache when they are copied",
    unit: "allocation",
    axis: "order",
    params: &[
        params::LAYOUT.or(Default::Word("scattered")),
        params::ORDER,
        params::COUNT.or(Default::Number(8)),
        ParamSpec::words("kind", "always slab", &["slab"]),
        params::FOOTPRINT,
        params::RULES,
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(crate::iteration::every_byte),
};

struct Io<'d, D: BlockIo + 'd> {
    bio: Bio<D::BvPage<'d>>,
    adds: Vec<Added<D::Unit<'d>>>,
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    if D::SLAB_IO == SlabIo::Refused {
        return bounce::loops::<D, V>();
    }
    vec![entry::<D, V> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    if D::SLAB_IO == SlabIo::Refused {
        return bounce::enter::<D, V>(setup, then);
    }
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let units = fixture.alloc(&design);
    let mut ios: Vec<Io<'_, D>> = Vec::new();
    for ranges in &fixture.ios {
        let (bios, added) = fill::<D, V>(&design, &units, ranges)?;
        for (index, mut bio) in bios.into_iter().enumerate() {
            bio.no_page_ref = true;
            ios.push(Io {
                bio,
                adds: added
                    .iter()
                    .filter(|add| add.bio == index)
                    .copied()
                    .collect(),
            });
        }
    }
    let elements = fixture.ranges();
    let truth = met(&design, &ios);
    then(&mut Prepared::new(
        &design,
        ios,
        elements,
        |ios, iters| entry::<D, V>(&design, ios, iters),
        |_, raw| {
            let leaked = units
                .iter()
                .any(|&unit| !D::IS_FLOOR && design.refcount(unit) > 1);
            truth.of(raw) ^ u64::from(leaked)
        },
    ));
    Ok(())
}

fn met<'d, D: BlockIo>(design: &'d D, ios: &[Io<'d, D>]) -> Truth {
    let (mut digest, mut sum) = (Digest::new(), 0);
    for io in ios {
        design.for_each_segment(&io.bio, |segment| {
            digest.add_bytes(
                design.phys(segment.page) + u64::from(segment.offset),
                u64::from(segment.len),
            );
            sum += u64::from(segment.len);
        });
    }
    // Accepted, walked and released.
    Truth {
        checksum: digest.finish(),
        raw: 3 * sum,
    }
}

#[inline(never)]
fn entry<'d, D: BlockIo, V: KernelRules>(design: &'d D, ios: &mut [Io<'d, D>], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut sum = 0_u64;
        for Io { bio, adds } in &mut *black_box(&mut *ios) {
            bio.reset(0);
            for add in &*adds {
                sum += u64::from(design.add_unit::<V>(bio, add.unit, add.len, add.offset));
            }
            design.for_each_segment(bio, |segment| {
                sum += u64::from(segment.len);
                black_box(segment.page);
            });
            sum += design.end_io(bio);
        }
        result = black_box(sum);
    }
    result
}
