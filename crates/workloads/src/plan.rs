//! The rows that run by default: `plan.txt` and, for kernels alone, `kernel-plan.txt`, parsed.

use std::sync::LazyLock;

use crate::{Param, Params, Workload};

/// The file, with its format in its first lines.
const PLAN: &str = include_str!("../plan.txt");
/// The rows that run beside kernels, in the same format.
const KERNEL_PLAN: &str = include_str!("../kernel-plan.txt");

/// A row of the plan.
#[derive(Clone, Debug)]
pub struct Row {
    /// The workload.
    pub workload: &'static Workload,
    /// With what; complete.
    pub params: Params,
    /// Whether a first look asks it too.
    pub quick: bool,
    /// Whether it is put only to contenders that are not a variant of another.
    pub distinct: bool,
}

/// Why a line is not a row.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("plan.txt line {line}: {field} {why}")]
pub struct PlanError {
    /// Which, from 1.
    pub line: usize,
    /// The column, or the parameter.
    pub field: String,
    /// The fault.
    pub why: String,
}

/// Every row, in the order of the file.
///
/// # Panics
/// If the shipped file has a line that is not a row; a test parses it.
pub fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> =
        LazyLock::new(|| parse(PLAN).unwrap_or_else(|error| panic!("{error}")));
    &ROWS
}

/// Every row that runs where kernels take part.
///
/// # Panics
/// As [`rows`].
pub fn kernel_rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> =
        LazyLock::new(|| parse(KERNEL_PLAN).unwrap_or_else(|error| panic!("{error}")));
    &ROWS
}

fn parse(text: &str) -> Result<Vec<Row>, PlanError> {
    let mut rows: Vec<Row> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let row = row(line).map_err(|(field, why)| PlanError {
            line: index + 1,
            field,
            why,
        })?;
        let same = |other: &Row| other.workload.id == row.workload.id && other.params == row.params;
        if rows.iter().any(same) {
            return Err(PlanError {
                line: index + 1,
                field: "parameters".to_owned(),
                why: "are those of an earlier line".to_owned(),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

/// A line as a row, or the field that is wrong and why.
fn row(line: &str) -> Result<Row, (String, String)> {
    let wrong = |field: &str, why: String| (field.to_owned(), why);
    let mut words = line.split_whitespace();
    let mut column = |field: &str| {
        let missing = || wrong(field, "is missing".to_owned());
        words.next().ok_or_else(missing)
    };
    let one_of = |field: &str, word: &str, [yes, no]: [&str; 2]| match word {
        word if word == yes => Ok(true),
        word if word == no => Ok(false),
        word => Err(wrong(field, format!("is `{word}`; expected {yes} or {no}"))),
    };
    let quick = one_of("WHEN", column("WHEN")?, ["quick", "full"])?;
    let distinct = one_of("WHO", column("WHO")?, ["distinct", "all"])?;
    let id = column("workload")?;
    let workload = crate::by_id(id)
        .ok_or_else(|| wrong("workload", format!("is `{id}`, which does not exist")))?;
    let mut given = Params::new();
    for word in words {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| wrong(word, "has no value; expected NAME=VALUE".to_owned()))?;
        if given.insert(name.to_owned(), Param::from(value)).is_some() {
            return Err(wrong(name, "is a duplicate".to_owned()));
        }
    }
    let params = workload
        .complete(&given)
        .map_err(|error| wrong("parameters", format!("are refused: {error}")))?;
    Ok(Row {
        workload,
        params,
        quick,
        distinct,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_shipped_plan_asks_every_workload_in_both_lengths() {
        let all: BTreeSet<_> = crate::ALL.iter().map(|workload| workload.id).collect();
        for quick in [false, true] {
            let planned = rows().iter().filter(|row| row.quick || !quick);
            let planned: BTreeSet<_> = planned.map(|row| row.workload.id).collect();
            assert_eq!(planned, all);
        }
        assert_eq!(rows().len(), 178);
    }

    #[test]
    fn the_rows_of_kernels_ask_all_that_only_they_answer() {
        let all: BTreeSet<_> = crate::kernel::ALL.iter().map(|one| one.id).collect();
        for quick in [false, true] {
            let planned = kernel_rows().iter().filter(|row| row.quick || !quick);
            let planned: BTreeSet<_> = planned.map(|row| row.workload.id).collect();
            assert!(planned.is_superset(&all), "{planned:?}");
        }
        // No row of both plans: a run would have it twice.
        let row = |row: &Row| format!("{} {:?}", row.workload.id, row.params);
        let planned: BTreeSet<_> = rows().iter().map(row).collect();
        assert!(kernel_rows().iter().all(|one| !planned.contains(&row(one))));
        assert_eq!(kernel_rows().len(), 41);
    }

    #[test]
    fn every_axis_has_points_to_draw() {
        for workload in crate::ALL
            .iter()
            .filter(|workload| !workload.axis.is_empty())
        {
            let values: BTreeSet<_> = rows()
                .iter()
                .filter(|row| row.workload.id == workload.id)
                .filter_map(|row| row.params.get(workload.axis).cloned())
                .collect();
            assert!(values.len() >= 3, "{}: {values:?}", workload.id);
        }
    }

    #[test]
    fn a_line_that_is_not_a_row_is_refused_with_line_and_field() {
        let fine = "# why\n\nquick all iteration/segments order=2\n";
        assert_eq!(parse(fine).map(|rows| rows.len()), Ok(1));
        for (line, field, why) in [
            (
                "quik all iteration/segments",
                "WHEN",
                "is `quik`; expected quick or full",
            ),
            (
                "full some iteration/segments",
                "WHO",
                "is `some`; expected distinct or all",
            ),
            ("full", "WHO", "is missing"),
            ("full all", "workload", "is missing"),
            (
                "full all iteration/nothing",
                "workload",
                "is `iteration/nothing`, which does not exist",
            ),
            (
                "full all iteration/segments order",
                "order",
                "has no value; expected NAME=VALUE",
            ),
            (
                "full all iteration/segments order=1 order=2",
                "order",
                "is a duplicate",
            ),
            (
                "full all iteration/segments order=2",
                "parameters",
                "are those of an earlier line",
            ),
        ] {
            let error = parse(&format!("{fine}{line}\n")).expect_err(line);
            assert_eq!((error.line, &*error.field, &*error.why), (4, field, why));
        }
        let error = parse("full all iteration/segments order=99").expect_err("no such order");
        assert_eq!((error.line, &*error.field), (1, "parameters"));
        assert!(error.why.contains("order=99"), "{error}");
    }
}
