//! Mappings on base pages, THP, hugetlb and files, and what the kernel really gave.
//!
//! A [`Mapping`] is asked for with a [`Request`] and proves itself with [`Mapping::proof`].
//! It hands out addresses only; to get at the memory it is turned into a [`ByteArena`]
//! (plain bytes, one writer) or a [`WordArena`] (shared words, atomics), never both at once.
//!
//! [`pagemap`] reads page frames and their flags; [`process`] reads and sets what a
//! benchmark harness needs of its own process and thread. The crate never changes a system
//! setting: where a pool is empty or a limit too low, the error names the command that helps.

mod arena;
mod backing;
mod error;
mod mapping;
pub mod pagemap;
pub mod pool;
pub mod process;
mod proof;

pub use arena::{ByteArena, WordArena};
pub use backing::{Backing, UnknownBacking};
pub use error::Error;
pub(crate) use mapping::filesystem;
pub use mapping::{LentMemory, Mapping, Request, borrow_memory};
pub use proof::{Proof, Smaps};

/// Bytes in a base page (x86-64).
pub const BASE_PAGE_BYTES: usize = 4096;
/// Bytes in a huge page that one PMD maps (x86-64).
pub const PMD_PAGE_BYTES: usize = 2 << 20;
/// Bytes in a huge page that one PUD maps (x86-64).
pub const PUD_PAGE_BYTES: usize = 1 << 30;
