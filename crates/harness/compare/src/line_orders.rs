//! Lines of descriptor against the order of the allocation: of the models' loops, and of the
//! kernels' primitives that do the same work.

use results::look::KERNEL;
use results::{Class, LinesBaseline, LoopLines, Param, State, TrafficRow};
use serde::Serialize;

use crate::NULL;

/// The lines of one allocation in one workload.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LinePoint {
    /// Id of the workload.
    pub workload: String,
    /// The design, or the kernel as `linux-6.12`.
    pub who: String,
    /// The order of the allocation.
    pub order: u64,
    /// Lines touched, for each allocation.
    pub lines: f64,
    /// Lines written, for each allocation.
    pub written: f64,
}

/// Primitives of a kernel that a loop's call does one after the other, and the states that are
/// meant; any if the list is empty.
type Parts = &'static [(&'static str, &'static [&'static str])];

/// A workload whose loops are shown, and what does the same work in a kernel: the first parts
/// that it has.
struct Shown {
    workload: &'static str,
    /// A parameter that tells its loops from those that ask another question.
    only: Option<(&'static str, &'static str)>,
    /// Whether an element is a base page rather than an allocation.
    by_page: bool,
    kernel: &'static [Parts],
}

const SHOWN: [Shown; 11] = [
    Shown {
        workload: "iteration/segments",
        only: None,
        by_page: true,
        kernel: &[&[("bio_for_each_segment", &[])]],
    },
    of("iteration/bvecs", &[&[("bio_for_each_bvec", &[])]]),
    of("iteration/chunks", &[&[("bio_for_each_folio_all", &[])]]),
    of(
        "iteration/end-io",
        &[&[("end_io_dirty", &["clean"]), ("end_io_release", &["held"])]],
    ),
    of("iteration/lru-scan", &[&[("lru_add_isolate", &[])]]),
    of(
        "merging/add",
        &[&[("bio_add_folio", &[])], &[("bio_add_page", &[])]],
    ),
    of("merging/map-sg", &[&[("blk_rq_map_sg", &[])]]),
    of("merging/count-segments", &[&[("recount", &[])]]),
    of("accounting/charge", &[&[("memcg_charge", &[])]]),
    of("accounting/uncharge", &[&[("memcg_uncharge", &[])]]),
    Shown {
        workload: "layout/compose",
        only: Some(("mode", "free")),
        by_page: false,
        kernel: &[&[("free_compound", &[])], &[("free_plain", &[])]],
    },
];

const fn of(workload: &'static str, kernel: &'static [Parts]) -> Shown {
    Shown {
        workload,
        only: None,
        by_page: false,
        kernel,
    }
}

/// Returns the points of every workload that is shown, models before kernels, by order.
/// `traffic` may hold the models' primitives too, which are left out.
pub fn by_order(loops: &LinesBaseline, traffic: &[TrafficRow]) -> Vec<LinePoint> {
    let mut points: Vec<LinePoint> = SHOWN
        .iter()
        .flat_map(|shown| {
            let models = loops.loops.iter().filter(|one| is_newest(loops, one));
            let models = models.filter_map(|one| model(shown, one));
            models.chain(kernels(shown, traffic))
        })
        .collect();
    let place = |point: &LinePoint| {
        let is_shown = |shown: &Shown| shown.workload == point.workload;
        (SHOWN.iter().position(is_shown), point.order)
    };
    points.sort_by_key(place);
    points
}

/// Whether no loop of the same design and workload follows a newer kernel's rules.
fn is_newest(loops: &LinesBaseline, one: &LoopLines) -> bool {
    let version =
        |rules: &str| -> Vec<u32> { rules.split('.').filter_map(|n| n.parse().ok()).collect() };
    let of = |one: &LoopLines| (one.of.design.clone(), one.of.workload.clone());
    let same = loops.loops.iter().filter(|other| of(other) == of(one));
    let newest = same.map(|other| version(&other.of.rules)).max();
    newest.is_none_or(|newest| newest == version(&one.of.rules))
}

fn model(shown: &Shown, one: &LoopLines) -> Option<LinePoint> {
    let params = &one.of.params;
    let is = |(name, word): (&str, &str)| matches!(params.get(name), Some(Param::Text(is)) if is == word);
    let other = one.of.workload != shown.workload || one.of.design == NULL;
    if other || !shown.only.is_none_or(is) {
        return None;
    }
    let Some(Param::Number(order)) = params.get("order") else {
        return None;
    };
    let elements = one.elements as f64;
    let allocations = match shown.by_page {
        true => elements / f64::from(1_u32 << (*order).min(30)),
        false => elements,
    };
    Some(LinePoint {
        workload: one.of.workload.clone(),
        who: one.of.design.clone(),
        order: *order,
        lines: f64::from(one.lines) / allocations,
        written: f64::from(one.written) / allocations,
    })
}

fn kernels(shown: &Shown, traffic: &[TrafficRow]) -> Vec<LinePoint> {
    let rows = || traffic.iter().filter(|row| row.design.is_none());
    let mut met: Vec<(&str, u8)> = rows().map(|row| (row.kernel.as_str(), row.order)).collect();
    met.sort_unstable();
    met.dedup();
    let point = |(kernel, order): (&str, u8)| {
        let rows = || rows().filter(|row| row.kernel == kernel && row.order == order);
        let usual = |(primitive, states): &(&str, &[&str])| {
            let of = rows().filter(|row| row.primitive == *primitive);
            let of = of.filter(|row| {
                let state = row.class.parse::<State>();
                states.is_empty() || state.is_ok_and(|state| states.contains(&state.main()))
            });
            let lines = |row: &TrafficRow| row.traffic.of(Class::Descriptor);
            let most = of.max_by_key(|row| (row.samples, std::cmp::Reverse(lines(row).lines)));
            most.map(lines)
        };
        // The parts touch the same descriptors, whose lines a loop's call touches once.
        let distinct = |parts: &Parts| -> Option<(u32, u32)> {
            let all: Vec<_> = parts.iter().map(usual).collect::<Option<_>>()?;
            Some(all.iter().fold((0, 0), |(lines, written), one| {
                (one.lines.max(lines), one.written.max(written))
            }))
        };
        let (lines, written) = shown.kernel.iter().find_map(distinct)?;
        Some(LinePoint {
            workload: shown.workload.to_owned(),
            who: format!("{KERNEL}{kernel}"),
            order: u64::from(order),
            lines: f64::from(lines),
            written: f64::from(written),
        })
    };
    met.into_iter().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn traced(label: &str, elements: u64, lines: u32) -> LoopLines {
        LoopLines {
            of: label.parse().unwrap(),
            elements,
            lines,
            written: 0,
            functions: BTreeMap::new(),
        }
    }

    fn row(primitive: &str, kernel: &str, order: u8, lines: u32) -> TrafficRow {
        let text = format!(
            r#"{{"primitive":"{primitive}","kernel":"{kernel}","order":{order},"class":"all",
            "samples":1,"alike":1,"instructions":1,"loads":1,"stores":1,"lines":99,"written":9,
            "pages":1,"huge_pages":1,
            "classes":{{"descriptor":{{"lines":{lines},"written":0}}}},"words":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn found(loops: Vec<LoopLines>, traffic: &[TrafficRow]) -> Vec<(String, u64, f64)> {
        let loops = LinesBaseline {
            emulator: String::new(),
            optimised: true,
            loops,
        };
        let points = by_order(&loops, traffic).into_iter();
        points
            .map(|point| (point.who, point.order, point.lines))
            .collect()
    }

    #[test]
    fn lines_are_those_of_one_allocation_whatever_an_element_is() {
        let loops = vec![
            traced("iteration/segments flat 6.12 order=9", 512, 3),
            traced("layout/compose flat 6.12 mode=free,order=9", 16, 8192),
            // Other questions, and the floor.
            traced("layout/compose flat 6.12 mode=make,order=9", 16, 1),
            traced("layout/compose null 6.12 mode=free,order=9", 16, 0),
            // Older rules than the other loop's.
            traced("merging/add flat 5.10 order=9", 1, 1),
            traced("merging/add flat 6.12 order=9", 1, 512),
            traced("merging/add flat-sp 5.0 order=9", 1, 511),
        ];
        let of = |who: &str, lines| (who.to_owned(), 9, lines);
        let expected = [
            of("flat", 3.0),
            of("flat", 512.0),
            of("flat-sp", 511.0),
            of("flat", 512.0),
        ];
        assert_eq!(found(loops, &[]), expected);
    }

    #[test]
    fn two_primitives_on_the_same_descriptors_touch_their_lines_once() {
        let mut traffic = [
            row("end_io_dirty", "6.12", 9, 2),
            row("end_io_release", "6.12", 9, 2),
        ];
        traffic[0].class = "clean".into();
        traffic[1].class = "held".into();
        let kernel = ("linux-6.12".to_owned(), 9, 2.0);
        assert_eq!(found(vec![], &traffic), [kernel]);
        // Half of the work is not the work.
        assert_eq!(found(vec![], &traffic[..1]), []);
    }

    #[test]
    fn a_kernel_without_the_newer_primitive_is_shown_by_the_older() {
        let traffic = [
            row("bio_add_page", "5.10", 9, 1),
            row("bio_add_page", "6.12", 9, 512),
            row("bio_add_folio", "6.12", 9, 0),
        ];
        let kernel = |name: &str, lines| (name.to_owned(), 9, lines);
        assert_eq!(
            found(vec![], &traffic),
            [kernel("linux-5.10", 1.0), kernel("linux-6.12", 0.0)]
        );
    }
}
