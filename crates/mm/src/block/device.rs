//! Device memory: pages that belong to a page map (`ZONE_DEVICE`, `struct dev_pagemap`).

use super::bio::Bio;
use crate::rules::KernelRules;
use crate::{BlockIo, KernelVersion};

/// The page map of a page, as far as the block layer looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pgmap {
    /// Tells page maps apart, as their addresses do in a kernel.
    pub number: u32,
    /// Whether the memory is another PCI device's (`MEMORY_DEVICE_PCI_P2PDMA`).
    pub p2pdma: bool,
}

/// The low bits of a descriptor's word say what kind of memory it is, so a page map stays above.
const NUMBER_SHIFT: u32 = 6;
/// Which of them says that it is another PCI device's: a kernel reads `pgmap->type`.
const P2PDMA: u64 = 1 << 5;

impl Pgmap {
    /// The word of a descriptor that leads to the page map (`page->pgmap`), never 0.
    #[inline]
    pub fn word(self) -> u64 {
        (u64::from(self.number) + 1) << NUMBER_SHIFT | if self.p2pdma { P2PDMA } else { 0 }
    }

    /// The page map that such a word leads to.
    #[inline]
    pub fn from_word(word: u64) -> Self {
        Self {
            number: (word >> NUMBER_SHIFT).wrapping_sub(1) as u32,
            p2pdma: word & P2PDMA != 0,
        }
    }
}

/// Whether two pages are both of ordinary memory, or of one page map, where rules ask for it
/// (`zone_device_pages_have_same_pgmap`): when a piece is merged into a vec (v6.2), and when
/// neighbours are joined in a segment (`biovec_phys_mergeable`, v7.1 and 6.12.88).
#[inline]
pub(super) fn may_share_segment<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    a: D::BvPage<'d>,
    b: D::BvPage<'d>,
) -> bool {
    !V::ASKS_PGMAP || design.pgmap(a) == design.pgmap(b)
}

/// Whether a page may be in one bio with another (`zone_device_pages_compatible`, v7.1 and
/// 6.12.86; from v6.17 on until then no other page map was): memory of another PCI device is mapped
/// in a way of its own, which is found once for each bio.
#[inline]
pub(super) fn may_share_bio<'d, V: KernelRules, D: BlockIo>(
    design: &'d D,
    a: D::BvPage<'d>,
    b: D::BvPage<'d>,
) -> bool {
    if !V::ASKS_PGMAP {
        return true;
    }
    let (a, b) = (design.pgmap(a), design.pgmap(b));
    let is_p2pdma = |map: Option<Pgmap>| map.is_some_and(|map| map.p2pdma);
    !(is_p2pdma(a) || is_p2pdma(b)) || a == b
}

/// Whether a bio is merged with no other because of its memory: another PCI device's, from v6.17
/// on. The kernel marks the bio with the first page of it (`__bio_add_page`, `REQ_NOMERGE`); here
/// it is asked when the bio is submitted, so that a bio of ordinary memory carries no mark.
pub fn is_nomerge<'d, V: KernelRules, D: BlockIo>(design: &'d D, bio: &Bio<D::BvPage<'d>>) -> bool {
    V::ASKS_PGMAP
        && V::VERSION >= KernelVersion::V7_1
        && bio
            .vecs()
            .iter()
            .any(|vec| design.pgmap(vec.page).is_some_and(|map| map.p2pdma))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_map_survives_its_word() {
        for number in [0, 1, 77, u32::MAX] {
            for p2pdma in [false, true] {
                let map = Pgmap { number, p2pdma };
                assert_eq!(Pgmap::from_word(map.word()), map);
                assert_eq!(map.word() & 3, 0, "the low bits of `mapping` are flags");
            }
        }
    }
}
