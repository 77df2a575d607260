//! The integration tests of `oracle` as one program, which is linked once: a file a witness.
//! `cargo test -p oracle --test referee WITNESS::` runs one of them.

mod emulated;
mod native;
mod recorded_answers;
