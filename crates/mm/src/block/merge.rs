//! `bio_add_page`: the one place where contiguous memory becomes one vec.

use super::bio::{Bio, Bvec};
use super::device::{may_share_bio, may_share_segment};
use crate::rules::KernelRules;
use crate::{BlockIo, KernelVersion};
use physmem::PAGE_SIZE;

const IN_PAGE: u64 = PAGE_SIZE - 1;

/// Whether `len` bytes at `page + offset` physically follow the end of `vec` and may join
/// it (`page_is_mergeable` up to 6.1, `bvec_try_merge_page` later). Where it may,
/// `same_page` says whether it begins in the page that the vec ends in: a caller that took
/// a reference for it must give one back.
#[inline]
pub fn page_is_mergeable<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    vec: &Bvec<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    offset: u32,
    same_page: &mut bool,
) -> bool {
    let end = vec.end();
    let vec_end = design.phys(vec.page) + end - 1;
    let start = design.phys(page);
    if vec_end + 1 != start + u64::from(offset) {
        return false;
    }
    if V::VERSION >= KernelVersion::V6_12 && !design.same_pgmap(vec.page, page) {
        return false;
    }
    if !may_share_segment::<V, D>(design, vec.page, page) {
        return false;
    }
    // Within one page nothing more is asked; across pages the memmap must be
    // contiguous as well, or `page + n` would not reach the second page.
    *same_page = vec_end & !IN_PAGE == (start + u64::from(offset)) & !IN_PAGE;
    if *same_page {
        return true;
    }
    V::VERSION != KernelVersion::V5_0 && design.memmap_contiguous(vec.page, end, page, offset)
}

/// Whether every byte of a vec that ends at `end`, and grows by `len`, has an offset of 32 bits
/// from what the vec names. From a page every one has, since a bio has no more bytes than that;
/// from the head of a large unit not.
#[inline]
fn offset_fits<D: BlockIo>(end: u64, len: u32) -> bool {
    !D::NAMES_UNITS || end + u64::from(len) <= u64::from(u32::MAX)
}

/// Makes a piece part of a bio's last vec where it may join it (`bvec_try_merge_page`, v6.12,
/// which is handed the vec, and whose caller adds to the bio's size).
#[inline(never)]
pub(super) fn bvec_try_merge_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
    same_page: &mut bool,
) -> bool {
    let Some(last) = bio.last_mut() else {
        return false;
    };
    if !page_is_mergeable::<V, D>(design, last, page, offset, same_page) {
        return false;
    }
    if !offset_fits::<D>(last.end(), len) {
        return false;
    }
    last.len += len;
    bio.iter.size += len;
    true
}

/// Makes a piece part of a bio's last vec where it may join it (`__bio_try_merge_page`,
/// up to v6.1).
#[inline(never)]
pub(super) fn bio_try_merge_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
    same_page: &mut bool,
) -> bool {
    if bio.cloned {
        return false;
    }
    let size = bio.iter.size;
    let Some(last) = bio.last_mut() else {
        return false;
    };
    if !page_is_mergeable::<V, D>(design, last, page, offset, same_page) {
        return false;
    }
    if size > u32::MAX - len {
        *same_page = false;
        return false;
    }
    if !offset_fits::<D>(last.end(), len) {
        return false;
    }
    last.len += len;
    bio.iter.size = size + len;
    true
}

/// Adds a piece to a bio, merging it into the last vec where it is adjacent
/// (`bio_add_page`). Returns the bytes added: `len` or 0. No queue limit is consulted.
///
/// Under 5.0 rules a vec ends with its page, so pieces that cross a page end must be
/// cut first: [`add_page_in_page_pieces`].
#[inline]
pub fn add_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
) -> u32 {
    // The harness floor has no block layer.
    if D::IS_FLOOR {
        return len;
    }
    bio_add_page::<V, D>(design, bio, page, len, offset)
}

#[inline(never)]
fn bio_add_page<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
) -> u32 {
    // Nobody reads it in the end: references are taken before (`bio_iov_iter_get_pages`).
    let mut same_page = false;
    if V::VERSION >= KernelVersion::V6_12 {
        if bio.cloned || bio.iter.size > u32::MAX - len {
            return 0;
        }
        if V::ASKS_PGMAP
            && let Some(last) = bio.last_mut()
            && !may_share_bio::<V, D>(design, last.page, page)
        {
            return 0;
        }
        if V::MERGES_ON_ADD
            && bio.has_vecs()
            && bvec_try_merge_page::<V, D>(design, bio, page, len, offset, &mut same_page)
        {
            return len;
        }
        if bio.is_table_full() || !offset_fits::<D>(offset.into(), len) {
            return 0;
        }
        // Nothing is refused from here on.
        design.assert_vec(page);
        bio.add_vec(page, len, offset);
        return len;
    } else if V::MERGES_ON_ADD
        && bio_try_merge_page::<V, D>(design, bio, page, len, offset, &mut same_page)
    {
        return len;
    } else if bio.is_full(len) || !offset_fits::<D>(offset.into(), len) {
        return 0;
    }
    // The full check comes after merging: a full table still takes what is adjacent.
    design.assert_vec(page);
    if bio.is_table_full() || !bio.add_vec(page, len, offset) {
        return 0;
    }
    // v6.1 moved the accounting of refaults out of the block layer.
    if V::VERSION <= KernelVersion::V5_10 && !bio.workingset && design.note_workingset(page) {
        bio.workingset = true;
    }
    len
}

/// Adds `len` bytes at `page + offset` a base page at a time, as every submitter did
/// before it could hand over larger units. Returns the bytes added before the first
/// refusal.
#[inline]
pub fn add_page_in_page_pieces<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    bio: &mut Bio<D::BvPage<'d>>,
    page: D::BvPage<'d>,
    len: u32,
    offset: u32,
) -> u32 {
    let mut added = 0;
    while added < len {
        let (piece, in_page) = design.vec_at(page, offset + added);
        let n = (len - added).min(PAGE_SIZE as u32 - in_page % PAGE_SIZE as u32);
        if add_page::<V, D>(design, bio, piece, n, in_page) == 0 {
            break;
        }
        added += n;
    }
    added
}
