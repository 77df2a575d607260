//! Files mapped shared through memmap2: the kernel's own tmpfs and a temporary regular file.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use memmap2::MmapOptions;
use nix::fcntl::posix_fallocate;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Hold, Mapping, Request, align_up, populate};
use crate::{BASE_PAGE_BYTES, Backing, Error};

/// Zeros are written in pieces of this size: large enough for large folios in the page cache.
const WRITE_BYTES: usize = 2 << 20;

pub(super) fn map(request: &Request, backing: Backing, mapped: usize) -> Result<Mapping, Error> {
    let (file, place) = match backing {
        Backing::Tmpfs => (memfd()?, PathBuf::from("memfd")),
        _ => {
            let dir = request.dir.clone().unwrap_or_else(std::env::temp_dir);
            // Without a name: nobody else can cut it short below the mapping.
            let file =
                tempfile::tempfile_in(&dir).map_err(failed("cannot make a file in", &dir))?;
            (file, dir)
        }
    };
    // Any address may come back: map more by the alignment and use the aligned part.
    let total = mapped + (request.align - BASE_PAGE_BYTES);
    file.set_len(total as u64)
        .map_err(failed("cannot size a file in", &place))?;
    let map = MmapOptions::new()
        .len(total)
        .map_raw(&file)
        .map_err(failed("cannot map a file in", &place))?;
    let skip = align_up(map.as_mut_ptr().addr(), request.align) - map.as_mut_ptr().addr();
    // A page that the file system has no room for is an error here, a SIGBUS later.
    allocate(&file, skip, mapped).map_err(no_room(request.len, &place))?;
    // `skip` is below the alignment, so the address lies within the map.
    let ptr =
        NonNull::new(map.as_mut_ptr().wrapping_add(skip)).expect("no file is mapped at address 0");
    if request.populate {
        if backing == Backing::File {
            fill(&file, skip, mapped).map_err(no_room(request.len, &place))?;
        }
        populate(ptr, mapped, request.len)?;
    }
    let filesystem = match backing {
        Backing::Tmpfs => Some("tmpfs".to_owned()),
        _ => filesystem(&file),
    };
    Ok(Mapping {
        ptr,
        len: request.len,
        mapped,
        asked: backing,
        got: backing,
        reason: None,
        filesystem,
        _hold: Hold::File {
            _map: map,
            _file: file,
        },
    })
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::File {
        what,
        path: path.to_owned(),
        source,
    }
}

pub(super) fn no_room(len: usize, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| match source.raw_os_error() {
        Some(libc::ENOMEM) => Error::OutOfMemory {
            len,
            available: None,
        },
        _ => failed("no room for a file in", path)(source),
    }
}

pub(super) fn memfd() -> Result<File, Error> {
    memfd_create("folioscope", MFdFlags::MFD_CLOEXEC)
        .map(File::from)
        .map_err(|errno| Error::of("memfd_create", errno))
}

pub(super) fn allocate(file: &File, offset: usize, bytes: usize) -> io::Result<()> {
    Ok(posix_fallocate(
        file,
        offset as libc::off_t,
        bytes as libc::off_t,
    )?)
}

/// Writes zeros, so that the page cache is filled as a program that writes a file fills it.
fn fill(file: &File, offset: usize, bytes: usize) -> io::Result<()> {
    let zeros = vec![0_u8; WRITE_BYTES.min(bytes)];
    let mut done = 0;
    while done < bytes {
        let piece = zeros.len().min(bytes - done);
        file.write_all_at(&zeros[..piece], (offset + done) as u64)?;
        done += piece;
    }
    Ok(())
}

/// The type of the file system that holds a file (`ext4`, `xfs` …), where /proc tells.
pub(crate) fn filesystem(file: &File) -> Option<String> {
    let device = file.metadata().ok()?.dev();
    let majmin = format!("{}:{}", libc::major(device), libc::minor(device));
    let mounts = procfs::process::Process::myself().ok()?.mountinfo().ok()?;
    mounts
        .0
        .into_iter()
        .find(|mount| mount.majmin == majmin)
        .map(|mount| mount.fs_type)
}
