//! Where runs are: the folder of a new one, the newest unfinished one, one that is named.

use std::fs;
use std::path::{Path, PathBuf};

use results::{ENV_FILE, LOCAL_DIR, RunLock, Store, Stored, newest_with_kernels, read_environment};

use crate::failure::Failure;
use crate::layouts;
use crate::provenance;
use crate::say::say;

/// The store of results, from the work tree that we are in; else from here.
pub(crate) fn store() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here
        .ancestors()
        .find(|folder| folder.join("bench-results").is_dir());
    match root {
        // Relative where that is shorter to read.
        Some(root) if root == here => PathBuf::from("bench-results"),
        Some(root) => root.join("bench-results"),
        None => PathBuf::from("bench-results"),
    }
}

/// The store, with a committed file in it that a command needs.
///
/// # Errors
/// [`Failure::Usage`] if the file is not there.
pub(crate) fn committed(file: &str) -> Result<PathBuf, Failure> {
    let store = store();
    if store.join(file).exists() {
        return Ok(store);
    }
    Err(Failure::Usage(format!(
        "{}: not there; run it in a checkout of folioscope, whose committed results it reads",
        store.join(file).display()
    )))
}

/// The folder of runs without `--out`.
fn local() -> PathBuf {
    store().join(LOCAL_DIR)
}

/// Which runs of the store are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Among {
    /// All of them.
    All,
    /// Those that are kept: not below `local`.
    Kept,
}

/// The newest finished run of the store with a kernel in it.
///
/// # Errors
/// [`Failure::Usage`] if there is none, and for a record that does not read.
pub(crate) fn with_kernels(among: Among) -> Result<PathBuf, Failure> {
    let store = store();
    let newest = match store.is_dir() {
        true => newest_with_kernels(&store, among == Among::Kept)?,
        false => None,
    };
    newest.ok_or_else(|| {
        Failure::Usage(format!(
            "{}: no run with a kernel in it; make one: folioscope kernel build 5.10 6.12, then \
             folioscope compare --kernels",
            store.display()
        ))
    })
}

/// Runs that are named one by one, and all runs of the stores that are named.
///
/// # Errors
/// [`Failure::Usage`] for a folder without a run, a damaged record, an unfinished run that
/// is named, and runs that contradict each other.
pub(crate) fn stored(folders: &[PathBuf]) -> Result<Store, Failure> {
    let mut runs = Vec::new();
    let mut unfinished = Vec::new();
    for folder in folders {
        if folder.join(ENV_FILE).is_file() {
            runs.push(Stored::load(folder)?);
            continue;
        }
        let below = if folder.is_dir() {
            Store::below(folder)?
        } else {
            Store::default()
        };
        if below.runs.is_empty() {
            // The same words as for a single run that is not there.
            existing(folder)?;
        }
        runs.extend(below.runs);
        unfinished.extend(below.unfinished);
    }
    let store = Store::of(runs)?;
    for run in &unfinished {
        say!(
            "folioscope: {} has not finished and is left out",
            run.display()
        );
    }
    Ok(Store {
        unfinished,
        ..store
    })
}

/// Makes the folder of a new run and takes it: `out`, or the day's next free one. An empty
/// file of rows is left by a run that was killed before it had begun.
///
/// # Errors
/// [`Failure::Usage`] if `out` holds a run already, [`Failure::Wrong`] if the system refuses.
pub(crate) fn new(out: Option<&Path>, date_utc: &str) -> Result<(PathBuf, RunLock), Failure> {
    let folder = out.map_or_else(|| free(&local(), date_utc), Path::to_owned);
    fs::create_dir_all(&folder).map_err(|error| {
        Failure::Wrong(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
    })?;
    let lock = RunLock::take(&folder)?;
    let rows = fs::metadata(folder.join(results::SAMPLES_FILE));
    if folder.join(ENV_FILE).exists() || rows.is_ok_and(|rows| rows.len() > 0) {
        return Err(Failure::Usage(format!(
            "{} holds a run already; resume it with --resume, or name another folder",
            folder.display()
        )));
    }
    if let Some(other) = foreign(&folder)? {
        return Err(Failure::Usage(format!(
            "{} is not empty: there is {other} in it; name another folder",
            folder.display()
        )));
    }
    Ok((folder, lock))
}

/// Something in a folder that no run leaves there before it begins.
fn foreign(folder: &Path) -> Result<Option<String>, Failure> {
    let refused = |error| Failure::Wrong(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        let name = name.to_string_lossy().into_owned();
        // Hidden: the lock, and what a kill left of a file that was being written.
        let mut left = [results::SAMPLES_FILE, measure::plan::PLAN_FILE].contains(&name.as_str());
        // Kept after the rows' file was made: without that it is somebody else's.
        left |= name == layouts::FOLDER && folder.join(results::SAMPLES_FILE).is_file();
        if !left && !name.starts_with('.') {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn free(local: &Path, date_utc: &str) -> PathBuf {
    let day = date_utc.split('T').next().unwrap_or("undated");
    let name = format!("{day}-{}", provenance::short_revision());
    let first = local.join(&name);
    if !first.exists() {
        return first;
    }
    (2_u32..)
        .map(|n| local.join(format!("{name}.{n}")))
        .find(|folder| !folder.exists())
        .unwrap_or(first)
}

/// Returns the run to resume: `out`, or the newest unfinished one that no process holds.
///
/// # Errors
/// [`Failure::Usage`] if there is none.
pub(crate) fn unfinished(out: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = out {
        if folder.join(ENV_FILE).exists() {
            return Ok(folder.to_owned());
        }
        return Err(Failure::Usage(format!(
            "{}: no run to resume (there is no {ENV_FILE}); leave out --resume to begin one",
            folder.display()
        )));
    }
    let local = local();
    let runs = runs(&local)
        .into_iter()
        .filter(|folder| folder.join(measure::plan::PLAN_FILE).exists())
        .filter(|folder| !RunLock::is_held(folder));
    let newest = runs
        .filter_map(|folder| {
            read_environment(&folder.join(ENV_FILE))
                .ok()
                .map(|env| (env.date_utc, folder))
        })
        .max();
    newest.map(|(_, folder)| folder).ok_or_else(|| {
        Failure::Usage(format!(
            "no unfinished run under {}; name its folder with --out",
            local.display()
        ))
    })
}

/// Checks that a folder is that of a run.
///
/// # Errors
/// [`Failure::Usage`], with the runs that there are.
pub(crate) fn existing(run: &Path) -> Result<&Path, Failure> {
    if run.join(ENV_FILE).is_file() {
        return Ok(run);
    }
    let mut there: Vec<String> = runs(&local())
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    there.sort();
    there.reverse();
    there.truncate(3);
    let hint = if there.is_empty() {
        "; `folioscope compare --quick` makes one".to_owned()
    } else {
        format!("; there is {}", there.join(", "))
    };
    Err(Failure::Usage(format!(
        "{}: no run (there is no {ENV_FILE} in it){hint}",
        run.display()
    )))
}

fn runs(local: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(local)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries
        .map(|entry| entry.path())
        .filter(|folder| folder.join(ENV_FILE).is_file())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_of_the_day_gets_a_folder_of_its_own() {
        let local = tempfile::tempdir().unwrap();
        let first = free(local.path(), "2026-11-23T01:02:03Z");
        assert!(
            first
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("2026-11-23-")
        );
        fs::create_dir(&first).unwrap();
        let second = free(local.path(), "2026-11-23T01:02:03Z");
        assert!(second.to_string_lossy().ends_with(".2"));
    }

    #[test]
    fn a_folder_with_something_in_it_is_no_place_for_a_run() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error = new(Some(folder.path()), "").unwrap_err().to_string();
        assert!(error.contains("thesis.txt"), "{error}");
    }

    #[test]
    fn a_run_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        assert!(new(Some(folder.path()), "").is_ok());
        fs::write(folder.path().join(ENV_FILE), "{}").unwrap();
        let error = new(Some(folder.path()), "").unwrap_err().to_string();
        assert!(error.contains("--resume"), "{error}");
    }
}
