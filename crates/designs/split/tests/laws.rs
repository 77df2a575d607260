//! The laws, stamped for types of their own.

conformance::conformance!(split::Split, describe, block, memcg, lru);
