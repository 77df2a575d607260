//! Every workload for every design: what can be entered, and what is missing and why.

use std::sync::{LazyLock, OnceLock};

use mm::{Capability, KernelVersion};
use results::look::Look;
use workloads::{Params, Setup, SetupError, Then, Workload, kernel};

use crate::contender::{Contender, Held};
use crate::contenders::{CONTENDERS, HELD};
use crate::find::{self, Unknown};
use crate::symbols;
use crate::table::Stamp;

/// A workload for a design, under the rules of one kernel.
#[derive(Debug)]
pub struct Entry {
    /// The workload.
    pub workload: &'static Workload,
    /// Who answers.
    pub design: &'static Contender,
    /// The kernel whose rules apply.
    pub rules: KernelVersion,
    /// How to begin.
    pub enter: Enter,
}

/// How an entry begins.
#[derive(Clone, Copy, Debug)]
pub enum Enter {
    /// Sets up a job and hands it on; everything is gone when it returns.
    Timed(fn(&Setup, Then<'_>) -> Result<(), SetupError>),
    /// An exact number, not a time: see [`Entry::value`].
    Value,
    /// The design lacks the capability: the reason, for the dash in the table.
    Absent(&'static str),
}

struct Tables {
    contenders: Vec<&'static Contender>,
    entries: Vec<Entry>,
    values: Vec<Number>,
}

/// A number that is worked out for a workload and a design.
struct Number {
    workload: &'static Workload,
    design: &'static Contender,
    value: fn(&Setup) -> Result<f64, SetupError>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        contenders: CONTENDERS.iter().chain(elsewhere().0).collect(),
        entries: Vec::new(),
        values: Vec::new(),
    };
    for &design in &tables.contenders {
        for run in design.runs {
            for workload in workloads::every() {
                let stamps = run.loops.iter().copied().flatten();
                let stamp = stamps.clone().find(|(of, _)| of.id == workload.id);
                let enter = match stamp {
                    Some((_, Stamp::Timed(enter, _))) => Enter::Timed(*enter),
                    Some((_, Stamp::Value(value))) => {
                        tables.values.push(Number {
                            workload,
                            design,
                            value: *value,
                        });
                        Enter::Value
                    }
                    Some((_, Stamp::Code)) => Enter::Value,
                    // Rules other than its own add loops, they take none away.
                    None if run.rules != design.rules => continue,
                    None if workload.family() == kernel::FAMILY => Enter::Absent(kernel::NOT_ASKED),
                    None => Enter::Absent(design.lacks.unwrap_or(lacks(workload.capability))),
                };
                tables.entries.push(Entry {
                    workload,
                    design,
                    rules: run.rules,
                    enter,
                });
            }
        }
    }
    tables
});

/// Why a design that does not say why lacks a workload.
fn lacks(capability: Capability) -> &'static str {
    match capability {
        Capability::Describe => "the design does not describe memory under these rules",
        Capability::Block => "the design has no block IO",
        Capability::Memcg => "the design charges no memory",
        Capability::Lru => "the design keeps no LRU lists",
    }
}

/// Every contender, in the order of tables and figures.
pub fn contenders() -> &'static [&'static Contender] {
    &TABLES.contenders
}

/// How every contender is drawn, in the same order.
pub fn looks() -> impl Iterator<Item = &'static Look> {
    contenders().iter().map(|contender| &contender.look)
}

/// The laws and answers of every contender, in the same order.
pub fn held() -> impl Iterator<Item = &'static Held> {
    HELD.iter().chain(elsewhere().1)
}

/// Contenders from elsewhere, and what they are held to.
type Elsewhere = (&'static [Contender], &'static [Held]);

static ELSEWHERE: OnceLock<Elsewhere> = OnceLock::new();

/// The contenders that [`also`] added; from now on none can be.
fn elsewhere() -> Elsewhere {
    *ELSEWHERE.get_or_init(|| (&[], &[]))
}

/// Why contenders from elsewhere do not take part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AlsoError {
    /// Two contenders of one name.
    #[error("there is a contender called `{0}` already; give the other another name")]
    Known(&'static str),
    /// The list was closed.
    #[error("the list was asked for already; call `registry::also` once, before anything else")]
    Late,
}

/// Adds contenders that live elsewhere, made with [`contenders!`](crate::contenders!), after those
/// of the list. A program calls this first, and then `folioscope::run`.
///
/// # Errors
/// [`AlsoError`]; the list is then as it was.
pub fn also(contenders: &'static [Contender], held: &'static [Held]) -> Result<(), AlsoError> {
    let known = |name: &str| CONTENDERS.iter().any(|known| known.name == name);
    if let Some(twice) = contenders.iter().find(|new| known(new.name)) {
        return Err(AlsoError::Known(twice.name));
    }
    let set = ELSEWHERE.set((contenders, held));
    set.map_err(|_| AlsoError::Late)
}

/// Every workload that designs answer, in the order of reports.
pub fn workloads() -> &'static [&'static Workload] {
    &workloads::ALL
}

/// Every workload for every design, designs in order, and within a design the workloads.
pub fn entries() -> &'static [Entry] {
    &TABLES.entries
}

/// The entry of a workload for a design: under the rules that the parameter `rules` names,
/// else under the design's own.
///
/// # Errors
/// [`Unknown`] for a workload or design that there is not, with near matches, and for rules
/// that the design is not run under.
pub fn entry(workload: &str, design: &str, params: &Params) -> Result<&'static Entry, Unknown> {
    let workload = find::workload(workload)?;
    let design = find::contender(design)?;
    let asked = params.get("rules").map(ToString::to_string);
    let rules = asked.unwrap_or_else(|| design.rules.name().to_owned());
    let of_design =
        |entry: &&Entry| entry.workload.id == workload.id && entry.design.name == design.name;
    entries()
        .iter()
        .filter(of_design)
        .find(|entry| entry.rules.name() == rules)
        .ok_or_else(|| {
            let known = entries()
                .iter()
                .filter(of_design)
                .map(|entry| entry.rules.name())
                .collect();
            Unknown {
                what: "rules",
                name: rules,
                near: known,
            }
        })
}

impl Entry {
    /// The number that this entry works out.
    ///
    /// # Errors
    /// [`SetupError::Absent`] for an entry without one; as setting up otherwise.
    pub fn value(&self, setup: &Setup) -> Result<f64, SetupError> {
        let found = TABLES.values.iter().find(|number| {
            number.workload.id == self.workload.id && number.design.name == self.design.name
        });
        match (self.enter, found) {
            (Enter::Absent(reason), _) => Err(SetupError::Absent(reason.to_owned())),
            (Enter::Value, Some(number)) => (number.value)(setup),
            (Enter::Value, None) => {
                let loops = loops(self.design, setup.word("of").ok().as_deref());
                Ok(symbols::code_bytes(&loops)? as f64)
            }
            (Enter::Timed(_), _) => Err(SetupError::Absent("a time, not a number".to_owned())),
        }
    }
}

/// Where the loops of a design are, under its own rules: of one workload, or of all.
fn loops(design: &Contender, of: Option<&str>) -> Vec<usize> {
    let own = design.runs.iter().find(|run| run.rules == design.rules);
    own.into_iter()
        .flat_map(|run| run.loops.iter().copied().flatten())
        .filter(|(workload, _)| of.is_none_or(|id| workload.id == id))
        .flat_map(|(_, stamp)| match stamp {
            Stamp::Timed(_, loops) => loops(),
            Stamp::Value(_) | Stamp::Code => Vec::new(),
        })
        .collect()
}
