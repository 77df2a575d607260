//! Many runs side by side, from one machine or several: `STORE/MACHINE/RUN/`.
//!
//! The folder that a run lies in names its machine, so that two machines of one model stay
//! apart; a row is identified by machine, run and what it is within the run. A store is
//! read as a whole or not at all: two records that claim to be the same, and clocks that
//! contradict each other, are refused by name.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::{ENV_FILE, RecordError, Run, SAMPLES_FILE, Tail, read_environment};

/// A run and its place in a store.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The folder that the run lies in: `epyc-vm`.
    pub machine: String,
    /// The run's own folder: `2026-11-23-a669be1`.
    pub name: String,
    /// Its contents.
    pub run: Run,
}

impl Stored {
    /// Reads a finished run; its machine is the name of the folder around it.
    ///
    /// # Errors
    ///
    /// The errors of [`Run::load`], [`StoreError::Unfinished`], and [`StoreError::Nameless`]
    /// for a path without a folder around it.
    pub fn load(dir: &Path) -> Result<Self, StoreError> {
        let (machine, name) = names(dir)?;
        let run = Run::load(dir, Tail::Refuse)?;
        if !run.env.finished {
            return Err(StoreError::Unfinished { run: dir.into() });
        }
        Ok(Self { machine, name, run })
    }

    /// Where it lies in a store: `epyc-vm/2026-11-24-0057e49`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.machine, self.name)
    }

    /// Copies the record to its place in a store, all of it or nothing. Reports and figures
    /// are not copied: the record makes them again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Record`] where the system refuses, also because there is something in
    /// that place.
    pub fn copy_into(&self, root: &Path) -> Result<PathBuf, StoreError> {
        let place = root.join(self.place());
        let machine = root.join(&self.machine);
        let attempt = || -> std::io::Result<()> {
            fs::create_dir_all(&machine)?;
            let part = tempfile::Builder::new()
                .prefix(".partial-")
                .tempdir_in(&machine)?;
            // tempfile makes private folders; a record is for everyone.
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(part.path(), fs::Permissions::from_mode(0o755))?;
            }
            for file in [ENV_FILE, SAMPLES_FILE] {
                fs::copy(self.run.dir.join(file), part.path().join(file))?;
            }
            // A folder that holds anything is not replaced.
            fs::rename(part.path(), &place)?;
            let _ = part.keep();
            Ok(())
        };
        attempt().map_err(|source| RecordError::io(&place, source))?;
        Ok(place)
    }

    /// When it began.
    fn began(&self) -> Result<Timestamp, StoreError> {
        let date = &self.run.env.date_utc;
        let refuse = || StoreError::Date {
            run: self.run.dir.clone(),
            date: date.clone(),
        };
        let time: Timestamp = date.parse().map_err(|_| refuse())?;
        // One way to write a time, so that order of text is order of time.
        (time.to_string() == *date)
            .then_some(time)
            .ok_or_else(refuse)
    }

    /// When it ended, at the earliest: a run that was resumed took longer.
    fn ended(&self) -> Result<Timestamp, StoreError> {
        let elapsed = self.run.env.elapsed_s;
        let refuse = || StoreError::Elapsed {
            run: self.run.dir.clone(),
            elapsed,
        };
        if elapsed < 0.0 {
            return Err(refuse());
        }
        let took = SignedDuration::try_from_secs_f64(elapsed).map_err(|_| refuse())?;
        self.began()?.checked_add(took).map_err(|_| refuse())
    }

    /// A name that begins with a day was given on that day.
    fn check_name(&self) -> Result<(), StoreError> {
        let Some(day) = self.name.get(..10).filter(|day| is_day(day)) else {
            return Ok(());
        };
        if self.run.env.date_utc.starts_with(day) {
            return Ok(());
        }
        Err(StoreError::Misdated {
            run: self.run.dir.clone(),
            day: day.to_owned(),
            date: self.run.env.date_utc.clone(),
        })
    }

    /// Whether both claim to be the same run: made on one machine at one time from one
    /// revision, or alike in everything that is known of how they were made.
    fn is_twin_of(&self, that: &Self) -> bool {
        let (ours, theirs) = (&self.run.env, &that.run.env);
        let same = self.machine == that.machine
            && ours.machine() == theirs.machine()
            && ours.date_utc == theirs.date_utc
            && ours.git == theirs.git;
        same || ours == theirs
    }
}

fn names(dir: &Path) -> Result<(String, String), StoreError> {
    let nameless = || StoreError::Nameless { run: dir.into() };
    let whole = fs::canonicalize(dir).map_err(|source| RecordError::io(dir, source))?;
    let word = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .map(str::to_owned)
            .ok_or_else(nameless)
    };
    Ok((word(whole.parent())?, word(Some(&whole))?))
}

fn is_day(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

/// Why runs do not make a store. Every refusal names its culprit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A record is damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A run that has not come to its end.
    #[error(
        "{}: this run has not finished; resume it: folioscope compare --resume --out {0}",
        run.display()
    )]
    Unfinished {
        /// Its folder.
        run: PathBuf,
    },
    /// A path that says neither machine nor run.
    #[error("{}: not MACHINE/RUN: the folder around a run names its machine", run.display())]
    Nameless {
        /// The path.
        run: PathBuf,
    },
    /// A date that cannot be put into order.
    #[error("{}: field `date_utc`: `{date}` is not a UTC time such as 2026-11-23T01:02:03Z",
        run.join(ENV_FILE).display())]
    Date {
        /// The run.
        run: PathBuf,
        /// The quantity in words.
        date: String,
    },
    /// A run of negative duration.
    #[error("{}: field `elapsed_s`: {elapsed} s: its clock went backwards while it ran",
        run.join(ENV_FILE).display())]
    Elapsed {
        /// The run.
        run: PathBuf,
        /// Its value in seconds.
        elapsed: f64,
    },
    /// A run whose name and clock disagree about the day.
    #[error(
        "{}: its name says {day}, its clock {date}: one of the two is wrong; rename the folder \
         if the clock was right, leave the run out if not",
        run.display()
    )]
    Misdated {
        /// The run.
        run: PathBuf,
        /// The day in its name.
        day: String,
        /// Its date.
        date: String,
    },
    /// A run that began before the one before it on the same machine had ended.
    #[error(
        "{}: began at {date}, before {} had ended at {ended}: the clock of {machine} went \
         backwards, or two runs shared the machine; leave one of them out",
        run.display(), before.display()
    )]
    Backwards {
        /// The run.
        run: PathBuf,
        /// When it began.
        date: String,
        /// The run before it.
        before: PathBuf,
        /// When that had ended, at the earliest.
        ended: String,
        /// The machine.
        machine: String,
    },
    /// Two runs that claim to be the same.
    #[error(
        "{} and {}: two records with the same identity (machine {machine}, begun {date}); leave one out",
        first.display(), second.display()
    )]
    Twice {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The machine of the first.
        machine: String,
        /// When they began.
        date: String,
    },
    /// Two runs that would lie in one place.
    #[error(
        "{} and {}: two runs called {place}; rename one of the folders",
        first.display(), second.display()
    )]
    SamePlace {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// `machine/run`.
        place: String,
    },
}

/// Runs that do not contradict each other, by machine and then by time.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// The runs.
    pub runs: Vec<Stored>,
    /// Runs below the root that have not finished and were left out.
    pub unfinished: Vec<PathBuf>,
}

impl Store {
    /// Reads every run below a folder ([`run_folders`]); what has not finished is left out
    /// and named.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the first damaged record, or what [`Store::of`] refuses.
    pub fn below(root: &Path) -> Result<Self, StoreError> {
        let mut runs = Vec::new();
        let mut unfinished = Vec::new();
        for run in run_folders(root)? {
            if read_environment(&run.join(ENV_FILE))?.finished {
                runs.push(Stored::load(&run)?);
            } else {
                unfinished.push(run);
            }
        }
        let store = Self::of(runs)?;
        Ok(Self {
            unfinished,
            ..store
        })
    }

    /// Puts runs side by side.
    ///
    /// # Errors
    ///
    /// [`StoreError`] about names, identities and clocks.
    pub fn of(mut runs: Vec<Stored>) -> Result<Self, StoreError> {
        for run in &runs {
            run.check_name()?;
            run.ended()?;
        }
        runs.sort_by(|a, b| {
            (&a.machine, &a.run.env.date_utc).cmp(&(&b.machine, &b.run.env.date_utc))
        });
        for (at, first) in runs.iter().enumerate() {
            for second in &runs[at + 1..] {
                if first.is_twin_of(second) {
                    return Err(StoreError::Twice {
                        first: first.run.dir.clone(),
                        second: second.run.dir.clone(),
                        machine: first.machine.clone(),
                        date: first.run.env.date_utc.clone(),
                    });
                }
                if first.place() == second.place() {
                    return Err(StoreError::SamePlace {
                        first: first.run.dir.clone(),
                        second: second.run.dir.clone(),
                        place: first.place(),
                    });
                }
            }
        }
        for pair in runs.windows(2) {
            check_order(&pair[0], &pair[1])?;
        }
        Ok(Self {
            runs,
            unfinished: Vec::new(),
        })
    }
}

/// One machine runs one run at a time. Dates are whole seconds, rounded down.
fn check_order(before: &Stored, after: &Stored) -> Result<(), StoreError> {
    const SECOND: SignedDuration = SignedDuration::from_secs(1);
    let ended = before.ended()?;
    if before.machine != after.machine || after.began()? + SECOND >= ended {
        return Ok(());
    }
    Err(StoreError::Backwards {
        run: after.run.dir.clone(),
        date: after.run.env.date_utc.clone(),
        before: before.run.dir.clone(),
        ended: ended.to_string(),
        machine: after.machine.clone(),
    })
}

/// The runs in a folder of runs (`RUN`) or of machines (`MACHINE/RUN`), in the order of
/// their names. A folder without `env.json` is not a run; names that begin with a dot are skipped.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn run_folders(root: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let mut runs = Vec::new();
    for outer in folders(root)? {
        if outer.join(ENV_FILE).is_file() {
            runs.push(outer);
        } else {
            let inner = folders(&outer)?.into_iter();
            runs.extend(inner.filter(|run| run.join(ENV_FILE).is_file()));
        }
    }
    Ok(runs)
}

/// The folders in a folder, in the order of their names.
fn folders(root: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let refuse = |source| RecordError::io(root, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
