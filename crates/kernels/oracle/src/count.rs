//! Reads the counts that the module printed: guest instructions per primitive, order and state.

use results::{Absent, KernelCount, KernelCounts};

use crate::wire::{Batch, WireError};

/// `COUNT_MAX_SAMPLES` of `count.c`: the maximum number of samples of one count.
const MAX_SAMPLES: usize = 1280;

/// The tracer's sections that a count's samples were.
pub type Sections = Vec<u32>;

/// Reads the module's batch `count`: the counts, and beside each row its sections.
///
/// # Errors
/// [`WireError::Field`], naming the line.
pub fn read_counts(batch: &Batch) -> Result<(KernelCounts, Vec<Sections>), WireError> {
    let mut counts = KernelCounts::default();
    let mut sections: Vec<Sections> = Vec::new();
    for (at, line) in batch.lines.iter().enumerate() {
        let read = match line.strip_prefix("sections ") {
            // They belong to the row before, which has none yet.
            Some(runs) => match counts.rows.get(sections.len()..) {
                Some([row]) => read_sections(runs, row.samples).map(|of_row| sections.push(of_row)),
                _ => None,
            },
            None => read_line(&mut counts, line),
        };
        if read.is_none() {
            return Err(WireError::Field {
                batch: batch.name.clone(),
                line: at + 1,
                reason: "neither a count nor an absence".into(),
                text: line.chars().take(80).collect(),
            });
        }
    }
    Ok((counts, sections))
}

/// Reads runs of sections: `first:step:number`, separated by blanks. There is one for each sample,
/// and no more than the module keeps: a few digits must not fill memory.
fn read_sections(runs: &str, samples: u32) -> Option<Sections> {
    let samples = samples as usize;
    if samples > MAX_SAMPLES {
        return None;
    }
    let mut all = Sections::new();
    for run in runs.split_whitespace() {
        let mut words = run.split(':').map(|word| word.parse::<u32>().ok());
        let (first, step, number) = (words.next()??, words.next()??, words.next()??);
        if words.next().is_some() || number as usize > samples - all.len() {
            return None;
        }
        for n in 0..number {
            all.push(step.checked_mul(n)?.checked_add(first)?);
        }
    }
    (all.len() == samples).then_some(all)
}

fn read_line(counts: &mut KernelCounts, line: &str) -> Option<()> {
    let (kind, rest) = line.split_once(' ')?;
    match kind {
        "count" => {
            let mut words = rest.split(' ');
            let row = KernelCount {
                primitive: words.next()?.into(),
                order: words.next()?.parse().ok()?,
                state: words.next()?.parse().ok()?,
                samples: words.next()?.parse().ok()?,
                min: words.next()?.parse().ok()?,
                max: words.next()?.parse().ok()?,
            };
            (words.next().is_none() && row.check().is_ok()).then(|| counts.rows.push(row))
        }
        "absent" => {
            let (primitive, reason) = rest.split_once(' ')?;
            counts.absent.push(Absent {
                primitive: primitive.into(),
                reason: reason.into(),
            });
            Some(())
        }
        "overhead" => {
            let mut words = rest.split(' ');
            let _samples: u32 = words.next()?.parse().ok()?;
            counts.overhead = Some(words.next()?.parse().ok()?);
            Some(())
        }
        "count_env" => {
            let (key, value) = rest.split_once(' ')?;
            counts.conditions.insert(key.into(), value.into());
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[&str]) -> Batch {
        Batch {
            name: "count".into(),
            lines: lines.iter().map(|l| l.to_string()).collect(),
        }
    }

    #[test]
    fn every_kind_of_line_is_read() {
        let (counts, sections) = read_counts(&batch(&[
            "overhead 40 13 13",
            "count_env cgroup_levels 2",
            "count bio_add_page 9 all 4 52200 52200",
            "sections 7:2:3 90:0:1",
            "absent bio_add_folio this kernel has no folios",
        ]))
        .unwrap();
        assert_eq!(sections, [[7, 9, 11, 90]]);
        assert_eq!(counts.rows[0].order, 9);
        assert_eq!(counts.rows[0].max, 52200);
        assert_eq!(counts.absent[0].reason, "this kernel has no folios");
        assert_eq!(counts.overhead, Some(13));
        assert_eq!(counts.conditions["cgroup_levels"], "2");
    }

    #[test]
    fn a_count_has_a_section_for_each_sample() {
        for (samples, runs) in [
            (4, "7:2:3"),
            (4, "7:2:5"),
            (4, "7:2:3 90:0:2"),
            (4, "0:0:4294967295"),
            (4_294_967_295_u32, "0:1:4294967295"),
        ] {
            let count = format!("count x 0 all {samples} 9 9");
            let lines = [count.as_str(), &format!("sections {runs}")];
            let error = read_counts(&batch(&lines)).unwrap_err();
            assert!(matches!(error, WireError::Field { line: 2, .. }), "{runs}");
        }
    }

    #[test]
    fn a_line_that_does_not_read_is_named() {
        for bad in [
            "count x 0 all 40 9",
            "count x 0 all 40 9 8",
            "count x 0 all 0 9 9",
            "count x 0 all@8 40 9 9",
            "count x 0 all 40 9 9 9",
            "counts x",
            "absent x",
            "sections 1:1:1",
        ] {
            let error = read_counts(&batch(&["overhead 40 13 13", bad])).unwrap_err();
            assert!(
                matches!(error, WireError::Field { line: 2, .. }),
                "{bad}: {error}"
            );
        }
    }
}
