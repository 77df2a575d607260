//! Memory that processes use in turn: a file in memory of one process, mapped by others.
//!
//! Where a mapping's pages lie in physical memory decides which cache lines they share, and no
//! process can choose it. Two processes that are compared can only take turns on the same pages.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use super::anonymous::Reservation;
use super::shared_file::{allocate, failed, memfd, no_room};
use super::{Hold, Mapping, Request, align_up};
use crate::{BASE_PAGE_BYTES, Backing, Error};

/// Memory that this process owns and others borrow.
#[derive(Debug)]
pub struct LentMemory(File);

impl LentMemory {
    /// Makes a file in memory, still without pages.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn new() -> Result<Self, Error> {
        memfd().map(Self)
    }

    /// Where other processes of the same user find it while this value lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.0.as_raw_fd()
        ))
    }
}

/// The borrowed memory, and how much of it is in use.
static BORROWED: Mutex<Option<(Arc<File>, usize)>> = Mutex::new(None);

/// Places every later [`Backing::Tmpfs`] mapping of this process in the memory at `path`, one after
/// the other from its first byte; `None` goes back to memory of its own.
///
/// # Errors
/// [`Error::File`] where it cannot be opened: its owner is gone, or another user's.
pub fn borrow_memory(path: Option<&Path>) -> Result<(), Error> {
    let open = |path: &Path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map(|file| (Arc::new(file), 0))
            .map_err(failed("cannot open lent memory", path))
    };
    let borrowed = path.map(open).transpose()?;
    *BORROWED.lock().unwrap_or_else(PoisonError::into_inner) = borrowed;
    Ok(())
}

/// Takes the next `bytes` of the borrowed memory; `None` where nothing is borrowed.
fn take(bytes: usize) -> Option<(Arc<File>, usize)> {
    let mut borrowed = BORROWED.lock().unwrap_or_else(PoisonError::into_inner);
    let (file, next) = borrowed.as_mut()?;
    let offset = *next;
    *next += bytes;
    Some((Arc::clone(file), offset))
}

/// A mapping of borrowed memory; `None` where nothing is borrowed.
pub(super) fn map(request: &Request, mapped: usize) -> Option<Result<Mapping, Error>> {
    let (file, offset) = take(mapped)?;
    Some(map_at(request, mapped, file, offset))
}

fn map_at(
    request: &Request,
    mapped: usize,
    file: Arc<File>,
    offset: usize,
) -> Result<Mapping, Error> {
    let place = Path::new("lent memory");
    allocate(&file, offset, mapped).map_err(no_room(request.len, place))?;
    // The same bytes of the file whatever the address, which the alignment would otherwise shift.
    let range = Reservation::new(mapped, request.align, request.len)?;
    let start = align_up(range.start() + BASE_PAGE_BYTES, request.align);
    // SAFETY: the range from `start` on lies within `range`, which nobody else uses.
    let at = unsafe {
        libc::mmap(
            ptr::with_exposed_provenance_mut(start),
            mapped,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED,
            file.as_raw_fd(),
            offset as libc::off_t,
        )
    };
    if at == libc::MAP_FAILED {
        let source = io::Error::last_os_error();
        range.abandon(start, start + mapped);
        return Err(failed("cannot map", place)(source));
    }
    let ptr =
        NonNull::new(at.cast::<u8>()).expect("a mapping behind a guard page is not at address 0");
    // Its previous user has left something in it; writing to it populates it, too.
    // SAFETY: the range was just mapped writable and nobody else looks at it.
    unsafe { ptr.as_ptr().write_bytes(0, mapped) };
    Ok(Mapping {
        ptr,
        len: request.len,
        mapped,
        asked: Backing::Tmpfs,
        got: Backing::Tmpfs,
        reason: None,
        filesystem: Some("tmpfs".to_owned()),
        _hold: Hold::Borrowed {
            _range: range,
            _file: file,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn mappings_lie_on_borrowed_memory_in_turn_and_begin_with_zeros() {
        let lent = LentMemory::new().unwrap();
        let page = BASE_PAGE_BYTES;
        let request = || Request::new(page, Backing::Tmpfs).align(4 * page);
        for round in 1..=2_u8 {
            borrow_memory(Some(&lent.path())).unwrap();
            let (mut first, mut second) = (
                Mapping::new(request()).unwrap().into_bytes(),
                Mapping::new(request()).unwrap().into_bytes(),
            );
            for arena in [&mut first, &mut second] {
                assert!(arena.as_slice().iter().all(|byte| *byte == 0));
            }
            first.as_mut_slice()[0] = round;
            second.as_mut_slice()[page - 1] = round + 10;
            let mut read = vec![0; 2 * page];
            lent.0.read_exact_at(&mut read, 0).unwrap();
            assert_eq!((read[0], read[2 * page - 1]), (round, round + 10));
        }
        borrow_memory(None).unwrap();
        let own = Mapping::new(request()).unwrap();
        assert!(own.into_bytes().as_slice().iter().all(|byte| *byte == 0));
        let mut read = [0];
        lent.0.read_exact_at(&mut read, 0).unwrap();
        assert_eq!(read, [2], "no longer on it");
    }

    #[test]
    fn memory_of_nobody_is_an_error() {
        let path = Path::new("/proc/0/fd/0");
        let error = borrow_memory(Some(path)).unwrap_err().to_string();
        assert!(error.contains("/proc/0/fd/0"), "{error}");
    }
}
