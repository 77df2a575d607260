//! The worked cases of `cases/bio.jsonl`: what is held in the end, clones, and atomic writes.

use std::collections::BTreeMap;
use std::io::Cursor;

use conformance::case::{Answer, Case, Operation, Refusal, Taken, generate_more, parse_lines};
use conformance::reference::evaluate;
use mm::KernelVersion;

const FILE: &str = include_str!("../cases/bio.jsonl");
/// The page frame that most of the cases begin at.
const PFN: u64 = 16384;

pub(crate) fn answers() -> BTreeMap<String, Answer> {
    parse_lines(Cursor::new(FILE))
        .map(|(_, case)| case.unwrap_or_else(|error| panic!("{error}")))
        .map(|case| (case.name.clone(), evaluate(&case)))
        .collect()
}

pub(crate) fn taken(answers: &BTreeMap<String, Answer>, name: &str) -> Taken {
    match &answers[name] {
        Answer::Taken(taken) => taken.clone(),
        Answer::Refused(refused) => panic!("{name}: {refused:?}"),
    }
}

/// Sector, bytes and segments of each request.
pub(crate) fn requests(taken: &Taken) -> Vec<(u64, u32, u32)> {
    let of = |request: &conformance::case::Request| {
        let request = request.clone();
        (request.sector, request.bytes, request.segments)
    };
    taken.bios.iter().map(of).collect()
}

#[test]
fn a_page_that_two_adds_share_is_let_go_once() {
    let answers = answers();
    let held = |name: &str| taken(&answers, name).held.expect("it was asked");
    for rules in ["5.10", "6.1", "6.12", "7.2"] {
        let name = format!("two halves of a page in one vec, {rules}");
        assert_eq!(held(&name), [(PFN, 1)], "{name}");
    }
    assert_eq!(held("two parts of a page in vecs of their own"), [(PFN, 0)]);
    assert_eq!(held("a folio as a whole"), [(PFN, 0)]);
    // Two pages and three were taken, the vec has four.
    assert_eq!(held("a page between two runs of a folio"), [(PFN, 1)]);
    assert_eq!(held("an add that is refused"), [(PFN, 0), (PFN + 8, 0)]);
}

#[test]
fn a_clone_is_cut_by_what_it_knows_of_its_table() {
    let answers = answers();
    let parts = |name: &str| requests(&taken(&answers, name));
    let slips = "a clone where its original slips by the split";
    // Up to 6.12 the short cut counts the vecs of the table, of which a clone knows none.
    assert_eq!(
        parts(&format!("{slips}, 6.12")),
        [(6, 1024, 1), (8, 512, 1)]
    );
    assert_eq!(parts(&format!("{slips}, 7.2")), [(6, 1536, 1)]);
    assert_eq!(parts("the original"), [(6, 1536, 1)]);

    let joined = taken(&answers, "two parts that follow each other");
    assert_eq!(requests(&joined), [(0, 32768, 2)]);
    assert_eq!(joined.bios[0].sg, [(PFN << 12, 32768)]);
    assert_eq!((joined.sp_segments, joined.chunks), (8, 1));
    let apart = taken(&answers, "two parts with a hole between");
    assert_eq!(requests(&apart), [(0, 4096, 1), (16, 4096, 1)]);
    assert_eq!((apart.sp_segments, apart.chunks), (2, 1));
    let two = taken(&answers, "the end of one bio and the start of the next");
    assert_eq!(requests(&two), [(12, 4096, 2)]);
    assert_eq!(two.held, Some(vec![(PFN, 0), (PFN + 8, 0)]));
}

#[test]
fn an_atomic_write_is_whole_or_fails() {
    let answers = answers();
    let parts = |name: &str| requests(&taken(&answers, name));
    assert_eq!(parts("an atomic write"), [(0, 16384, 1)]);
    for name in [
        "an atomic write beyond the largest unit",
        "an atomic write that is not whole units",
        // Two segments hold two blocks for certain, and no more.
        "an atomic write to a device of two segments",
        "an atomic write across the boundary, 6.12",
        "an atomic write across the boundary, 7.2",
        "an atomic write where the device has none",
    ] {
        let refused = matches!(&answers[name], Answer::Refused(r) if r.error == Refusal::Invalid);
        assert!(refused, "{name}: {:?}", answers[name]);
    }
    // The short cut does not know the boundary of atomic writes.
    for rules in ["6.12", "7.2"] {
        let name = format!("one page across the boundary slips by, {rules}");
        assert_eq!(parts(&name), [(28, 4096, 1)]);
    }
    assert_eq!(
        parts("atomic writes that follow each other"),
        [(0, 8192, 2)]
    );
    assert_eq!(
        parts("atomic writes beyond what is written at once"),
        [(0, 4096, 1), (8, 4096, 1)]
    );
}

#[test]
fn what_a_kernel_or_a_bio_lacks_is_refused_with_a_reason() {
    let refusal = |rules: &str, rest: &str| {
        let line =
            format!(r#"{{"name":"n","rules":"{rules}",{rest},"adds":[{{"pfn":8,"len":4096}}]}}"#);
        let (_, case) = parse_lines(Cursor::new(line)).next().expect("a line");
        let error = case.expect_err("no such case");
        (error.field.unwrap_or_default(), error.reason)
    };
    let atomic = r#""op":"atomic-write""#;
    let unit = |more: &str| format!(r#""limits":{{"atomic_write_max":4096,{more}}}"#);
    for (rules, rest, field, words) in [
        ("6.1", atomic, "op", "v6.11"),
        (
            "5.10",
            &unit(r#""atomic_write_unit_min":512"#),
            "limits.atomic_write_max",
            "v6.11",
        ),
        (
            "6.12",
            &unit(r#""atomic_write_unit_min":513"#),
            "limits.atomic_write_unit_min",
            "power",
        ),
        (
            "6.12",
            &unit(r#""atomic_write_unit_min":512"#),
            "limits.atomic_write_unit_max",
            "power",
        ),
        (
            "5.0",
            r#""clones":[{"bio":0,"sectors":1}]"#,
            "clones[0]",
            "further bios",
        ),
        (
            "6.12",
            r#""clones":[{"bio":1,"sectors":1}]"#,
            "clones[0].bio",
            "no bio 1",
        ),
        (
            "6.12",
            r#""clones":[{"bio":0,"sectors":0}]"#,
            "clones[0].sectors",
            "nothing",
        ),
        (
            "6.12",
            r#""clones":[{"bio":0,"skip":7,"sectors":2}]"#,
            "clones[0].sectors",
            "has 8",
        ),
        (
            "6.12",
            r#""clones":[{"bio":0,"sectors":2},{"bio":0,"skip":1,"sectors":1}]"#,
            "clones[1].skip",
            "overlap",
        ),
        (
            "6.12",
            r#""op":"atomic-write","clones":[{"bio":0,"sectors":1}]"#,
            "clones",
            "never trimmed",
        ),
    ] {
        let (at, reason) = refusal(rules, rest);
        assert_eq!(at, field, "{rest}: {reason}");
        assert!(reason.contains(words), "{rest}: {reason}");
    }
}

#[test]
fn a_discard_ends_where_the_device_frees_its_units() {
    let answers = answers();
    let parts = |name: &str| requests(&taken(&answers, name));
    for rules in ["5.10", "6.1", "6.12", "7.2"] {
        // From sector 6, 100 at once, in units of 8: 96 at once, and the first ends at 96.
        let name = format!("a discard, {rules}");
        let expected = [(6, 90 * 512, 1), (96, 96 * 512, 1), (192, 14 * 512, 1)];
        assert_eq!(parts(&name), expected, "{name}");
    }
    // A device that takes less than its unit, and one whose unit 6.12 raises to its block.
    assert_eq!(parts("a discard that is not cut"), [(0, 200 * 512, 1)]);
    assert_eq!(
        parts("units of a physical block, 6.1"),
        [(0, 4608, 1), (9, 3584, 1)]
    );
    assert_eq!(
        parts("units of a physical block, 6.12"),
        [(0, 4096, 1), (8, 4096, 1)]
    );
    for name in [
        "a discard where the device has none",
        "a discard off its blocks",
    ] {
        assert!(matches!(&answers[name], Answer::Refused(_)), "{name}");
    }
}

/// A generator that never reaches a corner proves nothing there.
#[test]
fn random_cases_ask_all_of_it() {
    for rules in KernelVersion::ALL {
        let cases: Vec<Case> = (0..2000).map(|n| generate_more(7, n, rules)).collect();
        let often = |what: &str, is: &dyn Fn(&Case, &Answer) -> bool, least: usize| {
            let met = cases
                .iter()
                .filter(|case| is(case, &evaluate(case)))
                .count();
            assert!(met >= least, "{rules}: {what}: {met}");
        };
        let left = |answer: &Answer| match answer {
            Answer::Taken(taken) => taken.held.iter().flatten().any(|(_, left)| *left > 0),
            Answer::Refused(_) => false,
        };
        let is_taken = |answer: &Answer| matches!(answer, Answer::Taken(_));
        often("pages left held", &|_, answer| left(answer), 10);
        let clones = |least: usize| {
            move |case: &Case, answer: &Answer| is_taken(answer) && case.clones.len() >= least
        };
        let atomic = |case: &Case| case.op == Operation::AtomicWrite;
        let is_new = rules >= KernelVersion::V6_12;
        let if_new = |least| if is_new { least } else { 0 };
        let if_any = |least| {
            if rules > KernelVersion::V5_0 {
                least
            } else {
                0
            }
        };
        often("a clone", &clones(1), if_any(100));
        often("several clones", &clones(3), if_any(50));
        often(
            "an atomic write",
            &|case, answer| atomic(case) && is_taken(answer),
            if_new(40),
        );
        let fails = |case: &Case, answer: &Answer| atomic(case) && !is_taken(answer);
        often("an atomic write that fails", &fails, if_new(40));
        let merged = |case: &Case, answer: &Answer| {
            let bios = case.adds.last().map_or(0, |add| usize::from(add.bio) + 1);
            atomic(case) && matches!(answer, Answer::Taken(t) if t.bios.len() < bios)
        };
        often("atomic writes that merge", &merged, if_new(3));
        let cut = |case: &Case, answer: &Answer| {
            case.sectors > 0 && matches!(answer, Answer::Taken(t) if t.bios.len() > 1)
        };
        often("a discard that is cut", &cut, 20);
    }
}
