//! One word per frame: which type of memory it belongs to, and where the descriptor is.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};

use mm::{BuildError, DescriptorArray, Plan, PowerArray, Slot};
use physmem::{Extent, Kind, Pfn};

/// The bits that say the type; 0 for a free frame. Descriptors are 64-byte lines, so an
/// address leaves six bits.
const TYPE_MASK: u64 = 15;
/// Where the word of a free block's head has the block's order, plus one; an unmarked free
/// frame's word is 0.
const BLOCK_SHIFT: u32 = 8;

/// Whether the frame is free.
#[inline]
pub(crate) fn is_free(word: u64) -> bool {
    word & TYPE_MASK == 0
}

/// Frames of the free block that starts here; 1 for an unmarked free frame.
#[inline]
pub(crate) fn free_pages(word: u64) -> u64 {
    1 << (word >> BLOCK_SHIFT)
        .saturating_sub(1)
        .min(u64::from(physmem::MAX_ORDER))
}

/// The words of all frames.
#[derive(Debug)]
pub(crate) struct Words {
    words: PowerArray<AtomicU64>,
    base: Pfn,
    frames: u64,
}

impl Words {
    pub(crate) fn build(plan: &Plan) -> Result<Self, BuildError> {
        let words = PowerArray::map(plan.frames, plan.backing)?;
        Ok(Self {
            words,
            base: plan.base,
            frames: plan.frames,
        })
    }

    /// The first frame that is described.
    #[inline]
    pub(crate) fn base(&self) -> Pfn {
        self.base
    }

    /// Whether a frame is described.
    #[inline]
    pub(crate) fn describes(&self, pfn: Pfn) -> bool {
        pfn.0.wrapping_sub(self.base.0) < self.frames
    }

    /// The word of a frame; some word for a frame that is not described.
    #[inline]
    pub(crate) fn at(&self, pfn: Pfn) -> &AtomicU64 {
        self.words.at(pfn.0.wrapping_sub(self.base.0))
    }

    /// Lets every frame of an extent lead to its descriptor.
    #[inline]
    pub(crate) fn point(&self, extent: Extent, slot: &Slot, kind: Kind) {
        let word = PowerArray::word_of(slot) | kind as u64;
        for n in 0..extent.order.pages() {
            // Release pairs with the Acquire of a walk that follows the word.
            self.at(extent.head + n).store(word, Release);
        }
    }

    /// Makes frames free.
    #[inline]
    pub(crate) fn clear(&self, pfn: Pfn, pages: u64) {
        for n in 0..pages {
            self.at(pfn + n).store(0, Relaxed);
        }
    }

    /// Marks a free block.
    pub(crate) fn mark_free(&self, extent: Extent) {
        let order = u64::from(extent.order.get());
        self.at(extent.head)
            .store((order + 1) << BLOCK_SHIFT, Relaxed);
    }

    /// The cost of the described frames' words.
    pub(crate) fn array(&self) -> DescriptorArray<'_> {
        DescriptorArray {
            bytes: self.frames * size_of::<AtomicU64>() as u64,
            mapping: self.words.mapping(),
        }
    }
}
