//! The block layer under rules that are known only at run time.
//!
//! Laws and answers ask it the same few things under every kernel's rules. The rules are chosen
//! here, where each thing is asked, so that a law is compiled once for a design: what is compiled
//! once for each kernel is the block layer alone, as it is timed.

use mm::block::{
    self, AtomicLimits, Bio, BioClone, Plug, SgEntry, SplitError, TableFull, ZoneLimits,
    add_page_in_page_pieces, add_zone_append_page, bio_split_to_limits,
};
use mm::{
    BlockIo, DeviceMemory, KernelVersion, Linux5_0, Linux5_10, Linux6_1, Linux6_12, Linux7_1,
    Linux7_2, QueueLimits,
};

/// The rules of a kernel that a design is run under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Under {
    version: KernelVersion,
    /// Whether what that kernel asks about device memory is asked.
    device_memory: bool,
}

/// The code of `$body` with the rules as the type `$v`. A branch for rules that the design is not
/// run under is not compiled.
macro_rules! as_type {
    ($under:expr, $design:ty, $v:ident => $body:expr) => {{
        macro_rules! by {
            ($rules:ty) => {{
                type $v = $rules;
                $body
            }};
        }
        if const { <$design as BlockIo>::SINGLE_PAGE_VECS } {
            by!(Linux5_0)
        } else {
            match ($under.version, $under.device_memory) {
                (KernelVersion::V5_0, _) => unreachable!("see `Under::new`"),
                (KernelVersion::V5_10, _) => by!(Linux5_10),
                (KernelVersion::V6_1, _) => by!(Linux6_1),
                (KernelVersion::V6_12, false) => by!(Linux6_12),
                (KernelVersion::V7_1, false) => by!(Linux7_1),
                (KernelVersion::V7_2, false) => by!(Linux7_2),
                (KernelVersion::V6_12, true) => by!(DeviceMemory<Linux6_12>),
                (KernelVersion::V7_1, true) => by!(DeviceMemory<Linux7_1>),
                (KernelVersion::V7_2, true) => by!(DeviceMemory<Linux7_2>),
            }
        }
    }};
}

/// Whether a design is run under a kernel's rules: one whose vecs hold a page each under those of
/// 5.0, every other under all later ones.
pub(crate) fn runs_under<D: BlockIo>(version: KernelVersion) -> bool {
    (version == KernelVersion::V5_0) == D::SINGLE_PAGE_VECS
}

impl Under {
    /// `None` where the design is not run under them.
    pub fn new<D: BlockIo>(version: KernelVersion) -> Option<Self> {
        runs_under::<D>(version).then_some(Self {
            version,
            device_memory: false,
        })
    }

    /// The same for memory that may be a device's.
    pub fn with_device_memory(self) -> Self {
        Self {
            // Earlier kernels ask nothing: `DeviceMemory` says so.
            device_memory: self.version >= KernelVersion::V6_12,
            ..self
        }
    }

    pub fn version(self) -> KernelVersion {
        self.version
    }

    pub fn asks_pgmap(self) -> bool {
        self.device_memory
    }

    #[inline(never)]
    pub fn add_page<'d, D: BlockIo>(
        self,
        design: &'d D,
        bio: &mut Bio<D::BvPage<'d>>,
        page: D::BvPage<'d>,
        len: u32,
        offset: u32,
    ) -> u32 {
        as_type!(self, D, V => block::add_page::<V, D>(design, bio, page, len, offset))
    }

    #[inline(never)]
    pub fn add_page_in_page_pieces<'d, D: BlockIo>(
        self,
        design: &'d D,
        bio: &mut Bio<D::BvPage<'d>>,
        page: D::BvPage<'d>,
        len: u32,
        offset: u32,
    ) -> u32 {
        as_type!(self, D, V => add_page_in_page_pieces::<V, D>(design, bio, page, len, offset))
    }

    #[inline(never)]
    pub fn add_zone_append_page<'d, D: BlockIo>(
        self,
        design: &'d D,
        (limits, zone): (&QueueLimits, &ZoneLimits),
        bio: &mut Bio<D::BvPage<'d>>,
        page: D::BvPage<'d>,
        len: u32,
        offset: u32,
    ) -> u32 {
        as_type!(self, D, V => {
            add_zone_append_page::<V, D>(design, limits, zone, bio, page, len, offset)
        })
    }

    #[inline(never)]
    pub fn add_unit<'d, D: BlockIo>(
        self,
        design: &'d D,
        bio: &mut Bio<D::BvPage<'d>>,
        unit: D::Unit<'d>,
        len: u32,
        offset: u32,
    ) -> u32 {
        as_type!(self, D, V => design.add_unit::<V>(bio, unit, len, offset))
    }

    #[inline(never)]
    pub fn is_nomerge<'d, D: BlockIo>(self, design: &'d D, bio: &Bio<D::BvPage<'d>>) -> bool {
        as_type!(self, D, V => block::is_nomerge::<V, D>(design, bio))
    }

    #[inline(never)]
    pub fn zone_append_segments<'d, D: BlockIo>(
        self,
        design: &'d D,
        (limits, zone): (&QueueLimits, &ZoneLimits),
        bio: &BioClone<'_, D::BvPage<'d>>,
    ) -> Result<u32, SplitError> {
        as_type!(self, D, V => block::zone_append_segments::<V, D>(design, limits, zone, bio))
    }

    #[inline(never)]
    pub fn atomic_write_segments<'d, D: BlockIo>(
        self,
        design: &'d D,
        (limits, atomic): (&QueueLimits, &AtomicLimits),
        bio: &BioClone<'_, D::BvPage<'d>>,
    ) -> Result<u32, SplitError> {
        as_type!(self, D, V => block::atomic_write_segments::<V, D>(design, limits, atomic, bio))
    }

    /// `Plug::submit`.
    #[inline(never)]
    pub fn submit<'d, 'b, D: BlockIo>(
        self,
        design: &'d D,
        plug: &mut Plug<'b, D::BvPage<'d>>,
        limits: &QueueLimits,
        bio: BioClone<'b, D::BvPage<'d>>,
    ) -> Result<(), SplitError> {
        as_type!(self, D, V => plug.submit::<V, D>(design, limits, bio))
    }

    /// `Plug::add`.
    #[inline(never)]
    pub fn queue<'d, 'b, D: BlockIo>(
        self,
        design: &'d D,
        plug: &mut Plug<'b, D::BvPage<'d>>,
        limits: &QueueLimits,
        bio: BioClone<'b, D::BvPage<'d>>,
        segments: u32,
    ) {
        as_type!(self, D, V => plug.add::<V, D>(design, limits, bio, segments));
    }

    #[inline(never)]
    pub fn bio_split_to_limits<'d, 'b, D: BlockIo>(
        self,
        design: &'d D,
        limits: &QueueLimits,
        bio: BioClone<'b, D::BvPage<'d>>,
        submit: &mut dyn FnMut(BioClone<'b, D::BvPage<'d>>, u32),
    ) -> Result<(), SplitError> {
        as_type!(self, D, V => bio_split_to_limits::<V, D>(design, limits, bio, submit))
    }

    #[inline(never)]
    pub fn blk_rq_map_sg<'d, D: BlockIo>(
        self,
        design: &'d D,
        limits: &QueueLimits,
        bios: &[BioClone<'_, D::BvPage<'d>>],
        table: &mut [SgEntry],
    ) -> Result<u32, TableFull> {
        as_type!(self, D, V => block::blk_rq_map_sg::<V, D>(design, limits, bios, table))
    }

    #[inline(never)]
    pub fn blk_recalc_rq_segments<'d, D: BlockIo>(
        self,
        design: &'d D,
        limits: &QueueLimits,
        bios: &[BioClone<'_, D::BvPage<'d>>],
    ) -> u32 {
        as_type!(self, D, V => block::blk_recalc_rq_segments::<V, D>(design, limits, bios))
    }
}
