//! Bios whose vecs point at pages: added page by page, released page by page.

use mm::block::{Bio, Bvecs, Segment, Segments, UnitRange, for_each_single_page_vec};
use mm::{BlockIo, PageBvecs, SlabIo, memmap};
use physmem::{PAGE_SHIFT, PAGE_SIZE};

use crate::{FlatDesign, Page};

const IN_PAGE: u32 = PAGE_SIZE as u32 - 1;

impl<const SINGLE_PAGE_VECS: bool> PageBvecs for FlatDesign<SINGLE_PAGE_VECS> {
    const NAMES_HEADS: bool = false;

    #[inline]
    fn page_of<'a>(&'a self, page: Page<'a>) -> Page<'a> {
        page
    }
}

impl<const SINGLE_PAGE_VECS: bool> BlockIo for FlatDesign<SINGLE_PAGE_VECS> {
    const SLAB_IO: SlabIo = SlabIo::Counted;
    const SINGLE_PAGE_VECS: bool = SINGLE_PAGE_VECS;

    #[inline]
    fn unit_at<'a>(&'a self, page: Page<'a>, offset: u32) -> (Page<'a>, u64) {
        let page = self.nth(page, u64::from(offset >> PAGE_SHIFT));
        let head = self.compound_head(page);
        let in_head = self.memmap().distance(page.0, head) << PAGE_SHIFT;
        (Page(head), in_head + u64::from(offset & IN_PAGE))
    }

    /// Where a vec never spans pages, the walk is over the table itself
    /// (`bio_for_each_segment` of v5.0).
    #[inline]
    fn for_each_segment<'a>(&'a self, bio: &Bio<Page<'a>>, visit: impl FnMut(Segment<Page<'a>>)) {
        if SINGLE_PAGE_VECS {
            for_each_single_page_vec(bio, visit);
        } else {
            Segments::new(self, bio).for_each(visit);
        }
    }

    /// The table is walked by vec as by page.
    #[inline]
    fn for_each_bvec<'a>(&'a self, bio: &Bio<Page<'a>>, visit: impl FnMut(Segment<Page<'a>>)) {
        if SINGLE_PAGE_VECS {
            for_each_single_page_vec(bio, visit);
        } else {
            Bvecs::new(bio).for_each(visit);
        }
    }

    /// The flat design's own unit is the page. A caller that wants to act on an allocation
    /// finds its head from every page of it.
    #[inline]
    fn for_each_unit<'a>(
        &'a self,
        bio: &Bio<Page<'a>>,
        mut visit: impl FnMut(UnitRange<Page<'a>>),
    ) {
        let mut head_of = |segment: Segment<Page<'a>>| {
            let (unit, offset) = self.unit_at(segment.page, segment.offset);
            let len = segment.len;
            visit(UnitRange { unit, offset, len });
        };
        if SINGLE_PAGE_VECS {
            for_each_single_page_vec(bio, head_of);
        } else {
            for segment in Segments::new(self, bio) {
                head_of(segment);
            }
        }
    }

    fn pin<'a>(&'a self, bio: &Bio<Page<'a>>) {
        for segment in Segments::new(self, bio) {
            memmap::page_ref_inc(self.compound_head(segment.page));
        }
    }

    #[inline]
    fn end_io<'a>(&'a self, bio: &Bio<Page<'a>>) -> u64 {
        self.bio_release_pages(bio, true);
        bio.vecs().iter().map(|vec| u64::from(vec.len)).sum()
    }
}
