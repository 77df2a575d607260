//! The cases in which a design claims to know the answer of a real kernel.

use mm::BlockIo;

use crate::case::{Answer, Case};
use crate::evaluate::evaluate;
use crate::reference;
use crate::under::runs_under;

/// A design's answer to a case that a real kernel is asked too; `None` where the case asks for
/// something that the design by its nature does not do.
///
/// - A design whose vecs hold one page each is asked only under the rules of v5.0, and the
///   others only under later ones.
/// - A design whose vecs name whole allocations is only asked cases whose answer is the same
///   whether vecs name those or pages ([`reference::depends_on_names`]): at a virtual boundary
///   wider than a page, offsets count from what a vec names. Kernels name pages; 6.1's
///   `bio_add_folio` names folios, and there the short cuts for a vec within its first page look at
///   the whole offset.
pub fn answer_of<D: BlockIo>(case: &Case) -> Option<Answer> {
    if !runs_under::<D>(case.rules) {
        return None;
    }
    if D::NAMES_UNITS && reference::depends_on_names(case) {
        return None;
    }
    evaluate::<D>(case).ok()
}
