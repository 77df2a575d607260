//! Campaigns of accounting and lists: random [cases](LedgerCase) in a native kernel and in
//! plain sums.

mod check;
mod generate;

pub use check::{LedgerMismatch, check};
pub use conformance::ledger::{Books, LedgerCase, MOST_ALLOCS, MOST_GROUPS, Step};
pub use generate::generate_one;
