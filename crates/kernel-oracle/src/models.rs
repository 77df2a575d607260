//! Designs as models that a real kernel is held against.

use conformance::case::{Answer, By, Case};
use conformance::evaluate::evaluate;
use design::{BlockIo, BuildError, Plan, Version};
use hugemem::Backing;
use physmem::{Extent, Kind, Order, Pfn};

/// A design's answer to a case, for [`Model::answer`](crate::check::Model): `None` where the
/// case asks what the design by its nature does not do.
///
/// - A design whose vecs hold one page each is asked only under the rules of v5.0, and the
///   others only under later ones.
/// - Linux 6.1 has vecs that name pages (`bio_add_page`) and vecs that name folios
///   (`bio_add_folio`), and tells them apart where a virtual boundary is wider than a page,
///   since it counts offsets from what the vec names. 5.10 and 6.12 name pages only. A design
///   that names whole allocations is asked about the vecs that it has.
pub fn answer_of<D: BlockIo>(case: &Case) -> Option<Answer> {
    if (case.rules == Version::V5_0) != D::SINGLE_PAGE_VECS {
        return None;
    }
    if asks_for_page_names(case) && names_units::<D>().ok()? {
        return None;
    }
    evaluate::<D>(case).ok()
}

/// Whether the answer depends on vecs naming pages rather than folios.
fn asks_for_page_names(case: &Case) -> bool {
    case.rules == Version::V6_1
        && case
            .limits
            .virt_boundary_mask
            .is_some_and(|mask| mask >> 12 != 0)
        && case
            .adds
            .iter()
            .any(|add| add.by == By::Page && add.order > 0)
}

/// Whether a design's references name whole allocations.
fn names_units<D: BlockIo>() -> Result<bool, BuildError> {
    let plan = Plan {
        base: Pfn(512),
        frames: 3,
        backing: Backing::Base,
    };
    let design = D::build(&plan)?;
    let chunk = design.compose(Extent::new(Pfn(512), Order::new(1)), Kind::File);
    let names = design
        .reference(chunk, 1)
        .is_some_and(|(_, offset)| offset != 0);
    design.dissolve(chunk);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use conformance::case::{Add, Limits};
    use design_flat::{Flat, FlatSinglePage};
    use design_folio::FolioForAll;
    use design_headpage::HeadPage;

    use super::*;

    fn case(rules: Version, by: By) -> Case {
        Case {
            name: "t".into(),
            rules,
            max_vecs: 256,
            limits: Limits {
                virt_boundary_mask: Some(8191),
                ..Limits::default()
            },
            start_sector: 0,
            adds: vec![Add {
                pfn: 1024,
                order: 1,
                offset: 4096,
                len: 4096,
                bio: 0,
                by,
            }],
        }
    }

    #[test]
    fn a_design_is_asked_what_it_does() {
        let by_page = case(Version::V6_1, By::Page);
        assert!(answer_of::<Flat>(&by_page).is_some());
        assert!(answer_of::<HeadPage>(&by_page).is_none());
        assert!(answer_of::<HeadPage>(&case(Version::V6_1, By::Folio)).is_some());
        assert!(answer_of::<HeadPage>(&case(Version::V6_12, By::Page)).is_some());
        assert!(answer_of::<FlatSinglePage>(&by_page).is_none());
        assert!(answer_of::<FlatSinglePage>(&case(Version::V5_0, By::Page)).is_some());
        assert!(answer_of::<FolioForAll>(&case(Version::V5_0, By::Page)).is_none());
    }
}
