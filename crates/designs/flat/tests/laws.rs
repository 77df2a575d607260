//! The laws, stamped for flat pages with multi-page and with single-page bio_vecs.

conformance::conformance!(flat::Flat, describe, block, memcg, lru);

mod single_page {
    conformance::conformance!(flat::FlatSinglePage, block);
}
