//! Anonymous memory: base pages, THP and hugetlb.

use std::io;
use std::ptr::{self, NonNull};

use super::{Hold, Mapping, Request, align_up, populate};
use crate::pool::{self, HugetlbPool};
use crate::{BASE_PAGE_BYTES, Backing, Error, Smaps, proof};

/// `MAP_HUGE_SHIFT`: the size of hugetlb pages is a power of two in the flags' top bits.
const MAP_HUGE_SHIFT: u32 = 26;

/// An address range of our own, unmapped when dropped.
///
/// The usable part has an inaccessible page on either side: the kernel joins neighbouring
/// anonymous mappings of equal flags, and smaps would then speak of more than ours.
#[derive(Debug)]
pub(super) struct Reservation {
    start: usize,
    end: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `Reservation::new`, belongs to nobody else, and its
        // owner, the mapping, is gone.
        unsafe {
            libc::munmap(
                ptr::with_exposed_provenance_mut(self.start),
                self.end - self.start,
            )
        };
    }
}

impl Reservation {
    /// Inaccessible address space with room for `bytes` aligned to `align` and the guards.
    pub(super) fn new(bytes: usize, align: usize, len: usize) -> Result<Self, Error> {
        let total = bytes + align + 2 * BASE_PAGE_BYTES;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no other.
        let at = unsafe { libc::mmap(ptr::null_mut(), total, libc::PROT_NONE, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(map_error(io::Error::last_os_error(), len));
        }
        let start = at.expose_provenance();
        Ok(Self {
            start,
            end: start + total,
        })
    }

    /// Its first address.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Gives up the range between `start` and `end`, whose state is not known, and frees the rest.
    pub(super) fn abandon(self, start: usize, end: usize) {
        drop(Self {
            start: self.start,
            end: start,
        });
        drop(Self {
            start: end,
            end: self.end,
        });
        std::mem::forget(self);
    }
}

fn map_error(source: io::Error, len: usize) -> Error {
    match source.raw_os_error() {
        Some(libc::ENOMEM) => Error::OutOfMemory {
            len,
            available: pool::memory_available_bytes(),
        },
        _ => Error::System {
            call: "mmap",
            source,
        },
    }
}

pub(super) fn map(request: &Request, backing: Backing, mapped: usize) -> Result<Mapping, Error> {
    let align = request.align.max(backing.page_bytes());
    let hugetlb = matches!(backing, Backing::Hugetlb2M | Backing::Hugetlb1G);
    let range = Reservation::new(mapped, align, request.len)?;
    let start = align_up(range.start + BASE_PAGE_BYTES, align);
    let mut flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    if hugetlb {
        flags |= libc::MAP_HUGETLB;
        flags |= (backing.page_bytes().trailing_zeros() << MAP_HUGE_SHIFT).cast_signed();
    }
    // SAFETY: the range from `start` on lies within `range`, which nobody else uses.
    let at = unsafe {
        libc::mmap(
            ptr::with_exposed_provenance_mut(start),
            mapped,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        let source = io::Error::last_os_error();
        // The kernel may have taken our reservation away before it failed, and another thread
        // may have something there by now.
        range.abandon(start, start + mapped);
        return Err(if hugetlb {
            hugetlb_error(source, backing.page_bytes(), mapped)
        } else {
            map_error(source, request.len)
        });
    }
    let ptr =
        NonNull::new(at.cast::<u8>()).expect("a mapping behind a guard page is not at address 0");
    let map = Mapping {
        ptr,
        len: request.len,
        mapped,
        asked: backing,
        got: backing,
        reason: None,
        filesystem: None,
        _hold: Hold::Anonymous { _range: range },
    };
    match backing {
        Backing::Thp => huge_pages(&map, request.populate)?,
        Backing::Hugetlb2M | Backing::Hugetlb1G => {
            // Always: a page that a cgroup's limit refuses is an error here, a SIGBUS later.
            populate(ptr, mapped, request.len)
                .map_err(|_| hugetlb_unavailable(backing.page_bytes(), mapped))?;
        }
        _ => {
            // A kernel without THP answers EINVAL and gives base pages all the same.
            // SAFETY: the range is `map`'s own; the advice does not change its content.
            unsafe { libc::madvise(at, mapped, libc::MADV_NOHUGEPAGE) };
            if request.populate {
                populate(ptr, mapped, request.len)?;
            }
        }
    }
    Ok(map)
}

/// Asks for huge pages and, if the mapping is to be populated, makes sure that all of it is on
/// them.
fn huge_pages(map: &Mapping, populated: bool) -> Result<(), Error> {
    let short = |got_bytes, help| Error::ThpUnavailable {
        wanted_bytes: map.mapped as u64,
        got_bytes,
        enabled: pool::thp_mode("enabled").unwrap_or_else(|| "absent".to_owned()),
        help,
    };
    let at = map.as_ptr().cast();
    // SAFETY: the range is `map`'s own; the advice does not change its content.
    if unsafe { libc::madvise(at, map.mapped, libc::MADV_HUGEPAGE) } != 0 {
        return Err(short(
            0,
            "this kernel is built without CONFIG_TRANSPARENT_HUGEPAGE",
        ));
    }
    if !populated {
        return Ok(());
    }
    populate(map.ptr, map.mapped, map.len)?;
    // What the fault could not give, a collapse may (Linux 6.1). It succeeds only where huge pages
    // map all of it then, which saves us the reading of smaps: milliseconds in a large process.
    // SAFETY: as above; a collapse moves the content, it does not change it.
    if unsafe { libc::madvise(at, map.mapped, libc::MADV_COLLAPSE) } == 0 {
        return Ok(());
    }
    let got = proof::entry(map, &Smaps::read()?)?.huge_bytes;
    if got < map.mapped as u64 {
        return Err(short(
            got,
            "allow it with: echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled, \
             or free memory for huge pages with: echo 1 | sudo tee /proc/sys/vm/compact_memory",
        ));
    }
    Ok(())
}

fn hugetlb_error(source: io::Error, page_bytes: usize, mapped: usize) -> Error {
    match source.raw_os_error() {
        Some(libc::ENOMEM) => hugetlb_unavailable(page_bytes, mapped),
        _ => Error::HugetlbUnsupported {
            size_bytes: page_bytes,
            source,
        },
    }
}

fn hugetlb_unavailable(page_bytes: usize, mapped: usize) -> Error {
    let wanted = (mapped / page_bytes) as u64;
    let pool = HugetlbPool::read(page_bytes);
    let free = pool.map_or(0, |pool| pool.available());
    let total = pool.map_or(0, |pool| pool.total);
    Error::HugetlbUnavailable {
        size_bytes: page_bytes,
        free,
        wanted,
        reserve: total + wanted.saturating_sub(free),
    }
}
