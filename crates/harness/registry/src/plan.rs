//! What is run when nobody says otherwise.
//!
//! The budget is two minutes for all designs in several processes, so every row must earn
//! its place: orders for the figures, captured layouts because real input comes first, and
//! a cache regime beyond the last level where descriptors are read.

use workloads::{Param, Params, Workload};

/// A row of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What is asked.
    pub workload: &'static Workload,
    /// With what; complete.
    pub params: Params,
    /// The designs it is put to; all where unset.
    pub designs: Option<&'static [&'static str]>,
}

/// Rows of a workload, each a list of `name=value` apart by spaces.
type Rows = (&'static str, &'static [&'static str]);

const FULL: &[Rows] = &[
    (
        "iteration/segments",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 count=64 layout=scattered",
            "order=4 count=16 payload=read",
            "layout=captured-anon-base",
            "layout=captured-anon-thp",
            "layout=captured-page-cache-read",
        ],
    ),
    (
        "iteration/bvecs",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "layout=captured-anon-thp",
        ],
    ),
    (
        "iteration/chunks",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 count=64 layout=scattered footprint=mem",
            "order=4 count=16 layout=scattered footprint=mem",
            "layout=captured-anon-base",
            "layout=captured-anon-thp",
            "layout=captured-page-cache-read",
            "layout=captured-page-cache-written",
        ],
    ),
    (
        "iteration/end-io",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "layout=captured-anon-base",
            "layout=captured-anon-thp",
        ],
    ),
    (
        "iteration/pfn-scan",
        &[
            "mix=typical footprint=l2",
            "mix=typical footprint=l2 mode=isolate",
        ],
    ),
    (
        "iteration/lru-scan",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 layout=scattered",
        ],
    ),
    (
        "merging/add",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 unit=page",
            "order=2 unit=page",
            "order=4 unit=page",
            "order=9 unit=page",
            "order=0 count=64 layout=scattered",
            "layout=captured-anon-base",
            "layout=captured-anon-thp",
            "layout=captured-page-cache-read",
            "layout=captured-page-cache-written",
        ],
    ),
    (
        "merging/map-sg",
        &[
            "order=0 limits=large",
            "order=2 limits=large",
            "order=4 limits=large",
            "order=9 limits=large",
            "layout=captured-anon-base",
            "layout=captured-anon-thp",
        ],
    ),
    (
        "merging/count-segments",
        &["order=0", "order=4", "order=9", "layout=captured-anon-base"],
    ),
    (
        "merging/split",
        &["order=0", "order=4", "order=9", "layout=captured-anon-base"],
    ),
    ("merging/slab-io", &["order=0", "order=1", "order=3"]),
    (
        "accounting/charge",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 path=miss",
            "order=0 kind=page-table",
            "order=9 depth=1",
            "order=9 depth=4",
            "order=9 depth=8",
        ],
    ),
    (
        "accounting/uncharge",
        &["order=0", "order=4", "order=9", "order=0 batch=gathered"],
    ),
    (
        "accounting/stat",
        &["depth=1", "depth=2", "depth=4", "depth=8"],
    ),
    (
        "accounting/lock",
        &[
            "style=generic",
            "style=per-type",
            "style=cast-to-common",
            "style=generic kind=mixed",
            "style=per-type kind=mixed",
            "style=generic moving=yes",
        ],
    ),
    (
        "accounting/contention",
        &[
            "threads=1",
            "threads=2",
            "threads=4",
            "threads=2 groups=own",
            "threads=1 order=9",
            "threads=2 order=9",
            "threads=2 order=9 groups=own",
            "threads=2 order=9 depth=8",
        ],
    ),
    (
        "layout/compose",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=4 mode=shatter",
        ],
    ),
    (
        "layout/lookup",
        &[
            "order=0",
            "order=2",
            "order=4",
            "order=9",
            "order=0 footprint=mem",
        ],
    ),
    (
        "layout/footprint",
        &[
            "order=0",
            "order=1",
            "order=2",
            "order=4",
            "order=9",
            "mix=typical",
        ],
    ),
    (
        "code/dispatch",
        &[
            "dispatch=generic",
            "dispatch=per-type",
            "dispatch=cast-to-common",
            "dispatch=kind",
        ],
    ),
    (
        "code/size",
        &[
            "",
            "of=iteration/segments",
            "of=iteration/chunks",
            "of=merging/add",
            "of=accounting/charge",
        ],
    ),
];

const QUICK: &[Rows] = &[
    ("iteration/segments", &["order=0", "order=9"]),
    ("iteration/bvecs", &["order=9"]),
    (
        "iteration/chunks",
        &["order=0", "order=9", "layout=captured-anon-thp"],
    ),
    ("iteration/end-io", &["order=0", "order=9"]),
    ("iteration/pfn-scan", &["mix=typical footprint=l2"]),
    ("iteration/lru-scan", &["order=0"]),
    (
        "merging/add",
        &[
            "order=0",
            "order=9",
            "order=9 unit=page",
            "layout=captured-page-cache-read",
        ],
    ),
    ("merging/map-sg", &["order=9 limits=large"]),
    ("merging/count-segments", &["order=9"]),
    ("merging/split", &["order=9"]),
    ("merging/slab-io", &["order=0"]),
    ("accounting/charge", &["order=0", "order=9"]),
    ("accounting/uncharge", &["order=0"]),
    ("accounting/stat", &["depth=2"]),
    ("accounting/lock", &["style=generic kind=mixed"]),
    ("accounting/contention", &["threads=2"]),
    ("layout/compose", &["order=9"]),
    ("layout/lookup", &["order=0"]),
    ("layout/footprint", &["order=0", "order=9", "mix=typical"]),
    ("code/dispatch", &["dispatch=generic"]),
    ("code/size", &[""]),
];

/// The walk over a zone whose descriptors no cache holds: 128 MiB for each design, so only
/// for those that differ in it.
const BEYOND_CACHES: Rows = (
    "iteration/pfn-scan",
    &["mix=user", "mix=order0", "mix=typical"],
);
const DIFFERENT_DESCRIPTORS: &[&str] = &["flat", "folio", "split", "headpage", "null"];

/// The rows that are run by default, or for a first look.
pub fn plan(quick: bool) -> Vec<Planned> {
    let mut planned = rows(if quick { QUICK } else { FULL }, None);
    let beyond = if quick {
        ("iteration/pfn-scan", &BEYOND_CACHES.1[..1])
    } else {
        BEYOND_CACHES
    };
    let at = planned
        .iter()
        .position(|row| row.workload.id == beyond.0)
        .unwrap_or(0);
    planned.splice(at..at, rows(&[beyond], Some(DIFFERENT_DESCRIPTORS)));
    planned
}

fn rows(plan: &[Rows], designs: Option<&'static [&'static str]>) -> Vec<Planned> {
    plan.iter()
        .flat_map(|(id, rows)| rows.iter().map(move |row| (id, row)))
        .map(|(id, row)| {
            let workload = workloads::by_id(id).expect("the plan names workloads that exist");
            let params = workload
                .complete(&parse(row))
                .expect("the plan's parameters are valid");
            Planned {
                workload,
                params,
                designs,
            }
        })
        .collect()
}

fn parse(row: &str) -> Params {
    row.split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), Param::from(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_valid_and_there_once() {
        for quick in [false, true] {
            let rows: Vec<_> = plan(quick)
                .into_iter()
                .map(|row| (row.workload.id, row.params))
                .collect();
            let unique: BTreeSet<_> = rows.iter().cloned().collect();
            assert_eq!(unique.len(), rows.len());
        }
    }

    #[test]
    fn every_workload_is_in_both_plans() {
        for quick in [false, true] {
            let planned: BTreeSet<_> = plan(quick).iter().map(|row| row.workload.id).collect();
            let all: BTreeSet<_> = workloads::ALL.iter().map(|workload| workload.id).collect();
            assert_eq!(planned, all);
        }
    }

    #[test]
    fn every_axis_has_points_to_draw() {
        for workload in workloads::ALL
            .iter()
            .filter(|workload| !workload.axis.is_empty())
        {
            let values: BTreeSet<_> = plan(false)
                .iter()
                .filter(|row| row.workload.id == workload.id)
                .filter_map(|row| row.params.get(workload.axis).cloned())
                .collect();
            assert!(values.len() >= 3, "{}: {values:?}", workload.id);
        }
    }
}
