//! `folioscope kernel kunit`: the kernels' own tests of code that our patches change.

use std::path::Path;
use std::time::Duration;

use native::{Cache, KUNIT, Kernel, Suite, current};
use render::Table;
use serde::{Deserialize, Serialize};

use crate::args::KunitArgs;
use crate::failure::{Code, Failure};
use crate::kernels;
use crate::output::Output;

/// Time for booting a kernel and all its suites, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// The result of one suite in one kernel.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// The kernel, without the name of the options.
    kernel: String,
    /// The hash of source, patches, driver, options and compiler.
    key: String,
    suite: String,
    passed: usize,
    skipped: usize,
    /// The cases that failed.
    failed: Vec<String>,
}

impl Line {
    fn of(kernel: &Kernel, suite: Suite) -> Self {
        Self {
            kernel: kernel.name().replace(&format!("@{KUNIT}"), ""),
            key: kernel.key.clone(),
            suite: suite.name,
            passed: suite.passed,
            skipped: suite.skipped,
            failed: suite.failed,
        }
    }

    /// Whether the suite tested anything, and nothing failed.
    fn is_passed(&self) -> bool {
        self.failed.is_empty() && self.passed > 0
    }
}

pub(crate) fn run(args: &KunitArgs, output: &mut Output) -> Result<Code, Failure> {
    let lines = match &args.read {
        Some(path) => read(path)?,
        None => asked(&args.kernels)?,
    };
    if args.json {
        lines.iter().try_for_each(|line| output.json(line))?;
    } else {
        let table = table(&lines);
        match args.markdown {
            true => output.text(table.markdown())?,
            false => output.table(&table)?,
        }
    }
    Ok(match lines.iter().all(Line::is_passed) {
        true => Code::Done,
        false => Code::Wrong,
    })
}

/// Runs the tests of the named kernels, of all that have some without names.
fn asked(names: &[String]) -> Result<Vec<Line>, Failure> {
    let built = match names {
        [] => current(&Cache::found()).map_err(|error| Failure::Usage(error.to_string()))?,
        names => kernels::of_built(names)?,
    };
    let (tested, others): (Vec<Kernel>, Vec<Kernel>) =
        built.into_iter().partition(Kernel::runs_tests);
    if tested.is_empty() || !(names.is_empty() || others.is_empty()) {
        let name = others
            .first()
            .map_or_else(String::new, |kernel| kernel.name() + ": ");
        return Err(Failure::Usage(format!(
            "{name}no kernel with tests in it; build one with: folioscope kernel build 6.12 \
             --config kunit"
        )));
    }
    let mut lines = Vec::new();
    for kernel in tested {
        let name = kernel.name();
        let suites = kernel
            .run_tests(LIMIT)
            .map_err(|error| Failure::Wrong(format!("{name}: {error}")))?;
        if suites.is_empty() {
            return Err(Failure::Wrong(format!("{name}: it ran no suite")));
        }
        lines.extend(suites.into_iter().map(|suite| Line::of(&kernel, suite)));
    }
    Ok(lines)
}

/// Reads what `--json` printed. A suite of a kernel is in it once.
fn read(path: &Path) -> Result<Vec<Line>, Failure> {
    let mut lines: Vec<Line> = Vec::new();
    for (at, line) in results::stream::<Line>(path).map_err(Failure::input)? {
        let same = |other: &Line| (&other.kernel, &other.suite) == (&line.kernel, &line.suite);
        if lines.iter().any(same) {
            let (place, suite, kernel) = (path.display(), &line.suite, &line.kernel);
            let twice = format!("{place}:{at}: {suite} of {kernel} a second time");
            return Err(Failure::Usage(twice));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new(["kernel", "suite", "passed", "skipped", "failed"]).right([2, 3]);
    for line in lines {
        table.row([
            line.kernel.clone(),
            line.suite.clone(),
            line.passed.to_string(),
            line.skipped.to_string(),
            match line.failed.is_empty() {
                true => "none".to_owned(),
                false => line.failed.join(", "),
            },
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kernel":"linux-6.12","key":"0","suite":"iov_iter","passed":1,"skipped":0,"failed":[]}"#;

    fn read_text(text: &str) -> Result<Vec<Line>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kunit.jsonl");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn a_record_that_is_not_whole_is_refused() {
        assert_eq!(read_text(&format!("{LINE}\n")).ok().unwrap().len(), 1);
        let twice = format!("{LINE}\n{LINE}\n");
        let foreign = LINE.replace("passed", "came");
        for text in ["", LINE, &twice, &format!("{foreign}\n"), &LINE[..40]] {
            assert!(read_text(text).is_err(), "{text}");
        }
        assert!(read(Path::new("missing.jsonl")).is_err());
    }

    #[test]
    fn a_suite_that_tested_nothing_has_not_passed() {
        let of = |text: &str| read_text(&format!("{text}\n")).ok().unwrap().remove(0);
        assert!(of(LINE).is_passed());
        assert!(!of(&LINE.replace("\"passed\":1", "\"passed\":0")).is_passed());
        assert!(!of(&LINE.replace("[]", r#"["a"]"#)).is_passed());
    }
}
