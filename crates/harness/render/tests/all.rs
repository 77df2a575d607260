//! The integration tests of `render` as one program, which is linked once: a file a subject.
//! `cargo test -p render --test all SUBJECT::` runs one of them.

mod diff;
mod drift;
mod export;
mod gate;
mod history;
mod screen;
mod synthetic;
mod texts;
