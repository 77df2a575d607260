//! `folioscope kernel kunit`: the kernels' own tests of code that our patches change.

use std::fs;
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

/// What one suite came to in one kernel.
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
        lines.extend(suites.into_iter().map(|suite| Line::of(&kernel, suite)));
    }
    Ok(lines)
}

fn read(path: &Path) -> Result<Vec<Line>, Failure> {
    let place = path.display();
    let text = fs::read_to_string(path).map_err(|e| Failure::Usage(format!("{place}: {e}")))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| Failure::Usage(format!("{place}:{}: {error}", number + 1)))
    };
    text.lines().enumerate().map(line).collect()
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
