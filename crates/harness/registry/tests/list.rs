//! The list of contenders is whole: a crate in `crates/designs` that is not in it, or that is held
//! to no law, is a design nobody compares. And everything iterates over it.

use std::collections::BTreeSet;

use cargo_metadata::MetadataCommand;
use conformance::case::{Add, Answer, By, Case, Limits};
use mm::{Capability, KernelVersion};
use registry::Kind;
use workloads::params::Allowed;

#[test]
fn every_design_crate_is_in_the_list_and_nothing_else() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo knows this workspace");
    let packages = metadata.packages.iter().filter(|package| {
        let folder = package.manifest_path.parent();
        folder
            .and_then(|at| at.parent())
            .is_some_and(|at| at.ends_with("crates/designs"))
    });
    let crates: BTreeSet<String> = packages.map(|package| package.name.to_string()).collect();
    let listed: BTreeSet<String> = registry::contenders()
        .iter()
        .map(|design| design.package.replace('_', "-"))
        .collect();
    assert_eq!(listed, crates);
    assert!(crates.len() >= 5);
}

/// The parameter `rules` takes the kernels under whose rules somebody is run, and no others: a
/// value without a row is a dash in every column, one left out cannot be asked for.
#[test]
fn rules_are_those_that_somebody_is_run_under() {
    let run: BTreeSet<&str> = registry::contenders()
        .iter()
        .flat_map(|contender| contender.runs)
        .map(|run| run.rules.name())
        .collect();
    let mut asked = 0;
    for workload in workloads::ALL {
        for param in workload.params.iter().filter(|param| param.name == "rules") {
            let Allowed::Words(words) = param.allowed else {
                panic!("{}: rules are words", workload.id)
            };
            assert_eq!(words.iter().copied().collect::<BTreeSet<_>>(), run);
            asked += 1;
        }
    }
    assert!(asked > 0);
}

#[test]
fn names_of_designs_are_unique_and_the_first_is_the_reference() {
    let names: Vec<_> = registry::contenders()
        .iter()
        .map(|design| design.name)
        .collect();
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(names[0], "flat");
    assert_eq!(
        registry::contenders()
            .iter()
            .filter(|design| design.is_floor())
            .count(),
        1
    );
}

#[test]
fn every_model_is_held_to_the_laws_of_what_it_can_do() {
    assert_eq!(registry::held().count(), registry::contenders().len());
    for (design, held) in registry::contenders().iter().zip(registry::held()) {
        assert_eq!(design.name, held.name);
        for capability in Capability::ALL {
            let can = registry::entries().iter().any(|entry| {
                let of_design = entry.design.name == design.name && entry.rules == design.rules;
                let of_capability = entry.workload.capability == capability;
                of_design && of_capability && !matches!(entry.enter, registry::Enter::Absent(_))
            });
            let laws = held.laws().filter(|law| law.capability == capability);
            let due = can && design.kind == Kind::Model;
            assert_eq!(laws.count() > 0, due, "{} {capability}", design.name);
        }
    }
}

#[test]
fn a_workload_stands_in_the_table_of_its_capability() {
    for run in registry::contenders().iter().flat_map(|design| design.runs) {
        for table in run.loops {
            let capability = table[0].0.capability;
            for (workload, _) in *table {
                assert_eq!(workload.capability, capability, "{}", workload.id);
            }
        }
    }
}

#[test]
fn contenders_differ_in_colour_marker_and_letter() {
    let looks: Vec<_> = registry::looks().collect();
    for (index, one) in looks.iter().enumerate() {
        for other in &looks[..index] {
            let (a, b) = (one.name, other.name);
            assert_ne!(one.letter, other.letter, "{a}, {b}");
            assert_ne!(one.colour, other.colour, "{a}, {b}");
            assert_ne!(one.marker, other.marker, "{a}, {b}");
        }
        let fits = |short: &str| short.is_ascii() && (1..=9).contains(&short.len());
        assert!(one.short.is_none_or(fits), "{}", one.name);
    }
}

#[test]
fn variants_are_of_designs_that_are_none() {
    for design in registry::contenders() {
        let Some(of) = design.variant_of else {
            continue;
        };
        let of = registry::contender(of).expect("a registered name");
        assert_eq!(of.variant_of, None, "{}", design.name);
        assert_eq!(of.package, design.package, "{}", design.name);
    }
}

/// A crate whose functions are not followed hides its panics (`codegen.rs`).
#[test]
fn functions_of_every_contender_are_followed() {
    for design in registry::contenders() {
        let function = format!("{}::{}::alloc", design.package, design.type_name);
        assert!(registry::is_followed(&function), "{function}");
        let of_trait = format!("<{function} as mm::Design>::alloc");
        assert!(registry::is_followed(&of_trait), "{of_trait}");
    }
    for foreign in ["core::panicking::panic", "folios::x", "rayon::join"] {
        assert!(!registry::is_followed(foreign), "{foreign}");
    }
}

/// The answer of a design to a case that a real kernel is asked too.
fn answer(design: &str, case: &Case) -> Option<Answer> {
    let held = registry::held().find(|held| held.name == design);
    let cases = held.and_then(|held| held.cases());
    (cases.expect("it answers cases").answer)(case)
}

/// A folio and the second page of another, for a device that wants neighbours to meet at
/// multiples of 8 KiB: a vec that names the page begins at one, one that names the folio between
/// two.
fn case(rules: KernelVersion, by: By) -> Case {
    let add = |pfn, offset, len| Add {
        pfn,
        order: 1,
        offset,
        len,
        bio: 0,
        by,
        pgmap: None,
    };
    Case {
        limits: Limits {
            virt_boundary_mask: Some(8191),
            ..Limits::default()
        },
        adds: vec![add(1024, 0, 8192), add(2048, 4096, 4096)],
        ..Case::new("t", rules)
    }
}

#[test]
fn a_design_is_asked_what_it_does() {
    let by_page = case(KernelVersion::V6_1, By::Page);
    assert!(answer("flat", &by_page).is_some());
    assert!(answer("headpage", &by_page).is_none());
    assert!(answer("headpage", &case(KernelVersion::V6_1, By::Folio)).is_some());
    // 6.12 names pages by either call.
    assert!(answer("headpage", &case(KernelVersion::V6_12, By::Page)).is_none());
    assert!(answer("folio", &case(KernelVersion::V6_12, By::Page)).is_some());
    assert!(answer("flat-sp", &by_page).is_none());
    assert!(answer("flat-sp", &case(KernelVersion::V5_0, By::Page)).is_some());
    assert!(answer("folio", &case(KernelVersion::V5_0, By::Page)).is_none());
}

/// The second page of a folio, where only its first two sectors may go at once. The short cut lets
/// it through whole, whatever the vec names; only 6.1's `bio_add_folio`, whose vec begins beyond
/// its first page, misses it, and no design is like that.
#[test]
fn a_design_is_not_asked_for_the_short_cut_that_bio_add_folio_missed() {
    let mut small = case(KernelVersion::V6_1, By::Page);
    small.limits = Limits {
        max_sectors: Some(9),
        physical_block_size: Some(4096),
        ..Limits::default()
    };
    small.start_sector = 6;
    small.adds.truncate(1);
    small.adds[0].offset = 6656;
    small.adds[0].len = 1536;
    assert!(answer("headpage", &small).is_some());
    small.adds[0].by = By::Folio;
    assert!(answer("headpage", &small).is_none());
    small.rules = KernelVersion::V6_12;
    assert!(answer("headpage", &small).is_some());
}

/// A range has no page that says which device's memory it is: the answer would be a guess where a
/// kernel asks, and is one where none does.
#[test]
fn a_design_without_pages_says_that_it_cannot_tell_device_memory() {
    let device = |rules| {
        let mut case = case(rules, By::Page);
        case.limits.virt_boundary_mask = None;
        for (at, add) in case.adds.iter_mut().enumerate() {
            *add = Add {
                pfn: 1024 + at as u64,
                order: 0,
                offset: 0,
                len: 4096,
                pgmap: Some(at as u32),
                ..*add
            };
        }
        case
    };
    let evaluate = |design: &str, rules| {
        let held = registry::held().find(|held| held.name == design);
        let cases = held.and_then(|held| held.cases()).expect("it answers");
        (cases.evaluate)(&device(rules))
    };
    for design in [
        "flat",
        "folio",
        "split",
        "headpage",
        "folio-bvec",
        "memdesc",
    ] {
        let is = evaluate(design, KernelVersion::V7_2).expect("it can tell");
        let should = conformance::reference::evaluate(&device(KernelVersion::V7_2));
        assert_eq!(is, should, "{design}");
    }
    let error = evaluate("phyr", KernelVersion::V7_2).expect_err("it cannot tell");
    assert!(
        error.to_string().contains("cannot tell device memory"),
        "{error}"
    );
    assert!(evaluate("phyr", KernelVersion::V6_1).is_ok());
}

#[test]
fn a_design_is_asked_where_the_name_makes_no_difference() {
    let mut whole = case(KernelVersion::V6_1, By::Page);
    whole.limits.virt_boundary_mask = None;
    assert!(answer("headpage", &whole).is_some());
}
