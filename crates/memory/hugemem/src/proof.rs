//! The memory that the kernel really gave, for exactly one mapping.

use procfs::process::{MMapPath, MemoryMaps, Process};

use crate::pagemap::{self, Page};
use crate::{BASE_PAGE_BYTES, Backing, Error, Mapping, PMD_PAGE_BYTES};

/// The evidence for what a mapping lies on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The backing that was asked for.
    pub asked: Backing,
    /// The backing that was got.
    pub got: Backing,
    /// The virtual address of the first byte.
    pub start: u64,
    /// Bytes mapped: the length asked for, rounded up to the backing's page.
    pub bytes_total: u64,
    /// Bytes of these on huge pages of at least 2 MiB, mapped as such.
    pub bytes_huge: u64,
    /// The page size of the mapping as smaps has it (`KernelPageSize`); 4096 for THP too.
    pub page_size_bytes: u64,
    /// Bytes present in memory.
    pub resident_bytes: u64,
    /// Virtual ranges of 2 MiB that are aligned, present and contiguous in physical memory;
    /// `None` where pagemap hides page frames.
    pub contiguous_2m_ranges: Option<u64>,
    /// The file system below tmpfs and file mappings, where known.
    pub filesystem: Option<String>,
    /// Where this was read: `smaps` or `smaps+pagemap`.
    pub source: &'static str,
    /// Why `auto` took this, and why anything could not be read.
    pub reason: Option<String>,
}

/// The entries of `/proc/self/smaps`, for every mapping of this process. The kernel takes
/// milliseconds to generate them in a large process, so several proofs should share one reading.
#[derive(Debug)]
pub struct Smaps(MemoryMaps);

impl Smaps {
    /// Reads the file as it is now. Memory that is mapped later is not in it.
    ///
    /// # Errors
    /// [`Error::NoProc`].
    pub fn read() -> Result<Self, Error> {
        let maps = Process::myself().and_then(|me| me.smaps());
        maps.map(Self)
            .map_err(|error| Error::proc("/proc/self/smaps", error))
    }
}

/// The smaps entries of a mapping, in bytes.
pub(crate) struct Entry {
    pub huge_bytes: u64,
    resident_bytes: u64,
    page_size_bytes: u64,
}

/// The entries that cover the mapping.
pub(crate) fn entry(map: &Mapping, smaps: &Smaps) -> Result<Entry, Error> {
    let start = map.as_ptr().addr();
    let end = start + map.mapped_bytes();
    let mut found = Entry {
        huge_bytes: 0,
        resident_bytes: 0,
        page_size_bytes: 0,
    };
    for entry in &smaps.0 {
        let (from, to) = entry.address;
        if to <= start as u64 || from >= end as u64 || matches!(entry.pathname, MMapPath::Stack) {
            continue;
        }
        let field = |name: &str| entry.extension.map.get(name).copied().unwrap_or(0);
        // Rss leaves hugetlb pages out.
        let hugetlb = field("Private_Hugetlb") + field("Shared_Hugetlb");
        found.huge_bytes +=
            hugetlb + field("AnonHugePages") + field("ShmemPmdMapped") + field("FilePmdMapped");
        found.resident_bytes += hugetlb + field("Rss");
        found.page_size_bytes = field("KernelPageSize");
    }
    if found.page_size_bytes == 0 {
        return Err(Error::NotInSmaps { start, end });
    }
    Ok(found)
}

pub(crate) fn of(map: &Mapping, smaps: &Smaps) -> Result<Proof, Error> {
    let found = entry(map, smaps)?;
    let mut reason = map.reason().map(str::to_owned);
    let contiguous = match pagemap::of_mapping(map) {
        Ok(pages) => Some(contiguous_2m_ranges(map.as_ptr().addr(), &pages)),
        Err(error) => {
            let hidden = error.to_string();
            reason = Some(reason.map_or(hidden.clone(), |why| format!("{why}; {hidden}")));
            None
        }
    };
    let total = map.mapped_bytes() as u64;
    Ok(Proof {
        asked: map.asked(),
        got: map.got(),
        start: map.as_ptr().addr() as u64,
        bytes_total: total,
        // A file's map is larger than its aligned part and may share its last huge page.
        bytes_huge: found.huge_bytes.min(total),
        page_size_bytes: found.page_size_bytes,
        resident_bytes: found.resident_bytes.min(total),
        contiguous_2m_ranges: contiguous,
        filesystem: map.filesystem().map(str::to_owned),
        source: if contiguous.is_some() {
            "smaps+pagemap"
        } else {
            "smaps"
        },
        reason,
    })
}

/// Counts the 2 MiB ranges, aligned in virtual and physical memory, that are contiguous in both.
fn contiguous_2m_ranges(start: usize, pages: &[Page]) -> u64 {
    let per_range = PMD_PAGE_BYTES / BASE_PAGE_BYTES;
    let skip = (start.next_multiple_of(PMD_PAGE_BYTES) - start) / BASE_PAGE_BYTES;
    let whole = |range: &&[Page]| {
        let Page::Present { pfn: first } = range[0] else {
            return false;
        };
        first % per_range as u64 == 0
            && (first..)
                .zip(*range)
                .all(|(pfn, page)| *page == Page::Present { pfn })
    };
    pages.get(skip..).map_or(0, |rest| {
        rest.chunks_exact(per_range).filter(whole).count() as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, pages: u64) -> Vec<Page> {
        (first..first + pages)
            .map(|pfn| Page::Present { pfn })
            .collect()
    }

    #[test]
    fn only_aligned_whole_present_ranges_count_as_contiguous() {
        let mut pages = run(1024, 512);
        pages.extend(run(4096, 512));
        assert_eq!(contiguous_2m_ranges(0, &pages), 2);
        assert_eq!(
            contiguous_2m_ranges(BASE_PAGE_BYTES, &pages),
            0,
            "not aligned in virtual memory"
        );
        assert_eq!(
            contiguous_2m_ranges(0, &run(1025, 512)),
            0,
            "not aligned in physical memory"
        );
        assert_eq!(contiguous_2m_ranges(0, &run(1024, 511)), 0, "too short");
        pages[700] = Page::Absent;
        assert_eq!(contiguous_2m_ranges(0, &pages), 1, "a hole");
        pages[3] = Page::Present { pfn: 9 };
        assert_eq!(contiguous_2m_ranges(0, &pages), 0, "a stranger");
    }
}
