//! Real kernels in QEMU as the referee.
//!
//! Debian's kernels, or a kernel developer's own, boot in an emulated machine that has no
//! network and only an initramfs. A small module of ours (`module/`, GPL-2.0) asks them the
//! same cases that the models answer, and counts what their primitives cost: under QEMU's TCG
//! with `-icount shift=0` one guest instruction is one tick, so counts repeat to the last digit.
//!
//! - [`Store`] and [`fetch`]: where fetched kernels live, and how they get there.
//! - [`Kernel`]: a fetched series, or an own build.
//! - [`Oracle`]: a kernel with the module built for it: ask it cases, let it count.
//! - [`check`](check::check): random cases against the models, mismatches shrunk.
//! - [`ledger`]: accounting and lists put to native kernels as random sequences.
//! - [`recorded`]: the answers and counts that are committed, and what refuses them.
#![forbid(unsafe_code)]

mod arena;
pub mod campaign;
pub mod check;
mod count;
mod error;
mod fetch;
mod guest;
mod initramfs;
mod kernel;
mod kernel_answer;
pub mod ledger;
mod module;
mod native_witness;
mod oracle;
mod outcome;
mod payload;
mod question;
pub mod recorded;
mod store;
pub mod traffic;
pub mod wire;

pub use arena::Unplaceable;
pub use count::{Sections, read_counts};
pub use error::OracleError;
pub use fetch::fetch;
pub use guest::{Emulator, MISSING_QEMU};
pub use kernel::{Kernel, Series};
pub use kernel_answer::KernelAnswer;
pub use module::{Parts, source_hash};
pub use native_witness::NativeWitness;
pub use oracle::Oracle;
pub use question::read as read_answers;
pub use store::Store;
