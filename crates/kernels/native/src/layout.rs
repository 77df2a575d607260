//! The layout that a kernel is given: allocations, and the IOs that meet them.

use physmem::{Extent, Kind, Pfn};

use crate::RunError;

/// A part of an allocation that one IO meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The allocation, by its place in [`Layout::extents`].
    pub extent: u32,
    /// Bytes from its start; whole pages.
    pub offset: u32,
    /// Bytes; whole pages.
    pub len: u32,
}

/// Allocations in the order in which the IOs visit them, the IOs over them, and frames to look up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The frame that the arena's first one stands for.
    pub base: Pfn,
    /// The allocations.
    pub extents: Vec<(Extent, Kind)>,
    /// The IOs.
    pub ios: Vec<Vec<Piece>>,
    /// The frames to look up.
    pub frames: Vec<Pfn>,
}

impl Layout {
    /// Frames from [`Self::base`] on that it reaches to.
    pub fn reach(&self) -> u64 {
        let ends = self.extents.iter().map(|(extent, _)| extent.end());
        let last = ends.chain(self.frames.iter().map(|&frame| frame + 1)).max();
        last.map_or(0, |end| end.0.saturating_sub(self.base.0))
    }

    /// The driver's form of it (`ground.c`).
    ///
    /// # Errors
    /// [`RunError::Layout`] if it reaches beyond an arena of this many frames.
    pub(crate) fn encode(&self, arena: u64) -> Result<Vec<u8>, RunError> {
        let starts = self.extents.iter().map(|(extent, _)| extent.head);
        let low = starts.chain(self.frames.iter().copied()).min();
        if self.reach() > arena || low.is_some_and(|low| low < self.base) {
            return Err(RunError::Layout {
                frames: self.reach(),
                arena,
            });
        }
        let pieces = self.ios.iter().map(Vec::len).sum::<usize>();
        let counts = [
            self.extents.len(),
            pieces,
            self.ios.len(),
            self.frames.len(),
        ];
        let mut bytes = Vec::with_capacity(16 + 8 * counts[0] + 12 * pieces);
        let index = |pfn: Pfn| (pfn.0 - self.base.0) as u32;
        for count in counts {
            bytes.extend((count as u32).to_le_bytes());
        }
        for &(extent, kind) in &self.extents {
            bytes.extend(index(extent.head).to_le_bytes());
            bytes.extend([extent.order.get(), code(kind), 0, 0]);
        }
        for piece in self.ios.iter().flatten() {
            for word in [piece.extent, piece.offset, piece.len] {
                bytes.extend(word.to_le_bytes());
            }
        }
        let mut end = 0_u32;
        for io in &self.ios {
            end += io.len() as u32;
            bytes.extend(end.to_le_bytes());
        }
        for &frame in &self.frames {
            bytes.extend(index(frame).to_le_bytes());
        }
        Ok(bytes)
    }
}

/// The driver's `enum kind`.
const fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Free => 0,
        Kind::Anon => 1,
        Kind::File => 2,
        Kind::Slab => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use physmem::Order;

    use super::*;

    fn layout() -> Layout {
        Layout {
            base: Pfn(1 << 18),
            extents: vec![
                (Extent::new(Pfn((1 << 18) + 512), Order::PMD), Kind::Anon),
                (Extent::new(Pfn((1 << 18) + 3), Order::BASE), Kind::Slab),
            ],
            ios: vec![
                vec![Piece {
                    extent: 0,
                    offset: 4096,
                    len: 8192,
                }],
                vec![Piece {
                    extent: 1,
                    offset: 0,
                    len: 4096,
                }],
            ],
            frames: vec![Pfn((1 << 18) + 600)],
        }
    }

    #[test]
    fn a_layout_is_words_in_the_drivers_order() {
        let bytes = layout().encode(1024).unwrap();
        let words: Vec<u32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .collect();
        let extents = [512, 9 | 1 << 8, 3, 3 << 8];
        let pieces = [0, 4096, 8192, 1, 0, 4096];
        let expected = [&[2, 2, 2, 1][..], &extents, &pieces, &[1, 2], &[600]].concat();
        assert_eq!(words, expected);
    }

    #[test]
    fn a_layout_beyond_the_arena_is_refused_before_it_is_sent() {
        assert_eq!(layout().reach(), 1024);
        let error = layout().encode(1023).unwrap_err().to_string();
        assert!(
            error.contains("1024 frames") && error.contains("1023"),
            "{error}"
        );
        let mut below = layout();
        below.extents[1].0 = Extent::new(Pfn(5), Order::BASE);
        assert!(below.encode(1024).is_err());
    }
}
