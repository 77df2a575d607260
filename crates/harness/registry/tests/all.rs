//! The integration tests of `registry` as one program, which is linked once: a file a subject.
//! `codegen` is another, since it reads the machine code of its own program.
//!
//! There are no unit tests: a test build of the library would compile every loop of every
//! contender a second time.

mod find;
mod list;
mod plan;
mod smoke;
