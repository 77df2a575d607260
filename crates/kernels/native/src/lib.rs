//! Real kernels as programs of this machine.
//!
//! Linux's user-mode architecture (`ARCH=um`) builds the unmodified block layer, memcg and
//! mm as an ordinary program. With our driver (`crates/kernels/driver`, GPL-2.0) inside, it
//! takes commands on a pipe: lay out these allocations, run this loop a number of times and
//! say how long it took, answer these cases.
//!
//! - [`build`]: a version or a tree of one's own, with patches, to a [`Kernel`] in the cache.
//! - [`carried_patches`]: the patches that the tool knows by name.
//! - [`list`]: the kernels that are built; [`current`]: those that can be asked.
//! - [`Kernel::run_tests`]: the kernel's own tests of itself.
//! - [`Process`]: a kernel that runs.
//! - [`Session`]: what can be asked of it: layouts, jobs, cases, its memory.
#![forbid(unsafe_code)]

mod builder;
mod cache;
mod console;
mod driver;
mod error;
mod kunit;
mod layout;
mod make;
mod memory;
mod patch;
mod patches;
mod process;
mod session;
mod source;
mod spawner;
mod stepper;
mod tools;
mod tree;
pub mod wire;

pub use builder::{Plan, Progress, build};
pub use cache::{Cache, InUse, Kernel, current, list};
pub use error::{BuildError, Console, RunError};
pub use kunit::{KUNIT, Suite};
pub use layout::{Layout, Piece};
pub use memory::Backed;
pub use patches::{CarriedPatch, carried_patches};
pub use process::{Process, Size};
pub use session::{Hello, JobSetup, Run, Session};
pub use source::{SERIES, Source};
pub use stepper::{Bounds, StepError, Traffic};
pub use tools::check as check_tools;
