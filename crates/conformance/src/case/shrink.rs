//! One step from a case to a smaller one, for every search for the smallest that still fails.

use std::collections::BTreeSet;

use super::{Add, By, Case, Limits, Operation};

/// How large a case is to a reader: adds first, then what is stated, then sizes.
pub fn weight(case: &Case) -> (usize, usize, u64) {
    let stated = limits_without(&case.limits).len()
        + usize::from(case.max_vecs != 256)
        + usize::from(case.held)
        + usize::from(case.op != Operation::Read)
        + case.clones.len()
        + case.p2pdma.len()
        + case.adds.iter().filter(|add| add.pgmap.is_some()).count()
        + usize::from(case.start_sector != 0);
    let sizes = case.adds.iter().map(|add| {
        let folio = u64::from(add.by == By::Folio);
        2 * u64::from(add.len)
            + u64::from(add.offset)
            + (u64::from(add.bio) << 12)
            + folio
            + (1 << add.order)
    });
    (
        case.adds.len(),
        stated,
        sizes.sum::<u64>() + case.start_sector + u64::from(case.sectors),
    )
}

/// Every case that is one step smaller, those that leave out most first. Not all are valid:
/// see [`Case::check`].
pub fn reductions(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    let with_adds = |adds: Vec<Add>| {
        let is_named = |map: &&u32| adds.iter().any(|add| add.pgmap == Some(**map));
        Case {
            p2pdma: case.p2pdma.iter().filter(is_named).copied().collect(),
            adds: renumbered(adds),
            ..case.clone()
        }
    };
    let n = case.adds.len();
    let mut run = n / 2;
    while run > 0 {
        for start in (0..n).step_by(run) {
            let mut adds = case.adds.clone();
            adds.drain(start..n.min(start + run));
            if !adds.is_empty() {
                smaller.push(with_adds(adds));
            }
        }
        run /= 2;
    }
    for limits in limits_without(&case.limits) {
        smaller.push(Case {
            limits,
            ..case.clone()
        });
    }
    if case.sectors > 0 {
        for sectors in [case.sectors / 2, case.sectors - 1] {
            smaller.push(Case {
                sectors,
                ..case.clone()
            });
        }
    } else if case.op != Operation::Read {
        smaller.push(Case {
            op: Operation::Read,
            limits: Limits {
                max_zone_append_sectors: None,
                ..case.limits
            },
            ..case.clone()
        });
    }
    if case.held {
        smaller.push(Case {
            held: false,
            ..case.clone()
        });
    }
    // A page map less, and an allocation less of it.
    let maps: BTreeSet<u32> = case.adds.iter().filter_map(|add| add.pgmap).collect();
    for map in maps {
        smaller.push(with_adds(ordinary(case, |add| add.pgmap == Some(map))));
    }
    for &pfn in case.allocations().keys() {
        if case
            .adds
            .iter()
            .any(|add| add.pfn == pfn && add.pgmap.is_some())
        {
            smaller.push(with_adds(ordinary(case, |add| add.pfn == pfn)));
        }
    }
    for at in 0..case.p2pdma.len() {
        let mut fewer = case.clone();
        fewer.p2pdma.remove(at);
        smaller.push(fewer);
    }
    for at in 0..case.clones.len() {
        let mut fewer = case.clone();
        fewer.clones.remove(at);
        smaller.push(fewer);
    }
    if case.max_vecs != 256 {
        smaller.push(Case {
            max_vecs: 256,
            ..case.clone()
        });
    }
    for sector in [
        0,
        case.start_sector / 2,
        case.start_sector % 8,
        case.start_sector % 1024,
    ] {
        if sector < case.start_sector {
            smaller.push(Case {
                start_sector: sector,
                ..case.clone()
            });
        }
    }
    for (at, add) in case.adds.iter().enumerate() {
        for add in smaller_adds(add) {
            let mut adds = case.adds.clone();
            adds[at] = add;
            if adds.is_sorted_by_key(|add| add.bio) {
                smaller.push(with_adds(adds));
            }
        }
    }
    smaller
}

fn smaller_adds(add: &Add) -> Vec<Add> {
    let mut smaller = Vec::new();
    for len in [
        512,
        4096,
        add.len / 2,
        add.len / 2 / 512 * 512,
        add.len - add.len.min(512),
        add.len - add.len.min(4096),
    ] {
        if 0 < len && len < add.len {
            smaller.push(Add { len, ..*add });
            // As many bytes from the end, so that what ends adjacent stays adjacent.
            smaller.push(Add {
                offset: add.offset + (add.len - len),
                len,
                ..*add
            });
        }
    }
    for offset in [0, add.offset % 4096] {
        if offset < add.offset {
            smaller.push(Add { offset, ..*add });
        }
    }
    if add.by == By::Folio {
        smaller.push(Add {
            by: By::Page,
            ..*add
        });
    }
    if add.bio > 0 {
        smaller.push(Add {
            bio: add.bio - 1,
            ..*add
        });
    }
    if add.order > 0 && add.offset + add.len <= 2048 << add.order {
        smaller.push(Add {
            order: add.order - 1,
            ..*add
        });
    }
    smaller
}

/// The adds with some of the memory ordinary.
fn ordinary(case: &Case, which: impl Fn(&Add) -> bool) -> Vec<Add> {
    let mut adds = case.adds.clone();
    for add in adds.iter_mut().filter(|add| which(add)) {
        add.pgmap = None;
    }
    adds
}

/// Bio numbers may not skip.
fn renumbered(mut adds: Vec<Add>) -> Vec<Add> {
    let (mut last, mut number) = (adds[0].bio, 0);
    for add in &mut adds {
        if add.bio != last {
            last = add.bio;
            number += 1;
        }
        add.bio = number;
    }
    adds
}

/// The limits with one stated limit fewer, for each.
fn limits_without(limits: &Limits) -> Vec<Limits> {
    let drop: [fn(&mut Limits); 13] = [
        |l| l.max_segments = None,
        |l| l.max_segment_size = None,
        |l| l.seg_boundary_mask = None,
        |l| l.virt_boundary_mask = None,
        |l| l.max_sectors = None,
        |l| l.chunk_sectors = None,
        |l| l.logical_block_size = None,
        |l| l.physical_block_size = None,
        |l| l.dma_alignment = None,
        |l| l.discard_granularity = None,
        |l| l.max_zone_append_sectors = None,
        |l| l.atomic_write_boundary = None,
        |l| {
            l.atomic_write_max = None;
            l.atomic_write_unit_min = None;
            l.atomic_write_unit_max = None;
            l.atomic_write_boundary = None;
        },
    ];
    drop.iter()
        .map(|drop| {
            let mut fewer = *limits;
            drop(&mut fewer);
            fewer
        })
        .filter(|fewer| fewer != limits)
        .collect()
}

#[cfg(test)]
mod tests {
    use mm::KernelVersion;

    use super::*;

    fn case() -> Case {
        let add = |pfn, bio| Add {
            pfn,
            order: 1,
            offset: 512,
            len: 1024,
            bio,
            by: By::Page,
            pgmap: None,
        };
        Case {
            max_vecs: 4,
            limits: Limits {
                max_segments: Some(3),
                chunk_sectors: Some(8),
                ..Limits::default()
            },
            start_sector: 99,
            adds: vec![add(16, 0), add(18, 0), add(20, 1), add(24, 2)],
            ..Case::new("t", KernelVersion::V6_1)
        }
    }

    #[test]
    fn every_reduction_is_smaller_and_every_kind_of_it_occurs() {
        let from = case();
        let smaller = reductions(&from);
        for case in &smaller {
            assert!(weight(case) < weight(&from), "{case:?}");
        }
        assert!(smaller.iter().any(|c| c.adds.len() == 2));
        assert!(smaller.iter().any(|c| c.limits.max_segments.is_none()));
        assert!(smaller.iter().any(|c| c.start_sector == 0));
        assert!(smaller.iter().any(|c| c.adds[0].order == 0));
        assert!(smaller.iter().any(|c| c.adds[0].len == 512));
    }

    #[test]
    fn bio_numbers_close_up_when_a_bio_goes() {
        for case in reductions(&case()) {
            let mut last = 0;
            for add in &case.adds {
                assert!(add.bio == last || add.bio == last + 1);
                last = add.bio;
            }
        }
    }
}
