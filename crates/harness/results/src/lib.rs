//! The wire types of results, the files that hold them, and what a reader refuses.
//!
//! A run is a directory with `env.json` (one [`Environment`]) and `samples.jsonl`
//! (one [`Row`] per line). Both carry [`SCHEMA_VERSION`]. Writers never leave half a
//! file under its final name; readers name file, line and field when they refuse.
#![forbid(unsafe_code)]

mod baseline;
mod census;
mod check;
mod claims;
mod committed;
mod criterion;
mod environment;
mod fidelity;
mod kernel;
mod lock;
mod lockstep;
pub mod look;
mod loop_lines;
mod read;
mod reading;
mod renamed;
mod row;
mod run;
mod source;
mod state;
mod stepped;
mod store;
mod study;
mod traffic;
mod write;

pub use baseline::{Baseline, Loop, LoopCount};
pub use census::{Census, CensusHeader, CensusRow};
pub use claims::{
    CLAIMS_FILE, Claim, Claims, NativeRow, Number, Outcome, Ruling, Screen, ScreenRow,
};
pub use committed::{
    CountedKernel, FidelityRecord, LOCAL_DIR, kept_with_kernels, newest_with_kernels, read_kernels,
};
pub use criterion::read_criterion;
pub use environment::{
    Bandwidth, Cache, Clock, CpuId, Difference, Environment, Git, HugetlbPool, RowSum, Spent,
    command_without_paths,
};
pub use fidelity::{Miss, MissOf, ModelCount, Reason};
pub use jsonl::{Error as RecordError, Tail, line, stream, write_whole};
pub use kernel::{Absent, KernelCount, KernelCounts, KernelIdentity, KernelRecord, Package};
pub use lock::RunLock;
pub use lockstep::{Build, LockstepHeader, LockstepRecord, LockstepRow, Period};
pub use loop_lines::{LinesBaseline, LoopLines};
pub use params::{Param, Params};
pub use read::{read_environment, read_list, read_rows, rows_from_bytes};
pub use reading::{Reading, ResultKind, Term, parse_row};
pub use row::{Identity, Memory, Row, Sample, Status, Value, Yardsticks};
pub use run::{ENV_FILE, PLOTS_DIR, REPORT_FILE, Run, SAMPLES_FILE};
pub use source::SourceCount;
pub use state::State;
pub use stepped::{SteppedLoop, SteppedRecord};
pub use store::{Store, StoreError, Stored, run_folders};
pub use study::{StudyHeader, StudyRecord, StudyRow, Tally};
pub use traffic::{Class, Lines, Traffic, TrafficHeader, TrafficRecord, TrafficRow, Words};
pub use write::{RowWriter, write_environment, write_list};

/// The schema version that this crate writes, and the newest that it reads.
///
/// It grows when a field changes its meaning or a new field cannot be left out by a
/// reader; the JSON Schema files in `crates/harness/results/schema` describe this version.
/// 2: the design `split` is another one, and the one of schema 1 is read as `memdesc`.
pub const SCHEMA_VERSION: u32 = 2;
