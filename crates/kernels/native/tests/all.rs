//! The integration tests of `native` as one program, which is linked once: a file a subject.
//! `cargo test -p native --test all SUBJECT::` runs one of them.

mod built;
mod failures;
mod live;
mod live_cases;
mod live_counts;
mod live_kernel_rows;
mod live_kmem;
