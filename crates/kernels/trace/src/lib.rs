//! Exact memory traffic of kernel primitives and models.
//!
//! A plugin of ours (`plugin/`, GPL-2.0-or-later, as it is loaded into QEMU) counts what each
//! call of an operation does to memory: instructions, loads, stores, distinct cache lines by
//! what lies in them, and which words of each descriptor were read and written. Kernels run
//! in system emulation with marks around the operation, models in user-mode emulation with
//! the operation's own function as the section. Nothing depends on the host's caches, so the
//! figures repeat.
//!
//! - [`Plugin`]: the plugin, built for an emulator that takes plugins.
//! - [`Section`] and [`sections`]: what it wrote.
//! - [`results::Traffic`]: what is recorded of a section.
//! - [`program`]: sections of a program under user-mode emulation.
//! - [`announce`]: how such a program says which memory is what.
#![forbid(unsafe_code)]

pub mod announce;
mod plugin;
pub mod program;
mod section;

pub use plugin::{NoTrace, Plugin};
pub use section::{Section, sections, usual};
