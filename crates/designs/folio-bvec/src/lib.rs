//! # bio_vecs that name folios
//!
//! A bio_vec holds a [`Folio`] and a byte offset into it: what head pages are by assertion, a
//! folio is by type. All else is a folio for everything, as in the crate `folio`.
//!
//! The thread's objection is that block IO goes to memory of any kind: "if bvecs point to folios,
//! slab must be a subtype". Both answers are here. In [`FolioBvec`] it is one, and `Folio::of`
//! makes a folio of any head page. In [`FolioBvecNoSlab`] it is not: a submitter with slab memory
//! has no folio to name, so a bio cannot take it ([`SlabIo::Refused`]), and the submitter copies
//! through a folio of its own. `merging/slab-io` shows both prices.
//!
//! [`SlabIo::Refused`]: mm::SlabIo::Refused

#![forbid(unsafe_code)]

mod block_io;

use mm::memmap::Memmap;
use mm::{OnMemmap, PageArray, Slot};

/// Slab memory is a subtype of folio.
pub type FolioBvec = FolioBvecDesign<true>;
/// Slab memory is not a folio, and no bio takes it.
pub type FolioBvecNoSlab = FolioBvecDesign<false>;

/// A `struct folio *`: a head page by type.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Folio<'a>(pub(crate) &'a Slot);

impl<'a> Folio<'a> {
    /// The folio that a head page is the first page of; none where it is a slab's, and slab is not
    /// a subtype.
    #[inline]
    fn of<const SLAB: bool>(head: &'a Slot) -> Option<Self> {
        (SLAB || !Memmap::is_slab(head)).then_some(Folio(head))
    }
}

mm::slot_pointer!(Folio);

/// The design, with slab memory as a folio or without.
#[derive(Debug)]
pub struct FolioBvecDesign<const SLAB: bool>(PageArray);

impl<const SLAB: bool> OnMemmap for FolioBvecDesign<SLAB> {
    const NAME: &'static str = if SLAB {
        "folio-bvec"
    } else {
        "folio-bvec-noslab"
    };
    const IDEA: &'static str = if SLAB {
        "bio_vecs name folios; slab is a subtype of folio"
    } else {
        "bio_vecs name folios; slab is none, and IO to it is bounced"
    };
    type Ref<'a> = Folio<'a>;

    fn over(pages: PageArray) -> Self {
        Self(pages)
    }

    #[inline]
    fn pages(&self) -> &PageArray {
        &self.0
    }

    #[inline]
    fn head<'a>(&'a self, folio: Folio<'a>) -> &'a Slot {
        folio.0
    }

    #[inline]
    fn unit<'a>(&'a self, head: &'a Slot) -> Folio<'a> {
        Folio(head)
    }
}
