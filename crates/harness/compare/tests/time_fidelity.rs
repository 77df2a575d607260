//! Models beside kernels in one run: ratios, pairs, misses and their reasons.

use std::collections::BTreeMap;

use compare::Summary;
use compare::time_fidelity::{MAX_APART, Refereed, TimeFidelity, TimeReason};
use results::{Environment, Params, Row, Run, Sample, Status};

fn refereed() -> [Refereed<'static>; 2] {
    [("flat", "linux-5.10"), ("folio", "linux-6.12")].map(of)
}

fn of((design, kernel): (&'static str, &'static str)) -> Refereed<'static> {
    Refereed::new(design, kernel)
}

/// A run of one row, nanoseconds by contender.
fn run(times: &[(&str, f64)]) -> Summary {
    run_of(&[(None, times)])
}

/// A row: the rules that it names, and nanoseconds by contender.
type Timed<'a> = (Option<&'a str>, &'a [(&'a str, f64)]);

/// A run of these rows.
fn run_of(cases: &[Timed<'_>]) -> Summary {
    let mut rows = Vec::new();
    for process in 0..4 {
        // Processes differ, contenders within one do not.
        let level = 1.0 + f64::from(process) * 0.01;
        for &(rules, times) in cases {
            let mut params = Params::from([("order".to_owned(), 9.into())]);
            params.extend(rules.map(|rules| ("rules".to_owned(), rules.into())));
            for &(design, ns) in times {
                rows.push(sample(design, process, params.clone(), ns * level));
            }
        }
    }
    Summary::from_run(&Run {
        dir: "run".into(),
        env: Environment::unknown(),
        rows,
    })
}

/// A sample; of no time a dash.
fn sample(design: &str, process: u32, params: Params, ns: f64) -> Row {
    let dash = ns == 0.0;
    Row::Sample(Sample {
        axis: "order".to_owned(),
        elements: 1,
        iters: 1,
        rounds: (0..if dash { 0 } else { 15 })
            .map(|n| ns * (1.0 + f64::from(n) * 1e-3))
            .collect(),
        checksum: "0x1".to_owned(),
        status: match dash {
            true => Status::Absent("thin".to_owned()),
            false => Status::Ok,
        },
        ..Sample::blank("merging/add", design, params, "page", process)
    })
}

fn reason(workload: &str) -> TimeReason {
    TimeReason {
        workload: workload.to_owned(),
        kernel: "linux-6.12".to_owned(),
        params: Params::new(),
        reason: "it has its reason".to_owned(),
    }
}

#[test]
fn a_model_is_held_to_its_kernel_and_a_pair_to_the_kernels_own_ratio() {
    let summary = run(&[
        ("flat", 10.0),
        ("folio", 4.0),
        ("linux-5.10", 10.0),
        ("linux-6.12", 8.0),
    ]);
    let found = TimeFidelity::of(&summary, &refereed(), &[reason("merging/add")]);
    let ratios: Vec<f64> = found.rows.iter().map(|row| row.ratio.value).collect();
    assert_eq!(found.rows.len(), 2);
    assert!((ratios[0] - 1.0).abs() < 1e-6, "{ratios:?}");
    assert!((ratios[1] - 0.5).abs() < 1e-6, "{ratios:?}");
    assert!(!found.rows[0].is_miss() && found.rows[1].is_surely_a_miss());
    assert_eq!(found.rows[0].reason, None);
    assert_eq!(found.rows[1].reason.as_deref(), Some("it has its reason"));
    let [pair] = &found.pairs[..] else {
        panic!("{:?}", found.pairs)
    };
    assert!((pair.model_ratio.value - 2.5).abs() < 1e-6, "{pair:?}");
    assert!((pair.real_ratio.value - 1.25).abs() < 1e-6, "{pair:?}");
    assert!((pair.apart - 2.0).abs() < 1e-6, "{pair:?}");
    assert_eq!(pair.reason.as_deref(), Some("folio: it has its reason"));
    assert_eq!((found.misses().count(), found.apart().count()), (1, 1));
    let found = TimeFidelity::of(&summary, &refereed(), &[]);
    assert_eq!(found.pairs[0].reason, None, "nobody knows why");
}

#[test]
fn what_is_said_of_a_kernel_holds_with_a_patch_unless_that_has_its_own() {
    let refereed = [
        ("folio", "linux-6.12"),
        ("headpage", "linux-6.12+headpage"),
        ("flat-sp", "linux-5.10+single-page"),
    ]
    .map(of);
    let summary = run(&[
        ("folio", 4.0),
        ("headpage", 4.0),
        ("flat-sp", 4.0),
        ("linux-6.12", 8.0),
        ("linux-6.12+headpage", 8.0),
        ("linux-5.10+single-page", 8.0),
    ]);
    let own = TimeReason {
        kernel: "linux-6.12+headpage".to_owned(),
        reason: "the patch has its own".to_owned(),
        ..reason("merging/add")
    };
    let said = |reasons: &[TimeReason]| {
        let found = TimeFidelity::of(&summary, &refereed, reasons);
        let said: Vec<_> = found.rows.into_iter().map(|row| row.reason).collect();
        (said, found.outdated)
    };
    let shared = Some("it has its reason".to_owned());
    assert_eq!(
        said(&[reason("merging/add")]).0,
        [
            shared.clone(),
            Some("as linux-6.12: it has its reason".to_owned()),
            None
        ]
    );
    let both = [reason("merging/add"), own.clone()];
    assert_eq!(
        said(&both),
        (vec![shared, Some(own.reason.clone()), None], vec![])
    );
    // Nothing said of a patch is said of the kernel without it.
    assert_eq!(
        said(std::slice::from_ref(&own)).0,
        [None, Some(own.reason.clone()), None]
    );
}

#[test]
fn what_is_not_there_is_not_compared_and_its_reason_is_outdated() {
    let alone = run(&[("flat", 10.0), ("folio", 4.0), ("linux-5.10", 10.0)]);
    let found = TimeFidelity::of(&alone, &refereed(), &[reason("merging/add")]);
    assert_eq!((found.rows.len(), found.pairs.len()), (1, 0));
    assert_eq!(found.outdated, [reason("merging/add")]);
    let none = run(&[("flat", 10.0)]);
    let found = TimeFidelity::of(&none, &refereed(), &[]);
    assert_eq!(found, TimeFidelity::default());
}

#[test]
fn a_model_is_timed_under_the_rules_of_its_kernel_where_the_run_has_them() {
    let shared: &[(&str, f64)] = &[
        ("flat", 5.0),
        ("folio", 4.0),
        ("linux-5.10", 10.0),
        ("linux-6.12", 4.0),
    ];
    let own: &[(&str, f64)] = &[("flat", 9.0), ("linux-5.10", 9.0)];
    for cases in [
        [(None, shared), (Some("5.10"), own)],
        [(Some("5.10"), own), (None, shared)],
    ] {
        let found = TimeFidelity::of(&run_of(&cases), &refereed(), &[]);
        assert_eq!(found.rows.len(), 2);
        assert!(
            found.rows.iter().all(|row| !row.is_miss()),
            "{:?}",
            found.rows
        );
        let [pair] = &found.pairs[..] else {
            panic!("{:?}", found.pairs)
        };
        assert_eq!(pair.designs, ["flat", "folio"]);
        assert!(!pair.params.contains_key("rules"));
        assert!(
            (pair.model_ratio.value - 9.0 / 4.0).abs() < 1e-6,
            "{pair:?}"
        );
        assert!(
            (pair.real_ratio.value - 10.0 / 4.0).abs() < 1e-6,
            "{pair:?}"
        );
    }
    // A row of its rules that is a dash is no reason to judge it by those of another kernel.
    let dash: &[(&str, f64)] = &[("flat", 0.0), ("linux-5.10", 0.0)];
    let found = TimeFidelity::of(
        &run_of(&[(None, shared), (Some("5.10"), dash)]),
        &refereed(),
        &[],
    );
    let of: Vec<&str> = found.rows.iter().map(|row| row.design.as_str()).collect();
    assert_eq!(of, ["folio"]);
    // Another kernel's rules are not its own.
    let found = TimeFidelity::of(&run_of(&[(Some("6.1"), shared)]), &refereed(), &[]);
    assert_eq!(found, TimeFidelity::default());
}

#[test]
fn a_reason_may_be_about_some_rows_only() {
    let summary = run(&[("folio", 4.0), ("linux-6.12", 8.0)]);
    let about = |order: u64| TimeReason {
        params: Params::from([("order".to_owned(), order.into())]),
        ..reason("merging/add")
    };
    let found = TimeFidelity::of(&summary, &refereed(), &[about(0), about(9)]);
    assert_eq!(found.rows[0].reason.as_deref(), Some("it has its reason"));
    assert_eq!(found.outdated, [about(0)]);
}

#[test]
fn a_row_under_a_kernels_rules_is_in_no_mean() {
    let shared: &[(&str, f64)] = &[("flat", 10.0), ("folio", 5.0), ("linux-5.10", 10.0)];
    let own: &[(&str, f64)] = &[("flat", 10.0), ("linux-5.10", 40.0)];
    let summary = run_of(&[(None, shared), (Some("5.10"), own)]);
    let mean = &summary.families[0].means[0];
    assert_eq!(mean.cases, 1);
    assert!((mean.designs["folio"].mean.value - 0.5).abs() < 1e-6);
    assert!((mean.designs["linux-5.10"].mean.value - 1.0).abs() < 1e-6);
}

#[test]
fn a_patched_kernel_referees_beside_what_it_was_before() {
    let refereed = [
        ("flat", "linux-5.10"),
        ("flat-sp", "linux-5.10+single-page"),
        ("folio", "linux-6.12"),
        ("headpage", "linux-6.12+headpage"),
    ]
    .map(of);
    // The rules of 5.10 are asked of flat; flat-sp has none but its own.
    let shared: &[(&str, f64)] = &[
        ("flat", 5.0),
        ("flat-sp", 20.0),
        ("folio", 4.0),
        ("headpage", 3.0),
        ("linux-5.10", 10.0),
        ("linux-5.10+single-page", 20.0),
        ("linux-6.12", 4.0),
        ("linux-6.12+headpage", 4.0),
    ];
    let own: &[(&str, f64)] = &[
        ("flat", 10.0),
        ("linux-5.10", 10.0),
        ("linux-5.10+single-page", 20.0),
    ];
    let cases = [(None, shared), (Some("5.10"), own)];
    let found = TimeFidelity::of(&run_of(&cases), &refereed, &[]);
    assert_eq!(found.rows.len(), 4, "{:?}", found.rows);
    let apart: Vec<([&str; 2], f64)> = found
        .pairs
        .iter()
        .map(|pair| {
            let [first, second] = &pair.designs;
            ([first.as_str(), second.as_str()], pair.apart)
        })
        .collect();
    let designs: Vec<_> = apart.iter().map(|(designs, _)| *designs).collect();
    assert_eq!(
        designs,
        [
            ["flat", "flat-sp"],
            ["flat", "folio"],
            ["folio", "headpage"]
        ]
    );
    assert!((apart[0].1 - 1.0).abs() < 1e-6, "{apart:?}");
    assert!((apart[2].1 - 4.0 / 3.0).abs() < 1e-6, "{apart:?}");
}

#[test]
fn a_kernel_built_to_do_what_a_model_is_asked_stands_in_the_row_without() {
    let plain = Params::from([("order".to_owned(), 0.into())]);
    let mut asked = plain.clone();
    asked.insert("merge".to_owned(), "no".into());
    let mut other = plain.clone();
    other.insert("merge".to_owned(), "yes".into());
    let mut rows = Vec::new();
    for process in 0..4 {
        let level = 1.0 + f64::from(process) * 0.01;
        rows.extend([
            sample("folio", process, plain.clone(), 8.0 * level),
            sample("linux-6.12", process, plain.clone(), 10.0 * level),
            sample("linux-6.12+no-merge", process, plain.clone(), 5.0 * level),
            sample("folio", process, asked.clone(), 6.0 * level),
            sample("linux-6.12", process, asked.clone(), 0.0),
            sample("folio", process, other.clone(), 7.0 * level),
        ]);
    }
    let summary = Summary::from_run(&Run {
        dir: "run".into(),
        env: Environment::unknown(),
        rows,
    });
    let no_merge = Refereed {
        asked: Some(("merge", "no")),
        ..of(("folio", "linux-6.12+no-merge"))
    };
    let found = TimeFidelity::of(&summary, &[of(("folio", "linux-6.12")), no_merge], &[]);
    let rows: BTreeMap<_, _> = found
        .rows
        .iter()
        .map(|row| (row.kernel.as_str(), (&row.params, row.ratio.value)))
        .collect();
    assert_eq!((found.rows.len(), rows.len()), (2, 2), "{rows:?}");
    assert_eq!(rows["linux-6.12"].0, &plain);
    let (params, ratio) = rows["linux-6.12+no-merge"];
    assert_eq!(params, &asked);
    assert!((ratio - 1.2).abs() < 1e-6, "{rows:?}");
    let asked = found.rows.iter().map(|row| (&*row.kernel, row.asked));
    let asked: BTreeMap<_, _> = asked.collect();
    assert!(asked["linux-6.12+no-merge"] && !asked["linux-6.12"]);
    // Without asking, the models would be 1.25; the kernels are 2.
    let [pair] = &found.pairs[..] else {
        panic!("{:?}", found.pairs)
    };
    assert!(
        (pair.model_ratio.value - 8.0 / 6.0).abs() < 1e-6,
        "{pair:?}"
    );
    assert!((pair.real_ratio.value - 2.0).abs() < 1e-6, "{pair:?}");
    assert!((pair.apart - 1.5).abs() < 1e-6, "{pair:?}");
}

#[test]
fn a_pair_is_surely_apart_by_the_near_end_of_its_interval() {
    // Processes agree to 10 % on folio, and on the others altogether.
    let apart = |folio: f64| {
        let mut rows = Vec::new();
        for (process, level) in (0..4).zip([1.0, 1.1, 0.9, 1.05]) {
            let times = [
                ("flat", 10.0),
                ("linux-5.10", 10.0),
                ("folio", folio * level),
                ("linux-6.12", 5.0),
            ];
            let params = Params::from([("order".to_owned(), 9.into())]);
            rows.extend(times.map(|(of, ns)| sample(of, process, params.clone(), ns)));
        }
        let summary = Summary::from_run(&Run {
            dir: "run".into(),
            env: Environment::unknown(),
            rows,
        });
        let found = TimeFidelity::of(&summary, &refereed(), &[]);
        let pair = &found.pairs[0];
        let least = pair.apart_at_least;
        assert!(least >= 1.0 && least <= pair.apart, "{pair:?}");
        (pair.apart > MAX_APART, pair.is_surely_apart())
    };
    assert_eq!(apart(5.0), (false, false));
    assert_eq!(apart(6.4), (true, false), "within noise");
    assert_eq!(apart(10.0), (true, true));
    assert_eq!(apart(2.5), (true, true), "the other way round");
}

#[test]
fn what_a_patch_moved_is_its_kernel_over_the_stock() {
    let summary = run(&[
        ("flat", 10.0),
        ("linux-6.12", 4.0),
        ("linux-6.12+headpage", 3.0),
        ("linux-7.2+headpage", 9.0),
    ]);
    let moved = compare::patched::moved(&summary);
    let [row] = &moved[..] else {
        panic!("7.2 has no stock beside it: {moved:?}")
    };
    assert_eq!(
        (row.patched.as_str(), row.stock.as_str()),
        ("linux-6.12+headpage", "linux-6.12")
    );
    assert!((row.ratio.value - 0.75).abs() < 1e-6, "{row:?}");
    assert!((row.stock_ns.value - 4.0).abs() < 0.1, "{row:?}");
}
