//! Laws of the reference model under random cases, for every kernel's rules.

use conformance::case::{
    Add, Answer, Case, Refusal, WINDOW_PAGES, generate_for_models, invariants,
};
use conformance::reference::{Split, build, evaluate, split_to_limits};
use mm::KernelVersion;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// 1,000 cases a law unless `PROPTEST_CASES` says otherwise.
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

fn any_rules() -> impl Strategy<Value = KernelVersion> {
    proptest::sample::select(KernelVersion::ALL.to_vec())
}

fn any_case() -> impl Strategy<Value = Case> {
    (any::<u64>(), any_rules()).prop_map(|(seed, rules)| generate_for_models(seed, 0, rules))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_answer_keeps_the_invariants(case in any_case()) {
        let kept = invariants(&case, &evaluate(&case));
        prop_assert!(kept.is_ok(), "{}", kept.unwrap_err());
    }

    #[test]
    fn every_walk_covers_the_same_bytes(case in any_case()) {
        let allocations = case.allocations();
        for bio in build(&case).bios {
            let bytes = |pieces: Vec<conformance::reference::Bvec>| -> Vec<u64> {
                pieces.iter().flat_map(|p| (p.phys()..p.end()).step_by(64)).collect()
            };
            let total = |pieces: &[conformance::reference::Bvec]| -> u64 {
                pieces.iter().map(|p| u64::from(p.len)).sum()
            };
            prop_assert_eq!(total(&bio.bvecs()), bio.size());
            prop_assert_eq!(total(&bio.segments()), bio.size());
            prop_assert_eq!(total(&bio.folios(&allocations)), bio.size());
            // 64-byte steps restart with each piece: compare where the pieces are aligned.
            if bio.table().iter().all(|v| v.offset % 64 == 0 && v.len % 64 == 0) {
                let walked = bytes(bio.bvecs());
                prop_assert_eq!(&bytes(bio.segments()), &walked);
                prop_assert_eq!(&bytes(bio.folios(&allocations)), &walked);
            }
        }
    }

    #[test]
    fn the_parts_of_a_split_add_up(case in any_case()) {
        let Ok(limits) = case.limits.effective(case.rules) else { return Ok(()) };
        for bio in build(&case).bios {
            if let Split::At { bytes, segments } = split_to_limits(case.rules, &limits, &bio) {
                prop_assert!(0 < bytes && bytes < bio.size());
                prop_assert!(bytes % 512 == 0, "a part ends on a sector");
                prop_assert!(0 < segments && segments <= u32::from(limits.max_segments));
                let whole = bio.segments();
                let (front, back) = bio.split_at(bytes);
                prop_assert_eq!(front.size(), bytes);
                prop_assert_eq!(front.sector() + (bytes >> 9), back.sector());
                prop_assert_eq!(front.table(), back.table());
                // Only the page that the cut goes through is in both.
                let mut parts = front.segments();
                let mut rest = back.segments();
                let seam = parts[parts.len() - 1];
                if seam.end() == rest[0].phys() && seam.end() % 4096 != 0 {
                    let joins = whole.iter().any(|p| p.phys() < seam.end() && seam.end() < p.end());
                    if joins {
                        let last = parts.len() - 1;
                        parts[last].len += rest.remove(0).len;
                    }
                }
                parts.append(&mut rest);
                prop_assert_eq!(parts, whole);
            }
        }
    }

    #[test]
    fn a_case_is_the_same_each_time(seed in any::<u64>(), index in 0..1000_u64, rules in any_rules()) {
        prop_assert_eq!(generate_for_models(seed, index, rules), generate_for_models(seed, index, rules));
    }

    #[test]
    fn generated_cases_fit_the_referee(case in any_case()) {
        prop_assert_eq!(case.check().map_err(|no| format!("{no:?}")), Ok(()));
        // A discard has no memory to fit.
        prop_assume!(!case.adds.is_empty());
        let window = case.adds[0].pfn / (2 * WINDOW_PAGES) * 2 * WINDOW_PAGES;
        for add in &case.adds {
            prop_assert!(window <= add.pfn && add.pfn + (1 << add.order) <= window + WINDOW_PAGES);
        }
        let stops = matches!(evaluate(&case), Answer::Refused(r) if r.error == Refusal::Bug);
        prop_assert!(!stops, "nobody can run this");
    }
}

#[test]
fn merging_depends_on_order() {
    let two = |first: u64, second: u64| Case {
        adds: [first, second]
            .map(|pfn| Add {
                pfn,
                order: 0,
                offset: 0,
                len: 4096,
                bio: 0,
                pgmap: None,
                by: Default::default(),
            })
            .to_vec(),
        ..serde_json::from_str(r#"{"name":"order","rules":"6.12","adds":[]}"#).expect("a bare case")
    };
    let vecs = |case: &Case| build(case).bios[0].table().len();
    assert_eq!((vecs(&two(7, 8)), vecs(&two(8, 7))), (1, 2));
}

/// A generator that never reaches a corner proves nothing there.
#[test]
fn generated_cases_reach_the_corners() {
    for rules in KernelVersion::ALL {
        let cases: Vec<Case> = (0..2000)
            .map(|i| generate_for_models(42, i, rules))
            .collect();
        let taken: Vec<_> = cases
            .iter()
            .filter_map(|case| match evaluate(case) {
                Answer::Taken(taken) => Some((case, taken)),
                Answer::Refused(_) => None,
            })
            .collect();
        let count = |what: &str, n: usize, least: usize| {
            assert!(n >= least, "rules {rules}: {what} in {n} of 2000 cases");
        };
        let bios = |case: &Case| case.adds.last().map_or(0, |a| usize::from(a.bio) + 1);
        count(
            "a split",
            taken.iter().filter(|(c, t)| t.bios.len() > bios(c)).count(),
            300,
        );
        count(
            "a request merge",
            taken.iter().filter(|(c, t)| t.bios.len() < bios(c)).count(),
            100,
        );
        count(
            "a refused add",
            taken
                .iter()
                .filter(|(_, t)| t.accepted.contains(&0))
                .count(),
            100,
        );
        count(
            "a unit limit",
            taken
                .iter()
                .filter(|(c, _)| c.limits.chunk_sectors.is_some())
                .count(),
            100,
        );
        count(
            "a virtual boundary",
            taken
                .iter()
                .filter(|(c, _)| c.limits.virt_boundary_mask.is_some())
                .count(),
            100,
        );
        count(
            "a large folio",
            taken
                .iter()
                .filter(|(c, _)| c.adds.iter().any(|a| a.order >= 6))
                .count(),
            50,
        );
        let vec_beyond_page = |t: &conformance::case::Taken| t.vecs.iter().any(|v| v.2 > 4096);
        if rules > KernelVersion::V5_0 {
            count(
                "a vec of several pages",
                taken.iter().filter(|(_, t)| vec_beyond_page(t)).count(),
                500,
            );
        }
        if rules >= KernelVersion::V6_12 {
            count("a refusal", 2000 - taken.len(), 20);
        }
    }
}
