//! Every entry, set up small and run once, answers what a computation without any design
//! expects.

use hugemem::Backing;
use registry::{Enter, Param, Params, Request, Setup, SetupError, enter_all};

const SEED: u64 = 17;

fn setup(params: Params) -> Setup {
    Setup {
        params,
        seed: SEED,
        backing: Backing::Base,
        arena_shift: 3,
    }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), Param::from(value)))
        .collect()
}

/// Parameters of a workload that are small, and every value of its words at least once.
fn small(workload: &'static registry::Workload) -> Vec<Params> {
    let takes = |name: &str| workload.params.iter().any(|spec| spec.name == name);
    let mut base = vec![("footprint", "l1")];
    base.retain(|(name, _)| takes(name));
    let mut sets: Vec<Vec<(&str, &str)>> = vec![base.clone()];
    let mut vary = |more: &[(&'static str, &'static str)]| {
        if more.iter().all(|(name, _)| takes(name)) {
            sets.push(base.iter().chain(more).copied().collect());
        }
    };
    for layout in ["contiguous", "scattered", "fragmented"] {
        vary(&[("layout", layout), ("order", "2"), ("count", "5")]);
        vary(&[("layout", layout), ("order", "0"), ("count", "300")]);
    }
    vary(&[("layout", "captured-anon-base"), ("io_bytes", "262144")]);
    vary(&[
        ("layout", "captured-page-cache-written"),
        ("io_bytes", "4096"),
    ]);
    vary(&[("layout", "captured-hugetlb-2m")]);
    for order in ["1", "3", "9"] {
        vary(&[("order", order)]);
    }
    for kind in ["file", "slab", "page-table", "zsmalloc", "mixed", "anon"] {
        vary(&[("kind", kind), ("order", "1")]);
    }
    for limits in ["default", "large", "nvme", "small"] {
        vary(&[("limits", limits), ("order", "4"), ("count", "40")]);
        vary(&[
            ("limits", limits),
            ("order", "0"),
            ("count", "40"),
            ("layout", "scattered"),
        ]);
    }
    for spec in workload.params {
        if let workloads::params::Allowed::Words(words) = spec.allowed
            && !["kind", "footprint", "rules", "limits"].contains(&spec.name)
        {
            words.iter().for_each(|word| vary(&[(spec.name, word)]));
        }
    }
    vary(&[("threads", "3"), ("groups", "own")]);
    vary(&[("depth", "5")]);
    vary(&[("footprint", "l2"), ("order", "2")]);
    vary(&[("mode", "isolate"), ("mix", "typical"), ("footprint", "l2")]);
    sets.iter().map(|set| params(set)).collect()
}

#[test]
fn every_entry_answers_what_is_expected() {
    let mut answered = 0;
    for workload in registry::workloads()
        .iter()
        .filter(|workload| workload.is_timed())
    {
        for params in small(workload) {
            let setup = match workload.complete(&params) {
                Ok(params) => setup(params),
                // Not every value goes with every other; the defaults must.
                Err(_) if params.len() > 1 => continue,
                Err(error) => panic!("{}: {error}", workload.id),
            };
            let expected = match workload.expected(&setup) {
                Ok(expected) => expected.expect("a timed workload knows its checksum"),
                Err(SetupError::Param(_)) => continue,
                Err(error) => panic!("{} {:?}: {error}", workload.id, setup.params),
            };
            answered += answers(workload.id, &setup, expected);
        }
    }
    assert!(answered > 1000, "{answered} answers only");
}

/// Runs every design's entries twice, and compares both answers.
fn answers(workload: &str, setup: &Setup, expected: u64) -> usize {
    let of_workload = |entry: &&registry::Entry| entry.workload.id == workload;
    let requests: Vec<Request> = registry::entries()
        .iter()
        .filter(of_workload)
        .map(|entry| Request { entry, label: "" })
        .collect();
    let mut answered = 0;
    enter_all(&requests, setup, &mut |residents| {
        assert_eq!(residents.len(), requests.len());
        for resident in residents {
            let entry = resident.request.entry;
            let what = format!(
                "{workload} {} {} {:?}",
                entry.design.name, entry.rules, setup.params
            );
            let job = match &mut resident.job {
                Ok(job) => job,
                Err(SetupError::Absent(reason)) => {
                    assert!(!reason.is_empty(), "{what}: a dash without a reason");
                    continue;
                }
                Err(SetupError::Param(_)) => continue,
                Err(error) => panic!("{what}: {error}"),
            };
            assert!(job.elements() > 0, "{what}: no elements");
            for iters in [1, 3] {
                let iters = job.max_iters().min(iters);
                job.prepare(iters);
                let raw = job.run(iters);
                let checksum = job.checksum(raw);
                if !entry.design.is_floor() {
                    assert_eq!(checksum, expected, "{what}: a wrong answer");
                    answered += 1;
                }
            }
        }
    });
    answered
}

#[test]
fn a_design_that_lacks_a_capability_is_absent_with_a_reason() {
    let entry = registry::entry("accounting/charge", "flat-sp", &Params::new()).unwrap();
    assert!(matches!(entry.enter, Enter::Absent(reason) if reason.contains("bio_vecs")));
    let error = registry::entry("merging/add", "folio", &params(&[("rules", "5.10")])).unwrap_err();
    assert_eq!(error.what, "rules");
    assert_eq!(error.near, ["6.12"]);
    assert!(registry::entry("merging/add", "flat", &params(&[("rules", "5.10")])).is_ok());
}

#[test]
fn every_workload_says_what_it_asks_whom_it_favours_and_what_is_unfair() {
    for workload in registry::workloads() {
        for text in [
            workload.asks,
            workload.analysis,
            workload.favours,
            workload.unfair,
            workload.unit,
        ] {
            assert!(
                !text.is_empty() && text.is_ascii(),
                "{}: {text}",
                workload.id
            );
        }
        let is_param = workload
            .params
            .iter()
            .any(|spec| spec.name == workload.axis);
        assert!(workload.axis.is_empty() || is_param, "{}", workload.id);
    }
}

#[test]
fn footprints_are_what_the_layouts_of_descriptors_say() {
    let of = |design: &str, order: &str| {
        let workload = registry::workload("layout/footprint").unwrap();
        let params = workload.complete(&params(&[("order", order)])).unwrap();
        registry::entry(workload.id, design, &params)
            .unwrap()
            .value(&setup(params))
            .unwrap()
    };
    let gib = f64::from(1 << 30);
    assert_eq!(of("flat", "0"), gib / 64.0);
    assert_eq!(of("flat", "9"), gib / 64.0);
    // A word of 8 bytes a frame and a line of 64 bytes an allocation.
    assert_eq!(of("memdesc", "0"), gib / 4096.0 * 72.0);
    // Views lie over the array and are no memory of their own.
    assert_eq!(of("split", "0"), of("flat", "0"));
    assert_eq!(of("memdesc", "9"), gib / 4096.0 * 8.0 + 512.0 * 64.0);
}

#[test]
fn footprints_of_the_proposal_and_of_the_step_before_it() {
    let of = |design: &str, descriptors: &str| {
        let workload = registry::workload("layout/footprint").unwrap();
        let asked = params(&[("order", "2"), ("descriptors", descriptors)]);
        let params = workload.complete(&asked).unwrap();
        registry::entry(workload.id, design, &params)
            .unwrap()
            .value(&setup(params))
    };
    let frames = f64::from(1 << 18);
    assert_eq!(
        of("memdesc", "memdesc-80").unwrap(),
        frames * 8.0 + frames / 4.0 * 80.0
    );
    let step = of("memdesc", "page-32-memdesc-80").unwrap();
    assert_eq!(step, frames * 32.0 + frames / 4.0 * 80.0);
    for on_the_array in ["flat", "split"] {
        let none_apart = of(on_the_array, "memdesc-80");
        assert!(none_apart.is_err(), "{on_the_array}");
    }
}

#[test]
fn code_size_is_that_of_the_loops_in_this_executable() {
    let workload = registry::workload("code/size").unwrap();
    let of = |design: &str, pairs: &[(&str, &str)]| {
        let params = workload.complete(&params(pairs)).unwrap();
        registry::entry(workload.id, design, &params)
            .unwrap()
            .value(&setup(params))
    };
    let has = |design: &str, workload: &str| {
        let entry = registry::entry(workload, design, &Params::new()).unwrap();
        !matches!(entry.enter, Enter::Absent(_))
    };
    let (mut whole, mut without) = (0, 0);
    for design in registry::contenders() {
        if !has(design.name, workload.id) {
            without += 1;
            continue;
        }
        let all = of(design.name, &[]).unwrap();
        let one = of(design.name, &[("of", "iteration/chunks")]);
        if has(design.name, "iteration/chunks") {
            let one = one.unwrap();
            assert!(
                0.0 < one && one < all,
                "{}: {one} of {all} bytes",
                design.name
            );
            whole += 1;
        } else {
            assert!(matches!(one, Err(SetupError::Absent(_))), "{}", design.name);
        }
    }
    assert!(whole >= 6 && without >= 1, "{whole} and {without}");
    assert!(
        workload
            .complete(&params(&[("of", "iteration/nothing")]))
            .is_err()
    );
}
