//! The parent of a comparison in lock-step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hugemem::{Backing, LentMemory, process};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use results::{LockstepRow, Params, Period, Status};
use stats::median;
use tempfile::TempDir;

use super::peer::Peer;
pub use super::peer::PeerError;
use super::protocol::{Answer, Ask, Hello, Task};

/// Nanoseconds of a turn. Shorter ones refill caches more than they work, longer ones are
/// disturbed one by one.
const TURN_NS: u64 = 100_000;
/// Processes that take turns: old, new, and old once more as its own control.
const SIDES: usize = 3;
/// Assignments of memory to processes, so that each process has had each memory.
const PERIODS: usize = SIDES;
/// Blocks of one assignment: a median of fewer says little.
const MIN_BLOCKS: u32 = 7;
/// Blocks that are enough: what is left then is not noise within a process.
const MAX_BLOCKS: u32 = 40;

/// The side whose build a process is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// From before.
    Old,
    /// From after.
    New,
}

/// A loop to be compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Loop {
    /// Identifier of the workload.
    pub workload: String,
    /// Name of the design.
    pub design: String,
    /// Its parameters, complete.
    pub params: Params,
    /// Name of one element.
    pub unit: String,
    /// The backing of its descriptors, where no memory is lent.
    pub backing: Backing,
}

/// How to compare.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Programs of the old side; sets take them in turn.
    pub old: Vec<PathBuf>,
    /// Programs of the new side.
    pub new: Vec<PathBuf>,
    /// Sets of fresh processes.
    pub sets: u32,
    /// Seed of every random order.
    pub seed: u64,
    /// When the last loop should be done.
    pub deadline: Instant,
    /// Whether the processes take turns on the same memory.
    pub crossover: bool,
    /// Percent by which the new side is slowed down.
    pub burn_percent: f64,
}

/// The rows of a comparison, and how it was made.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Compared {
    /// One row for each loop and set that was reached.
    pub rows: Vec<LockstepRow>,
    /// Whether addresses were fixed in all processes.
    pub fixed_addresses: bool,
    /// Whether somebody asked to stop.
    pub stopped: bool,
}

/// The comparison could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockstepError {
    /// A program that takes no turns.
    #[error("{}: {why}", program.display())]
    Peer {
        /// The program.
        program: PathBuf,
        /// Why.
        why: PeerError,
    },
    /// There is no room for copies of the programs.
    #[error("cannot copy the programs: {0}")]
    Copy(io::Error),
    /// The system gave no memory to lend, or no CPU to stay on.
    #[error(transparent)]
    System(#[from] hugemem::Error),
}

/// Returns the greeting of a program: its revision, compiler and profile.
///
/// # Errors
/// [`LockstepError::Peer`] for one that takes no turns.
pub fn hello(program: &Path, command: Command) -> Result<Hello, LockstepError> {
    let started = Peer::start(command);
    let refused = |why| LockstepError::Peer {
        program: program.to_owned(),
        why,
    };
    started.map(|(_, hello)| hello).map_err(refused)
}

/// Compares all loops until the deadline. `launch` makes the command of a program at a path, given
/// the index of its set; `watch` gets the set and how many of its loops are done.
///
/// # Errors
/// [`LockstepError`] for a program that takes no turns; what goes wrong with a loop is a row.
pub fn run(
    loops: &[Loop],
    settings: &Settings,
    launch: &dyn Fn(&Path, u32) -> Command,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(u32, usize),
) -> Result<Compared, LockstepError> {
    // A process that waits on another CPU is woken late. The processes inherit this CPU.
    let before = process::allowed_cpus()?;
    if let Some(cpu) = before.last() {
        process::pin_to(*cpu)?;
    }
    let mut session = Session {
        settings,
        launch,
        compared: Compared {
            fixed_addresses: true,
            ..Compared::default()
        },
    };
    let done = session.all(loops, stop, watch);
    process::pin_to_any(&before)?;
    done.map(|()| session.compared)
}

struct Session<'a> {
    settings: &'a Settings,
    launch: &'a dyn Fn(&Path, u32) -> Command,
    compared: Compared,
}

/// The processes of one set, and the memory that they take turns on.
struct Set {
    index: u32,
    builds: [usize; SIDES],
    peers: [Peer; SIDES],
    memories: Vec<LentMemory>,
    /// Their programs.
    _copies: TempDir,
}

impl Session<'_> {
    fn all(
        &mut self,
        loops: &[Loop],
        stop: &AtomicBool,
        watch: &mut dyn FnMut(u32, usize),
    ) -> Result<(), LockstepError> {
        for index in 0..self.settings.sets {
            let mut set = self.set(index)?;
            let seed = self.settings.seed ^ (u64::from(index) << 32);
            let mut order: Vec<&Loop> = loops.iter().collect();
            order.shuffle(&mut Pcg64Mcg::seed_from_u64(seed));
            for (done, of) in order.iter().enumerate() {
                self.compared.stopped |= stop.load(Ordering::Relaxed);
                let now = Instant::now();
                let left = self.settings.deadline.saturating_duration_since(now);
                if self.compared.stopped || left.is_zero() {
                    return Ok(());
                }
                watch(index, done);
                let to_do =
                    order.len() - done + order.len() * (self.settings.sets - 1 - index) as usize;
                let share = left / u32::try_from(to_do).unwrap_or(u32::MAX);
                let row = set.compare(of, self.settings, share);
                // A process that died takes no more turns; the others are as they were.
                let died = matches!(&row.status, Status::Err(why) if why.starts_with(crate::DIED));
                self.compared.rows.push(row);
                if died {
                    set = self.set(index)?;
                }
            }
        }
        Ok(())
    }

    /// Starts the processes of a set.
    fn set(&mut self, index: u32) -> Result<Set, LockstepError> {
        let (old, new) = (&self.settings.old, &self.settings.new);
        let turn = index as usize;
        let builds = [turn % old.len(), turn % new.len(), (turn + 1) % old.len()];
        let programs = [&old[builds[0]], &new[builds[1]], &old[builds[2]]];
        // Where a program's pages lie in physical memory makes a difference, as their content does,
        // and processes of one file share them: each gets a copy, in each set another one. Their
        // paths are of one length, since a path stands on the stack.
        let copies = tempfile::tempdir().map_err(LockstepError::Copy)?;
        let mut start = |side: &str, program: &PathBuf| {
            let copy = copies.path().join(side);
            fs::copy(program, &copy).map_err(LockstepError::Copy)?;
            let (started, fixed) =
                process::with_fixed_addresses(|| Peer::start((self.launch)(&copy, index)));
            let (peer, _) = started.map_err(|why| LockstepError::Peer {
                program: program.clone(),
                why,
            })?;
            self.compared.fixed_addresses &= fixed;
            Ok::<Peer, LockstepError>(peer)
        };
        let peers = [
            start("one", programs[0])?,
            start("new", programs[1])?,
            start("two", programs[2])?,
        ];
        let lent = if self.settings.crossover { SIDES } else { 0 };
        let memories = (0..lent).map(|_| LentMemory::new());
        Ok(Set {
            index,
            builds,
            peers,
            memories: memories.collect::<Result<_, _>>()?,
            _copies: copies,
        })
    }
}

/// A loop that all three processes have set up.
struct Entered {
    iters: u64,
    elements: u64,
    memory: String,
}

impl Set {
    /// Compares one loop, in about `share` of time.
    fn compare(&mut self, of: &Loop, settings: &Settings, share: Duration) -> LockstepRow {
        let mut row = LockstepRow {
            workload: of.workload.clone(),
            design: of.design.clone(),
            params: of.params.clone(),
            unit: of.unit.clone(),
            set: self.index,
            builds: self.builds,
            memory: String::new(),
            periods: Vec::new(),
            status: Status::Ok,
        };
        // All periods take turns of as many calls.
        let mut iters = None;
        for period in 0..PERIODS {
            let begin = Instant::now();
            let done = self.enter(of, settings, period).and_then(|entered| {
                let iters = *iters.get_or_insert(entered.iters);
                row.memory.clone_from(&entered.memory);
                let until = begin + share / PERIODS as u32;
                self.blocks(iters, iters * entered.elements, until)
            });
            // Also after a refusal: the others still have theirs.
            for peer in &mut self.peers {
                let _ = peer.ask(&Ask::Leave);
            }
            match done {
                Ok(period) => row.periods.push(period),
                Err(status) => {
                    row.periods.clear();
                    row.status = status;
                    return row;
                }
            }
        }
        row
    }

    /// Has all sides set the loop up, each on the memory that is its own in this period.
    fn enter(&mut self, of: &Loop, settings: &Settings, period: usize) -> Result<Entered, Status> {
        let mut entered: Option<(Entered, u64)> = None;
        for (side, peer) in self.peers.iter_mut().enumerate() {
            let lent = self.memories.get((side + period) % SIDES);
            let answer = peer.ask(&Ask::Enter(Box::new(Task {
                workload: of.workload.clone(),
                design: of.design.clone(),
                params: of.params.clone(),
                backing: if lent.is_some() {
                    Backing::Tmpfs
                } else {
                    of.backing
                },
                seed: settings.seed,
                arena_shift: u64::from(self.index),
                memory: lent.map(LentMemory::path),
                turn_ns: TURN_NS,
                burn_percent: if side == 1 {
                    settings.burn_percent
                } else {
                    0.0
                },
            })));
            let Answer::Ready {
                iters,
                elements,
                checksum,
                memory,
            } = answer
            else {
                return Err(refusal(answer, side));
            };
            match &entered {
                None => {
                    let here = Entered {
                        iters,
                        elements,
                        memory,
                    };
                    entered = Some((here, checksum));
                }
                Some((first, answer)) if first.elements == elements && *answer == checksum => {}
                Some(_) => {
                    return Err(Status::Err(
                        "the two builds do different work: their answers or element counts differ"
                            .to_owned(),
                    ));
                }
            }
        }
        let missing = || Status::Err("nobody set it up".to_owned());
        entered.map(|(entered, _)| entered).ok_or_else(missing)
    }

    /// Takes turns: one block to warm up, then as many as fit.
    fn blocks(&mut self, iters: u64, elements: u64, until: Instant) -> Result<Period, Status> {
        let (mut old, mut new, mut null) = (Vec::new(), Vec::new(), Vec::new());
        let mut block = 0;
        while block <= MAX_BLOCKS && (block <= MIN_BLOCKS || Instant::now() < until) {
            let logs = self.block(iters, block as usize)?;
            if block > 0 {
                old.push(logs[0]);
                new.push(logs[1] - logs[0]);
                null.push(logs[2] - logs[0]);
            }
            block += 1;
        }
        let middle = |logs: &[f64]| median(logs).map_or(f64::NAN, f64::exp);
        Ok(Period {
            old_ns: middle(&old) / elements as f64,
            new: middle(&new),
            null: middle(&null),
            blocks: block - 1,
        })
    }

    /// Two turns of each side, forwards and backwards, so that a machine that becomes slower does
    /// so for all alike. Returns the mean logarithm of each side's turns.
    fn block(&mut self, iters: u64, index: usize) -> Result<[f64; SIDES], Status> {
        let forwards = (0..SIDES).map(|at| (at + index) % SIDES);
        let turns: Vec<usize> = forwards.clone().chain(forwards.rev()).collect();
        let mut logs = [0.0; SIDES];
        for side in turns {
            match self.peers[side].ask(&Ask::Turn(iters)) {
                Answer::Took(ns) => logs[side] += (ns.max(1) as f64).ln() / 2.0,
                answer => return Err(refusal(answer, side)),
            }
        }
        Ok(logs)
    }
}

/// The status of a row whose side refused, as its answer says it.
fn refusal(answer: Answer, side: usize) -> Status {
    let of = if side == 1 { "new" } else { "old" };
    match answer {
        // What old has and new lacks is lost; what old lacks was never there.
        Answer::No(Status::Absent(why)) if side == 1 => {
            Status::Err(format!("the new build lacks it: {why}"))
        }
        Answer::No(Status::Absent(why)) => Status::Absent(why),
        // Its beginning says that a process died.
        Answer::No(Status::Err(why)) if why.starts_with(crate::DIED) => Status::Err(why),
        Answer::No(Status::Err(why)) => Status::Err(format!("{of}: {why}")),
        answer => Status::Err(format!("{of}: an answer to something else: {answer:?}")),
    }
}
