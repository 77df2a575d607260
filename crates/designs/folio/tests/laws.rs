//! The laws, stamped for a folio for everything.

conformance::conformance!(folio::FolioForAll, describe, block, memcg, lru);
