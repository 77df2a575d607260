//! Lines of a machine's memory, added up from loops made up for it.

use super::*;

fn traced(label: &str, elements: u64, lines: u32) -> LoopLines {
    LoopLines {
        of: label.parse().unwrap(),
        elements,
        lines,
        written: 0,
        functions: BTreeMap::new(),
    }
}

fn row(of: &str, order: u8, blocks: u64) -> CensusRow {
    CensusRow {
        of: of.into(),
        order,
        blocks,
        mapped: 0,
        charged: 0,
    }
}

/// At order 0 a walk reads a line a frame, at order 9 two lines an allocation; freeing touches
/// every frame's line.
fn loops() -> LinesBaseline {
    LinesBaseline {
        emulator: "qemu-x86_64 version 7.2.22".into(),
        optimised: true,
        loops: vec![
            traced(
                "iteration/pfn-scan flat 6.12 mix=user,user-order=0",
                4096,
                4096,
            ),
            traced(
                "iteration/pfn-scan flat 6.12 mix=user,user-order=9",
                4096,
                16,
            ),
            traced(
                "iteration/pfn-scan flat 6.12 mix=free,user-order=0",
                4096,
                4096,
            ),
            traced(
                "iteration/pfn-scan flat 6.12 mix=free,user-order=9",
                4096,
                8,
            ),
            traced("iteration/lru-scan flat 6.12 order=0", 32, 64),
            traced("iteration/lru-scan flat 6.12 order=9", 32, 96),
            traced("layout/compose flat 6.12 mode=free,order=0", 16, 16),
            traced("layout/compose flat 6.12 mode=free,order=9", 16, 8192),
            // Another question, which must not be taken for the free.
            traced("layout/compose flat 6.12 mode=make,order=0", 16, 999),
        ],
    }
}

fn user(row: &CensusRow) -> Blocks<'_> {
    Blocks {
        row,
        met: Met::User,
        on_lru: true,
    }
}

fn bytes(rows: usize) -> DesignBytes {
    DesignBytes {
        design: "flat".into(),
        traced: Some("flat".into()),
        bytes: vec![64.0; rows],
    }
}

fn lines(blocks: &[Blocks<'_>]) -> Vec<f64> {
    let found = Findings::of(blocks, &[bytes(blocks.len())], &loops()).unwrap();
    let total = &found.totals[0];
    Operation::ALL
        .map(|operation| total.lines.get(&operation).copied().unwrap_or(0.0))
        .to_vec()
}

#[test]
fn each_operation_is_added_up_from_its_own_loop() {
    assert_eq!(lines(&[user(&row("anon", 0, 10))]), [10.0, 20.0, 10.0]);
    assert_eq!(lines(&[user(&row("anon", 9, 10))]), [20.0, 30.0, 5120.0]);
    let both = [row("anon", 0, 10), row("file", 9, 10)];
    assert_eq!(
        lines(&both.each_ref().map(user)),
        [30.0, 50.0, 5130.0],
        "the sum over rows"
    );
}

#[test]
fn a_gigantic_block_counts_as_blocks_of_the_largest_order_that_was_traced() {
    assert_eq!(
        lines(&[user(&row("hugetlb", 18, 1))]),
        lines(&[user(&row("hugetlb", 9, 512))])
    );
}

#[test]
fn free_memory_is_walked_by_block_and_frames_of_nobody_one_by_one() {
    let row = row("free", 9, 4);
    let blocks = |met| Blocks {
        row: &row,
        met,
        on_lru: false,
    };
    assert_eq!(lines(&[blocks(Met::Free)]), [4.0, 0.0, 0.0]);
    assert_eq!(lines(&[blocks(Met::Frames)]), [2048.0, 0.0, 0.0]);
}

#[test]
fn a_loop_that_is_missing_is_named_and_not_taken_for_nothing() {
    let row = row("anon", 3, 1);
    let error = Findings::of(&[user(&row)], &[bytes(1)], &loops()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("flat") && text.contains("order 3"), "{text}");
    // Sizes that no model has have no lines to add up.
    let proposal = DesignBytes {
        traced: None,
        ..bytes(1)
    };
    let found = Findings::of(&[user(&row)], &[proposal], &loops()).unwrap();
    assert!(found.totals[0].lines.is_empty());
    assert_eq!(found.totals[0].share, 64.0 / (8.0 * 4096.0));
}
