//! Physical memory as the designs see it: frames, orders, kinds, extents and
//! layouts, synthetic and captured from a real kernel.

mod vocabulary;

pub use vocabulary::{
    Extent, Kind, MAX_ORDER, Order, OrderError, PAGE_SHIFT, PAGE_SIZE, Pfn, PhysAddr,
};
