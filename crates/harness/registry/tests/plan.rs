//! Which contenders a planned row is put to.

use registry::{contenders, plan};

#[test]
fn a_row_about_descriptors_is_put_to_no_variant() {
    let (mut whole, mut distinct) = (0, 0);
    for row in plan(false) {
        if row.params.contains_key("rules") {
            continue;
        }
        let variants = contenders()
            .iter()
            .filter(|design| row.designs.contains(&design.name))
            .filter(|design| design.variant_of.is_some());
        if variants.count() == 0 {
            assert_eq!(row.workload.id, "iteration/pfn-scan");
            let originals = contenders().iter().filter(|one| one.variant_of.is_none());
            assert_eq!(
                row.designs.len(),
                originals.count(),
                "nobody else is left out"
            );
            assert!(row.designs.contains(&"flat") && row.designs.contains(&"null"));
            distinct += 1;
        } else {
            assert_eq!(row.designs.len(), contenders().len());
            whole += 1;
        }
    }
    assert_eq!((whole, distinct), (144, 3));
}

#[test]
fn a_row_under_rules_is_put_to_those_run_under_them() {
    let (mut of_5_10, mut of_6_1) = (0, 0);
    for row in plan(false) {
        match row.params.get("rules").map(ToString::to_string).as_deref() {
            None => {}
            Some("5.10") => {
                assert_eq!(row.designs, ["flat"], "{}", row.workload.id);
                of_5_10 += 1;
            }
            Some("6.1") => {
                let all = ["flat", "folio", "split", "memdesc", "headpage", "null"];
                assert_eq!(row.designs, all, "{}", row.workload.id);
                of_6_1 += 1;
            }
            Some(other) => panic!("{}: rules={other}", row.workload.id),
        }
    }
    assert_eq!((of_5_10, of_6_1), (26, 5));
}
