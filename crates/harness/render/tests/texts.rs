//! The texts of a long run: fit for a mailing list, complete, and the same every time.

use crate::synthetic;

use std::collections::BTreeSet;

use compare::{Cell, Summary};
use render::{json_lines, mail, report};
use results::{Row, Sample, Status};

fn summary() -> Summary {
    Summary::from_run(&synthetic::run(42, 0.02))
}

/// A small run, so that its snapshots can be read: one workload of each kind.
fn small() -> Summary {
    let mut run = synthetic::run(42, 0.02);
    run.rows.retain(|row| match row {
        Row::Sample(sample) => {
            [
                "iteration/chunks",
                "merging/slab-io",
                "merging/count-segments",
            ]
            .contains(&sample.workload.as_str())
                && !["2", "4"].contains(&sample.params["order"].to_string().as_str())
        }
        Row::Value(value) => value.workload != "code/size",
    });
    Summary::from_run(&run)
}

#[test]
fn a_mail_is_ascii_without_tabs_in_72_columns() {
    let mut summary = summary();
    // Whatever a record may hold, and more designs than fit into one table.
    summary.env.cpu_model = "CPU \u{2122} with\ta name ".repeat(9);
    summary.env.command.push("x".repeat(300));
    let mut context = synthetic::context();
    context.notes[0].unfair = format!("{} \u{b1}1 %", "word ".repeat(60));
    for family in &mut summary.families {
        for case in &mut family.cases {
            let cell = case.cells["folio"].clone();
            case.cells
                .insert("a-design-with-a-very-long-name".to_owned(), cell.clone());
            case.cells.insert("another".to_owned(), cell);
            case.params
                .insert("a_parameter".to_owned(), "w".repeat(90).into());
            if let Some(Cell::Time { ns, ratio, .. }) = case.cells.get_mut("memdesc") {
                (ns.value, ns.low, ns.high) = (8_888_888.8, 1.0, 9e9);
                *ratio = Some(*ns);
            }
        }
    }
    summary.designs.extend([
        "a-design-with-a-very-long-name".to_owned(),
        "another".to_owned(),
    ]);
    let text = mail(&summary, &context);
    assert!(text.lines().count() > 500, "{} lines", text.lines().count());
    for line in text.lines() {
        assert!(line.len() <= 72, "{} columns: {line}", line.len());
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line:?}"
        );
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn cells_of_a_table_never_run_into_each_other() {
    let text = mail(&summary(), &synthetic::context());
    let tables = text.lines().filter(|line| line.matches("+-").count() > 3);
    for line in tables {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let joined = cells.iter().find(|cell| cell.matches("+-").count() > 1);
        assert_eq!(joined, None, "{line}");
    }
}

#[test]
fn every_row_is_in_every_text() {
    let summary = summary();
    let (mail, markdown) = (
        mail(&summary, &synthetic::context()),
        report(&summary, &synthetic::context()).markdown(),
    );
    let json = json_lines(&summary);
    let cases = summary.cases().count();
    assert!(cases >= 60, "{cases} rows");
    for case in summary.cases() {
        assert!(mail.contains(&case.workload), "{}", case.workload);
        assert!(markdown.contains(&case.workload), "{}", case.workload);
    }
    let aa = mail.lines().filter(|line| line.contains("  aa ")).count();
    assert_eq!(aa, cases, "every row shows its control");
    let times = json
        .lines()
        .filter(|line| line.contains("\"kind\":\"time\""))
        .count();
    let cells: usize = summary.cases().map(|case| case.cells.len()).sum();
    assert_eq!(times, cells);
    for line in json.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object.is_object(), "{line}");
    }
}

#[test]
fn the_same_record_gives_the_same_report() {
    let (one, two) = (summary(), summary());
    let context = synthetic::context();
    assert_eq!(mail(&one, &context), mail(&two, &context));
    assert_eq!(json_lines(&one), json_lines(&two));
}

#[test]
fn a_wrong_answer_is_an_err_row_and_spoils_no_mean() {
    let mut run = synthetic::run(42, 0.02);
    // One of three processes of one row went wrong.
    let broken = run.rows.iter_mut().find_map(|row| match row {
        Row::Sample(sample)
            if sample.workload == "iteration/segments"
                && sample.design == "folio"
                && sample.process == 1 =>
        {
            Some(sample)
        }
        _ => None,
    });
    let broken: &mut Sample = broken.unwrap();
    broken.status = Status::Err("checksum differs".to_owned());
    broken.rounds.clear();
    let params = broken.params.clone();
    let summary = Summary::from_run(&run);
    let case = summary
        .cases()
        .find(|case| case.workload == "iteration/segments" && case.params == params)
        .unwrap();
    assert_eq!(
        case.cells["folio"],
        Cell::Failed("checksum differs".to_owned())
    );
    let family = &summary.families[0];
    let mean = family
        .means
        .iter()
        .find(|mean| mean.workload == "iteration/segments" && mean.regime == case.regime())
        .unwrap();
    assert_eq!(mean.designs["folio"].rows, mean.cases - 1);
    let text = mail(&summary, &synthetic::context());
    assert!(
        text.contains("err iteration/segments folio: checksum differs (1 row)"),
        "{text}"
    );
}

#[test]
fn the_harness_floor_is_in_no_ratio_and_regimes_are_never_mixed() {
    let summary = summary();
    for case in summary.cases() {
        assert_eq!(case.ratio("null"), None);
        assert_eq!(case.ratio(&summary.reference), None);
    }
    for family in &summary.families {
        for mean in &family.means {
            assert!(!mean.designs.contains_key("null") && !mean.designs.contains_key("flat"));
        }
        let regimes: BTreeSet<String> = family.cases.iter().map(|case| case.regime()).collect();
        let means: BTreeSet<String> = family
            .means
            .iter()
            .map(|mean| mean.regime.clone())
            .collect();
        assert_eq!(regimes, means, "{}", family.name);
    }
}

#[test]
fn without_a_control_nothing_is_called_faster() {
    let mut run = synthetic::run(42, 0.02);
    run.rows
        .retain(|row| !matches!(row, Row::Sample(sample) if sample.is_control()));
    let summary = Summary::from_run(&run);
    assert_eq!(summary.floor, None);
    assert_eq!(summary.tally("folio"), (0, 0, 0));
    let text = mail(&summary, &synthetic::context());
    assert!(
        text.contains("There is no A/A control in this run"),
        "{text}"
    );
}

#[test]
fn an_interrupted_run_says_so_first() {
    let mut run = synthetic::run(42, 0.02);
    run.env.finished = false;
    run.rows.truncate(30);
    let text = mail(&Summary::from_run(&run), &synthetic::context());
    let note = text.find("NOTE: This run was interrupted").unwrap();
    assert!(note < text.find("In short").unwrap());
}

#[test]
fn an_empty_run_is_reported_without_a_panic() {
    let mut run = synthetic::run(42, 0.02);
    run.rows.clear();
    let summary = Summary::from_run(&run);
    let text = mail(&summary, &synthetic::context());
    assert!(text.contains("n/a: no A/A control in this run."), "{text}");
    assert!(render::figures(&summary).is_empty());
    assert!(
        !report(&summary, &synthetic::context())
            .markdown()
            .is_empty()
    );
}

#[test]
fn text_of_the_mail() {
    insta::assert_snapshot!(mail(&small(), &synthetic::context()));
}

#[test]
fn text_of_the_markdown() {
    insta::assert_snapshot!(report(&small(), &synthetic::context()).markdown());
}

#[test]
fn lines_of_json() {
    let lines = json_lines(&small());
    let first: Vec<&str> = lines.lines().take(6).collect();
    insta::assert_snapshot!(first.join("\n"));
}

#[test]
fn a_machine_whose_speed_moved_is_said_before_any_number() {
    let said = |noise| {
        let text = mail(
            &Summary::from_run(&synthetic::run(42, noise)),
            &synthetic::context(),
        );
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("own speed moved: half of the times of flat")
    };
    assert!(said(0.5));
    assert!(!said(0.02));
}
