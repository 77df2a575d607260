//! Page frames of mappings and files, and the kernel's flags for frames.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memmap2::MmapOptions;
use procfs::process::{MMPermissions, MMapPath, PageInfo, Process};

pub use procfs::PhysicalPageFlags as PageFlags;

use crate::{BASE_PAGE_BYTES, Error, Mapping};

/// Where one base page of a mapping is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Nowhere: never touched, or dropped.
    Absent,
    /// In swap.
    Swapped,
    /// In this frame.
    Present {
        /// The page frame number.
        pfn: u64,
    },
}

/// A mapping of a process, as /proc/PID/maps lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// The first address.
    pub start: u64,
    /// The first address past it.
    pub end: u64,
    /// Its kind.
    pub what: RegionKind,
    /// Whether the process may read, write or execute it; reserved address space is none of it.
    pub accessible: bool,
}

/// The kind of a [`Region`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// Anonymous memory, the heap included.
    Anonymous,
    /// A file.
    File,
    /// A stack.
    Stack,
    /// A mapping of the kernel in every process (vdso and its like), or anything else.
    Other,
}

/// The pages of a mapping of our own.
///
/// # Errors
/// [`Error::PfnsHidden`] without the right to see frames, [`Error::NoProc`] without pagemap.
pub fn of_mapping(map: &Mapping) -> Result<Vec<Page>, Error> {
    let start = map.as_ptr().addr() as u64;
    read(
        "self",
        Process::myself(),
        start,
        start + map.mapped_bytes() as u64,
    )
}

/// The pages of another process between two addresses, which are rounded outwards to pages.
///
/// # Errors
/// [`Error::PfnsHidden`] without the right to see frames, [`Error::NoProc`] without the process.
pub fn of_pid(pid: u32, start: u64, end: u64) -> Result<Vec<Page>, Error> {
    read(&pid.to_string(), process(pid), start, end)
}

/// The mappings of a process.
///
/// # Errors
/// [`Error::NoProc`] without the process or the right to look at it.
pub fn regions(pid: u32) -> Result<Vec<Region>, Error> {
    let maps = process(pid)
        .and_then(|process| process.maps())
        .map_err(|error| Error::proc(format!("/proc/{pid}/maps"), error))?;
    let region = |map: procfs::process::MemoryMap| Region {
        start: map.address.0,
        end: map.address.1,
        accessible: map
            .perms
            .intersects(MMPermissions::READ | MMPermissions::WRITE | MMPermissions::EXECUTE),
        what: match map.pathname {
            MMapPath::Path(_) => RegionKind::File,
            MMapPath::Anonymous | MMapPath::Heap => RegionKind::Anonymous,
            MMapPath::Stack | MMapPath::TStack(_) => RegionKind::Stack,
            _ => RegionKind::Other,
        },
    };
    Ok(maps.into_iter().map(region).collect())
}

/// The page cache of a file, and the type of its file system where known.
///
/// The file is mapped and read page by page, so that what is not in memory comes in.
///
/// # Errors
/// [`Error::File`] if it cannot be opened or mapped or holds nothing, [`Error::PfnsHidden`],
/// [`Error::NoProc`].
pub fn of_file(path: &Path) -> Result<(Vec<Page>, Option<String>), Error> {
    let failed = |what| {
        move |source| Error::File {
            what,
            path: path.to_owned(),
            source,
        }
    };
    let file = File::open(path).map_err(failed("cannot open"))?;
    let len = file.metadata().map_err(failed("cannot look at"))?.len();
    if len == 0 {
        return Err(failed("holds nothing:")(
            std::io::ErrorKind::InvalidInput.into(),
        ));
    }
    let map = MmapOptions::new()
        .map_raw_read_only(&file)
        .map_err(failed("cannot map"))?;
    let start = map.as_ptr();
    let bytes = map.len().next_multiple_of(BASE_PAGE_BYTES);
    // Not by reading through the pointer: a file that is cut short meanwhile would be a SIGBUS.
    // SAFETY: the range is the file's map; populating does not change its content.
    if unsafe { libc::madvise(start.cast_mut().cast(), bytes, libc::MADV_POPULATE_READ) } != 0 {
        return Err(Error::last("madvise(MADV_POPULATE_READ)"));
    }
    let start = start.addr() as u64;
    let pages = read("self", Process::myself(), start, start + bytes as u64)?;
    Ok((pages, crate::filesystem(&file)))
}

fn process(pid: u32) -> procfs::ProcResult<Process> {
    Process::new(i32::try_from(pid).unwrap_or(i32::MAX))
}

fn read(
    pid: &str,
    process: procfs::ProcResult<Process>,
    start: u64,
    end: u64,
) -> Result<Vec<Page>, Error> {
    let page = BASE_PAGE_BYTES as u64;
    let range = (start / page) as usize..end.div_ceil(page) as usize;
    let entries = process
        .and_then(|process| process.pagemap())
        .and_then(|mut pagemap| pagemap.get_range_info(range))
        .map_err(|error| Error::proc(format!("/proc/{pid}/pagemap"), error))?;
    shown(pid, entries.into_iter().map(decode).collect())
}

/// The pages, if the kernel shows where they are: without CAP_SYS_ADMIN every frame reads as
/// 0, where no page of a process can lie.
fn shown(pid: &str, pages: Vec<Page>) -> Result<Vec<Page>, Error> {
    if pages.contains(&Page::Present { pfn: 0 }) {
        return Err(Error::PfnsHidden {
            pid: pid.to_owned(),
        });
    }
    Ok(pages)
}

fn decode(entry: PageInfo) -> Page {
    match entry {
        PageInfo::MemoryPage(flags)
            if flags.contains(procfs::process::MemoryPageFlags::PRESENT) =>
        {
            Page::Present {
                pfn: flags.get_page_frame_number().0,
            }
        }
        PageInfo::MemoryPage(_) => Page::Absent,
        PageInfo::SwapPage(_) => Page::Swapped,
    }
}

/// A file of the kernel with one word for each page frame.
#[derive(Debug)]
pub struct FrameWords {
    file: File,
    path: &'static str,
}

impl FrameWords {
    /// The flags (/proc/kpageflags), unparsed.
    ///
    /// # Errors
    /// [`Error::NoProc`] without root.
    pub fn flags() -> Result<Self, Error> {
        Self::open("/proc/kpageflags")
    }

    /// How often each frame is mapped to user space (/proc/kpagecount).
    ///
    /// # Errors
    /// [`Error::NoProc`] without root.
    pub fn mapped() -> Result<Self, Error> {
        Self::open("/proc/kpagecount")
    }

    /// The inode of the memory cgroup that each frame is charged to, 0 for none
    /// (/proc/kpagecgroup).
    ///
    /// # Errors
    /// [`Error::NoProc`] without root, or in a kernel without memory cgroups.
    pub fn owners() -> Result<Self, Error> {
        Self::open("/proc/kpagecgroup")
    }

    fn open(path: &'static str) -> Result<Self, Error> {
        let file = File::open(path)
            .map_err(|error| Error::proc(path, format!("{error}; run it as root (sudo)")))?;
        Ok(Self { file, path })
    }

    /// The words of `count` frames from `pfn` on; fewer, or none, at the end of memory.
    ///
    /// # Errors
    /// [`Error::NoProc`] if the kernel refuses.
    pub fn read(&self, pfn: u64, count: u64) -> Result<Vec<u64>, Error> {
        const WORD: usize = size_of::<u64>();
        let mut bytes = vec![0; count as usize * WORD];
        let mut done = 0;
        while done < bytes.len() {
            let at = pfn * WORD as u64 + done as u64;
            match self.file.read_at(&mut bytes[done..], at) {
                Ok(0) => break,
                Ok(more) => done += more,
                Err(error) => {
                    return Err(Error::proc(self.path, format!("frame {pfn:#x}: {error}")));
                }
            }
        }
        let (words, _) = bytes[..done].as_chunks::<WORD>();
        Ok(words.iter().map(|word| u64::from_ne_bytes(*word)).collect())
    }

    /// The first frame number past the last frame.
    ///
    /// # Errors
    /// [`Error::NoProc`] if the kernel refuses.
    pub fn end(&self) -> Result<u64, Error> {
        let is_there = |pfn| Ok::<_, Error>(!self.read(pfn, 1)?.is_empty());
        let mut beyond = 1;
        while beyond < 1 << 52 && is_there(beyond)? {
            beyond *= 2;
        }
        // The last power of two that is there, or frame 0, and one that is not.
        let mut there = beyond / 2;
        while beyond - there > 1 {
            let middle = there + (beyond - there) / 2;
            if is_there(middle)? {
                there = middle;
            } else {
                beyond = middle;
            }
        }
        Ok(beyond)
    }
}

/// The kernel's flags of page frames (/proc/kpageflags).
#[derive(Debug)]
pub struct FrameFlags(FrameWords);

impl FrameFlags {
    /// Opens the flags.
    ///
    /// # Errors
    /// [`Error::NoProc`] without root.
    pub fn open() -> Result<Self, Error> {
        FrameWords::flags().map(Self)
    }

    /// The flags of `count` frames from `pfn` on; fewer, or none, at the end of memory.
    ///
    /// # Errors
    /// [`Error::NoProc`] if the kernel refuses.
    pub fn read(&mut self, pfn: u64, count: u64) -> Result<Vec<PageFlags>, Error> {
        let words = self.0.read(pfn, count)?;
        Ok(words.into_iter().map(PageFlags::parse_info).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pagemap_entries_are_decoded_as_the_kernel_documents_them() {
        let page = |entry| decode(PageInfo::parse_info(entry));
        assert_eq!(page(0), Page::Absent);
        assert_eq!(
            page(1 << 63 | 1 << 61 | 0x1234),
            Page::Present { pfn: 0x1234 }
        );
        assert_eq!(
            page(1 << 63 | 1 << 55 | 0x1234),
            Page::Present { pfn: 0x1234 }
        );
        assert_eq!(page(1 << 62 | 0x1234), Page::Swapped);
    }

    #[test]
    fn frames_that_are_hidden_are_an_error_that_names_the_right() {
        let some = vec![Page::Absent, Page::Present { pfn: 7 }];
        assert_eq!(shown("self", some.clone()).unwrap(), some);
        let error = shown("4711", vec![Page::Absent, Page::Present { pfn: 0 }]).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("/proc/4711/pagemap") && said.contains("CAP_SYS_ADMIN"),
            "{said}"
        );
    }
}
