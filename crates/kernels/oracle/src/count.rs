//! Counts: guest instructions per primitive, order and state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::{Batch, WireError};

/// What one primitive costs at one order in one state, in guest instructions; the measuring
/// bracket (two `rdtsc`, an indirect call, a return) is subtracted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The primitive, as `bio_add_page`.
    pub primitive: String,
    /// The order of the allocation it works on.
    pub order: u8,
    /// The state that the samples met, as `stock-hit`; `class@value` where one state still
    /// held several exact values.
    pub class: String,
    /// How often it was measured.
    pub samples: u32,
    /// The least instructions of a sample.
    pub min: u64,
    /// The most; equal to `min` unless the class is one that could not be split.
    pub max: u64,
}

/// A primitive that this kernel lacks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The primitive.
    pub primitive: String,
    /// Why there is only a dash.
    pub reason: String,
}

/// All that a kernel counted in one boot.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Sorted as the module measured them.
    pub rows: Vec<Count>,
    /// Primitives that this kernel lacks.
    pub absent: Vec<Absent>,
    /// Instructions of the empty bracket that were subtracted.
    pub overhead: Option<u64>,
    /// What the module says about the conditions of counting, by key.
    pub conditions: BTreeMap<String, String>,
}

/// Reads the module's batch `count`.
pub(crate) fn read_counts(batch: &Batch) -> Result<Counts, WireError> {
    let mut counts = Counts::default();
    for (at, line) in batch.lines.iter().enumerate() {
        if read_line(&mut counts, line).is_none() {
            return Err(WireError::Field {
                batch: batch.name.clone(),
                line: at + 1,
                reason: "neither a count nor an absence".into(),
                text: line.chars().take(80).collect(),
            });
        }
    }
    Ok(counts)
}

fn read_line(counts: &mut Counts, line: &str) -> Option<()> {
    let (kind, rest) = line.split_once(' ')?;
    match kind {
        "count" => {
            let mut words = rest.split(' ');
            let row = Count {
                primitive: words.next()?.into(),
                order: words.next()?.parse().ok()?,
                class: words.next()?.into(),
                samples: words.next()?.parse().ok()?,
                min: words.next()?.parse().ok()?,
                max: words.next()?.parse().ok()?,
            };
            (words.next().is_none() && row.min <= row.max).then(|| counts.rows.push(row))
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
        let counts = read_counts(&batch(&[
            "overhead 40 13 13",
            "count_env cgroup_levels 2",
            "count bio_add_page 9 all 40 52200 52200",
            "absent bio_add_folio this kernel has no folios",
        ]))
        .unwrap();
        assert_eq!(counts.rows[0].order, 9);
        assert_eq!(counts.rows[0].max, 52200);
        assert_eq!(counts.absent[0].reason, "this kernel has no folios");
        assert_eq!(counts.overhead, Some(13));
        assert_eq!(counts.conditions["cgroup_levels"], "2");
    }

    #[test]
    fn a_line_that_does_not_read_is_named() {
        for bad in [
            "count x 0 all 40 9",
            "count x 0 all 40 9 8",
            "count x 0 all 40 9 9 9",
            "counts x",
            "absent x",
        ] {
            let error = read_counts(&batch(&["overhead 40 13 13", bad])).unwrap_err();
            assert!(
                matches!(error, WireError::Field { line: 2, .. }),
                "{bad}: {error}"
            );
        }
    }
}
