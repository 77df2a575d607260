//! The laws, stamped for types of their own.

conformance::conformance!(design_split::Split, describe, block, accounting, lru);
