//! Random cases that reach the corners of merging, splitting and mapping.

use std::collections::BTreeMap;

use mm::{KernelVersion, SECTOR_SIZE};
use rand::RngExt as _;
use rand_pcg::Pcg64;

use crate::reference::{Bio, build, evaluate};

use super::{Add, Answer, BIO_MAX_VECS, By, Case, Limits, PAGE_SIZE, Refusal};

mod models;
mod more;

pub use models::generate_for_models;
pub use more::generate_more;

/// All memory of one case lies in one run of this many pages, 32 MiB, aligned to twice that: a
/// referee maps it onto one physically contiguous arena, and boundaries up to 32 MiB fall in
/// the same places.
pub const WINDOW_PAGES: u64 = 8192;

/// The first `n` cases of a seed under one kernel's rules. The same arguments give the same
/// cases, and a case does not depend on `n`.
pub fn generate(seed: u64, n: usize, rules: KernelVersion) -> impl Iterator<Item = Case> {
    (0..n as u64).map(move |index| generate_one(seed, index, rules))
}

/// The case with that index of a seed. Cases on which a kernel would stop at a `BUG_ON` are
/// never generated; refusals with an error are, now and then.
pub fn generate_one(seed: u64, index: u64, rules: KernelVersion) -> Case {
    let stream = (u128::from(index) << 8) | rules as u128;
    let mut source = Source {
        rng: Pcg64::new(seed.into(), stream),
        rules,
    };
    loop {
        let mut case = source.case(format!("g{seed:x}-{index}"));
        // Where the kernel checks, a misaligned bio is a case of its own, but a rare one.
        if rules < KernelVersion::V6_12 || !source.one_in(40) {
            trim_to_blocks(&mut case);
        }
        let stops = matches!(evaluate(&case), Answer::Refused(r) if r.error == Refusal::Bug);
        if !case.adds.is_empty() && !stops {
            return case;
        }
    }
}

/// Shortens or drops adds until every bio is a whole number of blocks.
fn trim_to_blocks(case: &mut Case) {
    let block = match case.limits.effective(case.rules) {
        Ok(limits) if case.rules >= KernelVersion::V6_12 => u64::from(limits.logical_block_size),
        _ => SECTOR_SIZE,
    };
    let number = |add: &Add| add.bio;
    let mut bio = 0;
    while case.adds.last().is_some_and(|add| number(add) >= bio) {
        let alone = Case {
            adds: case
                .adds
                .iter()
                .filter(|add| add.bio == bio)
                .map(|a| Add { bio: 0, ..*a })
                .collect(),
            ..case.clone()
        };
        let built = build(&alone);
        // A further bio that 5.0 opens is full pages up to the last one.
        let over = built.bios.iter().map(Bio::size).sum::<u64>() % block;
        let over = over as u32;
        if over == 0 && built.bios.iter().all(|b| b.size().is_multiple_of(block)) {
            bio += 1;
            continue;
        }
        let last = built
            .accepted
            .iter()
            .rposition(|&n| n > 0)
            .expect("an empty bio is aligned");
        let at = case
            .adds
            .iter()
            .position(|add| add.bio == bio)
            .expect("it has adds")
            + last;
        if over > 0 && case.adds[at].len > over {
            case.adds[at].len -= over;
        } else {
            case.adds.remove(at);
            if !case.adds.iter().any(|add| add.bio == bio) {
                // Numbers may not skip.
                for add in case.adds.iter_mut().filter(|add| add.bio > bio) {
                    add.bio -= 1;
                }
            }
        }
    }
}

struct Source {
    rng: Pcg64,
    rules: KernelVersion,
}

/// How lengths and offsets inside an allocation are chosen.
#[derive(Clone, Copy)]
enum Grain {
    Whole,
    Pages,
    Bytes(u32),
}

impl Source {
    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_ratio(1, n)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    /// A value three times in `odds`, else the kernel's default.
    fn maybe<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        self.rng.random_ratio(2, 5).then(|| self.pick(from))
    }

    fn case(&mut self, name: String) -> Case {
        let limits = self.limits();
        let block = limits
            .effective(self.rules)
            .map_or(SECTOR_SIZE, |q| q.logical_block_size.into());
        let mut start_sector = match self.rng.random_range(0..4) {
            0 => 0,
            1 => self.rng.random_range(0..64),
            _ => self.rng.random_range(0..1 << 30),
        };
        if self.rules >= KernelVersion::V6_12 && !self.one_in(40) {
            start_sector -= start_sector % (block / SECTOR_SIZE);
        }
        let max_vecs = if self.one_in(3) {
            self.pick(&[1, 2, 3, 4, 8, 16, 128])
        } else {
            BIO_MAX_VECS
        };
        Case {
            max_vecs,
            limits,
            start_sector,
            adds: self.adds(block as u32),
            ..Case::new(&name, self.rules)
        }
    }

    fn limits(&mut self) -> Limits {
        let old = self.rules <= KernelVersion::V6_1;
        let mut limits = Limits {
            max_segments: self.maybe(&[1, 2, 3, 4, 8, 16, 33, 128, 256, u16::MAX]),
            max_segment_size: self.maybe(&[
                4096,
                4608,
                6000,
                8192,
                12288,
                65536,
                1 << 20,
                u32::MAX,
            ]),
            seg_boundary_mask: self.maybe(&[
                0xfff,
                0x1fff,
                0x3fff,
                0xffff,
                0xf_ffff,
                0x1ff_ffff,
                u64::MAX,
            ]),
            virt_boundary_mask: None,
            max_sectors: self.maybe(&[8, 9, 16, 24, 64, 127, 128, 255, 1024, 2560, 8192]),
            chunk_sectors: None,
            logical_block_size: self.maybe(&[512, 512, 1024, 2048, 4096]),
            physical_block_size: self.maybe(&[512, 4096, 4096, 8192, 16384, 65536]),
            dma_alignment: self.maybe(&[3, 15, 511, 4095]),
            ..Limits::default()
        };
        if self.one_in(5) {
            limits.virt_boundary_mask = Some(self.pick(&[511, 4095, 4095, 4095, 8191, 65535]));
        }
        if self.one_in(4) {
            let sizes: &[u32] = match self.rules {
                KernelVersion::V5_0 => &[8, 16, 128, 256, 1024],
                _ => &[8, 16, 128, 256, 1024, 9, 24, 100, 1000],
            };
            limits.chunk_sectors = Some(self.pick(sizes));
        }
        // What an old kernel raises and a new one refuses.
        if self.one_in(if old { 20 } else { 60 }) {
            match self.rng.random_range(0..5) {
                0 => limits.max_segments = Some(0),
                1 => limits.max_segment_size = Some(512),
                2 => limits.seg_boundary_mask = Some(511),
                3 => limits.max_sectors = Some(self.pick(&[1, 7])),
                _ => limits.dma_alignment = Some(8191),
            }
        }
        limits
    }

    fn adds(&mut self, block: u32) -> Vec<Add> {
        let base = self.rng.random_range(1..1024_u64) * 2 * WINDOW_PAGES;
        let mut memory = MemcgTree {
            base,
            taken: BTreeMap::new(),
            last: None,
        };
        let grain = match self.rng.random_range(0..10) {
            0 | 1 => Grain::Whole,
            2..4 => Grain::Pages,
            4..7 => Grain::Bytes(block),
            7 | 8 => Grain::Bytes(512),
            _ => Grain::Bytes(self.pick(&[1, 4, 16, 128])),
        };
        let large = self.one_in(4);
        let by = if self.rules >= KernelVersion::V6_1 && self.one_in(3) {
            By::Folio
        } else {
            By::Page
        };
        let order = |s: &mut Self| match s.rng.random_range(0..20) {
            0 if large => s.rng.random_range(6..=9),
            0..4 => s.rng.random_range(2..=4),
            4..7 => 1,
            _ => 0,
        };
        let bios = if self.one_in(2) {
            self.rng.random_range(2..=4)
        } else {
            1
        };
        let calls = match self.rng.random_range(0..16) {
            // Enough single pages to fill the largest table.
            0 if bios == 1 => self.rng.random_range(250..=270),
            1..6 => self.rng.random_range(8..=40),
            _ => self.rng.random_range(1..=8),
        };
        // How likely the next allocation is to continue the last one.
        let adjacency = self.pick(&[0.0, 0.5, 0.8, 0.95, 1.0]);
        let descending = self.one_in(8);
        let mut adds: Vec<Add> = Vec::new();
        for bio in 0..bios {
            let end = adds.len() + calls;
            while adds.len() < end {
                let order = if calls > 200 { 0 } else { order(self) };
                let near = self.rng.random_bool(adjacency);
                let again = self.one_in(12).then_some(memory.last).flatten();
                let Some((pfn, order)) =
                    again.or_else(|| memory.allocate(self, order, near, descending))
                else {
                    return adds;
                };
                self.fill(
                    &mut adds,
                    end,
                    Add {
                        pfn,
                        order,
                        offset: 0,
                        len: 0,
                        bio,
                        by,
                        pgmap: None,
                    },
                    grain,
                );
            }
        }
        adds
    }

    /// One or more adds inside one allocation: in order, with or without holes between them.
    fn fill(&mut self, adds: &mut Vec<Add>, end: usize, add: Add, grain: Grain) {
        let size = (PAGE_SIZE as u32) << add.order;
        let grain = match grain {
            Grain::Whole => size,
            Grain::Pages => PAGE_SIZE as u32,
            Grain::Bytes(n) => n,
        };
        let pieces = if self.one_in(3) {
            self.rng.random_range(2..=6)
        } else {
            1
        };
        // Most allocations are used from the start; pieces that reach the end let the next
        // allocation continue the vec.
        let mut at = if self.one_in(3) {
            self.rng.random_range(0..size / grain) * grain
        } else {
            0
        };
        for _ in 0..pieces {
            if at >= size || adds.len() >= end {
                return;
            }
            let left = (size - at) / grain;
            let len = if pieces == 1 && !self.one_in(4) {
                left
            } else {
                self.rng.random_range(1..=left)
            };
            adds.push(Add {
                offset: at,
                len: len * grain,
                ..add
            });
            at += len * grain;
            if self.one_in(4) {
                at += grain;
            }
        }
    }
}

/// The window, and what of it is taken.
struct MemcgTree {
    base: u64,
    taken: BTreeMap<u64, u8>,
    last: Option<(u64, u8)>,
}

impl MemcgTree {
    /// A free, aligned run of the window: next to the last one if `near` and possible. `None`
    /// when the window looks full.
    fn allocate(
        &mut self,
        source: &mut Source,
        order: u8,
        near: bool,
        descending: bool,
    ) -> Option<(u64, u8)> {
        let pages = 1_u64 << order;
        if near && let Some((pfn, last)) = self.last {
            let next = if descending {
                pfn.checked_sub(pages)?
            } else {
                pfn + (1 << last)
            };
            // Alignment may allow only a smaller neighbour.
            let order = order.min(next.trailing_zeros() as u8);
            if self.take(next, order) {
                return self.last;
            }
        }
        for _ in 0..64 {
            let pfn = self.base + source.rng.random_range(0..WINDOW_PAGES / pages) * pages;
            if self.take(pfn, order) {
                return self.last;
            }
        }
        None
    }

    fn take(&mut self, pfn: u64, order: u8) -> bool {
        let end = pfn + (1 << order);
        let inside = pfn >= self.base && end <= self.base + WINDOW_PAGES;
        let before = self.taken.range(..end).next_back();
        if !inside || before.is_some_and(|(&p, &o)| p + (1 << o) > pfn) {
            return false;
        }
        self.taken.insert(pfn, order);
        self.last = Some((pfn, order));
        true
    }
}
