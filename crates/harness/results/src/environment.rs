//! `env.json`: where, when and how a run was made.
//!
//! No field identifies a person or a machine (host name, user name, serial number, home
//! directory), on purpose; see [`command_without_paths`].

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::SCHEMA_VERSION;

/// The provenance of one run. Written when the run starts and again when it ends.
///
/// An `Option` that is `None` means "not available on this machine"; it is never replaced by a
/// zero. A record of another project's benchmarks, which this tool reads as it does its own, leaves
/// out what is about physical memory and about how this tool measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema: u32,
    /// Version of the tool that made the run, `0.1.0`.
    pub tool: String,
    /// The command line, one argument per element, without paths of the machine
    /// (see [`command_without_paths`]).
    pub command: Vec<String>,
    /// When the run began: RFC 3339, UTC, whole seconds (`2026-11-23T01:02:03Z`).
    pub date_utc: String,
    /// The revision of the tool's sources; `None` outside a git work tree.
    pub git: Option<Git>,
    /// `rustc --version` of the compiler that built the tool.
    pub rustc: String,
    /// Target triple that the tool was built for.
    pub target: String,
    /// How the tool was built: `optimised`, or `debug` with its assertions and overflow
    /// checks; `None` in records that did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Kernel release, as `uname -r` says.
    pub kernel: String,
    /// CPU model as /proc/cpuinfo names it.
    pub cpu_model: String,
    /// CPU as CPUID tells it; `None` where /proc/cpuinfo has no such fields, and in records
    /// that did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_id: Option<CpuId>,
    /// CPUs that the process may run on.
    pub cores: u32,
    /// The CPU that single-threaded loops stayed on; `None` where they could float, and in
    /// records that did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_cpu: Option<u32>,
    /// Data and unified caches of the first CPU, smallest level first.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// cpufreq governor of the first CPU.
    pub governor: Option<String>,
    /// The chosen word of /sys/kernel/mm/transparent_hugepage/enabled: `madvise`.
    pub thp: Option<String>,
    /// hugetlb pools, one per page size that the kernel offers.
    #[serde(default)]
    pub hugetlb: Vec<HugetlbPool>,
    /// Whether hardware counters could be opened; `None` if not tried.
    pub pmu: Option<bool>,
    /// Ticks that the hypervisor stole from all CPUs while the run was going.
    pub steal_ticks: Option<u64>,
    /// Seed of every random order and layout of the run.
    #[serde(default)]
    pub seed: u64,
    /// Time budget that was asked for, in seconds.
    #[serde(default)]
    pub budget_s: f64,
    /// Time that the run took, in seconds; 0 until it has finished.
    pub elapsed_s: f64,
    /// How its processes spent that time; `None` in records that did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// Whether `--quick` shortened the run.
    #[serde(default)]
    pub quick: bool,
    /// Whether the run came to its end. `false` marks an interrupted run.
    pub finished: bool,
    /// Fresh processes per (workload, params).
    pub processes: u32,
    /// Interleaved rounds per process that the run aimed at.
    #[serde(default)]
    pub rounds: u32,
    /// The clock that the rounds were timed with.
    #[serde(default = "Clock::unknown")]
    pub clock: Clock,
    /// Read bandwidth measured in this run, one entry per mapping kind.
    #[serde(default)]
    pub read_bandwidth: Vec<Bandwidth>,
    /// The rows of a finished run; `None` until then, and in records that did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowSum>,
}

/// How the processes of a run spent their time, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// Setting contenders up, checking their answers, and tearing them down.
    #[serde(deserialize_with = "seconds")]
    pub setup_s: f64,
    /// Calibration and rounds.
    #[serde(deserialize_with = "seconds")]
    pub sampling_s: f64,
}

/// Reads a time that something can have taken.
fn seconds<'de, D: Deserializer<'de>>(reader: D) -> Result<f64, D::Error> {
    let seconds = f64::deserialize(reader)?;
    if seconds >= 0.0 {
        return Ok(seconds);
    }
    Err(D::Error::custom(format!("nothing takes {seconds} s")))
}

impl Spent {
    /// The part of both that is set-up, in percent; `None` where no time was spent.
    #[must_use]
    pub fn setup_percent(&self) -> Option<f64> {
        let all = self.setup_s + self.sampling_s;
        (all > 0.0).then(|| 100.0 * self.setup_s / all)
    }
}

/// The sum of a file of rows: a record that is cut at the end of a line is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSum {
    /// How many rows there are.
    pub count: u64,
    /// CRC-32 over the bytes of the file: `0x1c291ca3`.
    pub crc32: String,
}

impl RowSum {
    /// Adds up a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            count: bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
            crc32: format!("{:#010x}", crc32fast::hash(bytes)),
        }
    }
}

/// Revision of the sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Full commit id.
    pub revision: String,
    /// Whether the work tree differed from that commit.
    pub dirty: bool,
}

/// Identity of a CPU beyond its name: one name is sold with several cores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuId {
    /// `GenuineIntel`, `AuthenticAMD`, …
    pub vendor: String,
    /// Family as /proc/cpuinfo counts it.
    pub family: u32,
    /// Model within the family.
    pub model: u32,
    /// Stepping of the model.
    pub stepping: u32,
    /// Whether it says that it runs under a hypervisor.
    pub hypervisor: bool,
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} family {} model {} stepping {}{}",
            self.vendor,
            self.family,
            self.model,
            self.stepping,
            if self.hypervisor { ", virtual" } else { "" }
        )
    }
}

/// One cache of the CPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// 1, 2, 3, …
    pub level: u32,
    /// `data` or `unified`.
    pub kind: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// One hugetlb pool, as /sys/kernel/mm/hugepages shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HugetlbPool {
    /// Page size of the pool in bytes.
    pub page_bytes: u64,
    /// Pages in the pool.
    pub total: u64,
    /// Free pages.
    pub free: u64,
}

/// The clock of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// `CLOCK_MONOTONIC`, `rdtsc`, …
    pub source: String,
    /// Smallest step that was seen between two readings, in nanoseconds.
    pub resolution_ns: f64,
}

impl Clock {
    fn unknown() -> Self {
        Self {
            source: "unknown".to_owned(),
            resolution_ns: 0.0,
        }
    }
}

/// Sequential read bandwidth of one kind of mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// Backing of the mapping that was read: `thp`, `hugetlb-2m`, …
    pub backing: String,
    /// Bytes that were read per pass.
    pub bytes: u64,
    /// Bytes per second (median of the passes).
    pub bytes_per_s: f64,
}

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, unit) = match self.bytes {
            bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => (bytes >> 20, "MiB"),
            bytes => (bytes >> 10, "KiB"),
        };
        write!(f, "L{} {size} {unit}", self.level)
    }
}

/// A difference in how two runs were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name: `machine`, `kernel`, `compiler`, …
    pub what: &'static str,
    /// Value in the first run.
    pub old: String,
    /// Value in the second run.
    pub new: String,
}

impl Environment {
    /// [`Environment::profile`] of a debug build.
    pub const DEBUG: &str = "debug";

    /// An environment in which nothing is known yet. Fill in what the machine tells.
    #[must_use]
    pub fn unknown() -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            schema: SCHEMA_VERSION,
            tool: unknown(),
            command: Vec::new(),
            date_utc: "1970-01-01T00:00:00Z".to_owned(),
            git: None,
            rustc: unknown(),
            target: unknown(),
            profile: None,
            kernel: unknown(),
            cpu_model: unknown(),
            cpu_id: None,
            cores: 1,
            pinned_cpu: None,
            caches: Vec::new(),
            governor: None,
            thp: None,
            hugetlb: Vec::new(),
            pmu: None,
            steal_ticks: None,
            seed: 0,
            budget_s: 0.0,
            elapsed_s: 0.0,
            spent: None,
            quick: false,
            finished: false,
            processes: 0,
            rounds: 0,
            clock: Clock::unknown(),
            read_bandwidth: Vec::new(),
            rows: None,
        }
    }

    /// Tells machines apart without naming them: CPU, count of CPUs, caches shared by
    /// more than a thread, CPUID where it was recorded, and target. Two processors that are
    /// sold under one name differ in their caches.
    #[must_use]
    pub fn machine(&self) -> String {
        let mut words = vec![self.cpu_model.clone(), format!("{} CPUs", self.cores)];
        let outer = self.caches.iter().filter(|cache| cache.level > 1);
        words.extend(outer.map(Cache::to_string));
        words.extend(self.cpu_id.as_ref().map(CpuId::to_string));
        words.push(self.target.clone());
        words.join(", ")
    }

    /// The machine and the kernel on it: what runs must share to stand in one series.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}, Linux {}", self.machine(), self.kernel)
    }

    /// Whether two runs may have been made on one machine: they agree in all that both say.
    #[must_use]
    pub fn may_be_one_machine(&self, that: &Self) -> bool {
        let known = |env: &Self, id: &Option<CpuId>| Self {
            cpu_id: id.clone(),
            ..env.clone()
        };
        // Records from before CPUID was kept agree with both.
        match (&self.cpu_id, &that.cpu_id) {
            (Some(_), Some(_)) => self.machine() == that.machine(),
            _ => known(self, &None).machine() == known(that, &None).machine(),
        }
    }

    /// Differences between two runs in machine, kernel, compiler and way of measuring.
    #[must_use]
    pub fn differences(&self, that: &Self) -> Vec<Difference> {
        [
            ("machine", Self::machine as fn(&Self) -> String),
            ("kernel", |env| env.kernel.clone()),
            ("compiler", |env| env.rustc.clone()),
            ("profile", |env| {
                env.profile.clone().unwrap_or_else(|| "unknown".to_owned())
            }),
            ("length", |env| {
                if env.quick { "quick" } else { "full" }.to_owned()
            }),
            ("processes", |env| env.processes.to_string()),
            ("THP", |env| {
                env.thp.clone().unwrap_or_else(|| "unknown".to_owned())
            }),
        ]
        .into_iter()
        .map(|(what, of)| Difference {
            what,
            old: of(self),
            new: of(that),
        })
        .filter(|difference| difference.old != difference.new)
        .collect()
    }

    /// Whether a debug build made the run: its times say nothing of the code that is compared.
    #[must_use]
    pub fn is_of_a_debug_build(&self) -> bool {
        self.profile.as_deref() == Some(Self::DEBUG)
    }

    /// Short revision, with `+` where the work tree was changed.
    #[must_use]
    pub fn short_revision(&self) -> String {
        self.git.as_ref().map_or_else(
            || "unknown".to_owned(),
            |git| {
                let short = git.revision.get(..7).unwrap_or(&git.revision);
                format!("{short}{}", if git.dirty { "+" } else { "" })
            },
        )
    }

    /// The command line as one line of shell, arguments quoted where they need it.
    #[must_use]
    pub fn command_line(&self) -> String {
        let quoted: Vec<String> = self.command.iter().map(|arg| quote(arg)).collect();
        quoted.join(" ")
    }
}

/// A command line for the record: the program's bare name, and every absolute path cut
/// down to its last component, because home directories name people.
///
/// `--out=/home/someone/runs/a` becomes `--out=a`.
#[must_use]
pub fn command_without_paths<S: AsRef<str>>(args: &[S]) -> Vec<String> {
    let last = |path: &str| {
        let trimmed = path.trim_end_matches('/');
        trimmed.rsplit('/').next().unwrap_or("").to_owned()
    };
    let clean = |(index, arg): (usize, &S)| {
        let arg = arg.as_ref();
        match arg.split_once('=') {
            _ if index == 0 => last(arg),
            _ if is_machine_path(arg) => last(arg),
            Some((flag, path)) if is_machine_path(path) => format!("{flag}={}", last(path)),
            _ => arg.to_owned(),
        }
    };
    args.iter().enumerate().map(clean).collect()
}

fn is_machine_path(arg: &str) -> bool {
    arg.starts_with('/') || arg.starts_with("~")
}

fn quote(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}
