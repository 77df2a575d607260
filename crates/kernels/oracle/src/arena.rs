//! Where in the guest's arena a case's memory lies.

use conformance::case::{Case, Limits};

/// Pages of the arena (`ARENA_PAGES` of the module), half of them below a 4 GiB boundary.
pub(crate) const ARENA_PAGES: u64 = 1 << 15;
/// The arena's first page when a case's own addresses are looked at modulo 4 GiB.
const BELOW_BOUNDARY: u64 = ARENA_PAGES / 2;
/// Pages in 4 GiB.
const BOUNDARY_PAGES: u64 = 1 << 20;
/// Pages in 64 MiB: the alignment of each half of the arena.
const HALF_PAGES: u64 = ARENA_PAGES / 2;

/// Why a case's memory has no faithful place in the arena.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unplaceable {
    /// Its pages lie too far apart.
    #[error(
        "its pages span {pages} pages; the guest's arena holds runs of up to {ARENA_PAGES} around a 4 GiB boundary, or 64 MiB aligned"
    )]
    Span {
        /// From the first page to the last.
        pages: u64,
    },
    /// It has more bios or adds than the module has room for.
    #[error("{bios} bios and {adds} adds; the module has room for 64 and 1024")]
    Size {
        /// Bios of the case.
        bios: usize,
        /// Adds of the case.
        adds: usize,
    },
    /// This kernel cannot be asked this case at all.
    #[error("field `{field}`: {reason}")]
    Impossible {
        /// The field at fault.
        field: String,
        /// Why.
        reason: String,
    },
}

/// The page that index 0 of the arena stands for: the case's pages minus this are arena
/// indexes, and adding it back gives the case's own page numbers again. Alignments, physical
/// neighbours and where boundaries fall stay as the case says.
pub(crate) fn origin(case: &Case) -> Result<u64, Unplaceable> {
    let low = case.adds.iter().map(|add| add.pfn).min().unwrap_or(0);
    let high = case
        .adds
        .iter()
        .map(|add| add.pfn + (1 << add.order))
        .max()
        .unwrap_or(0);

    // Moved by a multiple of 4 GiB nothing changes that any limit of the block layer sees.
    let index = (low + BELOW_BOUNDARY) % BOUNDARY_PAGES;
    if index + (high - low) <= ARENA_PAGES && low >= index {
        return Ok(low - index);
    }
    // Moved by a multiple of 64 MiB, boundaries of up to 64 MiB stay; larger ones must have no
    // part in it, so the case must not reach across one, here or there.
    let half = low - low % HALF_PAGES;
    if high - half <= HALF_PAGES {
        return Ok(half);
    }
    if high - half <= ARENA_PAGES && small_boundary(&case.limits) {
        return Ok(half);
    }
    Err(Unplaceable::Span { pages: high - low })
}

/// Whether segments break at every multiple of 64 MiB anyway.
fn small_boundary(limits: &Limits) -> bool {
    limits
        .seg_boundary_mask
        .is_some_and(|mask| mask != 0 && mask < HALF_PAGES << 12)
}

#[cfg(test)]
mod tests {
    use conformance::case::{Add, By};
    use mm::KernelVersion;

    use super::*;

    fn case(pfns: &[(u64, u8)]) -> Case {
        let add = |&(pfn, order): &(u64, u8)| Add {
            pfn,
            order,
            offset: 0,
            len: 4096,
            bio: 0,
            by: By::Page,
            pgmap: None,
        };
        Case {
            adds: pfns.iter().map(add).collect(),
            ..Case::new("t", KernelVersion::V6_1)
        }
    }

    #[test]
    fn a_case_across_4_gib_lies_across_the_guests_boundary() {
        let boundary = 1 << 20;
        let origin = origin(&case(&[(boundary - 512, 9), (boundary, 9)])).unwrap();
        assert_eq!(boundary - origin, BELOW_BOUNDARY);
    }

    #[test]
    fn other_cases_keep_their_place_within_64_mib() {
        for low in [4096, 8192 + 3, 5 * HALF_PAGES + 77] {
            let origin = origin(&case(&[(low, 0), (low + 8000, 0)])).unwrap();
            assert_eq!(origin % HALF_PAGES, 0);
            assert!(low - origin < HALF_PAGES);
        }
    }

    #[test]
    fn a_case_that_would_meet_a_foreign_boundary_is_refused() {
        // Across 64 MiB, but not across 4 GiB: in the arena it would cross both.
        let straddle = case(&[(3 * HALF_PAGES - 1, 0), (3 * HALF_PAGES, 0)]);
        assert!(origin(&straddle).is_err());
        let mut broken_anyway = straddle;
        broken_anyway.limits.seg_boundary_mask = Some(0xffff);
        assert!(origin(&broken_anyway).is_ok());
        assert!(origin(&case(&[(4096, 0), (1 << 30, 0)])).is_err());
    }
}
