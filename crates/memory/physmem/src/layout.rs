//! Layouts: allocations in the order in which an IO meets them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::{Extent, FrameAllocator, Kind, Order, Pfn, allocator};

/// Where a layout comes from; it goes with every figure drawn from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Made up.
    Synthetic {
        /// How: the pattern and its parameters.
        what: String,
        /// The seed, where chance is part of it.
        seed: Option<u64>,
    },
    /// Taken from a real kernel.
    Captured {
        /// The kernel's release.
        kernel: String,
        /// The day, as `YYYY-MM-DD`.
        date: String,
        /// The captured memory, and the changes to it since.
        what: String,
    },
}

impl Source {
    /// The same origin with a note on what was done since.
    fn with(&self, note: &str) -> Self {
        let mut source = self.clone();
        let (Self::Synthetic { what, .. } | Self::Captured { what, .. }) = &mut source;
        what.push_str(", ");
        what.push_str(note);
        source
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Synthetic { what, seed: None } => write!(f, "synthetic: {what}"),
            Self::Synthetic {
                what,
                seed: Some(seed),
            } => write!(f, "synthetic: {what}, seed {seed}"),
            Self::Captured { kernel, date, what } => {
                write!(f, "captured on Linux {kernel}, {date}: {what}")
            }
        }
    }
}

/// Allocations with their kinds, in the order in which an IO meets them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Where it comes from.
    pub source: Source,
    /// The allocations. One may come twice where memory is visited twice.
    pub extents: Vec<(Extent, Kind)>,
}

/// Frames that follow one another in a layout and in physical memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhysicalRun {
    /// The first frame.
    pub start: Pfn,
    /// Base pages in it.
    pub pages: u64,
    /// Allocations in it.
    pub extents: usize,
}

impl Layout {
    /// Allocations given one by one.
    pub fn given(what: impl Into<String>, extents: Vec<(Extent, Kind)>) -> Self {
        Self {
            source: Source::Synthetic {
                what: what.into(),
                seed: None,
            },
            extents,
        }
    }

    /// `count` allocations, each the physical neighbour of the one before; `start` is rounded up
    /// to the order's alignment.
    pub fn contiguous(start: Pfn, order: Order, count: u64, kind: Kind) -> Self {
        let start = start.0.next_multiple_of(order.pages());
        let extents = (0..count)
            .map(|n| (Extent::new(Pfn(start + n * order.pages()), order), kind))
            .collect();
        Self::given(format!("{count} x order {order}, contiguous"), extents)
    }

    /// `count` allocations of which no two are physical neighbours, in random order.
    ///
    /// They take every second place of their order from `start` on.
    pub fn scattered(start: Pfn, order: Order, count: u64, kind: Kind, seed: u64) -> Self {
        let start = start.0.next_multiple_of(order.pages());
        let mut extents: Vec<_> = (0..count)
            .map(|n| (Extent::new(Pfn(start + 2 * n * order.pages()), order), kind))
            .collect();
        extents.shuffle(&mut Pcg64::seed_from_u64(seed));
        let what = format!("{count} x order {order}, scattered");
        Self {
            source: Source::Synthetic {
                what,
                seed: Some(seed),
            },
            extents,
        }
    }

    /// `count` allocations as a buddy allocator of this fragmentation hands them out; fewer
    /// if its memory, four times as much as the allocations, cannot hold them.
    ///
    /// # Errors
    /// [`allocator::ConfigError`].
    pub fn fragmented(
        order: Order,
        count: u64,
        kind: Kind,
        seed: u64,
        fragmentation: f64,
    ) -> Result<Self, allocator::ConfigError> {
        let frames = (4 * count)
            .saturating_mul(order.pages())
            .next_multiple_of(Order::PMD.pages());
        let mut memory = FrameAllocator::new(Pfn(0)..Pfn(frames), seed, fragmentation)?;
        let extents: Vec<_> = (0..count)
            .map_while(|_| memory.alloc(order))
            .map(|extent| (extent, kind))
            .collect();
        let what = format!(
            "{} x order {order}, fragmentation {fragmentation}",
            extents.len()
        );
        Ok(Self {
            source: Source::Synthetic {
                what,
                seed: Some(seed),
            },
            extents,
        })
    }

    /// The allocations and their kinds in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Extent, Kind)> {
        self.extents.iter()
    }

    /// Allocations in the layout.
    pub fn len(&self) -> usize {
        self.extents.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// Base pages in the layout.
    pub fn pages(&self) -> u64 {
        self.extents
            .iter()
            .map(|(extent, _)| extent.order.pages())
            .sum()
    }

    /// Bytes in the layout.
    pub fn bytes(&self) -> u64 {
        self.extents
            .iter()
            .map(|(extent, _)| extent.order.bytes())
            .sum()
    }

    /// Every frame in order.
    pub fn frames(&self) -> impl Iterator<Item = Pfn> + '_ {
        self.extents
            .iter()
            .flat_map(|(extent, _)| (extent.head.0..extent.end().0).map(Pfn))
    }

    /// The frames in longest runs that are contiguous in physical memory.
    pub fn physical_runs(&self) -> impl Iterator<Item = PhysicalRun> + '_ {
        let mut extents = self.extents.iter().map(|(extent, _)| *extent).peekable();
        std::iter::from_fn(move || {
            let first = extents.next()?;
            let mut run = PhysicalRun {
                start: first.head,
                pages: first.order.pages(),
                extents: 1,
            };
            while let Some(next) = extents.next_if(|next| next.head == run.start + run.pages) {
                run.pages += next.order.pages();
                run.extents += 1;
            }
            Some(run)
        })
    }

    /// The frames from the lowest to the highest, what lies between included; `None` if empty.
    pub fn span(&self) -> Option<Range<Pfn>> {
        let start = self.extents.iter().map(|(extent, _)| extent.head).min()?;
        let end = self.extents.iter().map(|(extent, _)| extent.end()).max()?;
        Some(start..end)
    }

    /// The same layout in as few frames as its shape needs, from `start` on, which is rounded
    /// up to the largest allocation or 2 MiB.
    ///
    /// Memory is moved in blocks of that size. Blocks that are neighbours stay neighbours and
    /// others stay apart, so contiguity and alignment within a block are kept; the distance
    /// between others is not, nor is the place of boundaries beyond a block (4 GiB). For
    /// descriptor arrays, which would else have to span all of the captured machine.
    pub fn squeezed(&self, start: Pfn) -> Self {
        let largest = self
            .extents
            .iter()
            .map(|(extent, _)| extent.order)
            .max()
            .unwrap_or(Order::BASE);
        let block = largest.max(Order::PMD).pages();
        let used: BTreeSet<u64> = self
            .extents
            .iter()
            .map(|(extent, _)| extent.head.0 / block)
            .collect();
        let mut next = start.0.div_ceil(block);
        let mut last = None;
        let moved: Vec<(u64, u64)> = used
            .into_iter()
            .map(|from| {
                if last.is_some_and(|last| from != last + 1) {
                    next += 1;
                }
                last = Some(from);
                next += 1;
                (from, next - 1)
            })
            .collect();
        let place = |extent: Extent| {
            let found = moved.binary_search_by_key(&(extent.head.0 / block), |(from, _)| *from);
            let (_, to) = moved[found.expect("every block that is used was moved")];
            Extent::new(Pfn(to * block + extent.head.0 % block), extent.order)
        };
        let extents = self
            .extents
            .iter()
            .map(|(extent, kind)| (place(*extent), *kind))
            .collect();
        Self {
            source: self.source.with("gaps squeezed"),
            extents,
        }
    }

    /// The first allocations, up to `pages` base pages; at least one.
    pub fn first_pages(&self, pages: u64) -> Self {
        let mut taken = 0;
        let extents: Vec<_> = self
            .extents
            .iter()
            .take_while(|(extent, _)| {
                let fits = taken == 0 || taken + extent.order.pages() <= pages;
                taken += extent.order.pages();
                fits
            })
            .copied()
            .collect();
        if extents.len() == self.len() {
            return self.clone();
        }
        Self {
            source: self
                .source
                .with(&format!("first {} allocations", extents.len())),
            extents,
        }
    }
}

impl<'a> IntoIterator for &'a Layout {
    type Item = &'a (Extent, Kind);
    type IntoIter = std::slice::Iter<'a, (Extent, Kind)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
