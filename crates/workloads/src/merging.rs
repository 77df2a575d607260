//! Building bios, and what the block layer makes of them.

pub mod add;
pub mod count_segments;
pub mod map_sg;
pub mod slab_io;
pub mod split;

use mm::block::{Bio, Plug, Request};
use mm::{BlockIo, KernelRules, NoMerge, QueueLimits};

use crate::fixture::Fixture;
use crate::params::{Default, ParamSpec};
use crate::{Setup, SetupError};

/// The limits of the queue.
const LIMITS: ParamSpec = ParamSpec::words(
    "limits",
    "default: 128 segments of 64 KiB; large: segments of any size; nvme: 4 KiB virtual boundary; \
     small: 32 segments, 128 KiB in one IO",
    &["default", "large", "nvme", "small"],
);

/// Whether a piece that is added may join the last vec. It is absent where it does, so that rows
/// keep the names they always had.
const MERGE: ParamSpec = ParamSpec::words(
    "merge",
    "no: every piece that is added gets a vec of its own, the neighbour is not asked",
    &["no"],
)
.or(Default::Unset);

/// Whether the setup asks for bios that were built without merging.
fn is_unmerged(setup: &Setup) -> bool {
    setup.params.contains_key(MERGE.name)
}

/// Bios of whole allocations, merged as they are built unless the setup asks for others.
fn bios<'d, D: BlockIo, V: KernelRules>(
    setup: &Setup,
    fixture: &Fixture,
    design: &'d D,
) -> Result<Vec<Bio<D::BvPage<'d>>>, SetupError> {
    let units = fixture.alloc(design);
    if is_unmerged(setup) {
        fixture.bios::<D, NoMerge<V>>(design, &units)
    } else {
        fixture.bios::<D, V>(design, &units)
    }
}

/// The limits that the parameter `limits` names.
fn limits<V: KernelRules>(setup: &Setup) -> Result<QueueLimits, SetupError> {
    let default = QueueLimits::defaults(V::VERSION);
    Ok(match setup.word("limits")?.as_str() {
        "large" => QueueLimits {
            max_segment_size: u32::MAX,
            max_sectors: 1 << 22,
            ..default
        },
        "nvme" => QueueLimits {
            virt_boundary_mask: 0xfff,
            max_segment_size: u32::MAX,
            ..default
        },
        "small" => QueueLimits {
            max_segments: 32,
            max_sectors: 256,
            ..default
        },
        _ => QueueLimits {
            max_sectors: 8192,
            ..default
        },
    })
}

/// Requests as a plug builds them from bios.
fn requests<'b, 'd, D: BlockIo, V: KernelRules>(
    design: &'d D,
    limits: &QueueLimits,
    bios: &'b [Bio<D::BvPage<'d>>],
) -> Result<Vec<Request<'b, D::BvPage<'d>>>, SetupError> {
    let mut plug = Plug::default();
    for bio in bios {
        let submitted = plug.submit::<V, D>(design, limits, bio.part());
        submitted
            .map_err(|e| SetupError::Wrong(format!("a bio of whole pages is refused: {e}")))?;
    }
    Ok(plug.finish())
}
