//! Taking a capture from the running kernel; needs root, for page frame numbers and flags.

use std::collections::HashMap;
use std::path::Path;

use hugemem::pagemap::{self, FrameFlags, Page, PageFlags, RegionKind};
use hugemem::{Backing, Mapping, Request};

use super::{Capture, CapturedBacking, Header, to_runs};
use crate::{Extent, Kind, MAX_ORDER, Order, Pfn};

/// Flags are read in blocks of this many frames.
const BLOCK_FRAMES: u64 = 512;

/// Entries of pagemap that are read at a time: a process may reserve terabytes.
const PAGES_AT_A_TIME: u64 = 1 << 16;

/// Why nothing was captured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// The kernel did not give the memory, or does not let us look at it.
    #[error(transparent)]
    Memory(#[from] hugemem::Error),
    /// Nothing of it is in memory.
    #[error("nothing to capture: no page of {0} is in memory")]
    NothingPresent(String),
    /// The kernel's release cannot be read.
    #[error("cannot read the kernel's release: {0}")]
    Kernel(std::io::Error),
}

/// Which mappings of a process are captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PidFilter {
    /// Anonymous memory, heap and stacks.
    Anonymous,
    /// Files.
    Files,
    /// Both.
    #[default]
    All,
}

impl PidFilter {
    const fn takes(self, what: RegionKind) -> bool {
        match what {
            RegionKind::Anonymous | RegionKind::Stack => {
                matches!(self, Self::Anonymous | Self::All)
            }
            RegionKind::File => matches!(self, Self::Files | Self::All),
            RegionKind::Other => false,
        }
    }
}

/// Captures a populated buffer of our own.
///
/// # Errors
/// [`TakeError::Memory`]: what [`Mapping::new`] says, and without root
/// [`hugemem::Error::PfnsHidden`] or [`hugemem::Error::NoProc`].
pub fn own_buffer(backing: Backing, bytes: usize) -> Result<Capture, TakeError> {
    let mut flags = FrameFlags::open()?;
    let map = Mapping::new(Request::new(bytes, backing))?;
    let pages = pagemap::of_mapping(&map)?;
    let mut walk = Walk::new(|pfn, count| flags.read(pfn, count));
    walk.pages(&pages)?;
    let what = format!("a populated buffer of {} MiB", map.mapped_bytes() >> 20);
    walk.finish(
        what,
        CapturedBacking::Buffer(map.got()),
        map.filesystem().map(str::to_owned),
    )
}

/// Captures what a process has in memory.
///
/// # Errors
/// [`TakeError::Memory`] without the process or root, [`TakeError::NothingPresent`].
pub fn pid(pid: u32, filter: PidFilter) -> Result<Capture, TakeError> {
    let mut flags = FrameFlags::open()?;
    let mut walk = Walk::new(|pfn, count| flags.read(pfn, count));
    for region in pagemap::regions(pid)? {
        if !filter.takes(region.what) || !region.accessible {
            continue;
        }
        let step = PAGES_AT_A_TIME * crate::PAGE_SIZE;
        for start in (region.start..region.end).step_by(step as usize) {
            walk.pages(&pagemap::of_pid(pid, start, region.end.min(start + step))?)?;
        }
        walk.leave();
    }
    let what = match filter {
        PidFilter::Anonymous => "anonymous memory of a process",
        PidFilter::Files => "mapped files of a process",
        PidFilter::All => "memory of a process",
    };
    walk.finish(what.to_owned(), CapturedBacking::Process, None)
}

/// Captures the page cache of a file, which is brought into memory for it.
///
/// # Errors
/// [`TakeError::Memory`] without root, or if the file cannot be read or holds nothing.
pub fn file(path: &Path) -> Result<Capture, TakeError> {
    let mut flags = FrameFlags::open()?;
    let (pages, filesystem) = pagemap::of_file(path)?;
    let mut walk = Walk::new(|pfn, count| flags.read(pfn, count));
    walk.pages(&pages)?;
    let what = format!(
        "the page cache of a file of {} KiB",
        pages.len() as u64 * crate::PAGE_SIZE / 1024
    );
    walk.finish(what, CapturedBacking::PageCache, filesystem)
}

/// A walk over present pages that tells where one allocation ends and the next begins.
struct Walk<R> {
    read: R,
    blocks: HashMap<u64, Vec<PageFlags>>,
    extents: Vec<(Extent, Kind)>,
    /// The allocation that the last page lies in, and how many of its pages were visited.
    inside: Option<(Extent, u64)>,
    present: u64,
    partial: u64,
    skipped: u64,
}

impl<R: FnMut(u64, u64) -> Result<Vec<PageFlags>, hugemem::Error>> Walk<R> {
    fn new(read: R) -> Self {
        Self {
            read,
            blocks: HashMap::new(),
            extents: Vec::new(),
            inside: None,
            present: 0,
            partial: 0,
            skipped: 0,
        }
    }

    fn pages(&mut self, pages: &[Page]) -> Result<(), hugemem::Error> {
        for page in pages {
            match page {
                Page::Present { pfn } => self.page(Pfn(*pfn))?,
                Page::Absent | Page::Swapped => self.leave(),
            }
        }
        Ok(())
    }

    fn page(&mut self, pfn: Pfn) -> Result<(), hugemem::Error> {
        self.present += 1;
        if let Some((extent, met)) = &mut self.inside
            && *met < extent.order.pages()
            && extent.contains(pfn)
        {
            *met += 1;
            return Ok(());
        }
        self.leave();
        match self.allocation_of(pfn)? {
            Some((extent, kind)) => {
                self.extents.push((extent, kind));
                self.inside = Some((extent, 1));
            }
            None => self.skipped += 1,
        }
        Ok(())
    }

    /// The next page belongs to another allocation.
    fn leave(&mut self) {
        if let Some((extent, met)) = self.inside.take()
            && met < extent.order.pages()
        {
            self.partial += 1;
        }
    }

    /// The flags of a frame; beyond the end of memory there is none.
    fn flags(&mut self, pfn: u64) -> Result<PageFlags, hugemem::Error> {
        let block = pfn / BLOCK_FRAMES;
        if !self.blocks.contains_key(&block) {
            let flags = (self.read)(block * BLOCK_FRAMES, BLOCK_FRAMES)?;
            self.blocks.insert(block, flags);
        }
        let place = (pfn % BLOCK_FRAMES) as usize;
        Ok(self.blocks[&block]
            .get(place)
            .copied()
            .unwrap_or(PageFlags::NOPAGE))
    }

    /// The allocation that a frame lies in; `None` for what is left out of captures.
    fn allocation_of(&mut self, pfn: Pfn) -> Result<Option<(Extent, Kind)>, hugemem::Error> {
        let mut head = pfn.0;
        let mut flags = self.flags(head)?;
        while flags.contains(PageFlags::COMPOUND_TAIL) && head > 0 && pfn.0 - head < 1 << MAX_ORDER
        {
            head -= 1;
            flags = self.flags(head)?;
        }
        let mut pages = 1;
        if flags.contains(PageFlags::COMPOUND_HEAD) {
            while pages < 1 << MAX_ORDER
                && self.flags(head + pages)?.contains(PageFlags::COMPOUND_TAIL)
            {
                pages += 1;
            }
        }
        // Anything else was taken apart or put together between two looks.
        let whole = pages.is_power_of_two() && head.is_multiple_of(pages) && pfn.0 < head + pages;
        let extent = || Extent::new(Pfn(head), Order::new(pages.ilog2() as u8));
        Ok(kind_of(flags)
            .filter(|_| whole)
            .map(|kind| (extent(), kind)))
    }

    fn finish(
        mut self,
        what: String,
        backing: CapturedBacking,
        filesystem: Option<String>,
    ) -> Result<Capture, TakeError> {
        self.leave();
        if self.extents.is_empty() {
            return Err(TakeError::NothingPresent(what));
        }
        let kernel =
            std::fs::read_to_string("/proc/sys/kernel/osrelease").map_err(TakeError::Kernel)?;
        let header = Header {
            kernel: kernel.trim().to_owned(),
            date: jiff::Timestamp::now()
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date(),
            what,
            backing,
            filesystem,
            bytes: self.present * crate::PAGE_SIZE,
            pages: self
                .extents
                .iter()
                .map(|(extent, _)| extent.order.pages())
                .sum(),
            partial: self.partial,
            skipped: self.skipped,
        };
        Ok(Capture {
            header,
            runs: to_runs(self.extents),
        })
    }
}

/// The use of an allocation, by its head's flags (`stable_page_flags`, Linux 6.12);
/// `None` for the zero page, broken memory, and kernel memory that no flag tells apart.
fn kind_of(flags: PageFlags) -> Option<Kind> {
    let unusable = PageFlags::NOPAGE
        | PageFlags::HWPOISON
        | PageFlags::OFFLINE
        | PageFlags::ZERO_PAGE
        | PageFlags::COMPOUND_TAIL;
    let cached = PageFlags::LRU
        | PageFlags::UPTODATE
        | PageFlags::SWAPBACKED
        | PageFlags::HUGE
        | PageFlags::MMAP;
    match flags {
        flags if flags.intersects(unusable) => None,
        flags if flags.contains(PageFlags::BUDDY) => Some(Kind::Free),
        flags if flags.contains(PageFlags::SLAB) => Some(Kind::Slab),
        flags if flags.contains(PageFlags::PGTABLE) => Some(Kind::PageTable),
        flags if flags.contains(PageFlags::ANON) => Some(Kind::Anon),
        flags if flags.intersects(cached) => Some(Kind::File),
        _ => None,
    }
}

#[cfg(test)]
#[path = "take_tests.rs"]
mod tests;
