//! Physical memory as the designs see it: frames, orders, kinds, extents and
//! layouts, synthetic and captured from a real kernel.
//!
//! * [`layout`]: allocations in the order in which an IO meets them.
//! * [`allocator`]: a deterministic buddy allocator with a fragmentation knob.
//! * [`synthetic`]: a synthetic zone of every kind, for walks over page frames.
//! * [`capture`]: what a real kernel had where, taken, written and read back.
//! * [`census`]: all memory of a running machine, counted by use and order.
//! * [`captures`]: the captures that ship with the project.
#![forbid(unsafe_code)]

pub mod allocator;
pub mod capture;
pub mod captures;
pub mod census;
pub mod layout;
mod pfn;
pub mod synthetic;

pub use allocator::FrameAllocator;
pub use capture::Capture;
pub use layout::{Layout, Source};
pub use pfn::{Extent, Kind, MAX_ORDER, Order, OrderError, PAGE_SHIFT, PAGE_SIZE, Pfn, PhysAddr};
pub use synthetic::{Mix, Share, mixed_zone};
