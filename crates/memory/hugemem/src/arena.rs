//! The two ways to get at a mapping's memory: plain bytes or shared words.

use std::sync::atomic::AtomicU64;

use crate::Mapping;

/// A mapping as plain bytes: shared reads through `&self`, writes through `&mut self`.
#[derive(Debug)]
pub struct ByteArena(Mapping);

impl ByteArena {
    pub(crate) fn new(mapping: Mapping) -> Self {
        Self(mapping)
    }

    /// The memory, [`Mapping::len`] bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the mapping is readable, lives as long as `self`, is `len` bytes long and
        // zero-filled by the kernel, hence initialised. `self` owns it and hands out writes
        // only through `&mut self`; files behind it have no name and no shared descriptor.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr(), self.0.len()) }
    }

    /// The memory for writing, [`Mapping::len`] bytes.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`; the mapping is writable and `&mut self` makes this the
        // only reference into it.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr(), self.0.len()) }
    }

    /// The mapping below.
    pub fn mapping(&self) -> &Mapping {
        &self.0
    }

    /// Gives the mapping back, with what was written.
    pub fn into_mapping(self) -> Mapping {
        self.0
    }
}

/// A mapping as words that any thread may read and write.
#[derive(Debug)]
pub struct WordArena(Mapping);

impl WordArena {
    pub(crate) fn new(mapping: Mapping) -> Self {
        Self(mapping)
    }

    /// The memory as words, [`Mapping::len`] / 8 of them; a rest of up to seven bytes is left out.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is page-aligned, so aligned for a word, lives as long as `self`,
        // holds `len / 8` words and was zero-filled by the kernel; every bit pattern is a
        // word. `self` owns it and makes no reference other than to atomics, so shared
        // writes are no data races.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<AtomicU64>(), self.0.len() / 8) }
    }

    /// The mapping below.
    pub fn mapping(&self) -> &Mapping {
        &self.0
    }

    /// Gives the mapping back, with what was written.
    pub fn into_mapping(self) -> Mapping {
        self.0
    }
}
