//! The laws, stamped for typed views over the array of pages.

conformance::conformance!(split::Split, describe, block, memcg, lru);
