//! A kernel that can be asked: its image, the module built for it, and the emulator.

use conformance::case::{Answer, Case, Operation, Refusal};
use conformance::reference::{Bio, Change, build_in, evaluate_in};
use mm::{KernelVersion, SECTOR_SIZE};
use results::{KernelCounts, KernelIdentity};

use crate::arena::Unplaceable;
use crate::count::{Sections, read_counts};
use crate::error::{OracleError, io_error};
use crate::guest::{Done, Emulator, Job};
use crate::kernel::Kernel;
use crate::kernel_answer::KernelAnswer;
use crate::module::{Parts, build, source_hash};
use crate::question::{MAX_ADDS, MAX_BIOS, read, write};
use crate::store::Store;
use crate::traffic::{Traced, traffic_of};
use crate::wire::{Batch, WireError};
use trace::Plugin;

/// A kernel that can be asked cases and that counts.
#[derive(Clone, Debug)]
pub struct Oracle {
    kernel: Kernel,
    store: Store,
    emulator: Emulator,
}

impl Oracle {
    /// Makes sure that emulator and module are to be had, so that failures come before any
    /// long work.
    ///
    /// # Errors
    /// [`OracleError::NoQemu`], [`OracleError::NoCompiler`], [`OracleError::ModuleBuild`].
    pub fn open(kernel: Kernel, store: Store, emulator: Emulator) -> Result<Self, OracleError> {
        emulator.version()?;
        build(&kernel, Parts::Cases, &store)?;
        Ok(Self {
            kernel,
            store,
            emulator,
        })
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Who answers when these parts of the module are loaded.
    ///
    /// # Errors
    /// As [`Oracle::open`].
    pub fn identity(&self, parts: Parts) -> Result<KernelIdentity, OracleError> {
        Ok(KernelIdentity {
            release: self.kernel.release.clone(),
            rules: self.kernel.rules.name().into(),
            package: self.kernel.package.clone(),
            qemu: self.emulator.version()?,
            compiler: build(&self.kernel, parts, &self.store)?.compiler,
            module: source_hash(parts),
        })
    }

    /// Asks all cases in one boot. The answers are in the cases' order; the cases' own `rules`
    /// play no part in a real kernel.
    ///
    /// # Errors
    /// Anything of [`OracleError`]; then no answer of this boot is given. Cases that the guest
    /// cannot hold, and those on which the reference says that the kernel would stop, are
    /// refused before the boot.
    pub fn ask(&self, cases: &[Case]) -> Result<Vec<KernelAnswer>, OracleError> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        for case in cases {
            askable(case, self.kernel.rules, None, &self.kernel.release)?;
        }
        let text =
            write(cases).map_err(|(name, reason)| OracleError::Unplaceable { name, reason })?;
        let module = build(&self.kernel, Parts::Cases, &self.store)?;
        let job = Job {
            cases: Some(text),
            ..Job::default()
        };
        let done = self.emulator.run(&self.kernel, &module.path, &job)?;
        let batch = self.batch(&done.batches, "cases")?;
        read(cases, batch).map_err(|source| self.wire(source))
    }

    /// Lets the kernel count its primitives; `args` goes to the module's counting part as it
    /// is, empty for everything.
    ///
    /// # Errors
    /// Anything of [`OracleError`]; then no count of this boot is given.
    pub fn count(&self, args: &str) -> Result<KernelCounts, OracleError> {
        let done = self.boot_to_count(args, None)?;
        Ok(self.read_counts(&done)?.0)
    }

    /// The same with the memory traffic of every primitive, where the emulator takes plugins.
    ///
    /// # Errors
    /// As [`Oracle::count`]. That nothing can be traced is no error, but part of the result.
    pub fn trace(&self, args: &str) -> Result<Traced, OracleError> {
        let work = tempfile::tempdir().map_err(io_error("making a directory for the plugin"))?;
        let program = &self.emulator.program;
        let plugin = match Plugin::build(program, "qemu-system-x86", work.path()) {
            Ok(plugin) => plugin,
            Err(why) => {
                return Ok(Traced {
                    counts: self.count(args)?,
                    traffic: Err(why),
                });
            }
        };
        let done = self.boot_to_count(args, Some(plugin))?;
        let (counts, sections) = self.read_counts(&done)?;
        let rows = traffic_of(self.kernel.rules, &counts, &sections, &done.trace)?;
        Ok(Traced {
            counts,
            traffic: Ok(rows),
        })
    }

    fn boot_to_count(&self, args: &str, trace: Option<Plugin>) -> Result<Done, OracleError> {
        let module = build(&self.kernel, Parts::All, &self.store)?;
        let job = Job {
            cases: None,
            count: Some(args.into()),
            trace,
        };
        self.emulator.run(&self.kernel, &module.path, &job)
    }

    fn read_counts(&self, done: &Done) -> Result<(KernelCounts, Vec<Sections>), OracleError> {
        read_counts(self.batch(&done.batches, "count")?).map_err(|source| self.wire(source))
    }

    fn batch<'a>(&self, batches: &'a [Batch], name: &str) -> Result<&'a Batch, OracleError> {
        batches
            .iter()
            .find(|batch| batch.name == name)
            .ok_or_else(|| self.wire(WireError::Missing(name.into())))
    }

    fn wire(&self, source: WireError) -> OracleError {
        OracleError::Wire {
            kernel: self.kernel.release.clone(),
            source,
        }
    }
}

/// Whether a kernel with these rules, and what a patch changed of them, can be asked that case,
/// else why not.
pub(crate) fn askable(
    case: &Case,
    rules: KernelVersion,
    change: Option<Change>,
    release: &str,
) -> Result<(), OracleError> {
    let name = case.name.clone();
    let bios = case.adds.last().map_or(0, |add| usize::from(add.bio) + 1);
    if bios > MAX_BIOS || case.adds.len() > MAX_ADDS {
        let reason = Unplaceable::Size {
            bios,
            adds: case.adds.len(),
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    if let Some(at) = case.adds.iter().position(|add| add.pgmap.is_some()) {
        let reason = Unplaceable::Impossible {
            field: format!("adds[{at}].pgmap"),
            reason: "the module's memory is ordinary: the kernels run here have no device with \
                     memory of its own"
                .into(),
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    if case.op == Operation::ZoneAppend {
        let reason = Unplaceable::Impossible {
            field: "op".into(),
            reason: "the module's device has no zones to append to".into(),
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    let here = Case {
        rules,
        ..case.clone()
    };
    if let Err(no) = here.check() {
        let reason = Unplaceable::Impossible {
            field: no.field,
            reason: no.reason,
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    // Later kernels refuse such a bio; these split it, at its end if need be, which is a BUG.
    let built = build_in(&here, change);
    let whole = built.bios.iter().all(whole_sectors);
    if here.rules < KernelVersion::V6_12 && !whole {
        let reason = Unplaceable::Impossible {
            field: "adds".into(),
            reason: "a bio is not a whole number of sectors, which this kernel does not check"
                .into(),
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    if let Err(no) = here.check_clones_of(&built) {
        let reason = Unplaceable::Impossible {
            field: no.field,
            reason: no.reason,
        };
        return Err(OracleError::Unplaceable { name, reason });
    }
    match evaluate_in(&here, change) {
        Answer::Refused(refused) if refused.error == Refusal::Bug => Err(OracleError::WouldStop {
            name,
            kernel: release.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn whole_sectors(bio: &Bio) -> bool {
    bio.size().is_multiple_of(SECTOR_SIZE)
}

#[cfg(test)]
mod tests {
    use conformance::case::parse_lines;

    use super::*;

    #[test]
    fn what_the_module_has_not_is_left_out_with_a_reason() {
        for (line, field, words) in [
            (
                r#"{"name":"n","rules":"7.2","adds":[{"pfn":8,"len":512},{"pfn":9,"len":512,"pgmap":1}]}"#,
                "adds[1].pgmap",
                "memory is ordinary",
            ),
            (
                r#"{"name":"n","rules":"6.12","op":"zone-append","limits":{"chunk_sectors":8,"max_zone_append_sectors":8},"adds":[{"pfn":8,"len":512}]}"#,
                "op",
                "no zones",
            ),
        ] {
            let (_, case) = parse_lines(line.as_bytes()).next().expect("a line");
            let case = case.expect("it is a case");
            let error = askable(&case, case.rules, None, "k").expect_err("it is left out");
            let text = format!("{error:?}");
            assert!(text.contains(field) && text.contains(words), "{text}");
        }
    }
}
