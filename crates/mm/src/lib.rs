//! The traits that every design implements, the vocabulary they share, and the
//! machinery that is the same for all of them, as it is in a kernel: the block layer,
//! memory cgroups and LRU lists. Designs differ in the thing that a reference points at,
//! in where a descriptor lies and in the cost of finding it.

pub mod block;
mod capability;
pub mod lru;
pub mod memcg;
pub mod memmap;
pub mod movable;
mod on_memmap;
mod rules;
mod slot;
mod traits;

pub use capability::Capability;
pub use on_memmap::{OnMemmap, PageArray, PageBvecs};
pub use rules::{
    DeviceMemory, KernelRules, KernelVersion, Linux5_0, Linux5_10, Linux6_1, Linux6_12, Linux7_1,
    Linux7_2, NoMerge, QueueLimits, SECTOR_SIZE,
};
pub use slot::{Link, PowerArray, SLOT_SIZE, Slot};
pub use traits::{
    BlockIo, BuildError, BvPages, Descriptor, DescriptorArray, Design, Field, Lru, Memcg, NoMemory,
    Plan, Pointer, Scan, SlabIo,
};
