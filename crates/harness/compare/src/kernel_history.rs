//! The debate's outcome in the real kernel: what 2 MiB of IO and their accounting cost in each
//! recorded kernel, in small units and in large ones.

use results::{Class, CountedKernel, KernelCount, KernelCounts, State, TrafficRow};
use serde::Serialize;

/// How 2 MiB are handed over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// 512 pages of 4 KiB.
    Pages,
    /// 32 segments of 64 KiB, the default limit.
    Segments,
    /// One multi-page vec.
    Bvec,
    /// One folio or compound page.
    Folio,
    /// One segment, of a device without a limit.
    Segment,
}

impl Unit {
    /// As tables write it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pages => "512 pages",
            Self::Segments => "32 segments",
            Self::Bvec => "1 bvec",
            Self::Folio => "1 folio",
            Self::Segment => "1 segment",
        }
    }

    /// Whether the 2 MiB go as many.
    pub const fn is_small(self) -> bool {
        matches!(self, Self::Pages | Self::Segments)
    }
}

/// A line of the history: one piece of work, in one unit, over the kernels.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// The work: `add`, `walk`, `split check`, `map`, `end of IO`, `charge`.
    pub work: &'static str,
    /// In what unit.
    pub unit: Unit,
    /// The counted primitives, added up.
    pub primitives: Vec<&'static str>,
    /// Per kernel, in the order given.
    pub cells: Vec<Cell>,
}

/// The cost in one kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cell {
    /// The kernel, as `6.12`.
    pub kernel: String,
    /// Guest instructions; none where the kernel lacks the primitive.
    pub instructions: Option<u64>,
    /// Lines of descriptor that they touch; none where the kernel was not traced.
    pub lines: Option<u32>,
    /// Why there are none.
    pub reason: Option<String>,
}

/// A primitive and the states that are meant; any if the list is empty.
type Part = (&'static str, &'static [&'static str]);

/// The order of 2 MiB.
const ORDER: u8 = 9;

const LINES: &[(&str, Unit, &[Part])] = &[
    ("add", Unit::Pages, &[("bio_add_page", &["all"])]),
    ("add", Unit::Folio, &[("bio_add_folio", &["all"])]),
    ("walk", Unit::Pages, &[("bio_for_each_segment", &["all"])]),
    ("walk", Unit::Bvec, &[("bio_for_each_bvec", &["all"])]),
    ("walk", Unit::Folio, &[("bio_for_each_folio_all", &["all"])]),
    (
        "split check",
        Unit::Segments,
        &[("bio_split_limits", &["fits"])],
    ),
    (
        "split check",
        Unit::Segment,
        &[("bio_split_limits_uintmax", &["fits"])],
    ),
    ("map", Unit::Segments, &[("blk_rq_map_sg", &["all"])]),
    ("map", Unit::Segment, &[("blk_rq_map_sg_uintmax", &["all"])]),
    (
        "end of IO",
        Unit::Pages,
        &[
            ("end_io_dirty_base", &["clean"]),
            ("end_io_release_base", &["held"]),
        ],
    ),
    (
        "end of IO",
        Unit::Folio,
        &[("end_io_dirty", &["clean"]), ("end_io_release", &["held"])],
    ),
    (
        "charge",
        Unit::Pages,
        &[
            ("memcg_charge_base_pages", &[]),
            ("memcg_uncharge_base_pages", &[]),
        ],
    ),
    (
        "charge",
        Unit::Folio,
        &[
            ("memcg_charge", &["exact"]),
            ("memcg_uncharge", &["direct"]),
        ],
    ),
];

/// Returns the history of recorded kernels, in the order given. `traffic` is what was traced of
/// them.
pub fn kernel_history(kernels: &[CountedKernel], traffic: &[TrafficRow]) -> Vec<Line> {
    LINES
        .iter()
        .map(|&(work, unit, parts)| Line {
            work,
            unit,
            primitives: parts.iter().map(|part| part.0).collect(),
            cells: kernels
                .iter()
                .map(|kernel| {
                    let version = kernel.identity.version();
                    Cell {
                        lines: lines(version, traffic, parts),
                        ..cell(version, &kernel.counts, parts)
                    }
                })
                .collect(),
        })
        .collect()
}

fn cell(kernel: &str, counts: &KernelCounts, parts: &[Part]) -> Cell {
    let found: Option<u64> = parts
        .iter()
        .map(|part| usual(counts, ORDER, *part).map(|count| count.min))
        .sum();
    let reason = parts.iter().find_map(|(primitive, _)| {
        let absent = counts.absent.iter().find(|a| a.primitive == *primitive)?;
        Some(absent.reason.clone())
    });
    Cell {
        kernel: kernel.to_owned(),
        reason: match found {
            Some(_) => None,
            None => reason.or_else(|| Some("not counted".to_owned())),
        },
        instructions: found,
        lines: None,
    }
}

/// The lines of descriptor that the parts touch, added up as their instructions are.
fn lines(kernel: &str, traffic: &[TrafficRow], parts: &[Part]) -> Option<u32> {
    let of = |&(primitive, states): &Part| {
        let rows = traffic.iter().filter(|row| {
            row.design.is_none()
                && row.kernel == kernel
                && row.primitive == primitive
                && row.order == ORDER
        });
        let met = rows.filter(|row| {
            let state = row.class.parse::<State>();
            states.is_empty() || state.is_ok_and(|state| states.contains(&state.main()))
        });
        let lines = |row: &TrafficRow| row.traffic.of(Class::Descriptor).lines;
        let usual = met.max_by_key(|row| (row.samples, std::cmp::Reverse(lines(row))));
        usual.map(lines)
    };
    parts.iter().map(of).sum()
}

/// The value that most samples had, over the states that are meant: `held` takes in
/// `held+spill1` and `held@431`. Of two as frequent, the smaller.
pub(crate) fn usual<'a>(
    counts: &'a KernelCounts,
    order: u8,
    (primitive, states): (&str, &[&str]),
) -> Option<&'a KernelCount> {
    counts
        .rows
        .iter()
        .filter(|row| row.primitive == primitive && row.order == order)
        .filter(|row| states.is_empty() || states.contains(&row.state.main()))
        .max_by_key(|row| (row.samples, std::cmp::Reverse(row.min)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::Absent;

    fn row(primitive: &str, order: u8, class: &str, samples: u32, min: u64) -> KernelCount {
        KernelCount {
            primitive: primitive.into(),
            order,
            state: class.parse().unwrap(),
            samples,
            min,
            max: min,
        }
    }

    fn counts() -> KernelCounts {
        KernelCounts {
            rows: vec![
                row("end_io_dirty", 9, "clean", 40, 127),
                row("end_io_dirty", 9, "dirty", 41, 125),
                row("end_io_release", 9, "held", 4, 158),
                row("end_io_release", 9, "held+spill1@162", 36, 162),
                row("end_io_release", 2, "held", 99, 1),
            ],
            absent: vec![Absent {
                primitive: "bio_add_folio".into(),
                reason: "came with 5.17".into(),
            }],
            ..KernelCounts::default()
        }
    }

    #[test]
    fn parts_add_up_by_the_value_that_most_samples_of_the_state_had() {
        let parts: &[Part] = &[("end_io_dirty", &["clean"]), ("end_io_release", &["held"])];
        let cell = cell("6.12", &counts(), parts);
        assert_eq!((cell.instructions, cell.reason), (Some(127 + 162), None));
    }

    #[test]
    fn lines_are_those_of_the_same_parts_in_the_same_kernel() {
        let row = |primitive: &str, kernel: &str, class: &str, samples, lines| {
            let text = format!(
                r#"{{"primitive":"{primitive}","kernel":"{kernel}","order":9,"class":"{class}",
                "samples":{samples},"alike":1,"instructions":1,"loads":1,"stores":1,"lines":99,
                "written":9,"pages":1,"huge_pages":1,
                "classes":{{"descriptor":{{"lines":{lines},"written":0}}}},"words":[]}}"#
            );
            serde_json::from_str::<TrafficRow>(&text).unwrap()
        };
        let mut traffic = vec![
            row("end_io_dirty", "6.12", "clean", 40, 2),
            row("end_io_dirty", "6.12", "dirty", 90, 7),
            row("end_io_dirty", "6.1", "clean", 90, 8),
            row("end_io_release", "6.12", "held", 4, 5),
            row("end_io_release", "6.12", "held+spill1@162", 36, 1),
        ];
        let parts: &[Part] = &[("end_io_dirty", &["clean"]), ("end_io_release", &["held"])];
        assert_eq!(lines("6.12", &traffic, parts), Some(3));
        assert_eq!(lines("7.2", &traffic, parts), None);
        // A part that was not traced is not nothing.
        assert_eq!(lines("6.1", &traffic, parts), None);
        traffic[0].design = Some("folio".into());
        assert_eq!(lines("6.12", &traffic, parts), None);
    }

    #[test]
    fn what_a_kernel_lacks_has_its_reason() {
        let cell = cell("5.10", &counts(), &[("bio_add_folio", &["all"])]);
        assert_eq!(cell.instructions, None);
        assert_eq!(cell.reason.as_deref(), Some("came with 5.17"));
        let cell = self::cell("5.10", &counts(), &[("bio_split", &[])]);
        assert_eq!(cell.reason.as_deref(), Some("not counted"));
    }
}
