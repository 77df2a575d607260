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
        is used for. One word per frame and one descriptor per allocation cost 88 bytes at order \
        0, which is more, and an eighth at order 9. Every argument for typed descriptors rests on \
        how much memory is in large units: mix=typical and the orders give the two ends.",
    favours: "split at order 1 and above; flat at order 0",
    unfair: "the slabs that descriptors of their own would be allocated from have a waste that is \
        not counted; nor is vmemmap optimisation, which frees most tails of hugetlb pages today",
    unit: "byte/GiB",
    axis: "order",
    params: &[
        ParamSpec::words(
            "mix",
            "uniform: one kind and order; typical: a server's mix",
            &["uniform", "typical"],
        ),
        params::ORDER.or(params::Default::Unset),
        params::KIND.or(params::Default::Unset),
    ],
    fixture: None,
    quantity: Quantity::Value {
        quantity: "descriptor-bytes",
        unit: "byte/GiB",
        less_is_better: true,
    },
};

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
    let design: D = build(setup, FRAMES)?;
    if setup.word("mix")? == "typical" {
        for (extent, kind) in mixed_zone(BASE..BASE + FRAMES, setup.seed, &Mix::typical()) {
            if kind != Kind::Free {
                design.alloc(extent, kind);
            }
        }
        return Ok(design.descriptor_bytes() as f64);
    }
    let order = setup.order()?;
    let kind = setup.kind().unwrap_or(Kind::Anon);
    for n in 0..FRAMES >> order.get() {
        design.alloc(physmem::Extent::new(BASE + n * order.pages(), order), kind);
    }
    Ok(design.descriptor_bytes() as f64)
}
