//! The kernel's functions that take a `struct page`, head or tail, or a bio of them: the
//! designs' traits have them only for the units that each design names.

use flat::Flat;
use folio::FolioForAll;
use mm::block::Bio;
use mm::{BlockIo, Design, Memcg, Pointer, PowerArray};

/// Functions of the kernel that take any page.
pub trait PageApi: BlockIo {
    /// `get_page`.
    fn get_page(&self, page: Self::BvPage<'_>);
    /// `put_page`; true where it was the last reference.
    fn put_page(&self, page: Self::BvPage<'_>) -> bool;
    /// `compound_head`, as a word.
    fn compound_head_word(&self, page: Self::BvPage<'_>) -> u64;
    /// `prep_compound_page`, of an allocation's pages as they are.
    fn prep_compound(&self, unit: Self::Unit<'_>, order: u8);
    /// `bio_release_pages(bio, false)`.
    fn release<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>);
    /// Pins given back that the node was told of, once `more` are counted: none where pins
    /// are not counted (before 6.3).
    fn told_of_pins(&self, more: i64) -> i64;
    /// `bio_set_pages_dirty`.
    fn set_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>);
    /// `bio_check_pages_dirty`: whether all are dirty still; then they are released.
    fn check_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) -> bool;
}

impl PageApi for Flat {
    #[inline]
    fn get_page(&self, page: Self::BvPage<'_>) {
        self.get(page);
    }
    #[inline]
    fn put_page(&self, page: Self::BvPage<'_>) -> bool {
        self.put(page)
    }
    #[inline]
    fn compound_head_word(&self, page: Self::BvPage<'_>) -> u64 {
        PowerArray::word_of(self.compound_head(page))
    }
    #[inline]
    fn prep_compound(&self, page: Self::Unit<'_>, order: u8) {
        self.memmap().prep_compound_page(page.0, order);
    }
    #[inline]
    fn release<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) {
        self.bio_release_pages(bio, false);
    }
    fn told_of_pins(&self, more: i64) -> i64 {
        let _ = more;
        0
    }
    #[inline]
    fn set_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) {
        self.bio_set_pages_dirty(bio);
    }
    #[inline]
    fn check_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) -> bool {
        self.bio_check_pages_dirty(bio)
    }
}

impl PageApi for FolioForAll {
    #[inline]
    fn get_page(&self, page: Self::BvPage<'_>) {
        self.get(self.unit_at(page, 0).0);
    }
    #[inline]
    fn put_page(&self, page: Self::BvPage<'_>) -> bool {
        self.put(self.unit_at(page, 0).0)
    }
    #[inline]
    fn compound_head_word(&self, page: Self::BvPage<'_>) -> u64 {
        self.unit_at(page, 0).0.word()
    }
    #[inline]
    fn prep_compound(&self, folio: Self::Unit<'_>, order: u8) {
        self.memmap().prep_compound_page(folio.page(), order);
    }
    #[inline]
    fn release<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) {
        self.bio_release_pages(bio, false);
    }
    fn told_of_pins(&self, more: i64) -> i64 {
        if more > 0 {
            self.groups().count_unpinned(0, more);
        }
        self.groups().unpinned()
    }
    #[inline]
    fn set_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) {
        self.bio_set_pages_dirty(bio);
    }
    #[inline]
    fn check_dirty<'a>(&'a self, bio: &Bio<Self::BvPage<'a>>) -> bool {
        self.bio_check_pages_dirty(bio)
    }
}
