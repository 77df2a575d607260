//! Verdicts on the rows of runs that were made for it.

use compare::{Case, Cell, Summary};
use results::{Environment, Params, Row, Run, Sample, Yardsticks};
use stats::Verdict;

/// A run of rows that are added one by one, in 6 processes of 15 rounds.
struct Made(Vec<Row>);

impl Made {
    /// Adds a design: its time in each process, spread by `spread` around `ns`.
    fn add(&mut self, row: u64, design: &str, label: &str, ns: f64, spread: f64) -> &mut Self {
        self.add_with(row, design, label, &[], |process, round| {
            let place = f64::from((process * 7 + row as u32 * 3 + design.len() as u32) % 5) - 2.0;
            let noise = f64::from(round * 5 % 15) * 0.001;
            (ns * (1.0 + spread * place / 2.0 + noise), 1.0)
        })
    }

    fn add_with(
        &mut self,
        row: u64,
        design: &str,
        label: &str,
        more: &[(&str, u64)],
        at: impl Fn(u32, u32) -> (f64, f64),
    ) -> &mut Self {
        for process in 0..6 {
            let (rounds, walk_ns): (Vec<f64>, Vec<f64>) =
                (0..15).map(|round| at(process, round)).unzip();
            let mut params = Params::from([("row".to_owned(), row.into())]);
            params.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())));
            self.0.push(Row::Sample(Sample {
                label: label.to_owned(),
                axis: "row".to_owned(),
                elements: 1,
                iters: 1,
                yardsticks: Some(Yardsticks {
                    chain_ns: vec![1.0; rounds.len()],
                    walk_ns,
                }),
                rounds,
                checksum: "0x1".to_owned(),
                ..Sample::blank("merging/add", design, params, "page", process)
            }));
        }
        self
    }

    /// A quiet pair of the reference.
    fn pair(&mut self, row: u64) -> &mut Self {
        self.add(row, "flat", "", 10.0, 0.002)
            .add(row, "flat", "control", 10.0, 0.002)
    }

    fn summary(&self) -> Summary {
        Summary::from_run(&Run {
            dir: "made".into(),
            env: Environment::unknown(),
            rows: self.0.clone(),
        })
    }
}

fn case(summary: &Summary, row: u64) -> &Case {
    summary
        .cases()
        .find(|case| case.params["row"] == row.into())
        .unwrap()
}

#[test]
fn each_row_is_judged_by_its_own_pair() {
    let mut made = Made(Vec::new());
    for row in 0..12 {
        made.pair(row).add(row, "folio", "", 10.5, 0.002);
    }
    made.add(20, "flat", "", 10.0, 0.002)
        .add(20, "flat", "control", 10.8, 0.002)
        .add(20, "folio", "", 10.5, 0.002);
    let summary = made.summary();
    assert_eq!(case(&summary, 3).verdict("folio"), Some(Verdict::Slower));
    assert!((case(&summary, 3).floor.unwrap() - stats::MIN_ROW_FLOOR).abs() < 5e-3);
    assert!((case(&summary, 20).floor.unwrap() - 0.08).abs() < 5e-3);
    assert_eq!(
        case(&summary, 20).verdict("folio"),
        Some(Verdict::NoDifference),
        "5 % is less than what the same code differs by in that row"
    );
}

#[test]
fn rows_on_several_threads_have_a_floor_of_their_own() {
    let mut made = Made(Vec::new());
    for row in 0..12 {
        made.pair(row).add(row, "folio", "", 11.0, 0.002);
    }
    for (row, control) in [(30, 12.0), (31, 10.0)] {
        for (design, label, ns) in [
            ("flat", "", 10.0),
            ("flat", "control", control),
            ("folio", "", 11.0),
        ] {
            made.add_with(row, design, label, &[("threads", 2)], |process, round| {
                (ns * (1.0 + 0.001 * f64::from((process + round) % 3)), 1.0)
            });
        }
    }
    let summary = made.summary();
    assert!(summary.threaded_floor.unwrap() > 0.15);
    assert!(summary.floor.unwrap() < 0.02, "{:?}", summary.floor);
    assert_eq!(case(&summary, 0).verdict("folio"), Some(Verdict::Slower));
    assert_eq!(
        case(&summary, 31).verdict("folio"),
        Some(Verdict::NoDifference)
    );
}

#[test]
fn intervals_never_reach_zero() {
    let mut made = Made(Vec::new());
    for row in 0..4 {
        made.pair(row).add(row, "folio", "", 10.0, 0.9);
    }
    let summary = made.summary();
    for case in summary.cases() {
        for (design, cell) in &case.cells {
            let Cell::Time { ns, ratio, .. } = cell else {
                panic!("{design} has no time")
            };
            assert!(ns.low > 0.0, "{design} {ns:?}");
            assert!(ratio.is_none_or(|ratio| ratio.low > 0.0), "{ratio:?}");
        }
    }
}

/// Twice as slow in the slow state, and `folio` three times.
fn mood(made: &mut Made, row: u64, slow: impl Fn(u32) -> bool + Copy) {
    for (design, label, ns, factor) in [
        ("flat", "", 10.0, 2.0),
        ("flat", "control", 10.0, 2.0),
        ("folio", "", 8.0, 3.0),
    ] {
        made.add_with(row, design, label, &[], |process, round| {
            let noise = 1.0 + 0.001 * f64::from((process * 3 + round) % 4);
            let here = if slow(process) { factor } else { 1.0 };
            (ns * noise * here, if slow(process) { 1.8 } else { 1.0 })
        });
    }
}

#[test]
fn times_and_ratios_are_of_the_fast_state() {
    let mut made = Made(Vec::new());
    for row in 0..8 {
        // Four of six processes met the slow state: their median is not what counts.
        mood(&mut made, row, |process| process < 4);
    }
    mood(&mut made, 9, |_| true);
    let summary = made.summary();
    let row = case(&summary, 2);
    let time = row.time("flat").unwrap();
    assert!((time.value / 10.0 - 1.0).abs() < 0.01, "{time:?}");
    assert_eq!(time.processes, 2);
    let ratio = row.ratio("folio").unwrap();
    assert!((ratio.value - 0.8).abs() < 0.01, "{ratio:?}");
    assert!(matches!(row.cells["folio"], Cell::Time { slow: false, .. }));
    let never = case(&summary, 9);
    assert!(matches!(never.cells["flat"], Cell::Time { slow: true, .. }));
    let share = summary.fast_share.unwrap();
    assert!((share - 8.0 * 2.0 / (9.0 * 6.0)).abs() < 1e-9, "{share}");
}

#[test]
fn what_the_harness_takes_is_known() {
    let mut made = Made(Vec::new());
    made.pair(0).add(0, "null", "", 1.5, 0.002).pair(1);
    let summary = made.summary();
    let share = case(&summary, 0).overhead("flat").unwrap();
    assert!((share - 0.15).abs() < 0.01, "{share}");
    assert_eq!(case(&summary, 0).verdict("null"), None);
    assert_eq!(case(&summary, 1).overhead("flat"), None);
    assert_eq!(summary.rounds, Some((15, 15)));
}

#[test]
fn two_that_are_not_the_reference_are_compared_without_it() {
    let mut made = Made(Vec::new());
    for row in 0..8 {
        made.pair(row)
            .add(row, "folio", "", 8.0, 0.002)
            .add(row, "split", "", 4.0, 0.002);
    }
    // The reference is slow in half of the processes, and what is compared with it scatters so.
    made.add_with(9, "flat", "", &[], |process, round| {
        let times = if process % 2 == 0 { 1.0 } else { 1.5 };
        (10.0 * times * (1.0 + 0.001 * f64::from(round % 3)), 1.0)
    })
    .add(9, "folio", "", 8.0, 0.002)
    .add(9, "split", "", 4.0, 0.002);
    let summary = made.summary();
    let row = case(&summary, 9);
    let ratio = row.over("folio", (row, "split")).unwrap();
    assert!((ratio.value / 2.0 - 1.0).abs() < 0.005, "{ratio:?}");
    assert!(ratio.low > 1.98 && ratio.high < 2.02, "{ratio:?}");
    let other = case(&summary, 3);
    let across = row.over("folio", (other, "split")).unwrap();
    assert!((across.value / 2.0 - 1.0).abs() < 0.005, "{across:?}");
    assert_eq!(row.over("folio", (row, "memdesc")), None);
    for (design, ratio) in [("folio", row.ratio("folio")), ("split", row.ratio("split"))] {
        assert_eq!(row.over(design, (row, "flat")), ratio, "{design}");
    }
}
