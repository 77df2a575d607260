//! `accounting/contention`: many threads charge and uncharge at once.

use std::hint::black_box;

use mm::memcg::MemCgroup;
use mm::{KernelRules, Memcg};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::below;
use crate::bodies::{charge_each, uncharge_each};
use crate::checksum::Digest;
use crate::fixture::{allocations, build};
use crate::job::{Prepared, Then};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "accounting/contention",
    capability: mm::Capability::Memcg,
    asks: "how does charging scale with threads, groups and depth?",
    analysis: "Counters are shared by everybody below them, so their lines travel between CPUs. \
        The per-CPU stock keeps base-page charges away from them; a THP goes to every level at \
        once. Butt measured network throughput halve from 6 to 36 clients on these lines. The \
        designs share the counters: what differs is how much work lies between two visits to \
        them, so a cheaper design contends more.",
    favours: "none by type; order 0 with the stock over order 9 without",
    unfair: "threads beyond the machine's CPUs share one, and the parallel loop's own start and \
        end are in the clock: compare with null, whose loop is nothing else",
    unit: "charge",
    axis: "threads",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        ParamSpec::number(
            "threads",
            "threads, each acting for a CPU of its own",
            2,
            (1, 8),
        ),
        ParamSpec::words(
            "groups",
            "shared: one group for all; own: one for each thread",
            &["shared", "own"],
        ),
        params::RULES,
    ],
    fixture: None,
    quantity: Quantity::Time(expected),
};

/// Chunks of a thread.
const CHUNKS: u64 = 512;

/// The parameters with the footprint that is this workload's only one.
fn footprint(setup: &Setup) -> Setup {
    let mut setup = setup.clone();
    setup.params.insert("footprint".to_owned(), "l1".into());
    setup
}

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let threads = setup.number("threads")?;
    Ok(told(threads * CHUNKS, 0, 0))
}

/// Charges that succeeded, and pages and references left at the end.
fn told(charged: u64, pages: i64, refs: i64) -> u64 {
    Digest::of(&[charged, pages as u64, refs as u64])
}

/// The part of one thread.
struct Part<'d, D: Memcg + 'd> {
    cpu: usize,
    group: &'d MemCgroup,
    units: Vec<D::Unit<'d>>,
}

/// Where the machine code of the loops is.
pub fn loops<D: Memcg, V: KernelRules>() -> Vec<usize>
where
    for<'a> D::Unit<'a>: Send + Sync,
{
    vec![
        entry::<D, V> as *const () as usize,
        entry_thread::<D, V> as *const () as usize,
    ]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Memcg, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError>
where
    for<'a> D::Unit<'a>: Send + Sync,
{
    let threads = setup.number("threads")? as usize;
    if super::is_kernel(setup.kind()?) {
        let why = "kernel memory takes another way, which accounting/charge asks";
        return Err(SetupError::Param(format!("kind: {why}")));
    }
    let fixture = allocations(&footprint(setup), threads as u64 * CHUNKS)?;
    let design: D = build(setup, fixture.frames)?;
    let units = fixture.alloc(&design);
    drop(fixture);
    let memory = design.groups();
    let shared = memory.chain(setup.number("depth")? as usize - 1);
    let one = below(memory, shared);
    let own = setup.word("groups")? == "own";
    let parts: Vec<Part<'_, D>> = units
        .chunks(CHUNKS as usize)
        .enumerate()
        .map(|(cpu, units)| Part {
            cpu,
            group: if own && cpu > 0 {
                below(memory, shared)
            } else {
                one
            },
            units: units.to_vec(),
        })
        .collect();
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("cpu-{n}"))
        .build();
    let pool = pool.map_err(|e| SetupError::Wrong(format!("no threads: {e}")))?;
    then(&mut Prepared::new(
        &design,
        parts,
        threads as u64 * CHUNKS,
        |parts, iters| entry::<D, V>(&design, &pool, parts, iters),
        |parts, charged| {
            let mut groups: Vec<&MemCgroup> = parts.iter().map(|part| part.group).collect();
            groups.dedup_by(|a, b| std::ptr::eq(*a, *b));
            let memory = design.groups();
            told(
                charged,
                groups
                    .iter()
                    .map(|group| group.memory.read() - memory.stocked(group) as i64)
                    .sum(),
                groups.iter().map(|group| group.refs()).sum(),
            )
        },
    ));
    Ok(())
}

#[inline(never)]
fn entry<'d, D: Memcg, V: KernelRules>(
    design: &'d D,
    pool: &ThreadPool,
    parts: &[Part<'d, D>],
    iters: u64,
) -> u64
where
    for<'a> D::Unit<'a>: Send + Sync,
{
    let mut result = 0;
    for _ in 0..iters {
        let parts = black_box(parts);
        let charged = pool.broadcast(|thread| {
            parts
                .get(thread.index())
                .map_or(0, |part| entry_thread::<D, V>(design, part))
        });
        result = black_box(charged.iter().sum());
    }
    result
}

/// One thread's share: everything is charged, then everything uncharged.
#[inline(never)]
fn entry_thread<'d, D: Memcg, V: KernelRules>(design: &'d D, part: &Part<'d, D>) -> u64 {
    let refused = charge_each::<D, V>(design, part.cpu, part.group, &part.units);
    uncharge_each::<D, V>(design, part.cpu, &part.units);
    part.units.len() as u64 - refused
}
