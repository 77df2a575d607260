//! The laws, stamped for a folio for everything.

conformance::conformance!(design_folio::FolioForAll, describe, block, accounting, lru);
