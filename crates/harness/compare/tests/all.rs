//! The integration tests of `compare` as one program, which is linked once: a file a subject.
//! `cargo test -p compare --test all SUBJECT::` runs one of them.

mod claims_record;
mod fidelity_record;
mod judged;
mod lines;
mod time_fidelity;
