//! Where the kernels differ, and the corners where a bio is cut: small cases worked by hand.

use conformance::case::{Add, Answer, By, Case, Limits, Refusal, Taken};
use conformance::reference::evaluate;
use mm::KernelVersion;
use mm::KernelVersion::{V5_0, V5_10, V6_1, V6_12, V7_1, V7_2};

const PFN: u64 = 0x4000;
const BASE: u64 = PFN * 4096;

fn at(pfn: u64, order: u8, offset: u32, len: u32) -> Add {
    Add {
        pfn,
        order,
        offset,
        len,
        bio: 0,
        by: By::Page,
        pgmap: None,
    }
}

fn of_bio(bio: u16, add: Add) -> Add {
    Add { bio, ..add }
}

fn ask(rules: KernelVersion, limits: Limits, start_sector: u64, adds: &[Add]) -> Answer {
    let case = Case {
        limits,
        start_sector,
        adds: adds.to_vec(),
        ..Case::new("by hand", rules)
    };
    case.check().expect("such memory can exist");
    evaluate(&case)
}

fn taken(rules: KernelVersion, limits: Limits, start_sector: u64, adds: &[Add]) -> Taken {
    match ask(rules, limits, start_sector, adds) {
        Answer::Taken(taken) => taken,
        Answer::Refused(refused) => panic!("rules {rules}: {refused:?}"),
    }
}

fn refusal(rules: KernelVersion, limits: Limits, start_sector: u64, adds: &[Add]) -> Refusal {
    match ask(rules, limits, start_sector, adds) {
        Answer::Refused(refused) => refused.error,
        Answer::Taken(taken) => panic!("rules {rules} take it: {taken:?}"),
    }
}

/// Sector, bytes and segments of each request.
fn parts(taken: &Taken) -> Vec<(u64, u32, u32)> {
    taken
        .bios
        .iter()
        .map(|b| (b.sector, b.bytes, b.segments))
        .collect()
}

#[test]
fn a_cut_ends_on_a_physical_block_where_one_is_in_reach() {
    let limits = Limits {
        max_sectors: Some(16),
        physical_block_size: Some(4096),
        ..Limits::default()
    };
    let adds = [at(PFN, 2, 0, 16 * 512)];
    // 5.0 knows logical blocks only: 16 sectors at once.
    assert_eq!(parts(&taken(V5_0, limits, 3, &adds)), [(3, 8192, 1)]);
    for rules in [V5_10, V6_1, V6_12, V7_1, V7_2] {
        // To sector 16, then the rest; together they would fit, but a cut is not undone.
        assert_eq!(
            parts(&taken(rules, limits, 3, &adds)),
            [(3, 13 * 512, 1), (16, 3 * 512, 1)]
        );
    }
}

#[test]
fn the_last_part_of_a_cut_takes_the_next_bio() {
    let limits = Limits {
        max_sectors: Some(16),
        ..Limits::default()
    };
    let adds = [
        at(PFN, 3, 0, 20 * 512),
        of_bio(1, at(PFN, 3, 20 * 512, 4096)),
    ];
    for rules in KernelVersion::ALL {
        let taken = taken(rules, limits, 0, &adds);
        assert_eq!(
            parts(&taken),
            [(0, 8192, 1), (16, 4 * 512 + 4096, 2)],
            "rules {rules}"
        );
        // The scatterlist joins what the split counted apart.
        assert_eq!(taken.bios[1].sg, [(BASE + 8192, 6144)], "rules {rules}");
    }
}

#[test]
fn a_following_bio_joins_an_entry_whole_or_not_at_all() {
    // Windows of two pages: the second bio's vec starts in the first window and leaves it.
    let limits = Limits {
        seg_boundary_mask: Some(0x1fff),
        ..Limits::default()
    };
    let adds = [at(PFN, 2, 0, 4096), of_bio(1, at(PFN, 2, 4096, 8192))];
    for rules in [V5_10, V6_1, V6_12, V7_1, V7_2] {
        let taken = taken(rules, limits, 0, &adds);
        assert_eq!(parts(&taken), [(0, 12288, 3)], "rules {rules}");
        let sg = [(BASE, 4096), (BASE + 4096, 4096), (BASE + 8192, 4096)];
        assert_eq!(taken.bios[0].sg, sg, "rules {rules}");
    }
    // 5.0 joins page by page, so the first window is one entry.
    let taken = taken(V5_0, limits, 0, &adds);
    assert_eq!(parts(&taken), [(0, 12288, 3)]);
    assert_eq!(taken.bios[0].sg, [(BASE, 8192), (BASE + 8192, 4096)]);
}

#[test]
fn v7_1_measures_the_window_from_the_entry_not_the_vec() {
    // Windows of four pages. The first bio crosses into the second window, where the next
    // bio continues it.
    let limits = Limits {
        seg_boundary_mask: Some(0x3fff),
        ..Limits::default()
    };
    let adds = [at(PFN, 3, 8192, 16384), of_bio(1, at(PFN, 3, 24576, 4096))];
    for rules in [V5_10, V6_1, V6_12] {
        let sg = [
            (BASE + 8192, 8192),
            (BASE + 16384, 8192),
            (BASE + 24576, 4096),
        ];
        assert_eq!(
            taken(rules, limits, 0, &adds).bios[0].sg,
            sg,
            "rules {rules}"
        );
    }
    for rules in [V5_0, V7_1, V7_2] {
        let sg = [(BASE + 8192, 8192), (BASE + 16384, 12288)];
        assert_eq!(
            taken(rules, limits, 0, &adds).bios[0].sg,
            sg,
            "rules {rules}"
        );
    }
}

#[test]
fn a_segment_that_ends_off_the_virtual_boundary_ends_the_bio() {
    let limits = Limits {
        virt_boundary_mask: Some(4095),
        max_segment_size: Some(6000),
        ..Limits::default()
    };
    let adds = [at(PFN, 2, 0, 16384)];
    // 6000 bytes, rounded down to sectors; what follows starts off the boundary again.
    for rules in [V5_10, V6_1, V6_12, V7_1, V7_2] {
        let taken = taken(rules, limits, 0, &adds);
        assert_eq!(parts(&taken)[0], (0, 5632, 1), "rules {rules}");
        assert_eq!(taken.bios[0].sg, [(BASE, 5632)]);
    }
}

#[test]
fn a_virtual_boundary_cuts_between_vecs_and_bios() {
    let limits = Limits {
        virt_boundary_mask: Some(4095),
        ..Limits::default()
    };
    let gap = [at(PFN, 0, 0, 2048), at(PFN + 2, 0, 0, 4096)];
    let apart = [at(PFN, 0, 0, 2048), of_bio(1, at(PFN + 2, 0, 0, 4096))];
    for rules in KernelVersion::ALL {
        let cut = [(0, 2048, 1), (4, 4096, 1)];
        assert_eq!(parts(&taken(rules, limits, 0, &gap)), cut, "rules {rules}");
        assert_eq!(
            parts(&taken(rules, limits, 0, &apart)),
            cut,
            "rules {rules}"
        );
        assert_eq!(
            parts(&taken(rules, Limits::default(), 0, &apart)),
            [(0, 6144, 2)]
        );
    }
}

#[test]
fn only_7_x_looks_at_dma_alignment_and_7_1_not_on_the_short_cut() {
    let limits = Limits {
        dma_alignment: Some(511),
        ..Limits::default()
    };
    let blind = [V5_0, V5_10, V6_1, V6_12];
    let two = [at(PFN, 0, 100, 512), at(PFN + 2, 0, 0, 512)];
    for rules in blind {
        assert_eq!(
            parts(&taken(rules, limits, 0, &two)),
            [(0, 1024, 2)],
            "rules {rules}"
        );
    }
    for rules in [V7_1, V7_2] {
        assert_eq!(refusal(rules, limits, 0, &two), Refusal::Invalid);
    }
    // One vec within a page: at an offset that is not aligned, or of such a length.
    let blocks_of_page = Limits {
        dma_alignment: Some(4095),
        ..Limits::default()
    };
    let offset = (limits, [at(PFN, 0, 100, 512)]);
    let length = (blocks_of_page, [at(PFN, 0, 0, 1024)]);
    for (limits, one) in [offset, length] {
        for rules in blind.into_iter().chain([V7_1]) {
            assert_eq!(
                parts(&taken(rules, limits, 0, &one)),
                [(0, one[0].len, 1)],
                "rules {rules}"
            );
        }
        assert_eq!(refusal(V7_2, limits, 0, &one), Refusal::Invalid);
    }
    let page = [at(PFN, 0, 0, 4096)];
    assert_eq!(
        parts(&taken(V7_2, blocks_of_page, 0, &page)),
        [(0, 4096, 1)]
    );
}

#[test]
fn a_cut_inside_a_block_is_four_different_things() {
    // One segment a request, and the first is a quarter of a block.
    let limits = Limits {
        max_segments: Some(1),
        logical_block_size: Some(4096),
        ..Limits::default()
    };
    let adds = [at(PFN, 0, 0, 1024), at(PFN + 2, 0, 0, 3072)];
    for rules in [V5_0, V5_10] {
        // Cut inside the block, and never mind.
        assert_eq!(
            parts(&taken(rules, limits, 0, &adds)),
            [(0, 1024, 1), (2, 3072, 1)]
        );
    }
    assert_eq!(refusal(V6_1, limits, 0, &adds), Refusal::Bug);
    // Not cut at all, whatever the limits say.
    let whole = taken(V6_12, limits, 0, &adds);
    assert_eq!(parts(&whole), [(0, 4096, 1)]);
    assert_eq!(whole.bios[0].sg.len(), 2);
    assert_eq!(refusal(V7_1, limits, 0, &adds), Refusal::Invalid);
}

#[test]
fn whole_blocks_are_asked_for_since_6_12() {
    let limits = Limits {
        logical_block_size: Some(4096),
        ..Limits::default()
    };
    for (start, len) in [(1, 4096), (0, 512)] {
        let adds = [at(PFN, 0, 0, len)];
        for rules in [V5_0, V5_10, V6_1] {
            assert_eq!(
                parts(&taken(rules, limits, start, &adds)),
                [(start, len, 1)]
            );
        }
        for rules in [V6_12, V7_1, V7_2] {
            assert_eq!(refusal(rules, limits, start, &adds), Refusal::Invalid);
        }
    }
}

#[test]
fn v5_10_loses_what_is_left_of_a_sector_in_each_vec() {
    // 700 bytes count as one sector, so the third vec still fits two sectors' worth.
    let limits = Limits {
        max_segments: Some(2),
        ..Limits::default()
    };
    let adds = [
        at(PFN, 0, 0, 700),
        at(PFN + 2, 0, 0, 700),
        at(PFN + 4, 0, 0, 648),
    ];
    assert_eq!(
        parts(&taken(V5_10, limits, 0, &adds)),
        [(0, 1024, 2), (2, 1024, 2)]
    );
    // 6.1 counts 1400 bytes and rounds down; here that is the same place.
    assert_eq!(
        parts(&taken(V6_1, limits, 0, &adds)),
        [(0, 1024, 2), (2, 1024, 2)]
    );
    // With 900 bytes each it is not: 1800 bytes hold three sectors.
    let adds = [
        at(PFN, 0, 0, 900),
        at(PFN + 2, 0, 0, 900),
        at(PFN + 4, 0, 0, 760),
    ];
    assert_eq!(parts(&taken(V5_10, limits, 0, &adds))[0], (0, 1024, 2));
    assert_eq!(parts(&taken(V6_1, limits, 0, &adds))[0], (0, 1536, 2));
}

#[test]
fn chunks_need_no_power_of_two_since_5_10() {
    let limits = Limits {
        chunk_sectors: Some(24),
        ..Limits::default()
    };
    let adds = [at(PFN, 3, 0, 32768)];
    for rules in [V5_10, V6_1, V6_12, V7_1, V7_2] {
        let sectors: Vec<u64> = taken(rules, limits, 20, &adds)
            .bios
            .iter()
            .map(|b| b.sector)
            .collect();
        assert_eq!(sectors, [20, 24, 48, 72], "rules {rules}");
    }
    assert_eq!(refusal(V5_0, limits, 20, &adds), Refusal::Bug);
}

#[test]
fn v6_1_keeps_a_folios_offset_whole() {
    let adds = [Add {
        by: By::Folio,
        pgmap: None,
        ..at(PFN, 3, 9000, 4096)
    }];
    assert_eq!(
        taken(V6_1, Limits::default(), 0, &adds).vecs,
        [(PFN, 9000, 4096)]
    );
    for rules in [V6_12, V7_1, V7_2] {
        assert_eq!(
            taken(
                rules,
                Limits {
                    dma_alignment: Some(7),
                    ..Limits::default()
                },
                0,
                &adds
            )
            .vecs,
            [(PFN + 2, 808, 4096)]
        );
    }
}

#[test]
fn the_caps_on_a_request_by_default() {
    let adds: Vec<Add> = (0..8).map(|i| at(PFN + 1024 * i, 9, 0, 2 << 20)).collect();
    let unbounded = Limits {
        max_segment_size: Some(u32::MAX),
        ..Limits::default()
    };
    for (rules, bytes) in [
        (V5_10, 1280 << 10),
        (V6_1, 1280 << 10),
        (V6_12, 1280 << 10),
        (V7_1, 4 << 20),
        (V7_2, 4 << 20),
    ] {
        assert_eq!(
            taken(rules, unbounded, 0, &adds).bios[0].bytes,
            bytes,
            "rules {rules}"
        );
    }
}
