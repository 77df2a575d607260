//! Case files: what is read is what was written, and a bad line spoils only itself.

use std::io::{BufReader, Cursor, Read};

use conformance::case::{
    Answer, Case, CaseError, CaseLine, Refusal, generate_more, parse_all_lines, parse_lines,
};
use conformance::reference::evaluate;
use mm::KernelVersion;
use proptest::prelude::*;
use proptest::test_runner::Config;

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000);
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

fn parse_one(line: &str) -> Result<Case, CaseError> {
    let mut lines = parse_lines(Cursor::new(line.as_bytes()));
    let (number, case) = lines.next().expect("one line");
    assert_eq!(number, 1);
    assert!(lines.next().is_none());
    case
}

fn json(case: &Case) -> String {
    serde_json::to_string(case).expect("plain data")
}

/// Lines that look almost like cases: a valid one with a few bytes changed.
fn damaged_line() -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        prop_oneof![any::<u8>(), Just(b'9'), Just(b'}'), Just(b'"')],
    );
    (any::<u64>(), proptest::collection::vec(edit, 1..6)).prop_map(|(seed, edits)| {
        let mut line = json(&generate_more(seed, 0, KernelVersion::V6_12)).into_bytes();
        for (at, byte) in edits {
            let at = at.index(line.len());
            line[at] = byte;
        }
        line
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_case_survives_its_line(seed in any::<u64>(), rules in 0..KernelVersion::ALL.len()) {
        let case = generate_more(seed, 0, KernelVersion::ALL[rules]);
        prop_assert_eq!(parse_one(&json(&case)), Ok(case));
    }

    #[test]
    fn an_answer_survives_its_line(seed in any::<u64>(), rules in 0..KernelVersion::ALL.len()) {
        let answer = evaluate(&generate_more(seed, 0, KernelVersion::ALL[rules]));
        let line = serde_json::to_string(&answer).expect("plain data");
        prop_assert_eq!(serde_json::from_str::<Answer>(&line).expect("our own line"), answer);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut last = 0;
        for (number, _) in parse_lines(Cursor::new(&bytes)) {
            prop_assert!(number > last);
            last = number;
        }
    }

    #[test]
    fn a_damaged_line_is_a_case_or_an_error_and_the_next_still_runs(line in damaged_line()) {
        let whole = generate_more(1, 1, KernelVersion::V7_1);
        let mut file = line.clone();
        file.push(b'\n');
        file.extend(json(&whole).bytes());
        let mut newlines = 0;
        for (number, case) in parse_lines(Cursor::new(&file)) {
            newlines = number;
            match case {
                // What passes the parser can be asked.
                Ok(case) => drop(evaluate(&case)),
                Err(error) => prop_assert_eq!(error.line, number),
            }
        }
        let last = parse_lines(Cursor::new(&file)).last().map(|(_, case)| case);
        prop_assert_eq!(last, Some(Ok(whole)));
        prop_assert_eq!(newlines, 2 + line.iter().filter(|&&b| b == b'\n').count());
    }
}

/// A line that is right except for what replaces `{}`.
fn field_of(rest: &str) -> (Option<String>, String) {
    let error = parse_one(rest).expect_err("a bad line");
    (error.field, error.reason)
}

#[test]
fn a_bad_line_names_its_field() {
    let line = |limits: &str, adds: &str| {
        format!(r#"{{"name":"n","rules":"6.12","limits":{{{limits}}},"adds":[{adds}]}}"#)
    };
    let good = r#"{"pfn":8,"order":3,"offset":0,"len":4096}"#;
    assert!(parse_one(&line("", good)).is_ok());
    for (bad, field, words) in [
        (
            line(r#""max_segments":70000"#, good),
            "limits.max_segments",
            "expected u16",
        ),
        (
            line(r#""max_segment":7"#, good),
            "limits.max_segment",
            "unknown field",
        ),
        (
            line("", r#"{"pfn":8,"order":3,"offset":0}"#),
            "adds[0]",
            "missing field `len`",
        ),
        (
            line("", r#"{"pfn":8,"order":3,"offset":0,"len":0}"#),
            "adds[0].len",
            "nothing",
        ),
        (
            line("", r#"{"pfn":9,"order":3,"offset":0,"len":1}"#),
            "adds[0].pfn",
            "aligned",
        ),
        (
            line("", r#"{"pfn":8,"order":19,"offset":0,"len":1}"#),
            "adds[0].order",
            "above 18",
        ),
        (
            line("", r#"{"pfn":8,"order":3,"offset":32768,"len":1}"#),
            "adds[0].len",
            "beyond the end",
        ),
        (
            line("", r#"{"pfn":8,"len":1,"bio":1}"#),
            "adds[0].bio",
            "start at 0",
        ),
        (
            line("", &format!(r#"{good},{{"pfn":12,"len":1}}"#)),
            "adds[1].pfn",
            "overlaps",
        ),
        (
            line("", &format!(r#"{good},{{"pfn":8,"len":1}}"#)),
            "adds[1].pfn",
            "overlaps",
        ),
        (
            line("", good).replace("6.12", "6.2"),
            "rules",
            "unknown rules",
        ),
        (
            line("", r#"{"pfn":8,"len":1,"by":"folio"}"#).replace("6.12", "5.10"),
            "adds[0].by",
            "no bio_add_folio",
        ),
        (
            line("", good).replace(r#""adds""#, r#""max_vecs":257,"adds""#),
            "max_vecs",
            "257",
        ),
    ] {
        let (at, reason) = field_of(&bad);
        assert_eq!(at.as_deref(), Some(field), "{bad}: {reason}");
        assert!(reason.contains(words), "{bad}: {reason}");
    }
    let (at, reason) = field_of(r#"{"name":"n" "rules":"6.12"}"#);
    assert!(reason.contains("at column 13"), "{at:?} {reason}");
}

#[test]
fn lines_are_counted_blank_ones_too() {
    let good = json(&generate_more(7, 0, KernelVersion::V5_10));
    let file = format!("{good}\n\n  \r\nnot a case\n{good}");
    let lines: Vec<(usize, bool)> = parse_lines(Cursor::new(file))
        .map(|(n, c)| (n, c.is_ok()))
        .collect();
    assert_eq!(lines, [(1, true), (4, false), (5, true)]);
}

#[test]
fn a_reader_that_fails_ends_the_file() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let lines: Vec<_> = parse_lines(BufReader::new(Failing)).collect();
    assert_eq!(lines.len(), 1);
    let error = lines[0].1.as_ref().expect_err("no line was read");
    assert_eq!(error.to_string(), "line 1: the disk is gone");
}

#[test]
fn old_kernels_raise_what_new_ones_refuse() {
    let with = |rules: &str, limits: &str| {
        let line = format!(
            r#"{{"name":"n","rules":"{rules}","limits":{{{limits}}},"adds":[{{"pfn":8,"order":3,"len":32768}}]}}"#
        );
        evaluate(&parse_one(&line).expect("a case"))
    };
    for limits in [
        r#""max_segment_size":512"#,
        r#""seg_boundary_mask":511"#,
        r#""max_sectors":1"#,
    ] {
        for old in ["5.0", "5.10", "6.1"] {
            let Answer::Taken(taken) = with(old, limits) else {
                panic!("{old} takes {limits}")
            };
            let page_by_page = taken
                .bios
                .iter()
                .flat_map(|b| &b.sg)
                .all(|&(_, len)| len == 4096);
            assert!(page_by_page, "{old} {limits}: {taken:?}");
        }
        for new in ["6.12", "7.1", "7.2"] {
            let Answer::Refused(refused) = with(new, limits) else {
                panic!("{new} refuses {limits}")
            };
            assert_eq!(refused.error, Refusal::Invalid);
            let line = serde_json::to_string(&Answer::Refused(refused)).expect("plain data");
            assert_eq!(line, r#"{"name":"n","error":"EINVAL"}"#);
        }
    }
}

#[test]
fn a_virtual_boundary_lifts_the_segment_size_since_5_2() {
    let size = |rules: KernelVersion, limits: &str| {
        let line = format!(
            r#"{{"name":"n","rules":"{rules}","limits":{{"virt_boundary_mask":4095{limits}}},"adds":[]}}"#
        );
        parse_one(&line)
            .expect("a case")
            .limits
            .effective(rules)
            .expect("fine")
            .max_segment_size
    };
    assert_eq!(size(KernelVersion::V5_0, ""), 65536);
    for rules in &KernelVersion::ALL[1..] {
        assert_eq!(size(*rules, ""), u32::MAX);
        assert_eq!(size(*rules, r#","max_segment_size":8192"#), 8192);
    }
}

/// The answer would be a scatterlist of 3 GiB in segments of a byte; the lines around it are
/// answered.
#[test]
fn a_case_whose_answer_has_no_bound_is_refused_with_the_reason() {
    let add = |n: u64| format!(r#"{{"pfn":{},"order":18,"len":1073741824}}"#, n << 18);
    let adds = [add(1), add(2), add(3)].join(",");
    let case = |limits: &str| {
        format!(r#"{{"name":"n","rules":"6.12","limits":{{{limits}}},"adds":[{adds}]}}"#)
    };
    let bytes = case(r#""max_segment_size":1,"virt_boundary_mask":65535"#);
    let lines = [case(""), bytes, case("")].join("\n");
    let read: Vec<_> = parse_lines(Cursor::new(lines.as_bytes()))
        .map(|(_, line)| line)
        .collect();
    assert!(read[0].is_ok() && read[2].is_ok(), "{read:?}");
    let error = read[1].as_ref().expect_err("3 Gi entries").to_string();
    assert!(error.starts_with("line 2: field `adds`: "), "{error}");
    assert!(error.contains("3221225478 scatterlist entries"), "{error}");
}

/// Lines of both sorts stand in one file; a ledger is known by its steps, and one whose steps
/// no kernel code takes is refused with the step.
#[test]
fn ledgers_and_bios_are_told_apart_line_by_line() {
    let ledger = |steps: &str| format!(r#"{{"name":"l","groups":["/0"],"steps":[{steps}]}}"#);
    let charge = r#"{"charge":{"group":0,"order":0,"file":true}}"#;
    let lines = [
        r#"{"name":"b","rules":"6.12","adds":[{"pfn":0,"order":0,"len":4096}]}"#.to_owned(),
        ledger(charge),
        ledger(&format!(r#"{charge},{{"put":0}}"#)),
        ledger(&format!(r#"{charge},{{"charg":0}}"#)),
    ]
    .join("\n");
    let read: Vec<_> = parse_all_lines(Cursor::new(lines.as_bytes()), None)
        .map(|(_, line)| line.map_err(|error| error.to_string()))
        .collect();
    assert!(matches!(read[0], Ok(CaseLine::Bio(_))), "{read:?}");
    assert!(matches!(read[1], Ok(CaseLine::Ledger(_))), "{read:?}");
    let refused = |n: usize| read[n].as_ref().expect_err("it is refused");
    assert_eq!(refused(2), "line 3: steps[1]: Put(0) cannot be taken here");
    assert!(
        refused(3).starts_with("line 4: field `steps[1]"),
        "{}",
        refused(3)
    );
}

/// The worked cases name no rules, since they are put to every kernel; a reader of such a file says
/// which apply. Rules that a line has stay its own.
#[test]
fn lines_without_rules_are_read_under_those_that_the_reader_names() {
    let adds = r#""adds":[{"pfn":0,"len":4096}]"#;
    let lines = [
        format!(r#"{{"name":"none",{adds}}}"#),
        format!(r#"{{"name":"own","rules":"5.10",{adds}}} "#),
        format!(r#"{{"name":"bad",{adds},"max_vecs":-1}}"#),
        "{}".to_owned(),
    ]
    .join("\n");
    let read = |rules| -> Vec<_> {
        parse_all_lines(Cursor::new(lines.as_bytes()), rules)
            .map(|(_, line)| match line {
                Ok(CaseLine::Bio(case)) => case.rules.to_string(),
                Ok(CaseLine::Ledger(case)) => case.name,
                Err(error) => error.to_string(),
            })
            .collect()
    };
    let under = read(Some(KernelVersion::V7_1));
    assert_eq!(under[..2], ["7.1", "5.10"]);
    let without = read(None);
    assert!(without[0].contains("missing field `rules`"), "{without:?}");
    assert_eq!(under[2], without[2], "an error's place is that in the file");
    assert!(under[3].contains("missing field `name`"), "{under:?}");
    let worked = include_str!("../../kernels/oracle/cases/worked.jsonl");
    let rules = Some(KernelVersion::V6_12);
    let mut worked = parse_all_lines(Cursor::new(worked.as_bytes()), rules);
    assert!(
        worked.all(|(_, line)| line.is_ok()),
        "every line is a case of 6.12"
    );
}
