//! The integration tests of `physmem` as one program, which is linked once: a file a subject.
//! `cargo test -p physmem --test all SUBJECT::` runs one of them.

mod allocator;
mod brought_captures;
mod capture_format;
mod layouts;
mod shipped_captures;
mod taking;
