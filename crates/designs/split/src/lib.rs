//! # Types of their own, as views over the array of pages
//!
//! Anonymous memory and page cache have little in common with page tables, slabs, zsmalloc,
//! kernel stacks and pipe buffers: only the first two are mapped to user space and sit on the
//! LRU. So each is a type, and code that works on one says which:
//!
//! | type | is | has, and no other type has it |
//! |---|---|---|
//! | [`AnonMem`] | anonymous memory | an `anon_vma`, a place in swap |
//! | [`FileMem`] | page cache | an `address_space` |
//! | [`Slab`] | a slab | objects and their owners; nobody takes references |
//! | [`PtDesc`] | a page table | a lock |
//! | [`ZpDesc`] | zsmalloc's | a `zspage` |
//! | [`StackMem`], [`PipeMem`] | a kernel stack, a pipe's buffer | |
//!
//! A type is a *view*: a reference to the allocation's line in the array of `struct page`, one
//! 64-byte line a frame as ever. Nothing is allocated, and nothing is found through a pointer
//! that flat pages do not have. This is Weiner's position in the thread, and what the kernel did
//! to slabs (`struct slab`, v5.17), page tables (`struct ptdesc`, v6.6) and zsmalloc
//! (`struct zpdesc`, v6.14). Descriptors allocated apart are another design: `memdesc`.
//!
//! Where types are checked:
//!
//! * [`Split::mem`], from any page: `compound_head()`, for the page may be a tail.
//! * [`Mem::typed`], [`AnonMem::try_from`] …: the type, for a caller that got its memory from an
//!   unknown page, a bio_vec or a frame number. Once: what is called with the view does not ask
//!   again.
//! * Nothing, by a caller that was handed a view. That marking anonymous memory dirty has no file
//!   to ask, and that a slab is never marked, is known when the code is compiled.
//! * Nothing, by memcg. It takes memory of any type ([`View`]): all views keep the owner's word
//!   at one offset, and its low bits say whether it is a slab's vector of owners.

#![forbid(unsafe_code)]

mod block_io;
mod user;
mod views;

use mm::memcg::{self, LockStyle};
use mm::memmap::{Memmap, Page};
use mm::{Descriptor, KernelRules, OnMemmap, PageArray, Slot};
use physmem::{Kind, Pfn};

pub use views::{
    AnonMem, FileMem, PipeMem, PtDesc, Slab, StackMem, Typed, View, WrongType, ZpDesc,
};

/// An allocation of some type, by its head page: what memcg, the block layer and compaction
/// hold. Never a tail, and not yet asked for its type.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Mem<'a>(&'a Slot);

mm::slot_pointer!(Mem);

/// The split design.
#[derive(Debug)]
pub struct Split(PageArray);

impl Split {
    /// The page of a frame (`pfn_to_page`), head or tail.
    #[inline]
    pub fn page(&self, pfn: Pfn) -> Page<'_> {
        Page(self.0.map.page(pfn))
    }

    /// The memory that a page belongs to: the one place with a tail test.
    #[inline]
    pub fn mem<'a>(&'a self, page: Page<'a>) -> Mem<'a> {
        Mem(self.0.map.compound_head(page.0))
    }

    fn memmap(&self) -> &Memmap {
        &self.0.map
    }
}

impl OnMemmap for Split {
    const NAME: &'static str = "split";
    const IDEA: &'static str = "anon_mem, file_mem, slab, ptdesc … as typed views over struct page";
    const DESCRIPTORS: &'static [Descriptor] = views::DESCRIPTORS;
    const LOCK_STYLES: &'static [LockStyle] = &[
        LockStyle::PerType,
        LockStyle::WhichType,
        LockStyle::CastToCommon,
        LockStyle::Generic,
    ];
    type Ref<'a> = Mem<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.0
    }

    #[inline]
    fn head<'a>(&'a self, mem: Mem<'a>) -> &'a Slot {
        mem.0
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Mem<'a> {
        Mem(head)
    }

    /// Every type has its owner at one offset, so a caller that knows the type, a cast and
    /// a function for any type read the same word; only a caller that must choose between
    /// two functions looks at the type.
    #[inline]
    fn with_owner_locked<'a, V: KernelRules, T>(
        &'a self,
        cpu: usize,
        unit: impl Fn() -> Mem<'a>,
        style: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        let groups = &self.0.groups;
        if style == LockStyle::WhichType {
            // A caller that looked at the type has the unit, and hands it to lock and to unlock.
            let mem = unit();
            let owner = || mem.memcg_data();
            return if mem.kind() == Kind::File {
                memcg::with_lock::<FileMem<'_>, V, _>(groups, cpu, owner, critical)
            } else {
                memcg::with_lock::<AnonMem<'_>, V, _>(groups, cpu, owner, critical)
            };
        }
        let owner = || unit().memcg_data();
        if style == LockStyle::PerType {
            memcg::with_lock::<AnonMem<'_>, V, _>(groups, cpu, owner, critical)
        } else {
            memcg::with_lock::<Mem<'_>, V, _>(groups, cpu, owner, critical)
        }
    }
}
