//! Random cases that ask further questions: what is held, clones, atomic writes, discards.

use std::collections::BTreeMap;

use mm::{KernelVersion, SECTOR_SIZE};
use rand::RngExt as _;
use rand_pcg::Pcg64;

use super::{Source, generate_one};
use crate::case::atomic::PLAUSIBLE;
use crate::case::{Answer, Case, CloneOf, Operation, Refusal};
use crate::reference::{build, evaluate};

/// The same case with further questions on some: what is held in the end, and clones in place of
/// the bios. They come from a stream of their own, so records of the plain cases stay as they are.
pub fn generate_more(seed: u64, index: u64, rules: KernelVersion) -> Case {
    let plain = generate_one(seed, index, rules);
    let stream = (1 << 127) | (u128::from(index) << 8) | rules as u128;
    let mut source = Source {
        rng: Pcg64::new(seed.into(), stream),
        rules,
    };
    let mut case = Case {
        held: source.one_in(3),
        ..plain.clone()
    };
    if rules > KernelVersion::V5_0 && source.one_in(3) {
        case.clones = source.clones(&case);
    }
    if rules >= KernelVersion::V6_12 && case.clones.is_empty() && source.one_in(6) {
        source.write_atomically(&mut case);
    }
    if case.op == Operation::Read && source.one_in(20) {
        case = source.discard(case);
    }
    let stops = matches!(evaluate(&case), Answer::Refused(r) if r.error == Refusal::Bug);
    if stops || case.check().is_err() {
        plain
    } else {
        case
    }
}

impl Source {
    /// Atomic writes, to a device that knows them nine times in ten, and mostly of a size that it
    /// takes: of each bio only a front that is a power of two.
    fn write_atomically(&mut self, case: &mut Case) {
        case.op = Operation::AtomicWrite;
        if self.one_in(10) {
            return;
        }
        let [max, unit_min, unit_max, boundary] = self.pick(&PLAUSIBLE);
        case.limits.atomic_write_max = Some(max);
        case.limits.atomic_write_unit_min = Some(unit_min);
        case.limits.atomic_write_unit_max = Some(unit_max);
        case.limits.atomic_write_boundary = Some(boundary);
        case.limits.chunk_sectors = None;
        if self.one_in(4) {
            return;
        }
        case.start_sector -= case.start_sector % u64::from(unit_min >> 9);
        let mut left: BTreeMap<u16, u32> = BTreeMap::new();
        for add in &mut case.adds {
            let left = left.entry(add.bio).or_insert_with(|| {
                unit_min
                    << self
                        .rng
                        .random_range(0..=5)
                        .min((unit_max / unit_min).ilog2())
            });
            add.len = add.len.min(*left);
            *left -= add.len;
        }
        case.adds.retain(|add| add.len > 0);
    }

    /// A discard in place of the bios, to a device that takes it nine times in ten.
    fn discard(&mut self, case: Case) -> Case {
        let mut limits = case.limits;
        if !self.one_in(10) {
            limits.max_discard_sectors =
                Some(self.pick(&[0, 7, 8, 16, 100, 128, 1000, 4096, 1 << 20]));
            limits.discard_granularity = self.maybe(&[0, 512, 4096, 4608, 12288, 65536, 1 << 20]);
        }
        let block = match limits.effective(self.rules) {
            Ok(queue) if !self.one_in(20) => queue.logical_block_size >> 9,
            _ => 1,
        };
        let blocks = match self.rng.random_range(0..3) {
            0 => self.rng.random_range(1..=16),
            _ => self.rng.random_range(1..=1000),
        };
        Case {
            limits,
            op: Operation::Discard,
            sectors: blocks * block,
            start_sector: case.start_sector,
            ..Case::new(&case.name, case.rules)
        }
    }

    /// Up to three parts of each bio, or few where there are many bios, mostly whole blocks.
    fn clones(&mut self, case: &Case) -> Vec<CloneOf> {
        let block = match case.limits.effective(self.rules) {
            Ok(limits) if !self.one_in(10) => u64::from(limits.logical_block_size) / SECTOR_SIZE,
            _ => 1,
        };
        let mut clones = Vec::new();
        for (bio, bytes) in build(case).sizes().into_iter().enumerate() {
            let blocks = bytes / SECTOR_SIZE / block;
            let mut at = 0;
            for _ in 0..self.rng.random_range(0..=3) {
                if at == blocks {
                    break;
                }
                // From the start, or from where the last one ended, one time in two.
                let skip = match self.one_in(2) {
                    true => at,
                    false => self.rng.random_range(at..blocks),
                };
                let end = match self.one_in(2) {
                    true => blocks,
                    false => self.rng.random_range(skip + 1..=blocks),
                };
                clones.push(CloneOf {
                    bio: bio as u16,
                    skip: (skip * block) as u32,
                    sectors: ((end - skip) * block) as u32,
                });
                at = end;
            }
        }
        clones
    }
}
