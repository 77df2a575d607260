//! The integration tests of `results` as one program, which is linked once: a file a subject.
//! `cargo test -p results --test all SUBJECT::` runs one of them.

mod baseline;
mod made;
mod refusals;
mod round_trip;
mod store;
mod traffic;
