//! Kernels that run as programs of this machine, asked the cases that booted ones are asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use conformance::case::{Answer, Case};
use conformance::reference::{Change, evaluate_in};
use mm::KernelVersion;
use native::{InUse, Kernel, RunError, Session, Size};

use crate::check::Witness;
use crate::error::OracleError;
use crate::kernel::rules_for;
use crate::kernel_answer::KernelAnswer;
use crate::ledger::LedgerCase;
use crate::oracle::askable;
use crate::question::{read, write};
use crate::wire::{WireError, batches};

/// The time that a batch of some thousand cases may take: a hundred times what it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A native kernel, and those of its processes that wait for the next batch.
#[derive(Debug)]
pub struct NativeWitness {
    kernel: Kernel,
    name: String,
    rules: KernelVersion,
    change: Option<Change>,
    idle: Mutex<Vec<Session>>,
    /// Batches restart it, while another process may build its successor.
    _in_use: InUse,
}

impl NativeWitness {
    /// A kernel that is built. Its processes are started as they are needed.
    ///
    /// # Errors
    /// [`OracleError::NotAKernel`] if no rules are known for its version, or for its patches
    /// together.
    pub fn of(kernel: Kernel) -> Result<Self, OracleError> {
        let rules = rules_for(&kernel.version).ok_or_else(|| OracleError::NotAKernel {
            path: kernel.program.clone(),
            reason: format!("no rules are known for version {}", kernel.version),
        })?;
        let in_use = kernel.keep().map_err(|error| OracleError::NotAKernel {
            path: kernel.program.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            name: kernel.name(),
            _in_use: in_use,
            change: change_of(&kernel)?,
            kernel,
            rules,
            idle: Mutex::default(),
        })
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Returns the reference's answer for this kernel, its patch included.
    pub fn reference(&self, case: &Case) -> Answer {
        evaluate_in(case, self.change)
    }

    /// Puts accounting and lists to the kernel: for each case the lines of its answer.
    ///
    /// # Errors
    /// [`OracleError::Native`] if it warns, stops or does not answer, [`OracleError::Wire`] if
    /// its answer is not one for each case.
    pub fn ledgers(&self, cases: &[LedgerCase]) -> Result<Vec<Vec<String>>, OracleError> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        let text: String = cases
            .iter()
            .enumerate()
            .map(|(number, case)| case.write(number))
            .collect();
        let mut session = self.take()?;
        let said = session.ledger(&text, LIMIT)?;
        let answers = ledgers_of(&said, cases.len()).map_err(|source| OracleError::Wire {
            kernel: self.name.clone(),
            source,
        })?;
        self.idle().push(session);
        Ok(answers)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that waits, or a new one.
    fn take(&self) -> Result<Session, OracleError> {
        let waiting = self.idle().pop();
        match waiting {
            Some(session) => Ok(session),
            None => Ok(Session::start(&self.kernel, Size::cases())?),
        }
    }

    /// Answers, and whether the kernel is still there.
    fn answers(
        &self,
        session: &mut Session,
        cases: &[Case],
    ) -> Result<(Vec<KernelAnswer>, bool), OracleError> {
        let text =
            write(cases).map_err(|(name, reason)| OracleError::Unplaceable { name, reason })?;
        let (said, warnings) = session.cases(&text, LIMIT)?;
        let wire = |source| OracleError::Wire {
            kernel: self.name.clone(),
            source,
        };
        let batches = batches(said.as_bytes()).map_err(wire)?;
        let batch = batches
            .iter()
            .find(|batch| batch.name == "cases")
            .ok_or_else(|| wire(WireError::Missing("cases".into())))?;
        let answers = read(cases, batch).map_err(wire)?;
        let is_due = |warning: &&String| {
            let due =
                |(function, of): &(&str, Due)| warning.contains(function) && answers.iter().any(of);
            EXPECTED.iter().any(due)
        };
        match warnings.iter().find(|warning| !is_due(warning)) {
            Some(message) => Err(OracleError::Native(RunError::Warn {
                verb: "cases".to_owned(),
                message: message.clone(),
                console: native::Console::default(),
            })),
            None => Ok((answers, warnings.is_empty())),
        }
    }
}

/// The change that the patches of a kernel make to its answers; those that are not known change
/// nothing, or the check finds it.
fn change_of(kernel: &Kernel) -> Result<Option<Change>, OracleError> {
    let mut below = None;
    for change in kernel
        .patches
        .iter()
        .filter_map(|name| Change::of_patch(name))
    {
        if change.on_top_of() != below {
            return Err(OracleError::NotAKernel {
                path: kernel.program.clone(),
                reason: format!(
                    "no rules are known for {} together",
                    kernel.patches.join(" and ")
                ),
            });
        }
        below = Some(change);
    }
    Ok(below)
}

/// Whether a kernel has to warn of the case that has this answer.
type Due = fn(&KernelAnswer) -> bool;

/// Functions that warn of cases as random ones come: a fact about the case, which the models
/// are held to by its answer. Any other warning is a fault.
const EXPECTED: [(&str, Due); 2] = [
    // A request with more entries in its scatterlist than segments were counted.
    ("__blk_rq_map_sg", maps_more_than_it_counted),
    // Limits that no driver may ask for.
    ("blk_validate_limits", is_refused),
];

fn is_refused(answer: &KernelAnswer) -> bool {
    matches!(answer.answer, Answer::Refused(_))
}

fn maps_more_than_it_counted(answer: &KernelAnswer) -> bool {
    match &answer.answer {
        Answer::Taken(taken) => taken
            .bios
            .iter()
            .any(|request| request.sg.len() > request.segments as usize),
        Answer::Refused(_) => false,
    }
}

/// The answers of a batch of ledgers, if there is one for each of this many cases, in order.
fn ledgers_of(said: &str, cases: usize) -> Result<Vec<Vec<String>>, WireError> {
    let missing = || WireError::Missing("ledger".into());
    let batch = batches(said.as_bytes())?
        .into_iter()
        .find(|batch| batch.name == "ledger")
        .ok_or_else(missing)?;
    let mut answers: Vec<Vec<String>> = Vec::new();
    for (number, line) in batch.lines.into_iter().enumerate() {
        let due = format!("c {}", answers.len());
        let begins = line == due && answers.len() < cases;
        match answers.last_mut() {
            _ if begins => answers.push(Vec::new()),
            Some(answer) if !line.starts_with('c') => answer.push(line),
            _ => {
                return Err(WireError::Field {
                    batch: batch.name,
                    line: number + 1,
                    reason: format!("out of place where `{due}` comes next"),
                    text: line.chars().take(60).collect(),
                });
            }
        }
    }
    if answers.len() == cases {
        Ok(answers)
    } else {
        Err(missing())
    }
}

impl Witness for NativeWitness {
    fn release(&self) -> &str {
        &self.name
    }

    fn rules(&self) -> KernelVersion {
        self.rules
    }

    fn change(&self) -> Option<Change> {
        self.change
    }

    fn ask(&self, cases: &[Case]) -> Result<Vec<KernelAnswer>, OracleError> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        for case in cases {
            askable(case, self.rules, self.change, &self.name)?;
        }
        let mut session = self.take()?;
        // One that failed is not asked again, nor one that warned.
        let (answers, alive) = self.answers(&mut session, cases)?;
        if alive {
            self.idle().push(session);
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patches_that_change_answers_have_no_rules_together() {
        let of = |patches: &[&str]| {
            change_of(&Kernel {
                key: "k".into(),
                version: "6.12.1".into(),
                label: None,
                patches: patches.iter().map(|&name| name.to_owned()).collect(),
                compiler: "gcc".into(),
                driver: String::new(),
                bytes: 0,
                seconds: 0,
                program: "linux".into(),
            })
        };
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&["mine", "headpage"]).unwrap(), Some(Change::HeadPages));
        let strict = ["headpage", "headpage-strict"];
        assert_eq!(of(&strict).unwrap(), Some(Change::WithinHead));
        assert!(of(&strict[1..]).is_err() && of(&["headpage", "headpage"]).is_err());
        let error = of(&["headpage", "no-merge"]).unwrap_err().to_string();
        assert!(error.contains("headpage and no-merge together"), "{error}");
    }

    fn batch(lines: &[&str]) -> String {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let crc = crc32fast::hash(text.as_bytes());
        format!(
            "@begin ledger\n{text}@end ledger {} {crc:08x}\n",
            lines.len()
        )
    }

    #[test]
    fn ledgers_are_answered_one_by_one_and_in_order() {
        let good = ["c 0", "g 1 0 0 0 0", "a 0 1 0", "c 1", "e a -12"];
        let answers = ledgers_of(&batch(&good), 2).unwrap();
        assert_eq!(answers, [&good[1..3], &good[4..]]);
        for bad in [
            &good[1..],
            &good[..3],
            &["c 1", "c 0"],
            &["c 0", "c 0"],
            &["c 0", "c 1", "c 2"],
        ] {
            assert!(ledgers_of(&batch(bad), 2).is_err(), "{bad:?}");
        }
        assert!(ledgers_of("", 0).is_err());
        assert!(ledgers_of(&batch(&good).replace("g 1", "g 2"), 2).is_err());
    }
}
