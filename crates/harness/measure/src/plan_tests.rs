//! Plans: what comes of what is asked for.

use super::*;

fn asked(workload: &str, order: &[u64]) -> Plan {
    Plan {
        workload: vec![workload.to_owned()],
        order: order.to_vec(),
        ..Plan::default()
    }
}

#[test]
fn a_plan_is_read_as_it_was_written_each_backing_by_its_name() {
    let plan = Plan {
        backing: Backing::ALL.to_vec(),
        ..asked("merging/*", &[0, 9])
    };
    let line = serde_json::to_string(&plan).unwrap();
    assert!(line.contains(r#""hugetlb-2m""#), "{line}");
    assert_eq!(serde_json::from_str::<Plan>(&line).unwrap(), plan);
    let unknown = line.replace("hugetlb-2m", "hugetlb");
    let error = serde_json::from_str::<Plan>(&unknown).unwrap_err();
    assert!(error.to_string().contains("unknown backing"), "{error}");
}

#[test]
fn an_order_that_no_workload_takes_is_refused_beside_one_that_all_take() {
    for workload in ["merging/add", "merging/*"] {
        let error = asked(workload, &[0, 64]).cells().unwrap_err();
        assert!(
            matches!(error, PlanError::Order { order: 64, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("0 to 18"), "{error}");
    }
    let orders = |cells: Vec<Cell>| -> BTreeSet<Param> {
        cells
            .iter()
            .map(|cell| cell.params["order"].clone())
            .collect()
    };
    let cells = asked("merging/add", &[0, 9]).cells().unwrap();
    assert_eq!(orders(cells), [0_u64, 9].map(Param::from).into());
}

#[test]
fn backings_are_told_apart_where_there_are_several() {
    let on = |backing: &[Backing]| {
        let plan = Plan {
            backing: backing.to_vec(),
            ..asked("merging/add", &[0])
        };
        plan.cells().unwrap()
    };
    let (one, two) = (on(&[Backing::Base]), on(&[Backing::Base, Backing::Thp]));
    assert_eq!(two.len(), 2 * one.len());
    assert!(one.iter().all(|cell| !cell.params.contains_key(BACKING)));
    let named = |cell: &Cell| cell.params[BACKING] == Param::from(cell.backing.name());
    assert!(two.iter().all(named));
}

#[test]
fn the_reference_takes_part_whether_named_or_not() {
    let plan = Plan {
        design: vec!["folio".to_owned()],
        ..asked("merging/add", &[0])
    };
    let slots = &plan.cells().unwrap()[0].slots;
    let designs: BTreeSet<_> = slots.iter().map(|slot| slot.design.as_str()).collect();
    assert_eq!(designs, [REFERENCE, "folio"].into());
}

#[test]
fn a_row_under_a_kernels_rules_is_put_to_kernels_of_that_version() {
    let names = ["linux-5.1", "linux-5.10", "linux-5.10-mine", "linux-6.12"];
    let plan = Plan {
        kernels: names.map(str::to_owned).to_vec(),
        ..asked("merging/add", &[])
    };
    let mut ruled = 0;
    for cell in plan.cells().unwrap() {
        let kernels: Vec<&str> = cell
            .slots
            .iter()
            .map(|slot| slot.design.as_str())
            .filter(|name| results::look::is_kernel(name))
            .collect();
        if cell.params.contains_key("rules") {
            assert_eq!(kernels, ["linux-5.10", "linux-5.10-mine"]);
            ruled += 1;
        } else {
            assert_eq!(kernels, names);
        }
    }
    assert_eq!(ruled, 4);
}

fn with_params(workload: &str, param: &[&str]) -> Result<Vec<Cell>, PlanError> {
    let plan = Plan {
        workload: vec![workload.to_owned()],
        param: param.iter().map(|&param| param.to_owned()).collect(),
        ..Plan::default()
    };
    plan.cells()
}

#[test]
fn every_parameter_can_be_set() {
    let cells = with_params("merging/add", &["count=64"]).unwrap();
    assert!(cells.len() > 1, "the orders of the plan stay");
    let count = |cell: &Cell| cell.params.get("count").map(ToString::to_string);
    assert!(
        cells
            .iter()
            .all(|cell| count(cell).as_deref() == Some("64"))
    );
    for workload in registry::workloads() {
        for spec in workload.params.iter().filter(|spec| spec.name != "order") {
            // Some value that it takes: what the plan has, else its default.
            let Ok(params) = workload.complete(&Params::new()) else {
                continue;
            };
            let Some(value) = params.get(spec.name) else {
                continue;
            };
            let cells = with_params(workload.id, &[&format!("{}={value}", spec.name)]);
            assert!(
                cells.is_ok_and(|cells| !cells.is_empty()),
                "{} {}",
                workload.id,
                spec.name
            );
        }
    }
}

#[test]
fn a_captured_layout_takes_the_place_of_orders_and_kinds() {
    let cells = with_params("iteration/segments", &["layout=captured-anon-thp"]).unwrap();
    for cell in &cells {
        assert_eq!(cell.params["layout"].to_string(), "captured-anon-thp");
        assert!(!cell.params.contains_key("order"), "{:?}", cell.params);
    }
}

#[test]
fn brought_layouts_are_each_measured_by_what_takes_a_layout() {
    let plan = Plan {
        layout: vec!["anon-base".to_owned(), "anon-thp".to_owned()],
        param: vec!["io_bytes=8192".to_owned()],
        ..Plan::default()
    };
    let cells = plan.cells().unwrap();
    let on = |name: &str| {
        let layout = format!("captured-{name}");
        let its = |cell: &&Cell| cell.params["layout"].to_string() == layout;
        cells
            .iter()
            .filter(its)
            .map(|cell| &cell.workload)
            .collect::<Vec<_>>()
    };
    let (base, thp) = (on("anon-base"), on("anon-thp"));
    assert_eq!(base, thp);
    assert_eq!(base.len() + thp.len(), cells.len());
    assert!(base.iter().any(|id| *id == "merging/add"), "{base:?}");
    assert!(!base.iter().any(|id| *id == "layout/compose"), "{base:?}");
    assert!(
        cells
            .iter()
            .all(|cell| cell.params["io_bytes"].to_string() == "8192")
    );
}

#[test]
fn a_parameter_that_nobody_takes_is_refused_with_what_there_is() {
    for (param, words) in [
        ("cuont=64", "count"),
        ("count", "NAME=VALUE"),
        ("count=many", "count"),
        ("order=9", "--order"),
    ] {
        let error = with_params("merging/add", &[param])
            .unwrap_err()
            .to_string();
        assert!(error.contains(param) && error.contains(words), "{error}");
    }
    // One workload of several is enough.
    let some = with_params("*", &["batch=32"]).unwrap();
    assert!(
        some.iter()
            .all(|cell| cell.workload == "iteration/lru-scan"),
        "{}",
        some.len()
    );
}

#[test]
fn what_only_kernels_are_asked_takes_part_with_them_alone() {
    let asked = |kernels: &[&str]| {
        let plan = Plan {
            kernels: kernels.iter().map(|&name| name.to_owned()).collect(),
            workload: vec!["kernel".to_owned()],
            ..Plan::default()
        };
        plan.cells()
    };
    assert!(matches!(asked(&[]), Err(PlanError::Nothing)));
    let cells = asked(&["linux-6.12"]).unwrap();
    assert!(cells.len() > 30, "{}", cells.len());
    for cell in &cells {
        assert!(cell.workload.starts_with("kernel/"), "{}", cell.workload);
        assert!(cell.slots.iter().any(|slot| slot.design == "linux-6.12"));
        // Dashes, and the reference that every row of a run has.
        assert!(cell.slots.iter().any(|slot| slot.design == REFERENCE));
    }
}
