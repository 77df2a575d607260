//! Designs as models that a real kernel is held against.

use conformance::case::{Add, Answer, By, Case};
use conformance::evaluate::evaluate;
use conformance::reference;
use mm::{BlockIo, KernelVersion};

/// A design's answer to a case, for [`Model::answer`](crate::check::Model): `None` where the
/// case asks what the design by its nature does not do.
///
/// - A design whose vecs hold one page each is asked only under the rules of v5.0, and the
///   others only under later ones.
/// - Linux 6.1 has vecs that name pages (`bio_add_page`) and vecs that name folios
///   (`bio_add_folio`). It tells them apart where it counts offsets from what the vec names:
///   at a virtual boundary wider than a page, and in the short cut for a single vec that ends
///   within the first page. 5.10 and 6.12 name pages only. A design that names whole
///   allocations has no vec for a tail page; it is asked whatever has the same answer under
///   either name.
pub fn answer_of<D: BlockIo>(case: &Case) -> Option<Answer> {
    if (case.rules == KernelVersion::V5_0) != D::SINGLE_PAGE_VECS {
        return None;
    }
    if asks_for_page_names(case) && D::NAMES_UNITS {
        return None;
    }
    evaluate::<D>(case).ok()
}

/// Whether the answer depends on vecs naming pages rather than folios: the reference is asked
/// both ways.
fn asks_for_page_names(case: &Case) -> bool {
    let named = |add: &Add| add.by == By::Page && add.order > 0;
    if case.rules != KernelVersion::V6_1 || !case.adds.iter().any(named) {
        return false;
    }
    let mut by_folio = case.clone();
    for add in by_folio.adds.iter_mut().filter(|add| named(add)) {
        add.by = By::Folio;
    }
    match (reference::evaluate(case), reference::evaluate(&by_folio)) {
        (Answer::Taken(page), Answer::Taken(folio)) => {
            (page.accepted, page.bios) != (folio.accepted, folio.bios)
        }
        (Answer::Refused(page), Answer::Refused(folio)) => page.error != folio.error,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use conformance::case::Limits;
    use flat::{Flat, FlatSinglePage};
    use folio::FolioForAll;
    use headpage::HeadPage;

    use super::*;

    /// The second page of a folio, where only its first two sectors may go at once: a vec that
    /// names the page takes the short cut, one that names the folio is cut.
    fn case(rules: KernelVersion, by: By) -> Case {
        Case {
            name: "t".into(),
            rules,
            max_vecs: 256,
            limits: Limits {
                max_sectors: Some(9),
                physical_block_size: Some(4096),
                ..Limits::default()
            },
            start_sector: 6,
            adds: vec![Add {
                pfn: 1024,
                order: 1,
                offset: 6656,
                len: 1536,
                bio: 0,
                by,
            }],
        }
    }

    #[test]
    fn a_design_is_asked_what_it_does() {
        let by_page = case(KernelVersion::V6_1, By::Page);
        assert!(answer_of::<Flat>(&by_page).is_some());
        assert!(answer_of::<HeadPage>(&by_page).is_none());
        assert!(answer_of::<HeadPage>(&case(KernelVersion::V6_1, By::Folio)).is_some());
        assert!(answer_of::<HeadPage>(&case(KernelVersion::V6_12, By::Page)).is_some());
        assert!(answer_of::<FlatSinglePage>(&by_page).is_none());
        assert!(answer_of::<FlatSinglePage>(&case(KernelVersion::V5_0, By::Page)).is_some());
        assert!(answer_of::<FolioForAll>(&case(KernelVersion::V5_0, By::Page)).is_none());
    }

    #[test]
    fn a_design_is_asked_where_the_name_makes_no_difference() {
        let mut whole = case(KernelVersion::V6_1, By::Page);
        whole.limits.max_sectors = None;
        assert!(answer_of::<HeadPage>(&whole).is_some());
    }
}
