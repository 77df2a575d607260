//! The cases in which a design claims to know the answer of a real kernel.

use mm::{BlockIo, KernelVersion};

use crate::case::{Add, Answer, By, Case};
use crate::evaluate::evaluate;
use crate::reference;

/// A design's answer to a case that a real kernel is asked too: `None` where the case asks what
/// the design by its nature does not do.
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
