//! Captures are read back as they were written, and nothing else is taken for one.

use physmem::capture::{CapturedBacking, Header, Run, SCHEMA};
use physmem::{Capture, Extent, Kind, Layout, Order, Pfn, Source};
use proptest::prelude::*;

fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    }
}

fn run() -> impl Strategy<Value = Run> {
    (
        0_u64..1 << 34,
        0_u8..=18,
        0_usize..8,
        1_u64..2000,
        any::<bool>(),
    )
        .prop_map(|(place, order, kind, count, descending)| {
            let order = Order::new(order);
            let place = if descending { place + count } else { place };
            Run {
                first: Extent::new(Pfn(place * order.pages()), order),
                kind: Kind::ALL[kind],
                count,
                // One allocation goes nowhere.
                descending: descending && count > 1,
            }
        })
}

fn capture() -> impl Strategy<Value = Capture> {
    let backing = prop_oneof![
        (0_usize..7).prop_map(|n| CapturedBacking::Buffer(hugemem::Backing::ALL[n])),
        Just(CapturedBacking::Process),
        Just(CapturedBacking::PageCache),
    ];
    let filesystem = proptest::option::of(".{0,8}");
    let runs = proptest::collection::vec(run(), 0..80);
    (
        ".{0,12}",
        ".{0,20}",
        backing,
        filesystem,
        0_u64..,
        0_u64..99,
        runs,
    )
        .prop_map(
            |(kernel, what, backing, filesystem, bytes, few, runs)| Capture {
                header: Header {
                    kernel,
                    date: jiff::civil::date(2026, 11, 23),
                    what,
                    backing,
                    filesystem,
                    bytes,
                    pages: runs
                        .iter()
                        .map(|run| run.count * run.first.order.pages())
                        .sum(),
                    partial: few,
                    skipped: few / 2,
                },
                runs,
            },
        )
}

fn small() -> Capture {
    let run = |pfn, order, count, descending| Run {
        first: Extent::new(Pfn(pfn), Order::new(order)),
        kind: Kind::Anon,
        count,
        descending,
    };
    Capture {
        header: Header {
            kernel: "6.12.0".into(),
            date: jiff::civil::date(2026, 11, 23),
            what: "a test".into(),
            backing: CapturedBacking::Process,
            filesystem: None,
            bytes: 100 << 12,
            pages: 100 + 512,
            partial: 0,
            skipped: 0,
        },
        runs: vec![
            run(4711, 0, 1, false),
            run(4096, 0, 16, false),
            run(8191, 0, 83, true),
            run(512, 9, 1, false),
        ],
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_written_is_read_back(capture in capture()) {
        let text = capture.to_text();
        prop_assert_eq!(Capture::parse("it", &text).unwrap(), capture);
    }

    #[test]
    fn a_capture_cut_short_anywhere_is_refused_with_its_name(capture in capture(), cut in any::<prop::sample::Index>()) {
        let text = capture.to_text();
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        // Without its last line break it is still whole.
        let end = ends[cut.index(ends.len() - 1)];
        let error = Capture::parse("the name", &text[..end]).unwrap_err();
        prop_assert!(error.to_string().starts_with("the name:"), "{}", error);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Capture::parse("noise", &text);
    }

    #[test]
    fn a_damaged_byte_never_makes_the_reader_panic_or_swallow_memory(
        capture in capture(), at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f,
    ) {
        let mut bytes = capture.to_text().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(other) = Capture::parse("damaged", &text)
        {
            // What is still read is sound: it can be written and read again.
            let again = Capture::parse("again", &other.to_text()).unwrap();
            prop_assert_eq!(again.layout(), other.layout());
        }
    }

    #[test]
    fn lines_of_hostile_numbers_never_make_the_reader_panic(
        order in any::<u64>(), small in 0_u64..20, pfn in any::<u64>(), count in any::<i64>(),
    ) {
        let header = small_header();
        for order in [order, small] {
            let line = format!(r#"{{"order":{order},"kind":"file","at":[[{pfn},{count}]]}}"#);
            let _ = Capture::parse("hostile", &format!("{header}\n{line}\n"));
        }
    }
}

fn small_header() -> String {
    small().to_text().lines().next().unwrap().to_owned()
}

#[test]
fn the_text_is_as_documented() {
    let text = small().to_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"schema":1,"kernel":"6.12.0","date":"2026-11-23","what":"a test","backing":"process","filesystem":null,"bytes":409600,"pages":612,"partial":0,"skipped":0,"runs":4}"#,
            r#"{"order":0,"kind":"anon","at":[4711,[4096,16],[8191,-83]]}"#,
            r#"{"order":9,"kind":"anon","at":[512]}"#,
        ]
    );
}

#[test]
fn errors_name_file_line_and_field() {
    let text = small().to_text();
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is in the text");
        Capture::parse("x.jsonl", &text.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    for (from, to, expected) in [
        (
            r#""schema":1"#,
            r#""schema":2"#,
            "x.jsonl:1: field `schema`: version 2 is newer than 1",
        ),
        (
            r#""schema":1"#,
            r#""schema":0"#,
            "x.jsonl:1: field `schema`: version 0 never existed",
        ),
        (
            r#""schema":1,"#,
            "",
            "x.jsonl:1: field `schema`: is missing",
        ),
        (
            r#""kernel":"6.12.0""#,
            r#""kernel":6"#,
            "x.jsonl:1: field `kernel`: 6 is not a text",
        ),
        ("2026-11-23", "2026-13-23", "x.jsonl:1: field `date`: "),
        (
            r#""process""#,
            r#""magic""#,
            "x.jsonl:1: field `backing`: unknown backing `magic`",
        ),
        (
            r#""bytes":409600"#,
            r#""bytes":-1"#,
            "x.jsonl:1: field `bytes`: -1 is not a count",
        ),
        (
            r#""pages":612"#,
            r#""pages":613"#,
            "x.jsonl:3: field `pages`: the header says 613",
        ),
        (
            r#""runs":4"#,
            r#""runs":5"#,
            "x.jsonl:3: field `runs`: the header announces 5, there are 4",
        ),
        (
            r#""skipped":0"#,
            r#""skipped":0,"skipped":1"#,
            "x.jsonl:1: field `.`: duplicate key `skipped`",
        ),
        (
            "[512]}",
            "[512]}]",
            "x.jsonl:3: field `.`: no JSON at column 37: trailing",
        ),
        (
            r#""skipped":0"#,
            r#""skipped":0,"host":"me""#,
            "x.jsonl:1: field `.`: unknown field `host`",
        ),
        (
            r#""kind":"anon""#,
            r#""kind":"magic""#,
            "x.jsonl:2: field `kind`: unknown kind `magic`",
        ),
        (
            r#""order":9"#,
            r#""order":19"#,
            "x.jsonl:3: field `order`: order 19 is above",
        ),
        (
            r#""at":[512]"#,
            r#""at":[513]"#,
            "x.jsonl:3: field `at`: 513 is not aligned",
        ),
        (
            r#""at":[512]"#,
            r#""at":[]"#,
            "x.jsonl:3: field `at`: an empty list",
        ),
        (
            r#""at":[512]"#,
            r#""at":512"#,
            "x.jsonl:3: field `at`: not a list",
        ),
        (
            r#""at":[512]"#,
            r#""at":[[512]]"#,
            "x.jsonl:3: field `at`: [512] is neither",
        ),
        (
            "[4096,16]",
            "[4096,0]",
            "x.jsonl:2: field `at`: [4096,0] counts none",
        ),
        (
            "[4096,16]",
            "[4096,99999999]",
            "x.jsonl:2: field `at`: [4096,99999999] counts none, or more",
        ),
        (
            "[8191,-83]",
            "[81,-83]",
            "x.jsonl:2: field `at`: [81,-83] leaves the address space",
        ),
        (
            "4711",
            "4503599627370496",
            "x.jsonl:2: field `at`: 4503599627370496 leaves",
        ),
        (
            r#"{"order":9"#,
            r#"{"order""#,
            "x.jsonl:3: field `.`: no JSON at column 9: ",
        ),
    ] {
        let error = said(from, to);
        assert!(error.starts_with(expected), "{from} -> {to}: {error}");
    }
    assert!(
        Capture::parse("x.jsonl", "")
            .unwrap_err()
            .to_string()
            .starts_with("x.jsonl:1: ")
    );
}

#[test]
fn more_allocations_than_a_capture_may_hold_are_refused_before_they_take_memory() {
    let header = small_header();
    let line = r#"{"order":0,"kind":"anon","at":[[0,16777216]]}"#;
    let text = format!("{header}\n{line}\n{line}\n");
    let error = Capture::parse("big", &text).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("big:3: field `at`: more than"),
        "{error}"
    );
}

#[test]
fn a_saved_capture_is_loaded_back_and_a_missing_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.jsonl");
    small().save(&path).unwrap();
    small().save(&path).unwrap();
    assert_eq!(Capture::load(&path).unwrap(), small());
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing else is left there"
    );
    let error = Capture::load(&dir.path().join("none.jsonl")).unwrap_err();
    assert!(error.to_string().contains("none.jsonl"), "{error}");
}

#[test]
fn a_layout_of_a_capture_holds_its_allocations_in_order_and_says_where_it_comes_from() {
    let layout = Layout::from(&small());
    assert_eq!(layout.len(), 101);
    assert_eq!(layout.pages(), 612);
    let heads: Vec<u64> = layout.iter().map(|(extent, _)| extent.head.0).collect();
    assert_eq!(heads[..3], [4711, 4096, 4097]);
    assert_eq!(heads[16..19], [4111, 8191, 8190]);
    assert_eq!(heads[100], 512);
    assert!(matches!(layout.source, Source::Captured { .. }));
    assert_eq!(
        layout.source.to_string(),
        "captured on Linux 6.12.0, 2026-11-23: a test"
    );
    assert_eq!(SCHEMA, 1);
}
