//! A census: all memory of a running machine, counted by what it is used for and in which
//! orders. Unlike a [`Capture`](crate::Capture) it holds numbers only, no place of anything.
//!
//! The kernel has one word of flags for each frame (/proc/kpageflags), which tells heads from
//! tails, free memory, slabs, page tables and user memory. Kernel memory beyond that has no
//! flag: stacks, per-CPU lists of free pages, drivers' buffers. It is counted as unnamed.

use std::collections::BTreeMap;
use std::fmt;

use hugemem::pagemap::{FrameWords, PageFlags};

use crate::allocator::natural_blocks;
use crate::{Kind, MAX_ORDER, Order, Pfn};

/// A use of memory, as far as the kernel's flags tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Use {
    /// In the buddy allocator.
    Free,
    /// Anonymous memory, THP included.
    Anon,
    /// Page cache and shared memory.
    File,
    /// A hugetlb page, used or in its pool.
    Hugetlb,
    /// A slab.
    Slab,
    /// A page table.
    PageTable,
    /// Memory of the kernel that no flag names; also pages in per-CPU free lists.
    Unnamed,
    /// Never handed to the allocator: firmware, the kernel's image, the descriptors themselves.
    Reserved,
    /// Offline or broken.
    Unusable,
}

impl Use {
    /// Every use, in the order of tables.
    pub const ALL: [Self; 9] = [
        Self::Anon,
        Self::File,
        Self::Hugetlb,
        Self::Slab,
        Self::PageTable,
        Self::Unnamed,
        Self::Free,
        Self::Reserved,
        Self::Unusable,
    ];

    /// Its name in records and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Anon => "anon",
            Self::File => "file",
            Self::Hugetlb => "hugetlb",
            Self::Slab => "slab",
            Self::PageTable => "page-table",
            Self::Unnamed => "unnamed",
            Self::Reserved => "reserved",
            Self::Unusable => "unusable",
        }
    }

    /// Returns the use of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == name)
    }

    /// The kind of allocation that a design would make for it; `None` for memory that nobody
    /// allocated, which costs what a frame costs. Unnamed memory is described as a kernel
    /// stack, one descriptor a page: the most that it can cost.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Anon | Self::Hugetlb => Some(Kind::Anon),
            Self::File => Some(Kind::File),
            Self::Slab => Some(Kind::Slab),
            Self::PageTable => Some(Kind::PageTable),
            Self::Unnamed => Some(Kind::KernelStack),
            Self::Free | Self::Reserved | Self::Unusable => None,
        }
    }

    /// The use of an allocation by the flags of its head; `None` for a frame without a
    /// descriptor.
    fn of(word: u64) -> Option<Self> {
        let flags = PageFlags::parse_info(word);
        let has = |any: PageFlags| flags.intersects(any);
        Some(if has(PageFlags::NOPAGE) {
            return None;
        } else if has(PageFlags::HWPOISON | PageFlags::OFFLINE) {
            Self::Unusable
        } else if has(PageFlags::BUDDY) {
            Self::Free
        } else if has(PageFlags::HUGE) {
            Self::Hugetlb
        } else if has(PageFlags::SLAB) {
            Self::Slab
        } else if has(PageFlags::PGTABLE) {
            Self::PageTable
        } else if has(PageFlags::ANON) {
            Self::Anon
        } else if word >> KPF_RESERVED & 1 == 1 || has(PageFlags::ZERO_PAGE) {
            Self::Reserved
        } else if has(PageFlags::LRU | PageFlags::SWAPBACKED | PageFlags::MMAP) {
            Self::File
        } else {
            Self::Unnamed
        })
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `KPF_RESERVED`, one of the flags that the kernel keeps for its own developers.
const KPF_RESERVED: u32 = 32;
/// The largest free block of the buddy allocator (`MAX_PAGE_ORDER`).
const LARGEST_FREE: u8 = 10;

/// Blocks of one use and order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// The number of blocks.
    pub blocks: u64,
    /// Frames of them that user space has mapped.
    pub mapped: u64,
    /// Frames of blocks that are charged to a memory cgroup.
    pub charged: u64,
}

/// All memory of a machine by use and order.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Census {
    /// The blocks.
    pub blocks: BTreeMap<(Use, Order), Tally>,
    /// Frames that have a descriptor.
    pub frames: u64,
    /// Frame numbers below the last frame that have none.
    pub holes: u64,
    /// Frames of allocations that changed while they were looked at, counted as base pages.
    pub torn: u64,
    /// Whether the kernel told what is mapped.
    pub tells_mapped: bool,
    /// Whether the kernel told what is charged.
    pub tells_charged: bool,
}

/// Frames that are read at a time.
const AT_A_TIME: u64 = 1 << 15;

/// Counts the memory of the running machine. `progress` gets the frames done, and all of them.
///
/// # Errors
/// [`hugemem::Error::NoProc`] where the kernel hides its frames: from anyone but root.
pub fn take(progress: &mut dyn FnMut(u64, u64)) -> Result<Census, hugemem::Error> {
    let flags = FrameWords::flags()?;
    // Both can be missing where the flags are not.
    let (mapped, owners) = (FrameWords::mapped().ok(), FrameWords::owners().ok());
    let end = flags.end()?;
    let mut walk = Walk::default();
    walk.census.tells_mapped = mapped.is_some();
    walk.census.tells_charged = owners.is_some();
    for start in (0..end).step_by(AT_A_TIME as usize) {
        let count = AT_A_TIME.min(end - start);
        let words = |of: &Option<FrameWords>| match of {
            Some(file) => file.read(start, count),
            None => Ok(Vec::new()),
        };
        let (mapped, owners) = (words(&mapped)?, words(&owners)?);
        let at = |words: &[u64], n: usize| words.get(n).copied().unwrap_or(0);
        for (n, word) in flags.read(start, count)?.into_iter().enumerate() {
            walk.frame(Frame {
                pfn: start + n as u64,
                flags: word,
                mapped: at(&mapped, n) > 0,
                charged: at(&owners, n) != 0,
            });
        }
        progress(start + count, end);
    }
    Ok(walk.finish())
}

/// One frame as the kernel reports it.
#[derive(Clone, Copy, Debug)]
struct Frame {
    pfn: u64,
    flags: u64,
    mapped: bool,
    charged: bool,
}

impl Frame {
    fn has(self, flag: PageFlags) -> bool {
        PageFlags::parse_info(self.flags).contains(flag)
    }
}

/// The block that a walk is in.
#[derive(Debug)]
struct Open {
    of: Use,
    head: u64,
    frames: u64,
    mapped: u64,
    charged: bool,
    /// Whether frames may join: tails of a compound page, or free frames.
    is_compound: bool,
}

/// A walk over all frames, in order.
#[derive(Default, Debug)]
struct Walk {
    census: Census,
    open: Option<Open>,
}

impl Walk {
    fn frame(&mut self, frame: Frame) {
        let Some(of) = Use::of(frame.flags) else {
            self.close();
            self.census.holes += 1;
            return;
        };
        self.census.frames += 1;
        let is_tail = frame.has(PageFlags::COMPOUND_TAIL);
        if let Some(open) = &mut self.open {
            let joins = match open.of {
                Use::Free => of == Use::Free,
                _ => is_tail && open.is_compound && open.frames < 1 << MAX_ORDER,
            };
            if joins {
                open.frames += 1;
                open.mapped += u64::from(frame.mapped);
                return;
            }
        }
        self.close();
        self.open = Some(Open {
            of,
            head: frame.pfn,
            frames: 1,
            mapped: u64::from(frame.mapped),
            charged: frame.charged,
            is_compound: frame.has(PageFlags::COMPOUND_HEAD),
        });
        // A tail without its head: the allocation was made or freed meanwhile.
        self.census.torn += u64::from(is_tail);
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let whole = open.frames.is_power_of_two() && open.head.is_multiple_of(open.frames);
        if whole && open.of != Use::Free {
            let order = Order::new(open.frames.ilog2() as u8);
            self.add(&open, order, 1);
        } else if open.of == Use::Free {
            // Free neighbours are one block unless the buddy allocator cannot join them.
            for block in natural_blocks(Pfn(open.head)..Pfn(open.head + open.frames)) {
                let order = block.order.get();
                let most = order.min(LARGEST_FREE);
                self.add(&open, Order::new(most), 1 << (order - most));
            }
        } else {
            self.census.torn += open.frames;
            self.add(&open, Order::BASE, open.frames);
        }
    }

    fn add(&mut self, open: &Open, order: Order, blocks: u64) {
        let tally = self.census.blocks.entry((open.of, order)).or_default();
        let frames = blocks * order.pages();
        tally.blocks += blocks;
        // Free memory is neither; all else is added whole.
        tally.mapped += open.mapped.min(frames);
        tally.charged += if open.charged { frames } else { 0 };
    }

    fn finish(mut self) -> Census {
        self.close();
        self.census
    }
}

#[cfg(test)]
#[path = "census_tests.rs"]
mod tests;
