//! The worked cases: what section 6 of the kernel facts says of vecs, segments, scatterlist
//! entries and requests, put to the reference model.

use conformance::case::{Add, Answer, By, Case, Limits, Taken};
use conformance::reference::evaluate;
use mm::KernelVersion;

const P: u32 = 4096;
const M: u32 = 1 << 20;
/// A page frame away from every boundary that the cases are about.
const PFN: u64 = 0x4000;

fn add(pfn: u64, order: u8, offset: u32, len: u32) -> Add {
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

fn pages(pfns: impl IntoIterator<Item = u64>) -> Vec<Add> {
    pfns.into_iter().map(|pfn| add(pfn, 0, 0, P)).collect()
}

fn folios_2m(pfns: impl IntoIterator<Item = u64>) -> Vec<Add> {
    pfns.into_iter().map(|pfn| add(pfn, 9, 0, 2 * M)).collect()
}

fn case(rules: KernelVersion, limits: Limits, adds: Vec<Add>) -> Case {
    Case {
        limits,
        adds,
        ..Case::new("worked", rules)
    }
}

fn taken(case: &Case) -> Taken {
    case.check().expect("such memory can exist");
    match evaluate(case) {
        Answer::Taken(taken) => taken,
        Answer::Refused(refused) => panic!("refused: {refused:?}"),
    }
}

/// Vecs, segments, scatterlist entries, requests.
fn counts(taken: &Taken) -> [usize; 4] {
    let segments: u32 = taken.bios.iter().map(|b| b.segments).sum();
    let sg: usize = taken.bios.iter().map(|b| b.sg.len()).sum();
    [taken.vecs.len(), segments as usize, sg, taken.bios.len()]
}

fn run_7_1(limits: Limits, adds: Vec<Add>) -> Taken {
    taken(&case(KernelVersion::V7_1, limits, adds))
}

fn unbounded() -> Limits {
    Limits {
        max_segment_size: Some(u32::MAX),
        ..Limits::default()
    }
}

#[test]
fn sixteen_adjacent_pages_are_one_of_everything() {
    let taken = run_7_1(Limits::default(), pages(PFN..PFN + 16));
    assert_eq!(counts(&taken), [1, 1, 1, 1]);
    assert_eq!(taken.sp_segments, 16);
    assert_eq!(taken.bios[0].sg, [(PFN * 4096, 16 * P)]);
}

#[test]
fn the_seventeenth_page_opens_a_segment() {
    let taken = run_7_1(Limits::default(), pages(PFN..PFN + 17));
    assert_eq!(counts(&taken), [1, 2, 2, 1]);
    assert_eq!(
        taken.bios[0].sg,
        [(PFN * 4096, 64 << 10), (PFN * 4096 + (64 << 10), P)]
    );
}

#[test]
fn every_other_page_merges_with_nothing() {
    let taken = run_7_1(Limits::default(), pages((0..16).map(|i| PFN + 2 * i)));
    assert_eq!(counts(&taken), [16, 16, 16, 1]);
}

#[test]
fn descending_pages_merge_with_nothing() {
    let taken = run_7_1(Limits::default(), pages((PFN..PFN + 16).rev()));
    assert_eq!(counts(&taken), [16, 16, 16, 1]);
}

#[test]
fn sectors_fill_a_page_in_order() {
    let taken = run_7_1(
        Limits::default(),
        (0..8).map(|i| add(PFN, 0, 512 * i, 512)).collect(),
    );
    assert_eq!(counts(&taken), [1, 1, 1, 1]);
    assert_eq!(taken.sp_segments, 1);
}

#[test]
fn a_hole_between_sectors_opens_a_vec() {
    let sectors = [0, 1, 2, 4, 5, 6, 7];
    let taken = run_7_1(
        Limits::default(),
        sectors.map(|i| add(PFN, 0, 512 * i, 512)).to_vec(),
    );
    assert_eq!(counts(&taken), [2, 2, 2, 1]);
}

#[test]
fn a_page_end_continues_at_the_next_page_start() {
    let adds = vec![add(PFN, 0, 2048, 2048), add(PFN + 1, 0, 0, 2048)];
    let taken = run_7_1(Limits::default(), adds);
    assert_eq!(counts(&taken), [1, 1, 1, 1]);
    assert_eq!(taken.sp_segments, 2);
}

#[test]
fn one_2m_folio_is_cut_by_the_segment_size_alone() {
    let taken = run_7_1(Limits::default(), folios_2m([PFN]));
    assert_eq!(counts(&taken), [1, 32, 32, 1]);
    assert_eq!((taken.sp_segments, taken.chunks), (512, 1));

    let taken = run_7_1(unbounded(), folios_2m([PFN]));
    assert_eq!(counts(&taken), [1, 1, 1, 1]);
    assert_eq!((taken.sp_segments, taken.chunks), (512, 1));
}

#[test]
fn adjacent_folios_share_a_vec_and_stay_two_chunks() {
    let taken = run_7_1(unbounded(), folios_2m([PFN, PFN + 512]));
    assert_eq!(counts(&taken), [1, 1, 1, 1]);
    assert_eq!((taken.sp_segments, taken.chunks), (1024, 2));

    let taken = run_7_1(unbounded(), folios_2m([PFN, PFN + 1024]));
    assert_eq!(counts(&taken), [2, 2, 2, 1]);
    assert_eq!((taken.sp_segments, taken.chunks), (1024, 2));
}

#[test]
fn max_sectors_cuts_three_folios_after_the_second() {
    let limits = Limits {
        max_sectors: Some(8192),
        ..unbounded()
    };
    let taken = run_7_1(limits, folios_2m([PFN, PFN + 512, PFN + 1024]));
    assert_eq!(counts(&taken), [1, 2, 2, 2]);
    let parts: Vec<_> = taken
        .bios
        .iter()
        .map(|b| (b.sector, b.bytes, b.segments))
        .collect();
    assert_eq!(parts, [(0, 4 * M, 1), (8192, 2 * M, 1)]);
}

#[test]
fn a_vec_across_4g_is_two_segments() {
    let edge = 1 << 20;
    let adds = vec![add(edge - 256, 8, 0, M), add(edge, 8, 0, M)];
    let taken = run_7_1(unbounded(), adds);
    assert_eq!(counts(&taken), [1, 2, 2, 1]);
    assert_eq!(taken.bios[0].sg[1], (1 << 32, M));
}

#[test]
fn the_257th_scattered_page_is_refused() {
    let taken = run_7_1(Limits::default(), pages((0..257).map(|i| PFN + 2 * i)));
    assert_eq!(taken.accepted.iter().filter(|&&n| n == P).count(), 256);
    assert_eq!(taken.accepted[256], 0);
    assert_eq!(taken.vecs.len(), 256);
    let parts: Vec<_> = taken.bios.iter().map(|b| b.segments).collect();
    assert_eq!(parts, [128, 128]);
}

#[test]
fn a_full_table_still_merges() {
    let mut case = case(
        KernelVersion::V7_1,
        Limits::default(),
        pages([PFN, PFN + 1, PFN + 3]),
    );
    case.max_vecs = 1;
    let taken = taken(&case);
    assert_eq!(taken.accepted, [P, P, 0]);
    assert_eq!(taken.vecs, [(PFN, 0, 2 * P)]);
}

#[test]
fn before_5_1_a_vec_is_a_page() {
    let run = |adds| taken(&case(KernelVersion::V5_0, Limits::default(), adds));
    assert_eq!(counts(&run(pages(PFN..PFN + 16))), [16, 1, 1, 1]);
    assert_eq!(counts(&run(pages(PFN..PFN + 17))), [17, 2, 2, 1]);

    let whole = run(folios_2m([PFN]));
    assert_eq!(whole.accepted, [2 * M]);
    assert_eq!(whole.vecs.len(), 512);
    let parts: Vec<_> = whole
        .bios
        .iter()
        .map(|b| (b.bytes, b.segments, b.sg.len()))
        .collect();
    assert_eq!(parts, [(M, 16, 16), (M, 16, 16)]);
}

#[test]
fn the_example_of_the_case_format() {
    let line = r#"{"name":"two folios","rules":"7.1","max_vecs":256,"limits":{"max_segments":128,"max_segment_size":65536,"seg_boundary_mask":4294967295,"virt_boundary_mask":0,"max_sectors":8192,"chunk_sectors":0,"logical_block_size":512,"physical_block_size":512,"dma_alignment":511},"start_sector":0,"adds":[{"pfn":4096,"order":9,"offset":0,"len":2097152}]}"#;
    let case: Case = serde_json::from_str(line).expect("the issue's own line");
    assert_eq!(serde_json::to_string(&case).expect("plain data"), line);
    let sg: Vec<String> = (0..32)
        .map(|i| format!("[{},65536]", 4096 * 4096 + i * 65536))
        .collect();
    let answer = format!(
        r#"{{"name":"two folios","accepted":[2097152],"vecs":[[4096,0,2097152]],"bios":[{{"sector":0,"bytes":2097152,"segments":32,"sg":[{}]}}],"sp_segments":512,"chunks":1}}"#,
        sg.join(",")
    );
    assert_eq!(
        serde_json::to_string(&evaluate(&case)).expect("plain data"),
        answer
    );
}
