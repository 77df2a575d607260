//! The first screen and the mail: short, plain, and the same numbers as the report.

use crate::synthetic;

use compare::claims::{Elsewhere, Judged, Met, Shown, Source};
use compare::kernel_history::{Cell, Line, Unit};
use compare::{Cell as RowCell, Summary};
use render::{Context, MAX_POST_LINES, claims_markdown, claims_text, first_screen, post};
use results::{NativeRow, Ruling, Screen, ScreenRow};

/// Lines of the first screen at most.
const MAX_SCREEN_LINES: usize = 40;

fn claim(id: u32, verdict: Ruling) -> Judged {
    let number = |key: &str| Shown {
        key: key.to_owned(),
        says: "6.12, 2 MiB: a walk by page over a walk by folio, the same in time".to_owned(),
        of: "time iteration/segments order=9 linux-6.12".to_owned(),
        over: None,
        value: Some(stats::Estimate::exact(226.7).into()),
        quantity: "time".to_owned(),
        unit: "x".to_owned(),
        source: Source::PatchedKernel,
        bound: "at least 10".to_owned(),
        met: Met::Yes,
        missing: None,
    };
    Judged {
        id,
        who: "Overstreet".to_owned(),
        short: "a claim of as many as forty letters, yes".to_owned(),
        claim: "A claim in our words that is | long enough to need a second line of 72.".to_owned(),
        verdict,
        expected: verdict,
        because: "What it means takes a sentence or two. This is the second of them.".to_owned(),
        numbers: ["a", "b", "c", "d"].map(number).to_vec(),
        missing: vec!["linux-6.12+headpage is not in the run".to_owned()],
        unfair: "What is unfair about it takes a sentence or two as well, and no more.".to_owned(),
        repeat: format!("folioscope claims --check {id}"),
        elsewhere: Vec::new(),
    }
}

/// Eleven claims that are answered and five that are not: as many as the thread may have.
fn claims() -> Vec<Judged> {
    (1..=16)
        .map(|id| match id {
            3 | 4 => claim(id, Ruling::LargeOnly),
            1..=11 => claim(id, Ruling::DoesNotHold),
            12 => claim(id, Ruling::Undecided),
            13 => claim(id, Ruling::NotMeasured),
            _ => claim(id, Ruling::NotMeasurable),
        })
        .collect()
}

fn context() -> Context {
    let kernels = ["5.10", "6.1", "6.12", "7.2"].map(str::to_owned).to_vec();
    let count = |unit: Unit| if unit.is_small() { 307_984 } else { 1012 };
    let line = |work: &'static str, unit: Unit| Line {
        work,
        unit,
        primitives: vec!["x"],
        cells: kernels
            .iter()
            .map(|kernel| Cell {
                kernel: kernel.clone(),
                instructions: Some(count(unit)),
                lines: Some(if unit.is_small() { 1024 } else { 4 }),
                reason: None,
            })
            .collect(),
    };
    let works = ["add", "walk", "end of IO", "charge"];
    let history = works
        .iter()
        .flat_map(|work| [line(work, Unit::Pages), line(work, Unit::Folio)])
        .collect();
    let row = |says: &str, row: &str| ScreenRow {
        says: says.to_owned(),
        row: row.to_owned(),
    };
    let mut rows = vec![row(
        "walk by own unit",
        "time iteration/chunks footprint=l1",
    )];
    rows.extend((0..9).map(|_| row("the same again", "time iteration/chunks footprint=l1")));
    rows.push(row("descriptors/GiB", "value layout/footprint"));
    let contenders = ["folio", "memdesc", "headpage", "flat-sp"];
    Context {
        claims: claims(),
        screen: Screen {
            contenders: contenders.map(str::to_owned).to_vec(),
            hidden: vec!["headpage-noassert".to_owned()],
            orders: vec![0, 9],
            rows,
            kernels: works.map(str::to_owned).to_vec(),
            native: Vec::new(),
            legend: "A line of what the columns stand for.".to_owned(),
        },
        kernels,
        history,
        ..synthetic::context()
    }
}

fn summary() -> Summary {
    let mut summary = Summary::from_run(&synthetic::run(42, 0.02));
    summary.env.command = ["folioscope", "compare", "--out", "somewhere", "--kernels"]
        .map(str::to_owned)
        .to_vec();
    summary
}

fn assert_fits(text: &str, lines: usize) {
    assert!(
        text.lines().count() <= lines,
        "{} lines:\n{text}",
        text.lines().count()
    );
    for line in text.lines() {
        assert!(line.len() <= 72 && line.is_ascii(), "{line}");
        assert!(!line.contains('\t') && line.trim_end() == line, "{line:?}");
    }
}

#[test]
fn the_first_screen_fits_a_terminal() {
    let text = first_screen(&summary(), &context());
    assert_fits(&text, MAX_SCREEN_LINES);
    // Of all four works together.
    assert!(text.contains("4096/16"), "{text}");
    assert!(
        text.contains("large units only") && text.contains("does not hold"),
        "{text}"
    );
    assert!(text.contains("undecided: 12; not measured: 13; not measurable here: 14 15 16"));
    assert!(
        text.contains("307984/1012") && text.contains("MiB"),
        "{text}"
    );
    // The place of the results is no part of what makes them again.
    assert!(
        text.contains("compare --kernels") && !text.contains("somewhere"),
        "{text}"
    );
}

/// A run of a few rows has a small table.
#[test]
fn a_row_that_was_not_measured_is_left_out() {
    let mut context = context();
    let nothing = ScreenRow {
        says: "nothing like it".to_owned(),
        row: "time merging/nothing".to_owned(),
    };
    context.screen.rows.push(nothing);
    let text = first_screen(&summary(), &context);
    assert!(!text.contains("nothing like it"), "{text}");
}

#[test]
fn a_cell_is_the_ratio_of_the_report_with_its_verdict() {
    let summary = summary();
    let text = first_screen(&summary, &context());
    let case = summary
        .cases()
        .find(|case| {
            let order = case.params.get("order").map(ToString::to_string);
            case.workload == "iteration/chunks"
                && case.regime() == "l1"
                && order.as_deref() == Some("9")
        })
        .expect("a row");
    let ratio = case.ratio("folio").expect("folio has a ratio").value;
    let mark = match case.verdict("folio").expect("a verdict") {
        stats::Verdict::Faster => '<',
        stats::Verdict::Slower => '>',
        stats::Verdict::NoDifference => '=',
    };
    let row = text
        .lines()
        .find(|line| line.starts_with("walk by own unit"));
    let cell = row
        .and_then(|row| row.split_whitespace().nth(4 + 4))
        .expect("a cell");
    assert!(cell.starts_with(mark), "{cell} {text}");
    let shown: f64 = format!("0{}", &cell[1..]).parse().expect("a number");
    assert!((shown / ratio - 1.0).abs() < 0.06, "{cell} for {ratio}");
}

/// That no difference is seen says little of a row whose interval is wide.
#[test]
fn a_row_that_is_too_noisy_is_not_called_equal() {
    let shown = |low: f64, high: f64| {
        let mut summary = summary();
        for case in summary
            .families
            .iter_mut()
            .flat_map(|family| &mut family.cases)
        {
            if let Some(RowCell::Time { ratio, verdict, .. }) = case.cells.get_mut("folio") {
                let value = 1.04;
                let processes = 3;
                *ratio = Some(stats::Estimate {
                    value,
                    low,
                    high,
                    processes,
                });
                *verdict = Some(stats::Verdict::NoDifference);
            }
        }
        first_screen(&summary, &context())
    };
    assert!(shown(0.99, 1.09).contains(" =1.0 "));
    for (low, high) in [(0.99, 1.2), (0.8, 1.06)] {
        let text = shown(low, high);
        assert!(
            text.contains(" ?1.0 ") && !text.contains(" =1.0 "),
            "{text}"
        );
    }
}

/// Nanoseconds of real kernels stand under their instructions; a kernel without the row has a
/// dash, and a run without kernels has no such line.
#[test]
fn times_of_real_kernels_stand_beside_their_counts() {
    let mut context = context();
    let row = "time iteration/chunks footprint=l1 order=9".to_owned();
    context.screen.native = vec![NativeRow {
        says: "walk, natively".to_owned(),
        pages: row.clone(),
        folio: "time merging/nothing order=9".to_owned(),
    }];
    let mut summary = summary();
    assert!(!first_screen(&summary, &context).contains("natively"));
    let name = format!("linux-{}", context.kernels[0]);
    for case in summary
        .families
        .iter_mut()
        .flat_map(|family| &mut family.cases)
    {
        let cell = case.cells["folio"].clone();
        case.cells.insert(name.clone(), cell);
    }
    let text = first_screen(&summary, &context);
    let line = text
        .lines()
        .find(|line| line.starts_with("walk, natively, ns"))
        .expect(&text);
    let cells: Vec<&str> = line.split_whitespace().skip(3).collect();
    assert_eq!(cells.len(), context.kernels.len(), "{line}");
    assert!(cells[0].ends_with("/-") && cells[0].len() > 2, "{line}");
    assert!(cells[1..].iter().all(|cell| *cell == "-/-"), "{line}");
}

/// Somebody who adds a design or patches a kernel wants to see that first.
#[test]
fn a_contender_that_the_claims_file_does_not_know_comes_first() {
    let mut summary = summary();
    for family in &mut summary.families {
        for case in &mut family.cases {
            for name in ["mine", "linux-6.12", "linux-6.12+mine"] {
                let cell = case.cells["folio"].clone();
                case.cells.insert(name.to_owned(), cell);
            }
        }
    }
    let names = ["mine", "linux-6.12", "linux-6.12+mine"];
    summary.designs.extend(names.map(str::to_owned));
    let text = first_screen(&summary, &context());
    assert_fits(&text, MAX_SCREEN_LINES);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains(" mine "))
        .expect("heads");
    let heads: Vec<&str> = lines[at].split_whitespace().collect();
    // The second `mine` is the lower half of `6.12+mine`.
    let order = ["mine", "6.12", "mine", "folio"];
    assert_eq!(heads, [order, order].concat(), "{text}");
    assert_eq!(lines[at - 1].matches("6.12+").count(), 2, "{text}");
}

/// Outside of a checkout there are no claims and no kernels.
#[test]
fn without_claims_the_screen_says_how_each_design_did() {
    let text = first_screen(&summary(), &synthetic::context());
    assert_fits(&text, MAX_SCREEN_LINES);
    assert!(text.contains("folio: faster than flat in"), "{text}");
    assert!(!text.contains("Claims"), "{text}");
}

#[test]
fn a_mail_has_at_most_60_lines_whatever_is_chosen() {
    let (summary, context) = (summary(), context());
    let all: Vec<u32> = (1..=16).collect();
    for chosen in [&[][..], &[3], &[3, 4], &[1, 2, 3, 4, 5, 6], &all] {
        let text = post(&summary, &context, chosen, None);
        assert_fits(&text, MAX_POST_LINES);
        assert!(text.starts_with("Subject: ") && text.contains("Again: git checkout"));
        for id in chosen {
            assert!(text.contains(&format!("{id}. Overstreet")), "{id}: {text}");
        }
    }
    // One claim has room for all that there is to say of it.
    let one = post(&summary, &context, &[3], Some("a place"));
    assert!(
        one.contains("Unfair: ") && one.contains("at least 10: yes"),
        "{one}"
    );
    assert!(one.contains("\nCode: a place\n"), "{one}");
    let mut context = context;
    let disagreeing = Elsewhere {
        run: "vm/1".to_owned(),
        verdict: Ruling::Undecided,
    };
    for claim in &mut context.claims {
        claim.elsewhere = vec![disagreeing.clone()];
    }
    let text = post(&summary, &context, &[], None);
    let alike = "Other runs give 1 of 16 verdicts alike, by their times and the same counts.";
    assert!(text.replace('\n', " ").contains(alike), "{text}");
    assert!(!text.contains("Code: "), "{text}");
}

/// The words beside a verdict are those of the verdict that the file states.
#[test]
fn another_verdict_has_not_the_words_of_the_stated_one() {
    let stated = claim(1, Ruling::Holds);
    let other = Judged {
        verdict: Ruling::DoesNotHold,
        ..stated.clone()
    };
    assert!(claims_text(std::slice::from_ref(&stated), "a run").contains(&stated.because[..40]));
    let text = claims_text(&[other], "a run");
    assert!(!text.contains(&stated.because[..40]), "{text}");
    assert!(
        text.contains("DOES NOT HOLD. The committed results say: holds."),
        "{text}"
    );
}

/// Of other runs, those that disagree are named.
#[test]
fn verdicts_of_other_runs_stand_beside_a_claim() {
    let other = |run: &str, verdict| Elsewhere {
        run: run.to_owned(),
        verdict,
    };
    let with = |elsewhere| Judged {
        elsewhere,
        ..claim(1, Ruling::Holds)
    };
    let alone = claims_text(&[with(vec![])], "a run");
    assert!(!alone.contains("Other runs"), "{alone}");
    let agreed = with(vec![other("vm/1", Ruling::Holds)]);
    let agreed = claims_text(&[agreed], "a run");
    assert!(
        agreed.contains("Other runs: the same in 1 of 1."),
        "{agreed}"
    );
    let split = with(vec![
        other("vm/1", Ruling::Holds),
        other("vm/2", Ruling::Undecided),
    ]);
    let table = claims_markdown(std::slice::from_ref(&split));
    let words = "Other runs: the same in 1 of 2; vm/2: undecided.";
    assert!(table.contains(words), "{table}");
    assert!(claims_text(&[split], "a run").contains(words));
}

#[test]
fn claims_say_what_is_missing_and_how_to_measure_it() {
    let text = claims_text(&claims(), "a run");
    assert_fits(&text, 1000);
    assert_eq!(text.matches("Missing: ").count(), 2, "of 12 and 13");
    assert_eq!(text.matches("Again: folioscope claims --check").count(), 13);
    let table = claims_markdown(&claims());
    assert_eq!(table.lines().count(), 2 + 16);
    assert!(
        table.contains("that is \\| long"),
        "a bar would end the cell"
    );
}
