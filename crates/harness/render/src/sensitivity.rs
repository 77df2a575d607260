//! The sensitivity study as a table.

use results::StudyRecord;

use crate::table::Table;

/// The study as a Markdown table.
#[must_use]
pub fn resolution_table(study: &StudyRecord) -> String {
    let headings = [
        "slowdown",
        "injected",
        "rows",
        "diff",
        "diff, own floors",
        "Criterion",
        "Criterion, as few false alarms",
    ];
    let mut table = Table::new(headings).right(2..7);
    for line in &study.rows {
        let injected = line
            .injected
            .map_or("\u{2013}".to_owned(), |[low, middle, high]| {
                format!("{middle:.1} % ({low:.1} to {high:.1})")
            });
        // Of what is the same any verdict is wrong, of a slowdown only one is right.
        let criterion = [Some(line.criterion), line.criterion_strict];
        let tallies = [Some(line.diff), Some(line.diff_with_past)]
            .into_iter()
            .chain(criterion);
        let cells = tallies.map(|tally| {
            let Some(tally) = tally else {
                return "\u{2013}".to_owned();
            };
            let said = match line.percent {
                0.0 => tally.slower + tally.faster,
                _ => tally.slower,
            };
            let share = said as f64 * 100.0 / tally.rows.max(1) as f64;
            format!("{said} ({share:.1} %)")
        });
        let name = match line.percent {
            0.0 => "none: false alarms".to_owned(),
            percent => format!("{percent} %: seen"),
        };
        let first = [name, injected, line.diff.rows.to_string()];
        table.row(first.into_iter().chain(cells));
    }
    let of = &study.header;
    table.markdown()
        + &format!(
            "\n{}, kernel {}, {}: {} past runs, {} processes per run, {:.0} s for all.\n",
            of.machine, of.kernel, of.rustc, of.past_runs, of.processes, of.seconds
        )
}

#[cfg(test)]
mod tests {
    use results::{SCHEMA_VERSION, StudyHeader, StudyRow, Tally};

    use super::*;

    #[test]
    fn false_alarms_count_both_ways_and_detection_only_one() {
        let tally = Tally {
            rows: 200,
            slower: 3,
            faster: 1,
        };
        let line = |percent, injected| StudyRow {
            percent,
            injected,
            diff: tally,
            diff_with_past: tally,
            criterion: Tally::default(),
            criterion_strict: (percent > 0.0).then_some(tally),
        };
        let study = StudyRecord {
            header: StudyHeader {
                schema: SCHEMA_VERSION,
                date_utc: "2026-11-23T01:02:03Z".to_owned(),
                machine: "a machine".to_owned(),
                kernel: "6.12".to_owned(),
                rustc: "rustc 1.95.0".to_owned(),
                seconds: 300.4,
                past_runs: 4,
                processes: 3,
                rows: 2,
            },
            rows: vec![line(0.0, None), line(5.0, Some([4.8, 5.0, 5.3]))],
        };
        let text = resolution_table(&study);
        assert!(text.ends_with("a machine, kernel 6.12, rustc 1.95.0: 4 past runs, 3 processes per run, 300 s for all.\n"), "{text}");
        let rows: Vec<&str> = text.lines().skip(2).take(2).collect();
        assert_eq!(
            rows,
            [
                "| none: false alarms | \u{2013} | 200 | 4 (2.0 %) | 4 (2.0 %) | 0 (0.0 %) | \u{2013} |",
                "| 5 %: seen | 5.0 % (4.8 to 5.3) | 200 | 3 (1.5 %) | 3 (1.5 %) | 0 (0.0 %) | 3 (1.5 %) |",
            ]
        );
    }
}
