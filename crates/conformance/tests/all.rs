//! The integration tests of `conformance` as one program, which is linked once: a file a subject.
//! `cargo test -p conformance --test all SUBJECT::` runs one of them.

mod broken_designs;
mod case_files;
mod device_memory;
mod further_cases;
mod patched_kernels;
mod reference_laws;
mod rules_by_version;
mod worked_cases;
mod zone_appends;
