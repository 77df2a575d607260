//! Real kernels beside the designs: each is a process of its own ([`native`]), and its loop
//! over the same allocations is a [`Job`] in the same rounds.
//!
//! The time of a run is what the kernel says of itself: ticks of the time stamp counter around
//! the loop, read inside. The pipe that carries the question stands outside that clock, as
//! preparation does for a design.

use std::collections::BTreeMap;
use std::time::Duration;

use native::{
    Backed, Bounds, Cache, JobSetup, Kernel, Layout, Piece, RunError, Session, Size, Traffic,
};
use results::{Memory, Status};
use workloads::{BASE, Fixture, Job, LinearRead, MemoryOf, Outside, Setup, SetupError, Workload};

/// The time that one run may take: a hundred times what the longest sample takes.
const LIMIT: Duration = Duration::from_secs(20);
/// The least arena, in frames: what all but the largest footprints fit into.
const LEAST_FRAMES: u64 = 1 << 15;

/// The kernels of a process, each started when it is first needed and kept.
#[derive(Default)]
pub struct Kernels {
    built: Option<Vec<Kernel>>,
    running: BTreeMap<String, Session>,
    /// The number of a loop's IOs that are laid out, the first ones; all without.
    pub(crate) ios: Option<usize>,
}

/// A kernel with a job set up, or why there is none.
pub(crate) type Entered<'a> = Result<KernelJob<'a>, Status>;

impl Kernels {
    /// Sets a workload up in the kernels of these names; returns the results in their order.
    pub(crate) fn enter(
        &mut self,
        names: &[&str],
        workload: &Workload,
        setup: &Setup,
    ) -> Vec<Entered<'_>> {
        if names.is_empty() {
            return Vec::new();
        }
        // One for all: making the largest takes longer than laying it out in a kernel.
        let laid = laid_out(workload, setup, self.ios.unwrap_or(usize::MAX));
        let prepared: Vec<Result<Ready, Status>> = names
            .iter()
            .map(|name| self.prepare(name, laid.as_ref().map_err(Status::clone)?, workload, setup))
            .collect();
        let mut sessions: BTreeMap<&str, &mut Session> = self
            .running
            .iter_mut()
            .map(|(name, session)| (name.as_str(), session))
            .collect();
        let lost = || Status::Err("the kernel is no longer there".to_owned());
        std::iter::zip(names, prepared)
            .map(|(name, ready)| {
                let ready = ready?;
                let session = sessions.remove(name).ok_or_else(lost)?;
                Ok(KernelJob {
                    session,
                    ready,
                    last: Ok(0.0),
                    dead: false,
                })
            })
            .collect()
    }

    /// Ends the kernels of these names: the next job starts them afresh.
    pub(crate) fn end(&mut self, names: &[String]) {
        for name in names {
            self.running.remove(name);
        }
    }

    fn prepare(
        &mut self,
        name: &str,
        laid: &Laid,
        workload: &Workload,
        setup: &Setup,
    ) -> Result<Ready, Status> {
        let session = self.session(name, laid.frames).map_err(Status::Err)?;
        let ready = set_up(session, &laid.layout, workload, setup);
        ready.map_err(|error| match error {
            RunError::Absent(why) => Status::Absent(why),
            error => {
                self.running.remove(name);
                Status::Err(error.to_string())
            }
        })
    }

    /// The running kernel of this name, with an arena of at least this many frames.
    fn session(&mut self, name: &str, frames: u64) -> Result<&mut Session, String> {
        let fits = |session: &Session| session.hello().frames >= frames;
        if !self.running.get(name).is_some_and(fits) {
            // The smaller one first: two would share the CPU's caches for nothing.
            self.running.remove(name);
            let built = match &mut self.built {
                Some(built) => built,
                none => {
                    let built = native::current(&Cache::found());
                    none.insert(built.map_err(|error| error.to_string())?)
                }
            };
            let kernel = built
                .iter()
                .find(|kernel| kernel.name() == name)
                .ok_or_else(|| format!("{name} is no longer built: folioscope kernel list"))?;
            let size = Size::of(frames.max(LEAST_FRAMES).next_power_of_two());
            let session = Session::start(kernel, size).map_err(|error| error.to_string())?;
            self.running.insert(name.to_owned(), session);
        }
        self.running
            .get_mut(name)
            .ok_or_else(|| format!("{name} did not start"))
    }
}

/// A layout for every kernel.
struct Laid {
    layout: Layout,
    /// Frames that it needs.
    frames: u64,
}

/// The layout of a workload, with so many of its IOs, or why it is no question for a kernel.
fn laid_out(workload: &Workload, setup: &Setup, ios: usize) -> Result<Laid, Status> {
    let Some(fixture) = workload.fixture else {
        let why = "this question is not put to a single kernel on one CPU";
        return Err(Status::Absent(why.to_owned()));
    };
    if let Some(why) = only_a_model(setup) {
        return Err(Status::Absent(why.to_owned()));
    }
    let mut fixture = fixture(setup).map_err(|error| match error {
        SetupError::Absent(why) => Status::Absent(why),
        error => Status::Err(error.to_string()),
    })?;
    fixture.ios.truncate(ios);
    Ok(Laid {
        frames: fixture.frames,
        layout: layout(fixture),
    })
}

/// Facts of a job that is set up.
struct Ready {
    job: JobSetup,
    ns_per_tick: f64,
    backed: Backed,
}

fn set_up(
    session: &mut Session,
    layout: &Layout,
    workload: &Workload,
    setup: &Setup,
) -> Result<Ready, RunError> {
    session.layout(layout)?;
    let params = setup
        .params
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_string()));
    let seed = [("seed", setup.seed.to_string())];
    let job = session.job(workload.id, params.chain(seed))?;
    let backed = session.collapse()?;
    Ok(Ready {
        job,
        ns_per_tick: session.nanoseconds_per_tick()?,
        backed,
    })
}

/// Why a question is put to models only: the driver would answer another one.
fn only_a_model(setup: &Setup) -> Option<&'static str> {
    if setup.params.contains_key("merge") {
        return Some(
            "whether it merges on add is the kernel's own matter: see the row without merge=",
        );
    }
    let unit = setup.params.get("unit")?.to_string();
    (unit == "user").then_some("bio_add_page takes such pages: see the row unit=page")
}

fn layout(fixture: Fixture) -> Layout {
    let piece = |range: &workloads::IoRange| Piece {
        extent: range.extent as u32,
        offset: range.offset,
        len: range.len,
    };
    Layout {
        base: BASE,
        ios: fixture
            .ios
            .iter()
            .map(|io| io.iter().map(piece).collect())
            .collect(),
        extents: fixture.extents,
        frames: fixture.lookups,
    }
}

/// A loop inside a kernel.
pub(crate) struct KernelJob<'a> {
    session: &'a mut Session,
    ready: Ready,
    /// Nanoseconds of the last run, or why there is no answer.
    last: Result<f64, String>,
    /// Whether the kernel gave no answer.
    dead: bool,
}

impl KernelJob<'_> {
    /// Whether the kernel has to be started afresh.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// The host's report on the memory that the kernel takes for its own.
    pub(crate) fn memory(&self) -> Memory {
        let backed = &self.ready.backed;
        let huge = match backed.collapsed {
            Ok(()) => backed.huge.min(backed.descriptors),
            Err(_) => 0,
        };
        let (got, page_size) = match huge {
            0 => ("base", 4096),
            _ => ("thp", 2 << 20),
        };
        let reason = match backed.collapsed {
            Ok(()) => "the descriptors of a native kernel".to_owned(),
            Err(errno) => format!(
                "the descriptors of a native kernel, which the host refused to collapse: \
                 errno {errno}"
            ),
        };
        Memory {
            asked: "thp".to_owned(),
            got: got.to_owned(),
            bytes_total: backed.descriptors,
            bytes_huge: huge,
            page_size,
            source: "smaps".to_owned(),
            reason,
        }
    }

    /// Whether a run is one call only.
    pub(crate) fn is_once(&self) -> bool {
        self.ready.job.once
    }

    /// Counts this many calls of the loop by single steps, with what is around them.
    pub(crate) fn count(&mut self, calls: u64, bounds: Bounds) -> Result<Traffic, RunError> {
        self.session.count(calls, bounds)
    }

    /// An answer of the kernel, or 0 and the reason kept for [`Job::outside`].
    fn hear<T: Default>(&mut self, answer: Result<T, RunError>) -> T {
        answer.unwrap_or_else(|error| {
            self.dead = true;
            self.last = Err(error.to_string());
            T::default()
        })
    }
}

impl Job for KernelJob<'_> {
    fn max_iters(&self) -> u64 {
        if self.is_once() { 1 } else { u64::MAX }
    }

    // The kernel does it itself, before it reads its clock.
    fn prepare(&mut self, _: u64) {}

    fn run(&mut self, iters: u64) -> u64 {
        let answer = self.session.run(iters, LIMIT);
        let answer = answer.map(|run| (run.ticks as f64, run.raw));
        if let Ok((ticks, _)) = answer {
            self.last = Ok(ticks * self.ready.ns_per_tick);
        }
        self.hear(answer).1
    }

    fn checksum(&mut self, raw: u64) -> u64 {
        if self.dead {
            return 0;
        }
        let answer = self.session.check(raw);
        self.hear(answer)
    }

    fn elements(&self) -> u64 {
        self.ready.job.elements
    }

    fn bytes_touched(&self) -> Option<u64> {
        None
    }

    // Another process's, see `KernelJob::memory`.
    fn memory(&self) -> Vec<MemoryOf<'_>> {
        Vec::new()
    }

    fn read_linearly(&mut self, _: u64) -> Option<LinearRead> {
        None
    }

    fn outside(&self) -> Option<Outside> {
        Some(self.last.clone())
    }
}
