//! A synthetic zone: every frame of a range, used by one kind or another.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::allocator::natural_blocks;
use crate::{Extent, Kind, Order, Pfn};

/// The largest free block of the kernel's buddy allocator (`MAX_PAGE_ORDER`).
const LARGEST_FREE: Order = Order::new(10);

/// Which kinds fill a zone, in which orders, and with what share of its frames.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mix(Vec<Share>);

/// One part of a [`Mix`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Their use.
    pub kind: Kind,
    /// The size of each allocation.
    pub order: Order,
    /// Its share of the frames, relative to the other shares.
    pub weight: u32,
}

/// A mix that could leave frames without an owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a mix needs a share of order 0 with a weight above 0, to fill what larger orders leave")]
pub struct MixError;

impl Mix {
    /// A mix of these shares.
    ///
    /// # Errors
    /// [`MixError`] without a share of order 0.
    pub fn new(shares: impl IntoIterator<Item = Share>) -> Result<Self, MixError> {
        let shares: Vec<Share> = shares
            .into_iter()
            .filter(|share| share.weight > 0)
            .collect();
        if !shares.iter().any(|share| share.order == Order::BASE) {
            return Err(MixError);
        }
        Ok(Self(shares))
    }

    /// A server with some of everything; weights are per mille of the frames.
    ///
    /// The shares are ours, not a measurement: large folios for half of the user memory,
    /// slabs of up to order 3, the rest in base pages. Kernel stacks are base pages, as with
    /// `CONFIG_VMAP_STACK`.
    pub fn typical() -> Self {
        let share = |kind, order, weight| Share {
            kind,
            order: Order::new(order),
            weight,
        };
        Self(vec![
            share(Kind::Anon, 0, 180),
            share(Kind::Anon, 4, 50),
            share(Kind::Anon, 9, 150),
            share(Kind::File, 0, 140),
            share(Kind::File, 2, 60),
            share(Kind::File, 4, 70),
            share(Kind::File, 9, 50),
            share(Kind::Slab, 0, 20),
            share(Kind::Slab, 1, 20),
            share(Kind::Slab, 3, 60),
            share(Kind::PageTable, 0, 25),
            share(Kind::KernelStack, 0, 10),
            share(Kind::PipeBuffer, 0, 5),
            share(Kind::Zsmalloc, 0, 20),
            share(Kind::Free, 0, 20),
            share(Kind::Free, 3, 40),
            share(Kind::Free, 9, 80),
        ])
    }

    /// The parts.
    pub fn shares(&self) -> &[Share] {
        &self.0
    }

    fn weight(&self, fits: impl Fn(&Share) -> bool) -> u64 {
        self.0
            .iter()
            .filter(|share| fits(share))
            .map(|share| u64::from(share.weight))
            .sum()
    }
}

/// Fills a range of frames after a mix: every frame once, ascending, free blocks joined as a
/// buddy allocator would. The same arguments give the same zone.
pub fn mixed_zone(range: Range<Pfn>, seed: u64, mix: &Mix) -> Vec<(Extent, Kind)> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut zone = Vec::new();
    for block in natural_blocks(range) {
        fill(block, &mut rng, mix, &mut zone);
    }
    zone
}

/// Uses a block whole with the chance that its order has among the orders up to it, else
/// fills its halves: so that every share of frames comes out as its weight says.
fn fill(block: Extent, rng: &mut Pcg64, mix: &Mix, zone: &mut Vec<(Extent, Kind)>) {
    let whole = mix.weight(|share| share.order == block.order);
    let up_to = mix.weight(|share| share.order <= block.order);
    if whole > 0 && rng.random_range(0..up_to) < whole {
        let mut drawn = rng.random_range(0..whole);
        let same = mix.0.iter().filter(|share| share.order == block.order);
        for share in same {
            match drawn.checked_sub(u64::from(share.weight)) {
                Some(rest) => drawn = rest,
                None => return put(block, share.kind, zone),
            }
        }
    }
    let half = Order::new(block.order.get() - 1);
    fill(Extent::new(block.head, half), rng, mix, zone);
    fill(Extent::new(block.head + half.pages(), half), rng, mix, zone);
}

fn put(block: Extent, kind: Kind, zone: &mut Vec<(Extent, Kind)>) {
    let mut block = block;
    if kind == Kind::Free {
        while let Some((last, Kind::Free)) = zone.last().copied() {
            let buddies = last.order == block.order
                && block.order < LARGEST_FREE
                && last.head.0 ^ block.order.pages() == block.head.0;
            if !buddies {
                break;
            }
            zone.pop();
            block = Extent::new(last.head, Order::new(last.order.get() + 1));
        }
    }
    zone.push((block, kind));
}
