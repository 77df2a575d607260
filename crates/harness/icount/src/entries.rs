//! Every timed loop of every design, called once, so that its instructions can be counted.

use std::fmt::Write as _;

use hugemem::Backing;
use registry::{Enter, Entry, Job, Param, Params, Setup, SetupError, Workload};
use results::Class;
use trace::announce;

/// Functions that [`calls`] calls, as callgrind's patterns name them.
pub const PATTERN: &str = "workloads::*::entry*";

/// Orders of every workload that has the parameter.
pub const ORDERS: [u64; 4] = [0, 2, 4, 9];

/// The order of a workload without one.
pub const FEWEST: u64 = 0;

/// Threads beside the first are not counted, and their meeting is not repeatable.
const MANY_THREADS: &str = "accounting/contention";

/// The rows of a family: each of its timed workloads, at every order, in the smallest
/// footprint.
pub fn of_family(family: &str) -> Vec<(&'static Workload, Params)> {
    let timed = registry::workloads().iter().copied().filter(|workload| {
        workload.family() == family && workload.is_timed() && workload.id != MANY_THREADS
    });
    timed
        .flat_map(|workload| rows(workload).into_iter().map(move |row| (workload, row)))
        .collect()
}

fn rows(workload: &Workload) -> Vec<Params> {
    rows_at(workload, ORDERS)
}

/// The rows of a workload at these orders, in the smallest footprint.
fn rows_at(workload: &Workload, orders: impl IntoIterator<Item = u64>) -> Vec<Params> {
    let has = |name| workload.params.iter().any(|spec| spec.name == name);
    let mut least = Params::new();
    if has("footprint") {
        least.insert("footprint".into(), Param::Text("l1".into()));
    }
    let orders: Vec<u64> = match has("order") {
        true => orders.into_iter().collect(),
        false => vec![FEWEST],
    };
    orders
        .into_iter()
        .filter_map(|order| {
            let mut params = least.clone();
            if has("order") {
                params.insert("order".into(), Param::Number(order));
            }
            workload.complete(&params).ok()
        })
        .collect()
}

/// A setup that is the same everywhere: base pages, one seed.
pub fn setup(params: Params) -> Setup {
    Setup {
        params,
        seed: 1,
        backing: Backing::Base,
        arena_shift: 0,
    }
}

/// The label of a call.
pub fn label(entry: &Entry, params: &Params) -> String {
    let mut text = format!(
        "{} {} {} ",
        entry.workload.id, entry.design.name, entry.rules
    );
    for (n, (name, value)) in params.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{name}={value}");
    }
    text
}

/// Why a call could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{of}: {error}")]
pub struct NotSetUp {
    /// Which.
    of: String,
    /// Why.
    error: SetupError,
}

/// Orders at which [`census`] has its rows, up to 2 MiB.
const EVERY_ORDER: std::ops::RangeInclusive<u64> = 0..=9;

/// The rows whose lines are traced and not counted, one at each order, from which the lines of a
/// whole machine's memory are added up: the walk over frames, reclaim's scan, and freeing.
pub fn census() -> Vec<(&'static Workload, Params)> {
    let walks = EVERY_ORDER.flat_map(|order| {
        ["user", "slab", "free"].map(|mix| {
            let params = [
                ("mix", Param::from(mix)),
                // Large enough for the largest order.
                ("footprint", Param::from("l2")),
                ("user-order", Param::Number(order)),
            ];
            ("iteration/pfn-scan", params.to_vec())
        })
    });
    let frees = EVERY_ORDER.map(|order| {
        let params = [
            ("mode", Param::from("free")),
            ("footprint", Param::from("l1")),
            ("order", Param::Number(order)),
        ];
        ("layout/compose", params.to_vec())
    });
    let row = |(id, params): (&str, Vec<(&str, Param)>)| {
        let workload = registry::workload(id).ok()?;
        let named = params.into_iter().map(|(name, of)| (name.to_owned(), of));
        Some((workload, workload.complete(&named.collect()).ok()?))
    };
    let mut all: Vec<_> = walks.chain(frees).filter_map(row).collect();
    if let Ok(scan) = registry::workload("iteration/lru-scan") {
        // The gate counts the other orders.
        let more = EVERY_ORDER.filter(|order| !ORDERS.contains(order));
        all.extend(rows_at(scan, more).into_iter().map(|row| (scan, row)));
    }
    all
}

/// The observer of the calls that [`calls`] makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watched {
    /// Nothing.
    ByNobody,
    /// Tells the tracer where the descriptors are, and `say` also how many elements a call
    /// handles, after the label.
    ByTracer,
}

/// Announces the mappings of a job's descriptors to the tracer.
fn announce_descriptors(job: &dyn Job) {
    announce::forget(Class::Descriptor);
    for memory in job.memory().iter().filter(|of| of.what == "descriptors") {
        let start = memory.mapping.as_ptr().addr() as u64;
        announce::add(
            Class::Descriptor,
            start,
            memory.mapping.mapped_bytes() as u64,
        );
    }
}

/// Calls every loop of `rows` once for every design that `designs` accepts; `say` gets the
/// label of each call after it.
///
/// # Errors
/// [`NotSetUp`] for any reason but that a design lacks what is asked.
pub fn calls(
    rows: &[(&'static Workload, Params)],
    designs: &dyn Fn(&str) -> bool,
    watched: Watched,
    say: &mut dyn FnMut(String),
) -> Result<(), NotSetUp> {
    for (workload, params) in rows {
        let setup = setup(params.clone());
        for entry in registry::entries() {
            let Enter::Timed(enter) = entry.enter else {
                continue;
            };
            if entry.workload.id != workload.id || !designs(entry.design.name) {
                continue;
            }
            let entered = enter(&setup, &mut |job| {
                job.prepare(1);
                if watched == Watched::ByTracer {
                    announce_descriptors(job);
                }
                let raw = job.run(1);
                let label = label(entry, &setup.params);
                say(match watched {
                    Watched::ByNobody => label,
                    Watched::ByTracer => format!("{label} {}", job.elements()),
                });
                job.checksum(raw);
            });
            match entered {
                Ok(()) | Err(SetupError::Absent(_)) => {}
                Err(error) => {
                    return Err(NotSetUp {
                        of: label(entry, &setup.params),
                        error,
                    });
                }
            }
        }
    }
    Ok(())
}

/// The rows of every family.
pub fn all() -> Vec<(&'static Workload, Params)> {
    families().into_iter().flat_map(of_family).collect()
}

/// Families with timed loops.
pub fn families() -> Vec<&'static str> {
    let mut families: Vec<_> = registry::workloads()
        .iter()
        .filter(|workload| workload.is_timed())
        .map(|workload| workload.family())
        .collect();
    families.dedup();
    families
}
