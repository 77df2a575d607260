//! The committed records of real kernels and of the models beside them, read as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::look::is_kernel;
use crate::{
    ENV_FILE, KernelIdentity, KernelRecord, Miss, ModelCount, Reason, RecordError, Run, Tail,
    read_environment, read_list, run_folders,
};

/// A kernel's record of which only the counts are looked at.
pub type CountedKernel = KernelRecord<IgnoredAny>;

/// The records of the models beside the kernels.
#[derive(Debug, Clone, Default)]
pub struct FidelityRecord {
    /// The models' counts.
    pub models: Vec<ModelCount>,
    /// Why ratios are as they are.
    pub reasons: Vec<Reason>,
    /// Misses that are known, with their causes.
    pub known: Vec<Miss>,
}

impl FidelityRecord {
    /// The list of what is known to be out of bounds.
    pub const MISSES_FILE: &str = "misses.jsonl";

    /// Returns the file of the models' counts below `bench-results`.
    #[must_use]
    pub fn model_file(bench_results: &Path) -> PathBuf {
        bench_results.join("fidelity").join("model.jsonl")
    }

    /// Reads the records below `bench-results`.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with file, line and field.
    pub fn read(bench_results: &Path) -> Result<Self, RecordError> {
        let folder = bench_results.join("fidelity");
        Ok(Self {
            models: read_list(&Self::model_file(bench_results))?,
            reasons: read_list(&folder.join("reasons.jsonl"))?,
            known: read_list(&folder.join(Self::MISSES_FILE))?,
        })
    }
}

/// Reads the counts of every recorded kernel below `bench-results`, oldest first.
///
/// # Errors
///
/// [`RecordError`] with file, line and field.
pub fn read_kernels(bench_results: &Path) -> Result<Vec<CountedKernel>, RecordError> {
    let files = fs::read_dir(bench_results.join("kernel"));
    let mut kernels = files
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .map(|path| KernelRecord::read(&path))
        .collect::<Result<Vec<CountedKernel>, _>>()?;
    kernels.sort_by_cached_key(|kernel| kernel.identity.release_numbers());
    Ok(kernels)
}

/// The folder of runs that are not kept, below `bench-results`.
pub const LOCAL_DIR: &str = "local";

/// Returns the newest finished run below `bench-results` with a real kernel in it; none where
/// there is no such run. With `only_kept`, runs below `local` are left out.
///
/// # Errors
///
/// [`RecordError`] for a run that does not read.
pub fn newest_with_kernels(
    bench_results: &Path,
    only_kept: bool,
) -> Result<Option<PathBuf>, RecordError> {
    for folder in newest_first(bench_results, only_kept)? {
        if has_kernel(&Run::load(&folder, Tail::Refuse)?) {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Reads the finished runs below `bench-results` that have a real kernel and are kept (not
/// below `local`), the newest first, each with its folder.
///
/// # Errors
///
/// [`RecordError`] for a run that does not read.
pub fn kept_with_kernels(bench_results: &Path) -> Result<Vec<(PathBuf, Run)>, RecordError> {
    let mut runs = Vec::new();
    for folder in newest_first(bench_results, true)? {
        let run = Run::load(&folder, Tail::Refuse)?;
        if has_kernel(&run) {
            runs.push((folder, run));
        }
    }
    Ok(runs)
}

fn has_kernel(run: &Run) -> bool {
    run.samples().any(|sample| is_kernel(&sample.design))
}

/// The folders of finished runs, the newest first.
fn newest_first(bench_results: &Path, only_kept: bool) -> Result<Vec<PathBuf>, RecordError> {
    let local = bench_results.join(LOCAL_DIR);
    let mut runs: Vec<(String, PathBuf)> = Vec::new();
    for folder in run_folders(bench_results)? {
        if only_kept && folder.starts_with(&local) {
            continue;
        }
        let env = read_environment(&folder.join(ENV_FILE))?;
        if env.finished {
            runs.push((env.date_utc, folder));
        }
    }
    runs.sort();
    Ok(runs.into_iter().rev().map(|(_, folder)| folder).collect())
}

impl KernelIdentity {
    /// Returns the version without the rest of the release: `6.12` of
    /// `6.12.95+deb12-cloud-amd64`.
    #[must_use]
    pub fn version(&self) -> &str {
        let mut ends = self.release.match_indices(|c: char| !c.is_ascii_digit());
        let end = ends.nth(1).map_or(self.release.len(), |(at, _)| at);
        &self.release[..end]
    }

    fn release_numbers(&self) -> Vec<u32> {
        let numbers = self.release.split(|c: char| !c.is_ascii_digit());
        numbers.map_while(|number| number.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(release: &str) -> KernelIdentity {
        KernelIdentity {
            release: release.to_owned(),
            rules: String::new(),
            package: None,
            qemu: String::new(),
            compiler: String::new(),
            module: String::new(),
        }
    }

    #[test]
    fn a_release_is_named_by_its_first_two_numbers() {
        for (release, name) in [
            ("6.12.95+deb12-cloud-amd64", "6.12"),
            ("7.2.13+deb14-cloud-amd64", "7.2"),
            ("6.13-mine", "6.13"),
            ("7.0", "7.0"),
        ] {
            assert_eq!(kernel(release).version(), name);
        }
    }

    #[test]
    fn kernels_are_in_the_order_of_their_numbers() {
        let ordered = [
            "5.10.0-46-amd64",
            "6.1.0-50-cloud",
            "6.1.3",
            "6.12.95+deb12",
        ];
        let numbers = ordered.map(|release| kernel(release).release_numbers());
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}
