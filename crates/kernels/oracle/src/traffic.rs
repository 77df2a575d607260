//! Memory traffic of a kernel's primitives: the tracer's sections, sorted by what the module
//! says they were.

use std::path::{Path, PathBuf};

use mm::KernelVersion;
use results::TrafficRow;
use trace::{NoTrace, Section, sections, usual};

use crate::count::Sections;
use crate::error::OracleError;
use results::{KernelCount, KernelCounts};

/// The folder of traffic records, beside the records of counts.
const FOLDER: &str = "lines";

/// All that one boot counted and traced.
#[derive(Debug)]
pub struct Traced {
    /// The instructions.
    pub counts: KernelCounts,
    /// A row for each of the counts, or why there is none.
    pub traffic: Result<Vec<TrafficRow>, NoTrace>,
}

/// Returns where the traffic record belongs that was traced for this record of counts.
pub fn beside(record: &Path) -> PathBuf {
    let name = record.file_name().unwrap_or_default();
    record.with_file_name(FOLDER).join(name)
}

/// The primitive whose counts are without its caller's loop: the loop around an empty function
/// is the section before each of its own.
const WITHOUT_LOOP: &str = "bio_add_page";

/// Returns a row for each count. The module counted the instructions of every sample too, by
/// the TSC: a sample on which the two do not agree means that sections were mistaken for one
/// another, and nothing is returned.
pub(crate) fn traffic_of(
    rules: KernelVersion,
    counts: &KernelCounts,
    of_counts: &[Sections],
    trace: &str,
) -> Result<Vec<TrafficRow>, OracleError> {
    let wrong = |reason: String| OracleError::Trace(NoTrace::Malformed(reason));
    let all = sections(trace).map_err(OracleError::Trace)?;
    if of_counts.len() != counts.rows.len() {
        return Err(wrong(format!(
            "the module names the sections of {} of its {} counts",
            of_counts.len(),
            counts.rows.len()
        )));
    }
    let at = |number: u32| {
        let missing = || wrong(format!("section {number} of {} is missing", all.len()));
        all.get(number as usize).ok_or_else(missing)
    };
    let net = |count: &KernelCount, number: u32| -> Result<Section, OracleError> {
        // The module begins with the empty operation.
        let empty = match (count.primitive == WITHOUT_LOOP, number.checked_sub(1)) {
            (true, Some(before)) => at(before)?,
            _ => at(0)?,
        };
        let traffic = at(number)?.traffic.without(&empty.traffic);
        let instructions = traffic.instructions;
        if instructions < count.min || instructions > count.max {
            return Err(wrong(format!(
                "section {number}, {} order {} {}: {instructions} instructions traced, \
                 {} to {} counted",
                count.primitive, count.order, count.state, count.min, count.max
            )));
        }
        Ok(Section {
            number,
            traffic,
            from: Vec::new(),
        })
    };
    let mut rows = Vec::new();
    for (count, numbers) in counts.rows.iter().zip(of_counts) {
        let own: Vec<Section> = numbers
            .iter()
            .map(|&number| net(count, number))
            .collect::<Result<_, _>>()?;
        let (traffic, alike) = usual(own.iter()).ok_or_else(|| {
            wrong(format!(
                "{} order {} has no section",
                count.primitive, count.order
            ))
        })?;
        rows.push(TrafficRow {
            primitive: count.primitive.clone(),
            design: None,
            kernel: rules.name().into(),
            order: count.order,
            class: count.state.to_string(),
            samples: count.samples,
            alike,
            traffic,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traffic_record_lies_beside_its_counts() {
        let path = crate::recorded::traffic_path(Path::new("bench-results"), crate::Series::V6_12);
        assert_eq!(path, Path::new("bench-results/kernel/lines/6.12.jsonl"));
        assert_eq!(beside(Path::new("new.jsonl")), Path::new("lines/new.jsonl"));
    }

    fn count(primitive: &str, instructions: u64) -> KernelCount {
        KernelCount {
            primitive: primitive.into(),
            order: 9,
            state: "all".parse().unwrap(),
            samples: 2,
            min: instructions,
            max: instructions,
        }
    }

    fn counts(rows: &[KernelCount]) -> KernelCounts {
        KernelCounts {
            rows: rows.to_vec(),
            ..KernelCounts::default()
        }
    }

    /// An empty operation, then sections of these instructions and descriptor lines.
    fn trace(sections: &[(u64, u32)]) -> String {
        let line = |(number, (insns, lines)): (usize, &(u64, u32))| {
            format!(
                "section={number} insns={insns} loads=1 stores=1 lines={lines} written=0 pages=1 \
                 huge=1 descriptor={lines}/0\n"
            )
        };
        let empty = [(2, 0)];
        empty.iter().chain(sections).enumerate().map(line).collect()
    }

    #[test]
    fn each_count_gets_the_usual_traffic_of_its_sections() {
        let rows = traffic_of(
            KernelVersion::V6_12,
            &counts(&[count("a", 10), count("b", 20)]),
            &[vec![1, 3, 4], vec![2]],
            &trace(&[(12, 8), (22, 1), (12, 7), (12, 7)]),
        )
        .unwrap();
        assert_eq!((rows[0].traffic.lines, rows[0].alike), (7, 2));
        assert_eq!((&*rows[1].primitive, rows[1].traffic.lines), ("b", 1));
        assert_eq!(rows[0].traffic.instructions, 10);
    }

    #[test]
    fn adding_page_by_page_is_without_its_loop() {
        let only = counts(&[count(WITHOUT_LOOP, 70)]);
        let rows = traffic_of(
            KernelVersion::V6_12,
            &only,
            &[vec![2]],
            &trace(&[(30, 1), (100, 9)]),
        );
        assert_eq!(rows.unwrap()[0].traffic.instructions, 70);
    }

    #[test]
    fn sections_that_were_mistaken_for_one_another_are_noticed() {
        let refused = |of_counts: &[Sections]| {
            traffic_of(
                KernelVersion::V6_12,
                &counts(&[count("a", 10)]),
                of_counts,
                &trace(&[(12, 8), (22, 1)]),
            )
            .unwrap_err()
            .to_string()
        };
        assert!(refused(&[vec![1, 2]]).contains("20 instructions traced, 10 to 10 counted"));
        assert!(refused(&[vec![1, 7]]).contains("section 7 of 3 is missing"));
        assert!(refused(&[]).contains("0 of its 1 counts"));
        assert!(refused(&[vec![]]).contains("no section"));
    }
}
