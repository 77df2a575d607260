//! Counts of instructions over time: what the committed baselines said, commit by commit.
//!
//! A baseline has no clock of its own. When it held is when it was committed, so git is
//! asked, and outside of a git work tree there is no such history.

use std::path::Path;
use std::process::Command;

use compare::HistoryRun;
use results::{Baseline, LinesBaseline};

use crate::failure::Failure;

/// The folder of baselines in a store.
const FOLDER: &str = "baseline";

/// One point per commit and baseline that it changed, oldest first.
///
/// # Errors
/// A committed file that is not a baseline, by commit and file.
pub(super) fn committed(store: &Path) -> Result<Vec<HistoryRun>, Failure> {
    let mut points = Vec::new();
    let log = ["log", "--reverse", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"];
    let form = ["--format=%H %cd", "--", FOLDER];
    let Some(commits) = git(store, &[&log[..], &form[..]].concat()) else {
        return Ok(points);
    };
    for line in commits.lines() {
        let Some((commit, date)) = line.split_once(' ') else {
            continue;
        };
        let changed = [
            "show",
            "--format=",
            "--name-only",
            "--relative",
            "--diff-filter=d",
        ];
        let files = git(store, &[&changed[..], &[commit, "--", FOLDER]].concat());
        for file in files
            .unwrap_or_default()
            .lines()
            // The lines of loops lie beside their counts, and are not counts.
            .filter(|file| file.contains(".json") && !file.ends_with(LinesBaseline::FILE))
        {
            let of = format!("{commit}:./{file}");
            let text = git(store, &["show", &of]).unwrap_or_default();
            let baseline = Baseline::from_bytes(text.as_bytes(), Path::new(&of))?;
            points.push(HistoryRun::from_baseline(&of, commit, date, &baseline));
        }
    }
    Ok(points)
}

/// Output of git in a folder; `None` without git, or where git fails.
fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .env("TZ", "UTC")
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(folder: &Path, date: &str, text: &str) {
        std::fs::create_dir_all(folder.join("store/baseline")).unwrap();
        std::fs::write(folder.join("store/baseline/lines.jsonl"), date).unwrap();
        std::fs::write(folder.join("store/baseline/x-1.0.jsonl"), text).unwrap();
        for args in [&["add", "."][..], &["commit", "-q", "-m", "x"]] {
            let done = Command::new("git")
                .arg("-C")
                .arg(folder)
                .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
                .args(args)
                .env("GIT_COMMITTER_DATE", date)
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
        }
    }

    fn baseline(instructions: u64) -> String {
        let count = results::LoopCount {
            of: "merging/add folio 6.12 order=9".parse().unwrap(),
            instructions,
            limit: None,
            functions: [("add".to_owned(), instructions)].into(),
        };
        Baseline {
            target: "t".to_owned(),
            rustc: "rustc 1".to_owned(),
            optimised: true,
            valgrind: "valgrind".to_owned(),
            counts: vec![count],
        }
        .to_text()
    }

    #[test]
    fn every_commit_of_a_baseline_is_a_point() {
        let folder = tempfile::tempdir().unwrap();
        assert!(git(folder.path(), &["init", "-q"]).is_some());
        let store = folder.path().join("store");
        commit(folder.path(), "2026-11-01T10:00:00+02:00", &baseline(100));
        commit(folder.path(), "2026-11-02T10:00:00+02:00", &baseline(110));
        let points = committed(&store).unwrap();
        let said: Vec<(&str, f64)> = points
            .iter()
            .map(|run| {
                let value = run.points.values().next().unwrap().value;
                (run.date_utc.as_str(), value)
            })
            .collect();
        assert_eq!(
            said,
            [
                ("2026-11-01T08:00:00Z", 100.0),
                ("2026-11-02T08:00:00Z", 110.0)
            ]
        );
        commit(folder.path(), "2026-11-03T10:00:00+02:00", "{]\n");
        let error = committed(&store).unwrap_err().to_string();
        assert!(
            error.contains("baseline/x-1.0.jsonl:1: field `.`"),
            "{error}"
        );
    }

    #[test]
    fn outside_of_git_there_are_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(committed(folder.path()).unwrap().is_empty());
    }
}
