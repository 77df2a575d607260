//! `layout/footprint`: bytes of descriptor for a GiB of memory.

use mm::{Design, KernelRules};
use physmem::{Kind, Mix, mixed_zone};

use crate::fixture::{BASE, build};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "layout/footprint",
    capability: mm::Capability::Describe,
    asks: "how many bytes of descriptor does a GiB of memory cost?",
    analysis: "struct page costs 64 bytes for each 4 KiB, 16 MiB for a GiB, whatever the memory \
        is used for. A word of 8 bytes for each frame and a descriptor for each allocation cost \
        72 bytes at order 0 with the model's 64 bytes, 88 with the proposal's 80 \
        (descriptors=memdesc-80), and an eighth at order 9. The step that comes first upstream \
        keeps 32 bytes for each frame beside the 80 (descriptors=page-32-memdesc-80). Every \
        argument for typed descriptors rests on how much memory is in large units: mix=typical \
        and the orders give the two ends.",
    favours: "memdesc at order 1 and above; flat at order 0, and against the step that comes first \
        up to order 1",
    unfair: "the slabs that descriptors of their own would be allocated from have a waste that is \
        not counted; nor is vmemmap optimisation, which frees most tails of hugetlb pages today",
    unit: "byte/GiB",
    axis: "order",
    params: &[
        ParamSpec::words(
            "mix",
            "uniform: one kind and order; typical: a server's mix; free: nothing is allocated",
            &["uniform", "typical", "free"],
        ),
        params::ORDER.or(params::Default::Unset),
        params::KIND.or(params::Default::Unset),
        DESCRIPTORS,
    ],
    fixture: None,
    quantity: Quantity::Value {
        quantity: "descriptor-bytes",
        unit: "byte/GiB",
        less_is_better: true,
    },
};

/// The sizes that descriptors allocated apart have, where not those of the model.
const DESCRIPTORS: ParamSpec = ParamSpec::words(
    "descriptors",
    "sizes of descriptors allocated apart; unset: the model's; memdesc-80: a word a frame and the \
     proposal's 80 bytes an allocation; page-32-memdesc-80: the step before, with 32 bytes a frame",
    &["memdesc-80", "page-32-memdesc-80"],
)
.or(params::Default::Unset);

/// Bytes of `struct folio` once it is allocated apart (the memdesc proposal).
const MEMDESC_BYTES: u64 = 80;

/// Frames of a GiB.
const FRAMES: u64 = 1 << 18;

/// The bytes that a design needs for a GiB.
///
/// # Errors
/// [`SetupError`].
pub fn value<D: Design, V: KernelRules>(setup: &Setup) -> Result<f64, SetupError> {
    if D::IS_FLOOR {
        return Err(SetupError::Absent(
            "the floor has no descriptors".to_owned(),
        ));
    }
    let per_frame = match setup.word(DESCRIPTORS.name).as_deref() {
        Ok("memdesc-80") => Some(8),
        Ok("page-32-memdesc-80") => Some(32),
        _ => None,
    };
    let design: D = build(setup, FRAMES)?;
    if per_frame.is_some() && design.memory().len() < 2 {
        return Err(SetupError::Absent(format!(
            "{} allocates no descriptors apart from its frames",
            D::NAME
        )));
    }
    let mut allocations = 0;
    let mix = setup.word("mix")?;
    if mix == "typical" {
        for (extent, kind) in mixed_zone(BASE..BASE + FRAMES, setup.seed, &Mix::typical()) {
            if kind != Kind::Free {
                design.alloc(extent, kind);
                allocations += 1;
            }
        }
    } else if mix != "free" {
        let order = setup.order()?;
        let kind = setup.kind().unwrap_or(Kind::Anon);
        for n in 0..FRAMES >> order.get() {
            design.alloc(physmem::Extent::new(BASE + n * order.pages(), order), kind);
            allocations += 1;
        }
    }
    let bytes = per_frame.map_or_else(
        || design.descriptor_bytes(),
        |bytes| FRAMES * bytes + allocations * MEMDESC_BYTES,
    );
    Ok(bytes as f64)
}
