//! The four capabilities, one word each.

use std::fmt;

/// Something that a design can do: one trait, one module of laws, one table of workloads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Capability {
    /// Describing memory: [`Design`](crate::Design).
    Describe,
    /// Bios over it: [`BlockIo`](crate::BlockIo).
    Block,
    /// Charging it to groups: [`Memcg`](crate::Memcg).
    Memcg,
    /// Reclaim's lists and compaction's walk: [`Lru`](crate::Lru).
    Lru,
}

impl Capability {
    /// All, in the order in which they build on each other.
    pub const ALL: [Self; 4] = [Self::Describe, Self::Block, Self::Memcg, Self::Lru];

    /// The word that laws, the registry and `folioscope list` use: `describe`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Block => "block",
            Self::Memcg => "memcg",
            Self::Lru => "lru",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
