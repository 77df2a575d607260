//! The references of the submitter that are left when all IO has ended.

use crate::case::{Case, PAGE_SIZE};

use super::bio::Built;

/// Each allocation with the references that are left of its submitter's. `bio_release_pages` lets go
/// of a page once for each vec that touches it: page by page in 5.10 (`put_page`), and with the same
/// sum a folio's run at a time later (`folio_put_refs` in 6.1, `unpin_user_folio` from 6.12 on).
pub(super) fn held(case: &Case, built: &Built) -> Vec<(u64, u64)> {
    let pages = |from: u64, to: u64| (to - 1) / PAGE_SIZE - from / PAGE_SIZE + 1;
    let left_of = |(&pfn, &order): (&u64, &u8)| {
        let (start, end) = (pfn * PAGE_SIZE, (pfn + (1 << order)) * PAGE_SIZE);
        let taken: u64 = case
            .adds
            .iter()
            .zip(&built.accepted)
            .filter(|(add, got)| add.pfn == pfn && **got > 0)
            .map(|(add, &got)| {
                let from = start + u64::from(add.offset);
                pages(from, from + u64::from(got))
            })
            .sum();
        let released: u64 = built
            .bios
            .iter()
            .flat_map(|bio| bio.table())
            .map(|vec| (vec.phys().max(start), vec.end().min(end)))
            .filter(|(from, to)| from < to)
            .map(|(from, to)| pages(from, to))
            .sum();
        (pfn, taken - released)
    };
    case.allocations().iter().map(left_of).collect()
}
