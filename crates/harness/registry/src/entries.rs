//! Every workload for every design: what can be entered, and what is missing and why.

use std::sync::LazyLock;

use mm::KernelVersion;
use workloads::{Params, Setup, SetupError, Then, Workload};

use crate::contenders::{CONTENDERS, DesignInfo};
use crate::find::{self, Unknown};
use crate::symbols;
use crate::table::Stamp;

/// A workload for a design, under the rules of one kernel.
#[derive(Debug)]
pub struct Entry {
    /// What is asked.
    pub workload: &'static Workload,
    /// Who answers.
    pub design: &'static DesignInfo,
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
    designs: Vec<&'static DesignInfo>,
    entries: Vec<Entry>,
    values: Vec<Number>,
}

/// A number that is worked out for a workload and a design.
struct Number {
    workload: &'static Workload,
    design: &'static DesignInfo,
    value: fn(&Setup) -> Result<f64, SetupError>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        designs: Vec::new(),
        entries: Vec::new(),
        values: Vec::new(),
    };
    for contender in CONTENDERS {
        let again = tables
            .designs
            .iter()
            .copied()
            .find(|info| info.name == contender.info.name);
        let design = again.unwrap_or(&contender.info);
        if again.is_none() {
            tables.designs.push(design);
        }
        for workload in workloads::ALL {
            let stamp = contender
                .loops
                .iter()
                .copied()
                .flatten()
                .find(|(of, _)| of.id == workload.id);
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
                // Other rules than the default ones add loops, they take none away.
                None if again.is_some() => continue,
                None => Enter::Absent(contender.lacks),
            };
            tables.entries.push(Entry {
                workload,
                design,
                rules: contender.info.rules,
                enter,
            });
        }
    }
    tables
});

/// Every design, in the order of tables and figures.
pub fn designs() -> &'static [&'static DesignInfo] {
    &TABLES.designs
}

/// Every workload, in the order of reports.
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
    let design = find::design(design)?;
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
fn loops(design: &DesignInfo, of: Option<&str>) -> Vec<usize> {
    CONTENDERS
        .iter()
        .filter(|contender| {
            contender.info.name == design.name && contender.info.rules == design.rules
        })
        .flat_map(|contender| contender.loops.iter().copied().flatten())
        .filter(|(workload, _)| of.is_none_or(|id| workload.id == id))
        .flat_map(|(_, stamp)| match stamp {
            Stamp::Timed(_, loops) => loops(),
            Stamp::Value(_) | Stamp::Code => Vec::new(),
        })
        .collect()
}
