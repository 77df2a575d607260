//! The worked cases of `cases/bio.jsonl` that append to zones, and what is refused.

use std::io::Cursor;

use conformance::case::{
    Answer, Case, Operation, Refusal, generate_for_models, generate_more, parse_lines,
};
use conformance::reference::evaluate;
use mm::KernelVersion;

use crate::further_cases::{answers, requests, taken};

/// Rules of kernels that let an append out whole, of 6.12, and of kernels that add freely.
const OLD: [&str; 2] = ["5.10", "6.1"];
const NEW: [&str; 2] = ["7.1", "7.2"];

/// Bytes taken of each add, and the requests; `None` where the kernel refuses.
type Outcome = Option<(Vec<u32>, Vec<(u64, u32, u32)>)>;

fn outcome(name: &str, rules: &str) -> Outcome {
    let name = format!("{name}, {rules}");
    let answers = answers();
    match &answers[&name] {
        Answer::Refused(refused) => {
            assert_eq!(refused.error, Refusal::Invalid, "{name}");
            None
        }
        Answer::Taken(_) => {
            let taken = taken(&answers, &name);
            Some((taken.accepted.clone(), requests(&taken)))
        }
    }
}

fn some(accepted: &[u32], requests: &[(u64, u32, u32)]) -> Outcome {
    Some((accepted.to_vec(), requests.to_vec()))
}

#[test]
fn an_append_goes_to_the_start_of_a_zone_of_its_own() {
    for rules in ["5.10", "6.1", "6.12", "7.1", "7.2"] {
        let plain = some(&[16384, 4096], &[(256, 20480, 2)]);
        assert_eq!(outcome("an append", rules), plain, "{rules}");
        // The second begins where the first ends, and yet is no part of it.
        let two = some(&[65536, 65536], &[(0, 65536, 1), (128, 65536, 1)]);
        let name = "appends that fill their zones";
        assert_eq!(outcome(name, rules), two, "{rules}");
        let off = outcome("an append off the start of its zone", rules);
        assert_eq!(off, None, "{rules}");
    }
}

#[test]
fn the_limits_count_when_a_piece_is_added_and_from_7_on_when_it_is_submitted() {
    let first = |bytes: u32| some(&[bytes, 0], &[(0, bytes, 1)]);
    for rules in ["5.10", "6.1", "6.12"] {
        let beyond = outcome("an append beyond the limit", rules);
        assert_eq!(beyond, first(32768), "{rules}");
        let gap = outcome("an append off the virtual boundary", rules);
        assert_eq!(gap, first(512), "{rules}");
        let pieces = outcome("an append of more pieces than segments", rules);
        assert_eq!(pieces, some(&[4096, 4096, 0], &[(0, 8192, 2)]), "{rules}");
    }
    for rules in NEW {
        for name in [
            "an append beyond the limit",
            "an append off the virtual boundary",
            "an append of more pieces than segments",
        ] {
            assert_eq!(outcome(name, rules), None, "{name}, {rules}");
        }
    }
    let bound = outcome("an append beyond max_sectors", "6.1");
    assert_eq!(bound, some(&[0], &[]));
}

#[test]
fn nothing_is_cut() {
    let long = "a piece longer than a segment";
    for rules in OLD {
        // Three segments where two are allowed: what is counted is what the device takes at once.
        let whole = some(&[8192, 4096], &[(0, 12288, 2)]);
        assert_eq!(outcome(long, rules), whole, "{rules}");
        let off = outcome("an append that ends off the physical block", rules);
        assert_eq!(off, some(&[4096, 512], &[(0, 4608, 1)]), "{rules}");
    }
    // 6.12 takes a segment of the piece, and the next one is no neighbour of it.
    let part = some(&[4096, 4096], &[(0, 8192, 2)]);
    assert_eq!(outcome(long, "6.12"), part);
    for rules in NEW {
        assert_eq!(outcome(long, rules), None, "{rules}");
    }
    for rules in ["6.12", "7.1", "7.2"] {
        let off = outcome("an append that ends off the physical block", rules);
        assert_eq!(off, some(&[4096, 512], &[(0, 4608, 2)]), "{rules}");
    }
    let vecs = |rules: &str| {
        let name = format!("a vec grows to a segment and no further, {rules}");
        taken(&answers(), &name).vecs.len()
    };
    for rules in ["5.10", "6.1", "6.12"] {
        assert_eq!(vecs(rules), 2, "{rules}");
    }
    for rules in NEW {
        assert_eq!(vecs(rules), 1, "{rules}");
    }
}

#[test]
fn appends_that_cannot_be_are_refused_with_a_reason() {
    let refusal = |rules: &str, rest: &str| {
        let line = format!(r#"{{"name":"n","rules":"{rules}",{rest}}}"#);
        let (_, case) = parse_lines(Cursor::new(line)).next().expect("a line");
        let error = case.expect_err("no such case");
        (error.field.unwrap_or_default(), error.reason)
    };
    let adds = r#""adds":[{"pfn":8,"len":4096}]"#;
    let limits = r#""limits":{"chunk_sectors":8,"max_zone_append_sectors":8}"#;
    let append = r#""op":"zone-append""#;
    for (rules, rest, field, words) in [
        ("5.0", format!("{append},{limits},{adds}"), "op", "v5.8"),
        (
            "6.12",
            format!(r#"{append},"limits":{{"chunk_sectors":8}},{adds}"#),
            "limits.max_zone_append_sectors",
            "missing or 0",
        ),
        (
            "6.12",
            format!(r#"{append},"limits":{{"max_zone_append_sectors":8}},{adds}"#),
            "limits.chunk_sectors",
            "size of a zone",
        ),
        (
            "7.2",
            format!("{limits},{adds}"),
            "limits.max_zone_append_sectors",
            "only a zone append",
        ),
        (
            "7.2",
            format!(r#"{append},{limits},"clones":[{{"bio":0,"sectors":8}}],{adds}"#),
            "clones",
            "never trimmed",
        ),
        (
            "6.12",
            format!(r#"{append},{limits},"adds":[{{"pfn":8,"len":4096,"by":"folio"}}]"#),
            "adds[0].by",
            "adds pages",
        ),
    ] {
        let (at, reason) = refusal(rules, &rest);
        assert_eq!(at, field, "{rest}: {reason}");
        assert!(reason.contains(words), "{rest}: {reason}");
    }
}

/// A generator that never reaches a corner proves nothing there.
#[test]
fn random_cases_append_in_every_way() {
    for rules in KernelVersion::ALL {
        let cases: Vec<Case> = (0..2000)
            .map(|n| generate_for_models(7, n, rules))
            .filter(|case| case.op == Operation::ZoneAppend)
            .collect();
        if rules == KernelVersion::V5_0 {
            assert!(cases.is_empty());
            continue;
        }
        let often = |what: &str, least: usize, is: &dyn Fn(&Case, &Answer) -> bool| {
            let met = cases.iter().filter(|case| is(case, &evaluate(case)));
            let met = met.count();
            assert!(met >= least, "{rules}: {what}: {met}");
        };
        often(
            "an append",
            30,
            &|_, answer| matches!(answer, Answer::Taken(taken) if !taken.bios.is_empty()),
        );
        often("an append that fails", 10, &|_, answer| {
            matches!(answer, Answer::Refused(_))
        });
        if rules < KernelVersion::V7_1 {
            often(
                "a refused add",
                20,
                &|_, answer| matches!(answer, Answer::Taken(taken) if taken.accepted.contains(&0)),
            );
        }
        if rules == KernelVersion::V6_12 {
            often("a shortened piece", 5, &|case, answer| match answer {
                Answer::Taken(taken) => {
                    let mut each = case.adds.iter().zip(&taken.accepted);
                    each.any(|(add, &got)| 0 < got && got < add.len)
                }
                Answer::Refused(_) => false,
            });
        }
        let none = |n| generate_more(7, n, rules).op != Operation::ZoneAppend;
        assert!((0..500).all(none), "campaigns ask for none");
    }
}
