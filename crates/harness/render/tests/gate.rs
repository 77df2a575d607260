//! The findings of the gate on counts that are the same, better, worse, missing or uneven.

use compare::gate::{Findings, Invariant, Limits, Outcome};
use render::{gate_json, gate_page};
use results::{Loop, LoopCount, Params};

const WORKLOADS: [&str; 2] = ["iteration/chunks", "merging/add"];
const DESIGNS: [&str; 4] = ["folio", "memdesc", "headpage", "headpage-noassert"];

/// The designs' loops that may not depend on the order.
fn invariant() -> [Invariant<'static>; 4] {
    DESIGNS.map(|design| Invariant {
        design,
        workloads: &WORKLOADS,
    })
}

fn count(workload: &str, design: &str, order: u64, functions: &[(&str, u64)]) -> LoopCount {
    LoopCount {
        of: Loop {
            workload: workload.to_owned(),
            design: design.to_owned(),
            rules: "6.12".to_owned(),
            params: Params::from([("order".to_owned(), order.into())]),
        },
        instructions: functions.iter().map(|(_, n)| n).sum(),
        limit: None,
        functions: functions
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect(),
    }
}

/// The least that satisfies the gate: loops that do not depend on the order.
fn all() -> Vec<LoopCount> {
    let mut counts = Vec::new();
    for workload in WORKLOADS {
        for design in DESIGNS {
            for (order, step) in [(0, 60), (9, 64)] {
                counts.push(count(
                    workload,
                    design,
                    order,
                    &[("entry", 140), ("step", step)],
                ));
            }
        }
    }
    counts.push(count(
        "iteration/segments",
        "flat",
        9,
        &[("entry", 100), ("walk", 9900)],
    ));
    counts
}

fn compare(base: &[LoopCount], now: &[LoopCount]) -> Findings {
    Findings::of(base, now, Limits::default(), &invariant(), &|_| true)
}

/// All loops, the last one with another cost of its `walk`.
fn with_walk(walk: u64) -> Vec<LoopCount> {
    let mut now = all();
    now.pop();
    now.push(count(
        "iteration/segments",
        "flat",
        9,
        &[("entry", 100), ("walk", walk)],
    ));
    now
}

#[test]
fn the_same_counts_are_within_and_nothing_is_printed_of_them() {
    let findings = compare(&all(), &all());
    assert_eq!(findings.outcome(), Outcome::Within);
    assert_eq!((findings.same, findings.ratio), (all().len(), Some(1.0)));
    let text = gate_page(&findings, Limits::default(), "b.json").text();
    assert!(!text.contains("iteration/segments"), "{text}");
    assert!(text.ends_with("within the limits\n"), "{text}");
}

#[test]
fn a_loop_may_grow_by_one_percent_and_by_no_instruction_more() {
    let at = compare(&all(), &with_walk(10_000));
    assert_eq!(at.outcome(), Outcome::Within);
    assert_eq!(at.moved.len(), 1);
    let beyond = compare(&all(), &with_walk(10_001));
    assert_eq!(beyond.outcome(), Outcome::Beyond);
    let one = &beyond.beyond().next().expect("one is beyond");
    assert_eq!(
        (one.of.workload.as_str(), one.base, one.now),
        ("iteration/segments", 10_000, 10_101)
    );
    let more: Vec<_> = one
        .shifts
        .iter()
        .map(|s| (s.function.as_str(), s.more()))
        .collect();
    assert_eq!(
        more,
        [("walk", 101)],
        "the function that it comes from, and no other"
    );
    // Better is no offence.
    assert_eq!(compare(&all(), &with_walk(10)).outcome(), Outcome::Within);
}

#[test]
fn a_loop_with_a_limit_of_its_own_has_that() {
    let mut base = all();
    base.last_mut().expect("there are some").limit = Some(5.0);
    assert_eq!(
        compare(&base, &with_walk(10_400)).outcome(),
        Outcome::Within
    );
    assert_eq!(
        compare(&base, &with_walk(10_401)).outcome(),
        Outcome::Beyond
    );
    base.last_mut().expect("there are some").limit = Some(0.0);
    assert_eq!(compare(&base, &with_walk(9_901)).outcome(), Outcome::Beyond);
}

#[test]
fn what_appears_or_vanishes_is_listed_and_no_pass() {
    let fewer = &all()[..all().len() - 1];
    for (base, now, heading) in [
        (&all()[..], fewer, "in the baseline, but not counted"),
        (fewer, &all()[..], "not in the baseline"),
    ] {
        let findings = compare(base, now);
        assert_eq!(findings.outcome(), Outcome::Incomplete, "{heading}");
        let text = gate_page(&findings, Limits::default(), "b.json").text();
        let listed = text.split(heading).nth(1).expect("the heading is there");
        assert!(listed.contains("iteration/segments flat 6.12"), "{text}");
        let markdown = gate_page(&findings, Limits::default(), "b.json").markdown();
        assert!(
            markdown.contains("| iteration/segments flat 6.12 | 9 | 10000 |"),
            "{markdown}"
        );
    }
    assert_eq!(compare(&[], &[]).outcome(), Outcome::Incomplete);
}

#[test]
fn what_depends_on_the_order_is_beyond_though_the_baseline_has_it() {
    let uneven = |most: u64| {
        let mut counts = all();
        let headpage = |c: &&mut LoopCount| {
            c.of.design == "headpage"
                && c.of.workload == "iteration/chunks"
                && c.of.params["order"] == 9.into()
        };
        *counts.iter_mut().find(headpage).expect("it is there") = count(
            "iteration/chunks",
            "headpage",
            9,
            &[("entry", 140), ("step", most)],
        );
        compare(&counts, &counts)
    };
    assert_eq!(uneven(76).outcome(), Outcome::Within, "16 more than 60");
    let beyond = uneven(77);
    assert_eq!(beyond.outcome(), Outcome::Beyond);
    let text = gate_page(&beyond, Limits::default(), "b.json").text();
    let line = text
        .lines()
        .find(|line| line.starts_with('!'))
        .expect("a mark");
    assert!(
        line.contains("iteration/chunks") && line.contains("headpage 6.12"),
        "{line}"
    );
}

#[test]
fn a_steady_loop_that_is_nowhere_is_no_pass_either() {
    let without: Vec<_> = all()
        .into_iter()
        .filter(|c| c.of.design != "memdesc")
        .collect();
    let findings = compare(&without, &without);
    assert_eq!(findings.outcome(), Outcome::Incomplete);
    assert_eq!(
        findings.unseen,
        ["iteration/chunks memdesc", "merging/add memdesc"]
    );
    // Unless nobody asked for it.
    let segments = |workload: &str| workload == "iteration/segments";
    let findings = Findings::of(
        &without,
        &without,
        Limits::default(),
        &invariant(),
        &segments,
    );
    assert_eq!(findings.outcome(), Outcome::Within);
    assert_eq!(findings.same, 1);
}

#[test]
fn the_mean_is_geometric() {
    let two = |a, b| {
        [
            count("iteration/bvecs", "flat", 0, &[("entry", a)]),
            count("iteration/bvecs", "flat", 9, &[("entry", b)]),
        ]
    };
    let findings = compare(&two(100, 100), &two(50, 200));
    assert!((findings.ratio.expect("both sides") - 1.0).abs() < 1e-12);
}

#[test]
fn every_line_of_text_fits_a_mail() {
    let long = "design/a/very/long/path/of/a/file/that/goes/on/and/on/and/on.rs function";
    let row = |n| {
        let functions: Vec<_> = ["a", "b", "c", "d", long].into_iter().zip([n; 5]).collect();
        count("merging/count-segments", "headpage-noassert", 9, &functions)
    };
    let (base, now) = ([row(20_000_000)], [row(123_456_789)]);
    let mut findings = compare(&base, &now);
    findings.appeared.push(row(123_456_789));
    let against = "x86_64-unknown-linux-gnu-1.95.0.json";
    let text = gate_page(&findings, Limits::default(), against).text();
    for line in text.lines() {
        assert!(
            line.is_ascii() && line.len() <= 72,
            "{} columns: {line}",
            line.len()
        );
    }
    assert!(text.contains("and 2 more functions"), "{text}");
}

#[test]
fn json_has_a_line_for_each_finding_and_ends_in_the_summary() {
    let findings = compare(&all(), &with_walk(10_001));
    let lines: Vec<serde_json::Value> = gate_json(&findings, Limits::default())
        .iter()
        .map(|line| serde_json::to_value(line).expect("JSON"))
        .collect();
    assert_eq!(lines[0]["type"], "moved");
    assert_eq!(lines[0]["loop"]["workload"], "iteration/segments");
    assert_eq!(lines[0]["functions"][0]["now"], 10_001);
    let summary = lines.last().expect("a summary");
    assert_eq!(
        (&summary["type"], &summary["outcome"]),
        (&"summary".into(), &"beyond".into())
    );
}

#[test]
fn what_was_not_counted_is_no_improvement() {
    use compare::gate::not_counted;

    assert_eq!(not_counted(&all(), &all()), [""; 0]);
    assert_eq!(not_counted(&all(), &with_walk(5000)), [""; 0]);
    // 10,000 in the baseline: a twentieth is the least that is believed.
    assert_eq!(not_counted(&all(), &with_walk(400)).len(), 0);
    assert_eq!(not_counted(&all(), &with_walk(399)).len(), 1);
    let mut nothing = all();
    nothing.iter_mut().for_each(|count| count.instructions = 0);
    assert_eq!(not_counted(&all(), &nothing).len(), all().len());
    // What counts nothing is not believed without a baseline either, as when it is blessed.
    assert_eq!(not_counted(&[], &nothing).len(), all().len());
    assert!(not_counted(&[], &nothing)[0].contains(": 0 instructions"));
}
