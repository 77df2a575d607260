//! The laws, stamped for descriptors allocated apart.

conformance::conformance!(memdesc::MemDesc, describe, block, memcg, lru);
