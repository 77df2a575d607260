//! Contenders and workloads are found by name, by family and by glob.

use registry::{contender, contenders, workload, workloads_matching};

#[test]
fn near_names_are_suggested_and_far_ones_list_all() {
    let error = contender("foilo").unwrap_err();
    assert_eq!(error.near, ["folio"]);
    assert_eq!(
        error.to_string(),
        "unknown design `foilo`; did you mean `folio`?"
    );
    assert_eq!(
        contender("page_pool_rust").unwrap_err().near.len(),
        contenders().len()
    );
    assert_eq!(
        workload("iteration/segment").unwrap_err().near,
        ["iteration/segments"]
    );
    assert_eq!(
        workload("segmets").unwrap_err().near,
        ["iteration/segments"]
    );
}

#[test]
fn a_glob_finds_families_and_single_workloads() {
    let ids = |glob: &str| -> Vec<&str> {
        workloads_matching(glob)
            .unwrap()
            .iter()
            .map(|workload| workload.id)
            .collect()
    };
    assert_eq!(ids("*/pfn-scan"), ["iteration/pfn-scan"]);
    assert_eq!(ids("merging/*").len(), ids("merging").len());
    assert_eq!(ids("*").len(), workloads::every().count());
    assert_eq!(ids("kernel").len(), workloads::kernel::ALL.len());
    assert!(workloads_matching("merging/x*").is_err());
}
