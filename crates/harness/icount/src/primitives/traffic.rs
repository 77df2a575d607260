//! Memory traffic of every operation, traced under user-mode emulation: what the kernels' is
//! compared with.

use std::ffi::OsStr;
use std::path::Path;

use results::{Traffic, TrafficRow};
use trace::{NoTrace, Section, program};

use super::EMPTY_LOOP;

/// Runs `program` with `args` under the tracer; it must call [`run`](super::run) and print each
/// label on a line of its own. Returns the emulator's version and a row for each state of each
/// primitive, `bio_add_page` without its loop. An operation's return is not in its figures.
///
/// # Errors
/// [`NoTrace`].
pub fn traffic<S: AsRef<OsStr>>(
    program: &Path,
    args: &[S],
) -> Result<(String, Vec<TrafficRow>), NoTrace> {
    let traced = program::trace(program, args, is_operation)?;
    let rows = rows(&traced.output, &traced.sections)?;
    Ok((traced.emulator, rows))
}

/// Whether a demangled name is that of an operation. A closure of one is part of it.
fn is_operation(name: &str) -> bool {
    let own = |rest: &str| {
        rest.split_once("::")
            .map(|(_, name)| name.starts_with("op_"))
    };
    let rest = name.strip_prefix("icount::primitives::");
    rest.and_then(own) == Some(true) && !name.contains("{closure")
}

fn rows(output: &str, sections: &[Section]) -> Result<Vec<TrafficRow>, NoTrace> {
    let labels: Vec<&str> = output.lines().collect();
    if labels.len() != sections.len() {
        return Err(NoTrace::Malformed(format!(
            "{} calls were announced and {} were traced: is an operation inlined?",
            labels.len(),
            sections.len()
        )));
    }
    // The return of an operation, which is all that an empty one is.
    let empty = Traffic {
        instructions: super::BRACKET,
        loads: 1,
        ..Traffic::default()
    };
    let mut rows: Vec<TrafficRow> = Vec::new();
    let mut empty_loop = Traffic::default();
    for (label, section) in labels.into_iter().zip(sections) {
        if label.starts_with(EMPTY_LOOP) {
            empty_loop = section.traffic.clone();
            continue;
        }
        let malformed = || NoTrace::Malformed(format!("not the label of a call: `{label}`"));
        let row = row(label, section.traffic.without(&empty)).ok_or_else(malformed)?;
        if row.primitive == "bio_add_page_loop" {
            let net = TrafficRow {
                primitive: "bio_add_page".into(),
                traffic: section.traffic.without(&empty_loop),
                ..row.clone()
            };
            add(&mut rows, net);
        }
        add(&mut rows, row);
    }
    Ok(rows)
}

/// Takes a state in the first time that it is met, as the counts of instructions do.
fn add(rows: &mut Vec<TrafficRow>, row: TrafficRow) {
    let of = |row: &TrafficRow| {
        let TrafficRow {
            primitive,
            design,
            kernel,
            order,
            class,
            ..
        } = row.clone();
        (primitive, design, kernel, order, class)
    };
    if !rows.iter().any(|known| of(known) == of(&row)) {
        rows.push(row);
    }
}

/// A row from what a [`Label`](super::Label) prints.
fn row(label: &str, traffic: Traffic) -> Option<TrafficRow> {
    let mut words = label.split(' ').map(str::to_owned);
    let row = TrafficRow {
        primitive: words.next()?,
        design: Some(words.next()?),
        kernel: words.next()?,
        order: words.next()?.parse().ok()?,
        class: words.next()?,
        samples: 1,
        alike: 1,
        traffic,
    };
    words.next().is_none().then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(instructions: u64) -> Section {
        let traffic = Traffic {
            instructions,
            loads: 3,
            ..Traffic::default()
        };
        Section {
            number: 0,
            traffic,
            from: Vec::new(),
        }
    }

    #[test]
    fn operations_are_told_from_their_closures_and_from_others() {
        let named = "icount::primitives::bio::op_segments::<flat::Flat, mm::rules::Linux5_10>";
        assert!(is_operation(named));
        assert!(!is_operation(&format!("{named}::{{closure#0}}")));
        assert!(!is_operation("icount::primitives::bio::run::<flat::Flat>"));
        assert!(!is_operation("mm::block::op_write"));
    }

    #[test]
    fn each_label_gets_its_section_and_adding_is_without_its_loop() {
        let output = "bio_add_page_empty_loop flat 5.10 9 all\n\
            bio_add_page_loop flat 5.10 9 all\n\
            get_page_head flat 5.10 9 all\n\
            get_page_head flat 5.10 9 all\n";
        let all = rows(
            output,
            &[section(100), section(170), section(5), section(9)],
        )
        .unwrap();
        let named: Vec<_> = all
            .iter()
            .map(|row| (&*row.primitive, row.traffic.instructions, row.traffic.loads))
            .collect();
        let expected = [
            ("bio_add_page", 70, 0),
            ("bio_add_page_loop", 169, 2),
            ("get_page_head", 4, 2),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn a_call_that_was_not_traced_is_noticed() {
        let error = rows("get_page_head flat 5.10 9 all\n", &[]).unwrap_err();
        assert!(error.to_string().contains("inlined"), "{error}");
        assert!(rows("get_page_head flat\n", &[section(1)]).is_err());
    }
}
