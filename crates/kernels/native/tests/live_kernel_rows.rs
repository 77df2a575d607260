//! The rows that run where kernels take part: each kernel that is built answers them as a
//! computation without any kernel says, or says what it lacks.

use std::time::Duration;

use crate::built::kernels;
use hugemem::Backing;
use native::{Layout, Piece, RunError, Session, Size};
use workloads::plan::{Row, kernel_rows};
use workloads::{BASE, Fixture, Setup};

const LONG: Duration = Duration::from_secs(60);
const SEED: u64 = 7;
const FRAMES: u64 = 1 << 14;

fn setup(row: &Row) -> Setup {
    Setup {
        params: row.params.clone(),
        seed: SEED,
        backing: Backing::Base,
        arena_shift: 1,
    }
}

fn layout(fixture: Fixture) -> Layout {
    let piece = |range: &workloads::IoRange| Piece {
        extent: range.extent as u32,
        offset: range.offset,
        len: range.len,
    };
    let io = |io: &Vec<workloads::IoRange>| io.iter().map(piece).collect();
    Layout {
        base: BASE,
        ios: fixture.ios.iter().map(io).collect(),
        extents: fixture.extents,
        frames: fixture.lookups,
    }
}

/// The checksum after some calls, and their elements.
fn answer(session: &mut Session, row: &Row, fixture: Fixture) -> Result<(u64, u64), RunError> {
    session.layout(&layout(fixture))?;
    let params = row.params.iter();
    let params = params.map(|(name, value)| (name.as_str(), value.to_string()));
    let job = session.job(row.workload.id, params.chain([("seed", SEED.to_string())]))?;
    session.run(1, LONG)?;
    let run = session.run(if job.once { 1 } else { 3 }, LONG)?;
    Ok((session.check(run.raw)?, job.elements))
}

/// Why a kernel may lack a row: struct ptdesc came with 6.6, folios with 5.16.
fn may_lack(series: &str, row: &Row) -> bool {
    let walks_folios = row.workload.id == "iteration/chunks"
        || (row.params.get("of")).is_some_and(|of| of.to_string() == "iteration/chunks");
    match series {
        "5.10" => walks_folios || row.workload.id.starts_with("kernel/table"),
        "6.1" => row.workload.id.starts_with("kernel/table"),
        _ => false,
    }
}

#[test]
fn every_row_beside_kernels_is_answered_or_known_to_be_lacking() {
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::of(FRAMES))
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let mut wrong = Vec::new();
        for row in kernel_rows() {
            let what = format!("{} {} {:?}", kernel.name(), row.workload.id, row.params);
            let setup = setup(row);
            let make = row.workload.fixture.expect("a kernel is asked");
            let fixture = make(&setup).unwrap_or_else(|error| panic!("{what}: {error}"));
            // Of gigabytes, there is a row about the same in the caches.
            if fixture.frames > FRAMES {
                continue;
            }
            let expected = row.workload.expected(&setup);
            let expected = expected.unwrap_or_else(|error| panic!("{what}: {error}"));
            match answer(&mut session, row, fixture) {
                Ok((sum, elements)) if Some(sum) == expected && elements > 0 => {
                    assert!(!may_lack(&kernel.series(), row), "{what}");
                }
                Err(RunError::Absent(_)) if may_lack(&kernel.series(), row) => {}
                other => wrong.push(format!("{what}: {other:?}, expected {expected:?}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
