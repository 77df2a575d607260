//! The worked cases of `cases/bio.jsonl` with device memory, and what is refused.

use std::io::Cursor;

use conformance::case::{Answer, Case, Taken, generate_for_models, generate_more, parse_lines};
use conformance::reference::evaluate;
use mm::KernelVersion;

use crate::further_cases::{answers, requests, taken};

/// The page frame that the cases begin at.
const PFN: u64 = 16384;
const PHYS: u64 = PFN << 12;
/// Rules of kernels that do not ask, and of those that do.
const OLD: [&str; 2] = ["5.10", "6.1"];
const NEW: [&str; 3] = ["6.12", "7.1", "7.2"];

/// Vecs and entries of all scatterlists.
fn vecs_and_entries(taken: &Taken) -> (usize, usize) {
    let entries = taken.bios.iter().map(|bio| bio.sg.len()).sum();
    (taken.vecs.len(), entries)
}

#[test]
fn from_6_2_on_a_vec_is_of_one_page_map() {
    let answers = answers();
    let of = |name: &str, rules: &str| taken(&answers, &format!("{name}, {rules}"));
    for rules in OLD.into_iter().chain(NEW) {
        let together = of("pages of one page map", rules);
        assert_eq!(vecs_and_entries(&together), (1, 1), "{rules}");
    }
    for name in [
        "pages of two page maps",
        "a device's page behind an ordinary one",
    ] {
        for rules in OLD {
            assert_eq!(
                vecs_and_entries(&of(name, rules)),
                (1, 1),
                "{name}, {rules}"
            );
        }
        for rules in NEW {
            let apart = of(name, rules);
            assert_eq!(apart.accepted, [4096, 4096], "{name}, {rules}");
            assert_eq!(vecs_and_entries(&apart), (2, 2), "{name}, {rules}");
            assert_eq!(requests(&apart), [(0, 8192, 2)], "{name}, {rules}");
        }
    }
    let large = taken(&answers, "a large allocation of a device");
    let vecs = [(PFN, 0, 24576), (PFN + 6, 0, 4096)];
    assert_eq!(large.vecs, vecs);
    assert_eq!(large.bios[0].sg, [(PHYS, 24576), (PHYS + 24576, 4096)]);
}

#[test]
fn memory_of_another_pci_device_has_bios_of_its_own() {
    let answers = answers();
    let accepted = |name: &str, rules: &str| taken(&answers, &format!("{name}, {rules}")).accepted;
    for rules in NEW {
        let behind = accepted("a PCI device's page behind an ordinary one", rules);
        assert_eq!(behind, [4096, 0], "{rules}");
        let two = accepted("pages of two PCI devices", rules);
        assert_eq!(two, [4096, 0, 4096], "{rules}");
    }
    for rules in OLD {
        let behind = accepted("a PCI device's page behind an ordinary one", rules);
        assert_eq!(behind, [4096, 4096], "{rules}");
    }
    // And from v6.17 on requests.
    let of = |rules: &str| {
        let name = format!("neighbours of one PCI device in two bios, {rules}");
        requests(&taken(&answers, &name))
    };
    for rules in ["5.10", "6.1", "6.12"] {
        assert_eq!(of(rules), [(0, 8192, 2)], "{rules}");
    }
    for rules in ["7.1", "7.2"] {
        assert_eq!(of(rules), [(0, 4096, 1), (8, 4096, 1)], "{rules}");
    }
}

#[test]
fn no_entry_and_no_excuse_for_a_gap_goes_on_across_page_maps() {
    let answers = answers();
    let of = |name: &str, rules: &str| taken(&answers, &format!("{name}, {rules}"));
    for rules in OLD.into_iter().chain(NEW) {
        let entries = if OLD.contains(&rules) { 1 } else { 2 };
        let two = of("neighbours of two page maps in two bios", rules);
        assert_eq!(requests(&two), [(0, 8192, 2)], "{rules}");
        assert_eq!(two.bios[0].sg.len(), entries, "{rules}");
        // Bios whose memory goes on are merged wherever they meet.
        let one = of("one page map goes on off the virtual boundary", rules);
        assert_eq!(one.bios.len(), 1, "{rules}");
        let apart = of("two page maps meet off the virtual boundary", rules);
        assert_eq!(apart.bios.len(), entries, "{rules}");
    }
}

#[test]
fn device_memory_that_cannot_be_is_refused_with_a_reason() {
    let refusal = |rules: &str, rest: &str| {
        let line = format!(r#"{{"name":"n","rules":"{rules}",{rest}}}"#);
        let (_, case) = parse_lines(Cursor::new(line)).next().expect("a line");
        let error = case.expect_err("no such case");
        (error.field.unwrap_or_default(), error.reason)
    };
    for (rules, rest, field, words) in [
        (
            "6.12",
            r#""adds":[{"pfn":8,"len":512,"pgmap":1},{"pfn":8,"len":512,"offset":512,"pgmap":2}]"#,
            "adds[1].pgmap",
            "adds[0] says otherwise",
        ),
        (
            "7.2",
            r#""adds":[{"pfn":8,"len":512},{"pfn":9,"len":512},{"pfn":8,"len":512,"pgmap":2}]"#,
            "adds[2].pgmap",
            "adds[0] says otherwise",
        ),
        (
            "6.12",
            r#""adds":[{"pfn":8,"order":1,"len":512,"pgmap":1}]"#,
            "adds[0].pgmap",
            "later pages",
        ),
        (
            "6.12",
            r#""p2pdma":[1],"adds":[{"pfn":8,"len":512,"pgmap":2}]"#,
            "p2pdma[0]",
            "no add",
        ),
        (
            "6.12",
            r#""p2pdma":[2,2],"adds":[{"pfn":8,"len":512,"pgmap":2}]"#,
            "p2pdma[1]",
            "already",
        ),
        (
            "6.12",
            r#""held":true,"adds":[{"pfn":8,"len":512,"pgmap":2}]"#,
            "held",
            "driver's",
        ),
        (
            "6.12",
            r#""adds":[{"pfn":8,"len":512,"pgmap":-1}]"#,
            "adds[0].pgmap",
            "-1",
        ),
    ] {
        let (at, reason) = refusal(rules, rest);
        assert_eq!(at, field, "{rest}: {reason}");
        assert!(reason.contains(words), "{rest}: {reason}");
    }
}

/// A generator that never reaches a corner proves nothing there.
#[test]
fn random_cases_reach_each_rule() {
    for rules in KernelVersion::ALL {
        let cases: Vec<Case> = (0..2000)
            .map(|n| generate_for_models(7, n, rules))
            .collect();
        let often = |what: &str, least: usize, is: &dyn Fn(&Case) -> bool| {
            let met = cases.iter().filter(|case| is(case)).count();
            assert!(met >= least, "{rules}: {what}: {met}");
        };
        let ordinary = |case: &Case| {
            let mut case = case.clone();
            case.p2pdma.clear();
            for add in &mut case.adds {
                add.pgmap = None;
            }
            evaluate(&case)
        };
        often("device memory", 200, &Case::has_device_memory);
        let asks = rules >= KernelVersion::V6_12;
        let differs = |case: &Case| evaluate(case) != ordinary(case);
        if !asks {
            assert!(!cases.iter().any(differs), "{rules} does not ask");
            continue;
        }
        let both = |case: &Case| match (evaluate(case), ordinary(case)) {
            (Answer::Taken(is), Answer::Taken(was)) => Some((is, was)),
            _ => None,
        };
        let compare = |how: fn(&Taken, &Taken) -> bool| {
            move |case: &Case| both(case).is_some_and(|(is, was)| how(&is, &was))
        };
        often(
            "a vec more",
            25,
            &compare(|is, was| is.vecs.len() > was.vecs.len()),
        );
        often(
            "a refused add",
            20,
            &compare(|is, was| is.accepted != was.accepted),
        );
        let same_tables = |is: &Taken, was: &Taken| is.vecs == was.vecs && is.bios != was.bios;
        often("other requests of the same bios", 3, &compare(same_tables));
    }
}

#[test]
fn campaigns_and_records_have_no_device_memory() {
    for rules in KernelVersion::ALL {
        let none = |n| !generate_more(7, n, rules).has_device_memory();
        assert!((0..500).all(none), "{rules}");
    }
}
