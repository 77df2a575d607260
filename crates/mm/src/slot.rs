//! Descriptor slots: one 64-byte line of atomics each, in an array that is itself
//! mapped memory, as vmemmap is. This is the only file of the crate that
//! may be unsafe.

use std::mem::{align_of, size_of};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hugemem::{Backing, Mapping, Request};
use zerocopy::FromZeros;

/// One descriptor: a cache line with the fields of `struct page` at their offsets.
///
/// Designs whose descriptors are typed give the words other meanings; each says so
/// in its [`Descriptor`](crate::Descriptor) table. Every field is an atomic; every bit pattern that
/// can be stored is valid, so a wrong design computes wrong answers, never undefined ones.
#[repr(C, align(64))]
#[derive(Debug, Default, FromZeros)]
pub struct Slot {
    /// `page->flags`.
    pub flags: AtomicU64,
    /// `page->lru.next`, or in a tail `page->compound_head`.
    pub word1: Link,
    /// `page->lru.prev`.
    pub word2: AtomicU64,
    /// `page->mapping`.
    pub mapping: AtomicU64,
    /// `page->index`.
    pub index: AtomicU64,
    /// `page->private`.
    pub private: AtomicU64,
    /// `page->_mapcount`, or `page->page_type` for what is never mapped.
    pub mapcount: AtomicU32,
    /// `page->_refcount`.
    pub refcount: AtomicU32,
    /// `page->memcg_data`.
    pub memcg_data: AtomicU64,
}

const _: () = assert!(size_of::<Slot>() == 64 && align_of::<Slot>() == 64);
const _: () = assert!(std::mem::offset_of!(Slot, word1) == 8);
const _: () = assert!(std::mem::offset_of!(Slot, refcount) == 52);
const _: () = assert!(std::mem::offset_of!(Slot, memcg_data) == 56);

/// The low bit of a [`Link`] that says: tail, the rest is the head's address.
pub const TAIL: u64 = 1;

/// A word that leads to another slot.
///
/// With `TAIL` (the low bit) set it is followed without a look, as the kernel does, so only
/// [`PowerArray::link_tails`] sets that bit.
#[repr(transparent)]
#[derive(Debug, Default, FromZeros)]
pub struct Link(AtomicU64);

impl Link {
    /// The word.
    #[inline]
    pub fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    /// Leads to a slot, which is no head (`lru.next`).
    #[inline]
    pub fn point_at(&self, slot: &Slot, order: Ordering) {
        // A slot's address is even.
        self.0.store(PowerArray::word_of(slot), order);
    }

    /// Leads nowhere (`clear_compound_head`).
    #[inline]
    pub fn clear(&self, order: Ordering) {
        self.0.store(0, order);
    }
}

impl Slot {
    /// The head that a tail leads to, or the slot itself.
    #[inline]
    pub fn head(&self) -> &Self {
        // First the difference, then the test, of the difference: a tail's word leaves an
        // even one. So nothing branches, and the compiler needs no copy of the word. The
        // kernel says `unlikely`, and gcc makes a conditional move of it all the same in most
        // places of a kernel, a walk's further vecs among them, and a branch for the first.
        // With a branch everywhere the model's walks over base pages were much faster than
        // the kernel's, since no load waits for the one before.
        let word = self.word1.0.load(Acquire).wrapping_sub(TAIL);
        if word & TAIL != 0 {
            return self;
        }
        let head = std::ptr::with_exposed_provenance::<Self>(word as usize);
        // SAFETY: the bit is set by `PowerArray::link_tails` alone, which writes into slots of
        // an array the address of a slot of the same array, its provenance exposed. Slots
        // cannot be copied or moved out of their array, so self lies in that array, which is
        // borrowed, and so mapped, for as long as self is.
        unsafe { &*head }
    }
}

/// Bytes of a [`Slot`].
pub const SLOT_SIZE: u64 = size_of::<Slot>() as u64;

/// An array of values in a mapping of their own, a power of two in size and aligned
/// to its size, so that *any* word resolves to an element with one `and` and one `or`.
///
/// Elements are never dropped, only unmapped.
#[derive(Debug)]
pub struct PowerArray<T: Sync> {
    /// Start of the mapping; aligned to `mask + size_of::<T>()` bytes.
    base: NonNull<T>,
    /// Selects the bits of a word that name an element: size in bytes − 1, with the
    /// bits inside an element cleared.
    mask: usize,
    mapping: Mapping,
}

// SAFETY: the array only hands out shared references to `T: Sync`; the mapping it
// owns lives as long as the array and is never remapped.
unsafe impl<T: Sync> Send for PowerArray<T> {}
// SAFETY: as for Send.
unsafe impl<T: Sync> Sync for PowerArray<T> {}

impl<T: FromZeros + Sync> PowerArray<T> {
    /// Maps an array of at least `len` elements (rounded up to a power of two) on the
    /// given backing, populated. Elements start as zero bytes.
    pub fn map(len: u64, backing: Backing) -> Result<Self, hugemem::Error> {
        Self::raw(len, backing)
    }
}

impl<T: Default + Sync> PowerArray<T> {
    /// As [`Self::map`]; elements start as their default.
    pub(crate) fn map_default(len: u64, backing: Backing) -> Result<Self, hugemem::Error> {
        let array = Self::raw(len, backing)?;
        for index in 0..array.len() as usize {
            // SAFETY: the array has `len` elements and nobody has a reference to one yet.
            unsafe { array.base.add(index).write(T::default()) };
        }
        Ok(array)
    }
}

impl<T: Sync> PowerArray<T> {
    /// Maps the array; the caller sees to it that every element is valid.
    fn raw(len: u64, backing: Backing) -> Result<Self, hugemem::Error> {
        const {
            assert!(size_of::<T>().is_power_of_two() && align_of::<T>() <= 4096);
            assert!(!std::mem::needs_drop::<T>());
        }
        // A small array still fills one page of its backing, or it would not be on it.
        let least = if backing == Backing::Base {
            4096
        } else {
            2 << 20
        };
        let bytes = (len.max(1) as usize)
            .saturating_mul(size_of::<T>())
            .max(least)
            .checked_next_power_of_two()
            .unwrap_or(usize::MAX);
        let mapping = Mapping::new(Request::new(bytes, backing).align(bytes))?;
        let base = NonNull::new(mapping.as_ptr().cast::<T>()).expect("a mapping is never null");
        assert!(mapping.len() >= bytes && base.addr().get() & (bytes - 1) == 0);
        Ok(Self {
            base,
            mask: (bytes - 1) & !(size_of::<T>() - 1),
            mapping,
        })
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> u64 {
        (self.mask / size_of::<T>()) as u64 + 1
    }

    /// Whether the array is empty: never, a mapping holds at least a page.
    #[inline]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The element that a word names: its low bits (tags) and its high bits are
    /// ignored, so a word written by [`Self::word_of`] finds its element again and
    /// any other word finds *some* element.
    #[inline]
    pub fn resolve(&self, word: u64) -> &T {
        let offset = word as usize & self.mask;
        // SAFETY: the mapping is `mask + size_of::<T>()` bytes long and `offset` is at most
        // `mask`, a multiple of the element's size, so base + offset is an aligned address of
        // an element inside it; elements are valid from the start (`map`, `map_default`), are only ever
        // written through the shared references given out here, and live as long as self.
        unsafe { self.base.byte_add(offset).as_ref() }
    }

    /// Element `index`, modulo the length of the array.
    #[inline]
    pub fn at(&self, index: u64) -> &T {
        self.resolve(index.wrapping_mul(size_of::<T>() as u64))
    }

    /// The word that names an element: its address, the low bits free for tags.
    #[inline]
    pub fn word_of(element: &T) -> u64 {
        std::ptr::from_ref(element).addr() as u64
    }

    /// The index of an element of this array.
    #[inline]
    pub fn index_of(&self, element: &T) -> u64 {
        (Self::word_of(element) & self.mask as u64) / size_of::<T>() as u64
    }

    /// The element `n` after this one, modulo the length of the array.
    #[inline]
    pub fn offset<'a>(&'a self, element: &T, n: u64) -> &'a T {
        self.resolve(Self::word_of(element).wrapping_add(n.wrapping_mul(size_of::<T>() as u64)))
    }

    /// The `n` elements after this one, or as many as there are.
    #[inline]
    pub fn behind(&self, element: &T, n: u64) -> impl Iterator<Item = &T> {
        let at = Self::word_of(element) as usize & self.mask;
        let left = (self.mask - at) / size_of::<T>();
        // SAFETY: `at` is at most `mask`, so base + at is an element, and `left` of them follow it
        // in the mapping; for the rest see `resolve`.
        let elements = unsafe {
            let next = self.base.byte_add(at).add(1);
            std::slice::from_raw_parts(next.as_ptr(), left.min(n as usize))
        };
        elements.iter()
    }

    /// Address of element 0, for arithmetic like `page_to_pfn`'s.
    #[inline]
    pub fn base_word(&self) -> u64 {
        self.base.addr().get() as u64
    }

    /// The memory below.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

impl PowerArray<Slot> {
    /// Makes the `n` slots after `head`, or as many as there are, its tails; each is handed to
    /// `prepare` before it leads to the head.
    #[inline]
    pub fn link_tails(&self, head: &Slot, n: u64, mut prepare: impl FnMut(&Slot)) {
        let first = Self::word_of(head) as usize & self.mask;
        let behind = (n as usize).saturating_mul(size_of::<Slot>());
        let last = first + behind.min(self.mask - first);
        // SAFETY: `first` is at most `mask`, so this is an element: see `resolve`.
        let head = unsafe { self.base.byte_add(first) };
        let word = head.as_ptr().expose_provenance() as u64 | TAIL;
        let mut at = first;
        while at != last {
            at += size_of::<Slot>();
            // SAFETY: `first`, `mask` and `behind` are multiples of a slot's size, so `at`
            // meets `last`, which is at most `mask`: an element, see `resolve`.
            let tail = unsafe { self.base.byte_add(at).as_ref() };
            prepare(tail);
            tail.word1.0.store(word, Relaxed);
        }
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
