//! Designs on the array of `struct page`: what they have in common, said once.
//!
//! Such designs keep the same lines and differ in how a reference to an allocation leads to
//! its head: by a load and a test, by type, by assertion. From that one step follow
//! [`Design`], [`Memcg`] and [`Lru`]; from a way of naming pages in bio_vecs follows
//! [`BvPages`]. How bios are added, walked and released stays the design's own
//! ([`BlockIo`](crate::BlockIo)).

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use physmem::{Extent, Kind, Pfn, PhysAddr};

use crate::block::Pgmap;
use crate::lru;
use crate::memcg::{self, Charge, LockStyle, MemcgTree};
use crate::memmap::{self, Memmap, PG_WORKINGSET, Page};
use crate::rules::KernelRules;
use crate::slot::{PowerArray, Slot};
use crate::traits::{
    BuildError, BvPages, Descriptor, DescriptorArray, Design, Lru, Memcg, NoMemory, Plan, Pointer,
    Scan,
};

/// The array of `struct page` and the groups that its memory is charged to.
#[derive(Debug)]
pub struct PageArray {
    /// The array (`vmemmap`).
    pub map: Memmap,
    /// The tree of groups.
    pub groups: MemcgTree,
}

impl PageArray {
    /// Pins `pages` pages of a head's allocation (`try_grab_folio` with `FOLL_PIN`): references,
    /// and for a large one pins apart. A small one keeps pins in the high bits of its count in
    /// the kernel; here a pin is a reference.
    #[inline]
    pub fn pin(&self, head: &Slot, pages: u32) {
        memmap::page_ref_add(head, pages);
        if Memmap::is_large(head) {
            memmap::pincount(&self.map, head).fetch_add(u64::from(pages), Relaxed);
        }
    }

    /// Gives them back, and frees the allocation with its last reference
    /// (`unpin_user_folio`, `gup_put_folio`).
    #[inline]
    pub fn unpin(&self, head: &Slot, pages: u32) {
        if self.map.is_zero_page(head) {
            return;
        }
        self.groups
            .count_unpinned(Memmap::node(head), i64::from(pages));
        if Memmap::is_large(head) {
            memmap::pincount(&self.map, head).fetch_sub(u64::from(pages), Relaxed);
        }
        if memmap::page_ref_sub_and_test(head, pages) {
            self.map.free(head);
        }
    }
}

/// A design whose descriptors are the array of `struct page`.
pub trait OnMemmap: Sized + Send + Sync {
    /// See [`Design::NAME`].
    const NAME: &'static str;
    /// See [`Design::IDEA`].
    const IDEA: &'static str;
    /// See [`Design::DESCRIPTORS`]: pages, and the types that lie over them.
    const DESCRIPTORS: &'static [Descriptor] = &[memmap::STRUCT_PAGE];
    /// See [`Memcg::LOCK_STYLES`].
    const LOCK_STYLES: &'static [LockStyle] = &[LockStyle::Native];
    /// See [`Design::Unit`].
    type Ref<'a>: Pointer
    where
        Self: 'a;

    /// The design over an array of free pages.
    fn over(pages: PageArray) -> Self;

    /// The array.
    fn pages(&self) -> &PageArray;

    /// The head page of a referenced allocation (`compound_head`, `&folio->page`).
    /// Law: `references_are_counted`.
    fn head<'a>(&'a self, unit: Self::Ref<'a>) -> &'a Slot;

    /// The reference to the allocation that a page is the head of.
    /// Law: `every_frame_leads_to_its_allocation`.
    fn unit<'a>(&'a self, head: &'a Slot) -> Self::Ref<'a>;

    /// The reference that a page out of a page table stands for (`page_folio`). A design whose
    /// references are pages has it already, and pays in [`Self::head`].
    /// Law: `the_lock_keeps_the_owner`.
    #[inline]
    fn unit_of_page<'a>(&'a self, page: Page<'a>) -> Self::Ref<'a> {
        self.unit(self.pages().map.compound_head(page.0))
    }

    /// See [`Memcg::with_memcg_lock`].
    #[inline]
    fn with_owner_locked<'a, V: KernelRules, T>(
        &'a self,
        cpu: usize,
        unit: impl Fn() -> Self::Ref<'a>,
        _: LockStyle,
        critical: impl FnOnce() -> T,
    ) -> T {
        let owner = || &self.head(unit()).memcg_data;
        memcg::with_lock::<Self, V, _>(&self.pages().groups, cpu, owner, critical)
    }
}

impl<T: OnMemmap> Design for T {
    const NAME: &'static str = <T as OnMemmap>::NAME;
    const IDEA: &'static str = <T as OnMemmap>::IDEA;
    const DESCRIPTORS: &'static [Descriptor] = <T as OnMemmap>::DESCRIPTORS;
    type Unit<'a>
        = T::Ref<'a>
    where
        T: 'a;

    fn build(plan: &Plan) -> Result<Self, BuildError> {
        Ok(T::over(PageArray {
            map: Memmap::build(plan)?,
            groups: MemcgTree::new()?,
        }))
    }

    fn alloc(&self, extent: Extent, kind: Kind) -> T::Ref<'_> {
        self.unit(self.pages().map.alloc(extent, kind))
    }

    const LATER_PAGES_ARE_TOLD: bool = false;

    fn alloc_without_comp(&self, extent: Extent, kind: Kind) -> T::Ref<'_> {
        self.unit(self.pages().map.alloc_without_comp(extent, kind))
    }

    fn free<'a>(&'a self, unit: T::Ref<'a>) {
        self.pages().map.free(self.head(unit));
    }

    fn split<'a>(&'a self, unit: T::Ref<'a>) -> Result<(), NoMemory> {
        let (head, PageArray { map, groups }) = (self.head(unit), self.pages());
        memcg::split_owner(groups, &head.memcg_data, map.nr_pages(head));
        map.split(head);
        Ok(())
    }

    /// A frame may be a tail's, whatever references are by type.
    #[inline]
    fn lookup(&self, pfn: Pfn) -> Option<T::Ref<'_>> {
        let map = &self.pages().map;
        if !map.describes(pfn) {
            return None;
        }
        let head = map.compound_head(map.page(pfn));
        (map.refcount(head) != 0).then(|| self.unit(head))
    }

    fn extent<'a>(&'a self, unit: T::Ref<'a>) -> Extent {
        self.pages().map.extent(self.head(unit))
    }

    #[inline]
    fn kind<'a>(&'a self, unit: T::Ref<'a>) -> Kind {
        Memmap::kind(self.head(unit))
    }

    #[inline]
    fn slot_of<'a>(&'a self, unit: T::Ref<'a>) -> &'a Slot {
        self.head(unit)
    }

    fn memory(&self) -> Vec<DescriptorArray<'_>> {
        let map = &self.pages().map;
        vec![DescriptorArray {
            bytes: map.bytes(),
            mapping: map.slots().mapping(),
        }]
    }
}

impl<T: OnMemmap> Memcg for T {
    const LOCK_STYLES: &'static [LockStyle] = <T as OnMemmap>::LOCK_STYLES;
    type MappedPage<'a>
        = Page<'a>
    where
        T: 'a;

    #[inline]
    fn mapped_page<'a>(&'a self, unit: T::Ref<'a>, n: u64) -> Page<'a> {
        Page(self.pages().map.nth(self.head(unit), n))
    }

    #[inline]
    fn unit_of_mapped<'a>(&'a self, page: Page<'a>) -> T::Ref<'a> {
        self.unit_of_page(page)
    }

    #[inline]
    fn groups(&self) -> &MemcgTree {
        &self.pages().groups
    }

    #[inline]
    fn charge_of<'a>(&'a self, unit: T::Ref<'a>) -> Charge<'a> {
        let head = self.head(unit);
        Charge {
            owner: &head.memcg_data,
            pages: self.pages().map.nr_pages(head),
            kind: Memmap::kind(head),
        }
    }

    #[inline]
    fn owner_and_pages<'a>(&'a self, unit: T::Ref<'a>) -> (&'a AtomicU64, u64) {
        let head = self.head(unit);
        (&head.memcg_data, self.pages().map.nr_pages(head))
    }

    #[inline]
    fn with_memcg_lock<'a, V: KernelRules, R>(
        &'a self,
        cpu: usize,
        unit: impl Fn() -> T::Ref<'a>,
        style: LockStyle,
        critical: impl FnOnce() -> R,
    ) -> R {
        self.with_owner_locked::<V, R>(cpu, unit, style, critical)
    }
}

impl<T: OnMemmap> Lru for T {
    #[inline]
    fn slots(&self) -> &PowerArray<Slot> {
        self.pages().map.slots()
    }

    #[inline]
    fn unit_of<'a>(&'a self, slot: &'a Slot) -> T::Ref<'a> {
        self.unit(slot)
    }

    fn mark_free(&self, extent: Extent) {
        self.pages().map.mark_free(extent);
    }

    #[inline]
    fn pfn_scan<V: KernelRules>(&self, cpu: usize, start: Pfn, pfns: u64, isolate: bool) -> Scan {
        self.pages()
            .map
            .pfn_scan::<V>(start, pfns, |head, on_list| {
                // The reference is to the frame's own line (`folio_get_nontail_page`): whatever
                // was freed underneath, it is the frame's.
                if !isolate {
                    false
                } else if on_list {
                    lru::isolate_and_putback(self, cpu, self.unit(head), || true)
                } else {
                    crate::movable::isolate_movable_and_putback(self, self.unit(head), || true)
                }
            })
    }
}

/// A design on the array whose bio_vecs name pages of it, as every released kernel's do.
pub trait PageBvecs: OnMemmap {
    /// Whether only heads are named: see [`BvPages::NAMES_UNITS`].
    const NAMES_HEADS: bool;

    /// The page that a reference is to (`&folio->page`), unchanged where it is a tail.
    /// Law: `answers_equal_the_reference`.
    fn page_of<'a>(&'a self, unit: Self::Ref<'a>) -> Page<'a>;

    /// See [`BvPages::assert_vec`].
    #[inline]
    fn check_vec(&self, _: Page<'_>) {}
}

impl<T: PageBvecs> BvPages for T {
    type BvPage<'a>
        = Page<'a>
    where
        T: 'a;
    type UserPage<'a>
        = Page<'a>
    where
        T: 'a;
    const NAMES_UNITS: bool = T::NAMES_HEADS;

    #[inline]
    fn bv_page<'a>(&'a self, unit: T::Ref<'a>) -> Option<Page<'a>> {
        Some(self.page_of(unit))
    }

    #[inline]
    fn phys(&self, page: Page<'_>) -> PhysAddr {
        self.pages().map.phys(page.0)
    }

    #[inline]
    fn page_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u32) {
        self.pages().map.page_at(page, offset)
    }

    #[inline]
    fn user_page<'a>(&'a self, unit: T::Ref<'a>, n: u64) -> Option<Page<'a>> {
        Some(Page(self.pages().map.nth(self.page_of(unit).0, n)))
    }

    /// Where vecs name heads a page is a tail as likely as not: `compound_head`, and the pages
    /// between become part of the offset.
    #[inline]
    fn name_user_page<'a>(&'a self, page: Page<'a>) -> Option<(Page<'a>, u32)> {
        if T::NAMES_HEADS {
            let (head, offset) = self.pages().map.head_and_offset(page);
            Some((Page(head), u32::try_from(offset).ok()?))
        } else {
            Some((page, 0))
        }
    }

    #[inline]
    fn assert_vec(&self, page: Page<'_>) {
        self.check_vec(page);
    }

    #[inline]
    fn same_pgmap(&self, a: Page<'_>, b: Page<'_>) -> bool {
        memmap::same_pgmap(a.0, b.0)
    }

    #[inline]
    fn pgmap(&self, page: Page<'_>) -> Option<Pgmap> {
        memmap::pgmap(page.0)
    }

    fn set_pgmap<'a>(&'a self, unit: T::Ref<'a>, pgmap: Option<Pgmap>) -> bool {
        self.pages().map.set_pgmap(self.head(unit), pgmap);
        true
    }

    #[inline]
    fn memmap_contiguous(&self, a: Page<'_>, a_end: u64, b: Page<'_>, b_offset: u32) -> bool {
        self.pages().map.contiguous(a, a_end, b, b_offset)
    }

    #[inline]
    fn note_workingset(&self, page: Page<'_>) -> bool {
        let head = if T::NAMES_HEADS {
            page.0
        } else {
            self.pages().map.compound_head(page.0)
        };
        head.flags.load(Relaxed) & PG_WORKINGSET != 0
    }
}
