//! The traits that a design implements: one per capability.
//!
//! In each trait the required items are *facts*: where a descriptor lies, what it says, what
//! a bio_vec names. The provided ones are *paths*, algorithms of [`crate::block`],
//! [`crate::memcg`] and [`crate::lru`] over those facts, the same for every design; a design
//! replaces one only where its kernel does the thing in another way. A design on the array
//! of `struct page` states even fewer facts: see [`OnMemmap`](crate::OnMemmap).
//!
//! The docs of a required method name the kernel's function and the law of `conformance`
//! that fails where the fact is wrong.
//!
//! The traits are safe and, on purpose, not object-safe. A wrong design gives wrong answers,
//! which the laws catch, never undefined behaviour; and no `dyn` stands in a timed loop.

mod block_io;
mod design;
mod lru;
mod memcg;

pub use block_io::{BlockIo, BvPages, SlabIo};
pub use design::{BuildError, Descriptor, DescriptorArray, Design, Field, NoMemory, Plan, Pointer};
pub use lru::{Lru, Scan};
pub use memcg::Memcg;
