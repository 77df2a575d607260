//! The integration tests of `folioscope` as one program, which is linked once: a file a subject.
//! `cargo test -p folioscope --test all SUBJECT::` runs one of them.

mod architecture;
mod bad_days;
mod claims;
mod cli;
mod exit_codes;
mod foreign;
mod gate;
mod layouts;
mod lockstep;
mod made;
mod published;
mod record;
mod stepped;
mod store;
