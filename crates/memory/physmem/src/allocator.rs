//! A deterministic buddy allocator over a range of frames.
//!
//! It follows the kernel's (`mm/page_alloc.c`, Linux 6.12: `__rmqueue_smallest`, `expand`,
//! `__free_one_page`) in what it guarantees: allocations are naturally aligned powers of
//! two, a free block and its free buddy are always joined. It differs in its largest block,
//! [`MAX_ORDER`] instead of the kernel's 10, so that 1 GiB pages come from the same place.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::{Extent, MAX_ORDER, Order, Pfn};

/// Frames in the blocks that fragmentation strikes or spares, as the kernel's pageblocks.
const PAGEBLOCK_FRAMES: u64 = Order::PMD.pages();

/// The coarsest pattern in which a fragmented pageblock is held.
const COARSEST_HELD: u8 = 5;

/// No block starts at the frame.
const NO_BLOCK: u8 = u8::MAX;

/// Marks in the tables an allocation that fragmentation holds: it is not the caller's to free.
const HELD: u8 = 0x80;

/// Why an allocator cannot be made.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// A range without frames, or with more than fit into its tables.
    #[error("an allocator over {0} frames: it takes 1 to 2^32 - 1")]
    Frames(u64),
    /// A fragmentation that is not between 0 and 1.
    #[error("fragmentation {0}: it goes from 0.0 (none) to 1.0 (no 2 MiB anywhere)")]
    Fragmentation(f64),
}

/// An extent was freed that is not allocated, or was allocated in other pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("order {} at frame {} is not allocated as such", extent.order, extent.head)]
pub struct NotAllocated {
    /// The allocation that was to be freed.
    pub extent: Extent,
}

/// A buddy allocator: same range, seed, fragmentation and calls, same extents.
#[derive(Clone, Debug)]
pub struct FrameAllocator {
    base: u64,
    frames: u64,
    /// Free blocks by order, as offsets from `base`; the last is handed out next.
    free: Vec<Vec<u32>>,
    /// For each frame the order of the free block that starts there, or [`NO_BLOCK`].
    free_order: Vec<u8>,
    /// For each frame that starts a free block its place in the list of its order.
    place: Vec<u32>,
    /// For each frame the order of the allocation that starts there, or [`NO_BLOCK`].
    allocated_order: Vec<u8>,
    held: Vec<Extent>,
    fragmentation: f64,
    rng: Pcg64,
}

impl FrameAllocator {
    /// An allocator over the frames of `range`.
    ///
    /// `fragmentation` is the share of pageblocks (2 MiB) that are broken up: in each of
    /// them every second block of some small order, drawn per pageblock, is held for good,
    /// so that about half of its memory is gone and none of the rest can join. It is also the
    /// chance with which a free block sits at a random place of its list rather than in order
    /// of address. 0.0 hands out ascending neighbours from the smallest free block that is
    /// large enough, as the kernel does; at 1.0 no 2 MiB block is left.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(range: Range<Pfn>, seed: u64, fragmentation: f64) -> Result<Self, ConfigError> {
        let frames = range.end.0.saturating_sub(range.start.0);
        if frames == 0 || frames >= u64::from(u32::MAX) {
            return Err(ConfigError::Frames(frames));
        }
        if !(0.0..=1.0).contains(&fragmentation) {
            return Err(ConfigError::Fragmentation(fragmentation));
        }
        let mut allocator = Self {
            base: range.start.0,
            frames,
            free: vec![Vec::new(); usize::from(MAX_ORDER) + 1],
            free_order: vec![NO_BLOCK; frames as usize],
            place: vec![0; frames as usize],
            allocated_order: vec![NO_BLOCK; frames as usize],
            held: Vec::new(),
            fragmentation: 0.0,
            rng: Pcg64::seed_from_u64(seed),
        };
        let blocks: Vec<Extent> = natural_blocks(range).collect();
        // The last in the list goes first: ascending addresses.
        for block in blocks.into_iter().rev() {
            allocator.insert(block);
        }
        if fragmentation > 0.0 {
            allocator.break_up(fragmentation);
        }
        Ok(allocator)
    }

    /// Takes a block of 2^`order` frames; `None` if no free block is large enough.
    pub fn alloc(&mut self, order: Order) -> Option<Extent> {
        let found = (order.get()..=MAX_ORDER).find(|o| !self.free[usize::from(*o)].is_empty())?;
        let offset = *self.free[usize::from(found)].last()?;
        let block = Extent::new(Pfn(self.base + u64::from(offset)), Order::new(found));
        self.remove(block);
        // Upper halves go back, largest first, so that the next one taken is the neighbour.
        for half in (order.get()..found).rev().map(Order::new) {
            self.insert(Extent::new(block.head + half.pages(), half));
        }
        let extent = Extent::new(block.head, order);
        self.mark_allocated(extent);
        Some(extent)
    }

    /// Gives an allocation back and joins it with its free buddies.
    ///
    /// # Errors
    /// [`NotAllocated`] if it was not handed out, was freed already, or had another order.
    pub fn free(&mut self, extent: Extent) -> Result<(), NotAllocated> {
        let slot = extent
            .head
            .0
            .checked_sub(self.base)
            .filter(|offset| *offset < self.frames);
        match slot.map(|offset| &mut self.allocated_order[offset as usize]) {
            Some(order) if *order == extent.order.get() => *order = NO_BLOCK,
            _ => return Err(NotAllocated { extent }),
        }
        let mut block = extent;
        while let Some(buddy) = self.free_buddy(block) {
            self.remove(buddy);
            let head = Pfn(block.head.0.min(buddy.head.0));
            block = Extent::new(head, Order::new(block.order.get() + 1));
        }
        self.insert(block);
        Ok(())
    }

    /// The free blocks, ascending.
    pub fn free_blocks(&self) -> impl Iterator<Item = Extent> + '_ {
        self.starts(&self.free_order)
    }

    /// Everything handed out or held, ascending.
    pub fn allocated_blocks(&self) -> impl Iterator<Item = Extent> + '_ {
        self.starts(&self.allocated_order)
    }

    /// The frames that fragmentation holds, in the order in which they were taken.
    pub fn held(&self) -> &[Extent] {
        &self.held
    }

    /// Frees what fragmentation holds.
    pub fn release_held(&mut self) {
        for extent in std::mem::take(&mut self.held) {
            self.mark_allocated(extent);
            self.free(extent).expect("what is held is allocated");
        }
    }

    /// Frames that are free.
    pub fn free_frames(&self) -> u64 {
        (0_u32..)
            .zip(&self.free)
            .map(|(order, list)| (list.len() as u64) << order)
            .sum()
    }

    /// The range that is managed.
    pub fn range(&self) -> Range<Pfn> {
        Pfn(self.base)..Pfn(self.base + self.frames)
    }

    fn starts<'a>(&'a self, orders: &'a [u8]) -> impl Iterator<Item = Extent> + 'a {
        (self.base..)
            .zip(orders)
            .filter(|(_, order)| **order != NO_BLOCK)
            .map(|(pfn, order)| Extent::new(Pfn(pfn), Order::new(order & !HELD)))
    }

    fn free_buddy(&self, block: Extent) -> Option<Extent> {
        if block.order.get() == MAX_ORDER {
            return None;
        }
        let head = block.head.0 ^ block.order.pages();
        let offset = head
            .checked_sub(self.base)
            .filter(|offset| *offset < self.frames)?;
        (self.free_order[offset as usize] == block.order.get())
            .then(|| Extent::new(Pfn(head), block.order))
    }

    fn insert(&mut self, block: Extent) {
        let offset = (block.head.0 - self.base) as u32;
        let order = usize::from(block.order.get());
        let last = self.free[order].len();
        self.free[order].push(offset);
        self.free_order[offset as usize] = block.order.get();
        self.place[offset as usize] = last as u32;
        if self.fragmentation > 0.0 && self.rng.random_bool(self.fragmentation) {
            let other = self.rng.random_range(0..=last);
            self.swap(order, other, last);
        }
    }

    fn remove(&mut self, block: Extent) {
        let offset = (block.head.0 - self.base) as usize;
        let order = usize::from(block.order.get());
        let at = self.place[offset] as usize;
        let last = self.free[order].len() - 1;
        self.swap(order, at, last);
        self.free[order].pop();
        self.free_order[offset] = NO_BLOCK;
    }

    fn swap(&mut self, order: usize, a: usize, b: usize) {
        let list = &mut self.free[order];
        list.swap(a, b);
        self.place[list[a] as usize] = a as u32;
        self.place[list[b] as usize] = b as u32;
    }

    fn mark_allocated(&mut self, extent: Extent) {
        self.allocated_order[(extent.head.0 - self.base) as usize] = extent.order.get();
    }

    /// Holds every second small block of the pageblocks that are struck and stirs the lists.
    fn break_up(&mut self, fragmentation: f64) {
        let mut rest = Vec::new();
        for block in self.free_blocks().collect::<Vec<_>>() {
            self.remove(block);
            let step = PAGEBLOCK_FRAMES.min(block.order.pages());
            for head in (block.head.0..block.end().0).step_by(step as usize) {
                let part = Extent::new(Pfn(head), log2(step));
                if self.rng.random_bool(fragmentation) {
                    self.hold_half_of(part, &mut rest);
                } else {
                    rest.push(part);
                }
            }
        }
        // Joined where nothing is held between, from the top down so that the lists ascend.
        for part in rest.iter().rev() {
            self.mark_allocated(*part);
        }
        for part in rest.iter().rev() {
            self.free(*part).expect("marked above");
        }
        self.fragmentation = fragmentation;
        for order in 0..self.free.len() {
            for at in 0..self.free[order].len() {
                if self.rng.random_bool(fragmentation) {
                    let other = self.rng.random_range(0..self.free[order].len());
                    self.swap(order, at, other);
                }
            }
        }
    }

    fn hold_half_of(&mut self, part: Extent, rest: &mut Vec<Extent>) {
        let Some(coarsest) = part.order.get().checked_sub(1) else {
            // A lone frame at the rim of the range has no other half.
            rest.push(part);
            return;
        };
        let order = Order::new(self.rng.random_range(0..=coarsest.min(COARSEST_HELD)));
        for pair in (part.head.0..part.end().0).step_by(2 * order.pages() as usize) {
            let (lower, upper) = (
                Extent::new(Pfn(pair), order),
                Extent::new(Pfn(pair) + order.pages(), order),
            );
            let (held, left) = if self.rng.random() {
                (lower, upper)
            } else {
                (upper, lower)
            };
            self.allocated_order[(held.head.0 - self.base) as usize] = order.get() | HELD;
            self.held.push(held);
            rest.push(left);
        }
    }
}

/// Cuts a range of frames into the largest naturally aligned blocks, ascending.
pub(crate) fn natural_blocks(range: Range<Pfn>) -> impl Iterator<Item = Extent> {
    let mut at = range.start.0;
    std::iter::from_fn(move || {
        let left = range.end.0.checked_sub(at).filter(|left| *left > 0)?;
        let order = at
            .trailing_zeros()
            .min(left.ilog2())
            .min(u32::from(MAX_ORDER));
        let block = Extent::new(Pfn(at), Order::new(order as u8));
        at = block.end().0;
        Some(block)
    })
}

fn log2(frames: u64) -> Order {
    Order::new(frames.ilog2() as u8)
}
