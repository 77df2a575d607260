//! The integration tests of `icount` as one program, which is linked once: a file a subject.
//! `cargo test -p icount --test all SUBJECT::` runs one of them.

mod bodies;
mod calls;
mod profile;
