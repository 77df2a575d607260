//! One mapping: asked for, aligned, populated, owned.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::Arc;

use memmap2::MmapRaw;

use crate::pool::{self, HugetlbPool};
use crate::{BASE_PAGE_BYTES, Backing, ByteArena, Error, Proof, Smaps, WordArena, proof};

mod anonymous;
mod lent;
mod shared_file;

pub use lent::{LentMemory, borrow_memory};
pub(crate) use shared_file::filesystem;

/// Size, backing and treatment of a mapping that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Bytes that are used; at least 1.
    pub len: usize,
    /// Alignment of the first byte: a power of two of at least 4096.
    pub align: usize,
    /// The backing.
    pub backing: Backing,
    /// Whether every page is written to before the mapping is handed out, so that no later
    /// access faults. hugetlb pages always are.
    pub populate: bool,
    /// The folder for the temporary file of [`Backing::File`]; the system's by default.
    pub dir: Option<PathBuf>,
}

impl Request {
    /// A populated mapping of `len` bytes, aligned to a base page.
    pub fn new(len: usize, backing: Backing) -> Self {
        Self {
            len,
            align: BASE_PAGE_BYTES,
            backing,
            populate: true,
            dir: None,
        }
    }

    /// The same with another alignment.
    pub fn align(self, align: usize) -> Self {
        Self { align, ..self }
    }

    /// The same, populated or not.
    pub fn populate(self, populate: bool) -> Self {
        Self { populate, ..self }
    }

    /// The same with a folder for the temporary file.
    pub fn dir(self, dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: Some(dir.into()),
            ..self
        }
    }

    fn check(&self) -> Result<(), Error> {
        let bad = |why| {
            Err(Error::BadRequest {
                len: self.len,
                align: self.align,
                why,
            })
        };
        if self.len == 0 {
            return bad("it holds nothing");
        }
        if !self.align.is_power_of_two() || self.align < BASE_PAGE_BYTES {
            return bad("the alignment is not a power of two of at least 4096");
        }
        // Room for rounding up to 1 GiB pages, the alignment and the guards.
        if self.len.max(self.align) > isize::MAX as usize / 4 {
            return bad("it is larger than an address space");
        }
        Ok(())
    }
}

/// Zero-filled memory of one backing, unmapped when dropped.
///
/// It gives out its address only. [`Mapping::into_bytes`] and [`Mapping::into_words`]
/// decide how the memory is looked at.
#[derive(Debug)]
pub struct Mapping {
    ptr: NonNull<u8>,
    len: usize,
    /// Bytes from `ptr` on that belong to the mapping: `len` rounded up to its page size.
    mapped: usize,
    asked: Backing,
    got: Backing,
    reason: Option<String>,
    filesystem: Option<String>,
    /// Keeps the memory there; dropped with the mapping.
    _hold: Hold,
}

/// Keeps the memory mapped.
#[derive(Debug)]
enum Hold {
    Anonymous {
        _range: anonymous::Reservation,
    },
    File {
        _map: MmapRaw,
        _file: File,
    },
    Borrowed {
        _range: anonymous::Reservation,
        _file: Arc<File>,
    },
}

// SAFETY: a mapping owns its memory and hands out no references, only the address; its
// accessors read fields that never change after construction.
unsafe impl Send for Mapping {}
// SAFETY: as above, nothing is changed through `&Mapping`.
unsafe impl Sync for Mapping {}

/// Smaller mappings do not ask how much memory is there: reading meminfo takes as long as
/// filling some of them, and a campaign of cases makes a few for each.
const WORTH_ASKING: usize = 16 << 20;

impl Mapping {
    /// Maps the requested memory, or returns why not; only [`Backing::Auto`] falls back.
    ///
    /// # Errors
    /// [`Error::BadRequest`], [`Error::HugetlbUnavailable`], [`Error::HugetlbUnsupported`],
    /// [`Error::ThpUnavailable`], [`Error::OutOfMemory`], [`Error::File`], [`Error::System`],
    /// and [`Error::NoProc`] where THP cannot be proved.
    pub fn new(request: Request) -> Result<Self, Error> {
        request.check()?;
        match request.backing {
            Backing::Auto => Self::best(&request),
            backing => Self::of(&request, backing),
        }
    }

    /// The best of hugetlb, THP and base pages, with the reasons against the better ones.
    fn best(request: &Request) -> Result<Self, Error> {
        let mut against = Vec::new();
        for backing in [Backing::Hugetlb1G, Backing::Hugetlb2M] {
            let page = backing.page_bytes();
            if backing == Backing::Hugetlb1G && request.len < page {
                continue;
            }
            let wanted = request.len.div_ceil(page) as u64;
            let free = HugetlbPool::read(page).map_or(0, |pool| pool.available());
            if free < wanted {
                against.push(format!("{backing}: {wanted} page(s) wanted, {free} free"));
                continue;
            }
            match Self::of(request, backing) {
                Ok(map) => return Ok(map.chosen(against)),
                Err(error) => against.push(format!("{backing}: {error}")),
            }
        }
        match Self::of(request, Backing::Thp) {
            Ok(map) => return Ok(map.chosen(against)),
            // Base pages would not fit either.
            Err(error @ Error::OutOfMemory { .. }) => return Err(error),
            Err(error) => against.push(format!("{}: {error}", Backing::Thp)),
        }
        Ok(Self::of(request, Backing::Base)?.chosen(against))
    }

    fn chosen(mut self, against: Vec<String>) -> Self {
        let why = if against.is_empty() {
            "nothing better to try".to_owned()
        } else {
            against.join("; ")
        };
        self.reason = Some(format!("auto took {}: {why}", self.got));
        self.asked = Backing::Auto;
        self
    }

    fn of(request: &Request, backing: Backing) -> Result<Self, Error> {
        let mapped = request.len.next_multiple_of(backing.page_bytes());
        let hugetlb = matches!(backing, Backing::Hugetlb2M | Backing::Hugetlb1G);
        if request.populate && !hugetlb && mapped >= WORTH_ASKING {
            // Overcommit would let it through and the OOM killer end it.
            if let Some(available) = pool::memory_available_bytes()
                && available < mapped as u64
            {
                return Err(Error::OutOfMemory {
                    len: request.len,
                    available: Some(available),
                });
            }
        }
        if backing == Backing::Tmpfs
            && let Some(borrowed) = lent::map(request, mapped)
        {
            return borrowed;
        }
        match backing {
            Backing::Tmpfs | Backing::File => shared_file::map(request, backing, mapped),
            _ => anonymous::map(request, backing, mapped),
        }
    }

    /// The first byte.
    #[inline]
    pub fn as_ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }

    /// Bytes asked for.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: a mapping holds at least one byte.
    #[inline]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes that are mapped from [`Mapping::as_ptr`] on: `len` rounded up to the page size.
    #[inline]
    pub fn mapped_bytes(&self) -> usize {
        self.mapped
    }

    /// The backing that was asked for.
    pub fn asked(&self) -> Backing {
        self.asked
    }

    /// The backing that was got; differs from [`Mapping::asked`] only for [`Backing::Auto`].
    pub fn got(&self) -> Backing {
        self.got
    }

    /// Why [`Backing::Auto`] took what it took.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The type of the file system below [`Backing::Tmpfs`] and [`Backing::File`], where known.
    pub fn filesystem(&self) -> Option<&str> {
        self.filesystem.as_deref()
    }

    /// The memory as bytes.
    pub fn into_bytes(self) -> ByteArena {
        ByteArena::new(self)
    }

    /// The memory as words to be shared between threads.
    pub fn into_words(self) -> WordArena {
        WordArena::new(self)
    }

    /// Reads what the kernel gave for exactly this range, from smaps and pagemap.
    ///
    /// # Errors
    /// [`Error::NoProc`] and [`Error::NotInSmaps`]. Page frames that are hidden are no error
    /// here: the proof then says so in its reason.
    pub fn proof(&self) -> Result<Proof, Error> {
        self.proof_in(&Smaps::read()?)
    }

    /// Proves the mapping from a reading of smaps that was made after it was mapped.
    ///
    /// # Errors
    /// [`Error::NotInSmaps`].
    pub fn proof_in(&self, smaps: &Smaps) -> Result<Proof, Error> {
        proof::of(self, smaps)
    }

    /// Locks the memory, so that nothing of it is swapped or written out (`mlock`).
    ///
    /// # Errors
    /// [`Error::MemlockLimit`] or [`Error::System`].
    pub fn lock(&self) -> Result<(), Error> {
        // SAFETY: the range is mapped by `self`; locking does not change its content.
        if unsafe { libc::mlock(self.as_ptr().cast(), self.mapped) } == 0 {
            return Ok(());
        }
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(libc::ENOMEM | libc::EPERM | libc::EAGAIN) => Err(Error::MemlockLimit {
                len: self.mapped,
                limit: crate::process::memlock_limit_bytes()?,
            }),
            _ => Err(Error::System {
                call: "mlock",
                source,
            }),
        }
    }
}

/// Writes to every page of a fresh, zero-filled range, so that no later access faults.
fn populate(ptr: NonNull<u8>, bytes: usize, len: usize) -> Result<(), Error> {
    // SAFETY: the caller mapped the range and nobody else uses it yet; populating leaves
    // its content as it is.
    if unsafe { libc::madvise(ptr.as_ptr().cast(), bytes, libc::MADV_POPULATE_WRITE) } == 0 {
        return Ok(());
    }
    let source = io::Error::last_os_error();
    match source.raw_os_error() {
        Some(libc::ENOMEM) => Err(Error::OutOfMemory {
            len,
            available: None,
        }),
        // Before Linux 5.14.
        Some(libc::EINVAL) => {
            for offset in (0..bytes).step_by(BASE_PAGE_BYTES) {
                // SAFETY: `offset` lies within the range, which is zero already.
                unsafe { ptr.as_ptr().add(offset).write_volatile(0) };
            }
            Ok(())
        }
        _ => Err(Error::System {
            call: "madvise(MADV_POPULATE_WRITE)",
            source,
        }),
    }
}

/// The first multiple of `align` from `address` on; `align` is a power of two.
const fn align_up(address: usize, align: usize) -> usize {
    (address + align - 1) & !(align - 1)
}
