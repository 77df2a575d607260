//! Walks over a bio: by page, by vec, and by the design's own unit.

use std::hint::cold_path;

use super::bio::{Bio, BioClone, Bvec, BvecIter};
use crate::BlockIo;
use physmem::PAGE_SIZE;

/// One step of a walk: a piece of a vec.
pub type Segment<R> = Bvec<R>;

/// The multi-page walk: one item per vec (`bio_for_each_bvec`, v5.1 and later).
#[derive(Clone, Debug)]
pub struct Bvecs<'b, R> {
    table: &'b [Bvec<R>],
    iter: BvecIter,
}

impl<'b, R: Copy> Bvecs<'b, R> {
    /// A walk from where the bio's iterator stands.
    #[inline]
    pub fn new(bio: &'b Bio<R>) -> Self {
        Self {
            table: bio.table(),
            iter: bio.payload(),
        }
    }

    /// A walk over a part of a bio.
    #[inline]
    pub fn over(part: &BioClone<'b, R>) -> Self {
        Self {
            table: part.table,
            iter: part.iter,
        }
    }
}

/// The rest of the current vec, clipped to the iterator (`mp_bvec_iter_bvec`).
#[inline]
fn current<R: Copy>(table: &[Bvec<R>], iter: &BvecIter) -> Option<(Bvec<R>, u32)> {
    if iter.size == 0 {
        return None;
    }
    let vec = table.get(iter.idx as usize)?;
    let rest = Bvec {
        page: vec.page,
        len: iter.size.min(vec.len - iter.done),
        offset: vec.offset + iter.done,
    };
    Some((rest, vec.len))
}

impl<R: Copy> Iterator for Bvecs<'_, R> {
    type Item = Bvec<R>;

    #[inline]
    fn next(&mut self) -> Option<Bvec<R>> {
        let (vec, full_len) = current(self.table, &self.iter)?;
        self.iter.advance_single(full_len, vec.len);
        Some(vec)
    }

    /// A vec is visited before the iterator moves on, as in the kernel's loop.
    #[inline]
    fn fold<B, F: FnMut(B, Bvec<R>) -> B>(mut self, mut all: B, mut visit: F) -> B {
        while let Some((vec, full_len)) = current(self.table, &self.iter) {
            all = visit(all, vec);
            self.iter.advance_single(full_len, vec.len);
        }
        all
    }
}

/// The walk over a table of single-page vecs (`bio_for_each_segment` of v5.0): each step advances
/// by `bio_advance_iter`, which goes over as many vecs as its bytes reach, where v5.11 and later
/// know that a step ends in the vec that it began in (`bio_advance_iter_single`).
#[inline]
pub fn for_each_single_page_vec<R: Copy>(bio: &Bio<R>, mut visit: impl FnMut(Segment<R>)) {
    let table = bio.table();
    let mut iter = bio.payload();
    while let Some((vec, _)) = current(table, &iter) {
        visit(vec);
        iter.advance(table, vec.len);
    }
}

/// The single-page walk: one item per base page touched (`bio_for_each_segment`, as of v5.11).
#[derive(Debug)]
pub struct Segments<'b, 'd, D: BlockIo> {
    design: &'d D,
    table: &'b [Bvec<D::BvPage<'d>>],
    iter: BvecIter,
}

impl<'b, 'd, D: BlockIo> Segments<'b, 'd, D> {
    /// A walk from where the bio's iterator stands.
    #[inline]
    pub fn new(design: &'d D, bio: &'b Bio<D::BvPage<'d>>) -> Self {
        Self {
            design,
            table: bio.table(),
            iter: bio.payload(),
        }
    }

    /// A walk over a part of a bio.
    #[inline]
    pub fn over(design: &'d D, part: &BioClone<'b, D::BvPage<'d>>) -> Self {
        Self {
            design,
            table: part.table,
            iter: part.iter,
        }
    }

    /// The page that the iterator stands in, clipped to it (`bvec_iter_bvec`), and the
    /// vec's whole length.
    #[inline]
    fn current(&self) -> Option<(Segment<D::BvPage<'d>>, u32)> {
        let (vec, full_len) = current(self.table, &self.iter)?;
        let in_page = vec.offset % PAGE_SIZE as u32;
        let len = vec.len.min(PAGE_SIZE as u32 - in_page);
        let (page, offset) = self.design.page_at(vec.page, vec.offset);
        Some((Bvec { page, len, offset }, full_len))
    }
}

impl<'d, D: BlockIo> Iterator for Segments<'_, 'd, D> {
    type Item = Segment<D::BvPage<'d>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (segment, full_len) = self.current()?;
        self.iter.advance_single(full_len, segment.len);
        Some(segment)
    }

    /// A page is visited before the iterator moves on, as in the kernel's loop.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, mut all: B, mut visit: F) -> B {
        while let Some((segment, full_len)) = self.current() {
            all = visit(all, segment);
            self.iter.advance_single(full_len, segment.len);
        }
        all
    }
}

/// The submitter's walk over its whole table, one step per base page touched
/// (`bio_for_each_segment_all`): after the first page of a vec, the next is `page + 1`.
/// Stops where `test` is false of a piece; returns whether it never was.
#[inline]
pub fn all_segments<'d, D: BlockIo>(
    design: &'d D,
    bio: &Bio<D::BvPage<'d>>,
    mut test: impl FnMut(Segment<D::BvPage<'d>>) -> bool,
) -> bool {
    let vecs = bio.vecs();
    let Some(first) = vecs.first() else {
        return true;
    };
    let (mut idx, mut done, mut page) = (0, 0, first.page);
    while let Some(vec) = vecs.get(idx) {
        let mut offset = 0;
        if done == 0 {
            // A branch, as in the kernel, not a selection that every step pays.
            cold_path();
            (page, offset) = design.page_at(vec.page, vec.offset);
        } else {
            (page, _) = design.page_at(page, PAGE_SIZE as u32);
        }
        let len = (vec.len - done).min(PAGE_SIZE as u32 - offset);
        done += len;
        if done == vec.len {
            cold_path();
            (idx, done) = (idx + 1, 0);
        }
        if !test(Bvec { page, len, offset }) {
            return false;
        }
    }
    true
}

/// A part of a vec that lies in one unit of the design: a folio, a head page's
/// allocation, a typed piece of memory (`struct folio_iter`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnitRange<C> {
    /// The unit.
    pub unit: C,
    /// Bytes from the unit's start.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
}

impl<C> UnitRange<C> {
    /// Base pages that the range touches.
    #[inline]
    pub fn pages(&self) -> u32 {
        let last = self.offset + u64::from(self.len) - 1;
        (last / PAGE_SIZE - self.offset / PAGE_SIZE + 1) as u32
    }
}

/// Walks a bio by the design's own unit (`bio_for_each_folio_all`, v5.16 and later): per
/// vec the unit of its first byte is looked up once, then every next unit is the one that
/// physically follows it, until the vec is used up. Whole table, as the submitter sees it:
/// the iterator's position is not looked at.
#[inline]
pub fn for_each_unit<'d, D: BlockIo>(
    design: &'d D,
    bio: &Bio<D::BvPage<'d>>,
    mut visit: impl FnMut(UnitRange<D::Unit<'d>>),
) {
    all_units(design, bio, |range| {
        visit(range);
        true
    });
}

/// The same walk, until `test` is false of a range; returns whether it never was.
#[inline]
pub fn all_units<'d, D: BlockIo>(
    design: &'d D,
    bio: &Bio<D::BvPage<'d>>,
    mut test: impl FnMut(UnitRange<D::Unit<'d>>) -> bool,
) -> bool {
    for vec in bio.submitters_vecs() {
        let (mut unit, mut offset) = design.unit_at(vec.page, vec.offset);
        let mut left = u64::from(vec.len);
        // bio_first_folio, bio_next_folio: the next one is known before it is needed.
        let mut bytes = (design.unit_bytes(unit) - offset).min(left);
        let mut next = design.next_unit(unit);
        loop {
            let len = bytes as u32;
            if !test(UnitRange { unit, offset, len }) {
                return false;
            }
            left -= bytes;
            if left == 0 {
                break;
            }
            (unit, offset) = (next, 0);
            bytes = design.unit_bytes(unit).min(left);
            next = design.next_unit(unit);
        }
    }
    true
}
