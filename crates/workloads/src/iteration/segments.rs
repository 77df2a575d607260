//! `iteration/segments`: the walk by base page.

use std::hint::black_box;

use hugemem::{Mapping, Request};
use mm::block::Bio;
use mm::{BlockIo, KernelRules};
use physmem::PAGE_SIZE;

use crate::bodies::Walk;
use crate::checksum::Digest;
use crate::fixture::{BASE, Fixture};
use crate::job::{Extras, MemoryOf, Prepared, Then, Truth};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "iteration/segments",
    capability: mm::Capability::Block,
    asks: "what does it cost to walk a bio 4 KiB at a time (bio_for_each_segment)?",
    analysis: "Most drivers and filesystems of 2021 walked bios by base page, whatever the \
        allocation behind them. Multi-page bvecs made the table small but not this walk: each \
        step still clips at a page end and computes the page's descriptor. Vecs that \
        name pages or head pages hand out a page; those that name units (memdesc, folio-bvec) \
        keep the unit and move the offset, which saves the descriptor arithmetic but nothing \
        else. With payload=read every byte is read as well, \
        and whoever claims that descriptors do not matter is right: the walk drowns in the data.",
    favours: "flat-sp, whose table already holds one entry per page, so that nothing has to be \
        clipped; memdesc and folio-bvec, which hand out the unit and an offset, not the page",
    unfair: "a driver that needs the page pays for the way to it where it was handed a unit; one \
        that walks by page under folios would be rewritten to walk by folio, and iteration/chunks \
        is what it would then cost",
    unit: "page",
    axis: "order",
    params: &[
        params::LAYOUT,
        params::ORDER,
        params::COUNT,
        params::KIND,
        params::FOOTPRINT,
        params::IO_BYTES,
        params::RULES,
        ParamSpec::words(
            "payload",
            "none: descriptors only; read: every byte of the data too",
            &["none", "read"],
        ),
    ],
    fixture: Some(Fixture::of),
    quantity: Quantity::Time(expected),
};

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    super::every_byte(setup)
}

/// Where the machine code of the loops is.
pub fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![
        entry::<D> as *const () as usize,
        entry_payload::<D> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: BlockIo, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let design: D = fixture.build(setup)?;
    let bios = fixture.bios::<D, V>(&design, &fixture.alloc(&design))?;
    let elements = fixture.pages();
    if setup.word("payload")? == "read" {
        return enter_payload(setup, &design, &bios, &fixture, then);
    }
    let truth = met(&design, &bios);
    then(&mut Prepared::new(
        &design,
        (),
        elements,
        |(), iters| entry(&design, &bios, iters),
        |(), raw| truth.of(raw),
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>], iters: u64) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut walk = Walk::default();
        for bio in black_box(bios) {
            walk.segments(design, bio);
        }
        result = black_box(walk.result());
    }
    result
}

fn met<'d, D: BlockIo>(design: &'d D, bios: &[Bio<D::BvPage<'d>>]) -> Truth {
    let (mut digest, mut sum, mut mix) = (Digest::new(), 0, 0);
    for bio in bios {
        design.for_each_segment(bio, |segment| {
            digest.add_bytes(
                design.phys(segment.page) + u64::from(segment.offset),
                u64::from(segment.len),
            );
            sum += u64::from(segment.len);
            mix ^= design.descriptor_word(segment.page) ^ u64::from(segment.offset);
        });
    }
    Truth {
        checksum: digest.finish(),
        raw: sum ^ mix,
    }
}

fn enter_payload<'d, D: BlockIo>(
    setup: &Setup,
    design: &'d D,
    bios: &[Bio<D::BvPage<'d>>],
    fixture: &Fixture,
    then: Then<'_>,
) -> Result<(), SetupError> {
    let bytes = fixture.frames * PAGE_SIZE;
    if bytes > 64 << 20 {
        return Err(SetupError::Param(
            "payload=read: it takes a footprint of l1 or l2".to_owned(),
        ));
    }
    let mut payload = Mapping::new(Request::new(bytes as usize, setup.backing))?.into_bytes();
    fill(payload.as_mut_slice(), setup.seed);
    let met = met(design, bios);
    let sum = fixture.ios.iter().flatten().fold(0_u64, |sum, range| {
        let (extent, _) = fixture.extents[range.extent];
        let start = (extent.head.phys() + u64::from(range.offset) - BASE.phys()) / 8;
        (start..start + u64::from(range.len) / 8)
            .fold(sum, |sum, word| sum.wrapping_add(value(word, setup.seed)))
    });
    let truth = Truth { raw: sum, ..met };
    then(
        &mut Prepared::new(
            design,
            payload,
            fixture.pages(),
            |payload, iters| entry_payload(design, bios, payload.as_slice(), iters),
            |_, raw| truth.of(raw),
        )
        .with(Extras {
            payload: |payload| {
                vec![MemoryOf {
                    what: "payload",
                    mapping: payload.mapping(),
                }]
            },
            ..Extras::default()
        }),
    );
    Ok(())
}

/// The same walk with every word of the data read.
#[inline(never)]
fn entry_payload<'d, D: BlockIo>(
    design: &'d D,
    bios: &[Bio<D::BvPage<'d>>],
    payload: &[u8],
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut sum = 0_u64;
        for bio in black_box(bios) {
            design.for_each_segment(bio, |segment| {
                let start =
                    (design.phys(segment.page) - BASE.phys()) as usize + segment.offset as usize;
                let data = payload
                    .get(start..start + segment.len as usize)
                    .unwrap_or(&[]);
                for word in data.as_chunks::<8>().0 {
                    sum = sum.wrapping_add(u64::from_le_bytes(*word));
                }
            });
        }
        result = black_box(sum);
    }
    result
}

/// The payload's value at a word.
const fn value(word: u64, seed: u64) -> u64 {
    (word ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn fill(payload: &mut [u8], seed: u64) {
    for (word, bytes) in (0..).zip(payload.as_chunks_mut::<8>().0) {
        *bytes = value(word, seed).to_le_bytes();
    }
}
