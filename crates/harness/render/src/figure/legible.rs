//! Every figure of a large run can be read: no text on another, none cut off.

use super::shapes::Shape;
use super::{
    Figure, census_figure, fidelity_figure, figures, history_figures, kernel_history_figure,
    line_figures,
};
use crate::style::{Marker, style_of};
use compare::census::{Cost, Findings, Operation, Total};
use compare::kernel_history::{Cell, Line, Unit};
use compare::line_orders::LinePoint;
use compare::{History, HistoryRun, Summary};
use results::{Census, CensusHeader, CensusRow};
use std::collections::BTreeMap;

#[path = "../../tests/synthetic/mod.rs"]
mod synthetic;

fn all() -> Vec<Figure> {
    let mut all = figures(&Summary::from_run(&synthetic::run(7, 0.02)));
    all.extend(fidelity_figure(&synthetic::fidelity()));
    all.extend(history_figures(&history()));
    all.extend(kernels());
    all.extend(line_figures(&lines()));
    all.extend(census());
    all
}

/// As many designs as are registered.
const DESIGNS: [&str; 7] = [
    "flat",
    "flat-sp",
    "folio",
    "split",
    "memdesc",
    "headpage",
    "headpage-noassert",
];

/// Lines of every design and four kernels, some of them none.
fn lines() -> Vec<LinePoint> {
    let designs = DESIGNS.iter().copied();
    let who = designs.chain(["linux-5.10", "linux-6.1", "linux-6.12", "linux-7.2"]);
    let who: Vec<&str> = who.collect();
    let workloads = ["iteration/segments", "iteration/end-io", "merging/add"];
    let points = workloads.iter().enumerate().flat_map(|(n, workload)| {
        who.iter().enumerate().flat_map(move |(at, who)| {
            [0, 2, 4, 9].map(|order| LinePoint {
                workload: (*workload).to_owned(),
                who: (*who).to_owned(),
                order,
                // The first workload touches nothing, of the others two thirds do.
                lines: (n * (at % 3) * (1 << order)) as f64,
                written: 0.0,
            })
        })
    });
    points.collect()
}

fn census() -> Option<Figure> {
    let uses = [
        "anon",
        "file",
        "hugetlb",
        "slab",
        "page-table",
        "unnamed",
        "free",
        "reserved",
    ];
    let rows = uses.iter().enumerate().flat_map(|(at, of)| {
        [0, 1, 2, 3, 4, 9, 10].map(|order| CensusRow {
            of: (*of).to_owned(),
            order,
            blocks: 1 << (2 * at),
            mapped: 0,
            charged: 0,
        })
    });
    let rows: Vec<CensusRow> = rows.collect();
    let costs = DESIGNS.iter().flat_map(|design| {
        rows.iter().map(|row| Cost {
            design: (*design).to_owned(),
            of: row.of.clone(),
            order: row.order,
            bytes: row.frames() as f64 * 64.0,
            lines: BTreeMap::new(),
        })
    });
    let totals = DESIGNS.iter().map(|design| Total {
        design: (*design).to_owned(),
        bytes: 1e9,
        share: 0.016,
        lines: Operation::ALL.map(|of| (of, 1e6)).into(),
    });
    let found = Findings {
        costs: costs.collect(),
        totals: totals.collect(),
    };
    let header = CensusHeader {
        schema: 2,
        kernel: "6.12.95+deb12-cloud-amd64".to_owned(),
        date: "2026-11-26".to_owned(),
        frames: rows.iter().map(CensusRow::frames).sum(),
        holes: 0,
        torn: 0,
        tells_mapped: true,
        tells_charged: true,
        rows: rows.len(),
    };
    census_figure(&Census { header, rows }, &found)
}

fn kernels() -> Option<Figure> {
    let line = |work, unit, value: u64| Line {
        work,
        unit,
        primitives: vec![],
        cells: [None, Some(value), Some(value * 11 / 10), Some(value)]
            .map(|instructions| Cell {
                kernel: String::new(),
                instructions,
                lines: instructions.map(|_| 513),
                reason: None,
            })
            .to_vec(),
    };
    let works = ["add", "walk", "split check", "map", "end of IO", "charge"];
    let lines: Vec<Line> = works
        .into_iter()
        .flat_map(|work| {
            [
                line(work, Unit::Pages, 52_000),
                line(work, Unit::Bvec, 50),
                line(work, Unit::Folio, 55),
            ]
        })
        .collect();
    let names = ["5.10", "6.1", "6.12", "7.2"].map(str::to_owned);
    kernel_history_figure(&names, &lines)
}

fn history() -> History {
    let runs = (1..=12).map(|day| {
        let mut run = synthetic::run(day, 0.02);
        run.env.date_utc = format!("2026-11-{day:02}T01:02:03Z");
        run.rows.retain(|row| row.workload().starts_with("layout/"));
        HistoryRun::from_summary("a machine", &day.to_string(), &Summary::from_run(&run))
    });
    History::of(runs.collect()).unwrap()
}

#[test]
fn the_run_gives_every_kind_of_figure() {
    let all = all();
    let names: Vec<&str> = all.iter().map(|figure| figure.name.as_str()).collect();
    for name in [
        "cost-order-iteration",
        "cost-order-merging",
        "cost-depth-accounting",
        "cost-threads-accounting",
        "ratios-1",
        "ratios-iteration",
        "descriptor-bytes-order",
        "code-bytes-entry",
        "model-kernel",
        "history-1-layout-time",
        "history-1-layout-descriptor-bytes",
        "kernel-history",
        "lines-order-iteration",
        "lines-order-merging",
        "census",
    ] {
        let found = names.iter().any(|known| {
            *known == name
                || known.strip_suffix("-1") == Some(name)
                || name.strip_suffix("-1") == Some(known)
        });
        assert!(found, "{name} is among {names:?}");
    }
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}

#[test]
fn no_text_lies_on_another_or_beyond_the_edge() {
    for figure in all() {
        let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
        let texts: Vec<_> = figure
            .shapes
            .iter()
            .filter_map(|shape| Some((shape, shape.text_box()?)))
            .collect();
        assert!(texts.len() > 5, "{}: {} texts", figure.name, texts.len());
        for (index, (shape, a)) in texts.iter().enumerate() {
            assert!(
                a.0 >= 4.0 && a.1 >= 4.0 && a.2 <= width - 4.0 && a.3 <= height - 4.0,
                "{}: {shape:?} leaves the figure",
                figure.name
            );
            for (other, b) in &texts[index + 1..] {
                let apart = a.2 + 2.0 <= b.0 || b.2 + 2.0 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
                assert!(apart, "{}: {shape:?} on {other:?}", figure.name);
            }
        }
    }
}

#[test]
fn nothing_is_drawn_beyond_the_edge() {
    for figure in all() {
        let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
        for shape in &figure.shapes {
            let points = match shape {
                Shape::Line { points, .. } | Shape::Fill { points, .. } => points.clone(),
                Shape::Disc { centre, .. } => vec![*centre],
                Shape::Text { at, .. } => vec![*at],
            };
            for (x, y) in points {
                let inside = (0.0..=width).contains(&x) && (0.0..=height).contains(&y);
                assert!(inside, "{}: {shape:?}", figure.name);
            }
        }
    }
}

/// In every figure a design is drawn in its own colour only.
#[test]
fn a_design_keeps_its_colour_in_every_figure() {
    for figure in all() {
        let names: Vec<String> = figure
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { content, .. } => Some(content.clone()),
                _ => None,
            })
            .collect();
        for design in [
            "flat-sp",
            "folio",
            "memdesc",
            "headpage",
            "headpage-noassert",
        ] {
            let colour = style_of(design).colour;
            // Alone, or with what it stands beside: `folio : 6.12`.
            let named = names
                .iter()
                .any(|name| name.split(" : ").next() == Some(design));
            let drawn = figure.shapes.iter().any(|shape| match shape {
                Shape::Fill { colour: drawn, .. } | Shape::Disc { colour: drawn, .. } => {
                    *drawn == colour
                }
                _ => false,
            });
            assert_eq!(named, drawn, "{design} in {}", figure.name);
        }
    }
    assert_eq!(style_of("null").marker, Marker::None);
}

#[test]
fn the_svg_is_sound_xml_that_needs_no_font() {
    for figure in all() {
        let svg = figure.svg().unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        assert_eq!(
            root.attribute("width"),
            Some(figure.size.0.to_string().as_str())
        );
        let (mut texts, mut uses) = (0, 0);
        for node in document.descendants() {
            assert_ne!(
                node.tag_name().name(),
                "text",
                "{}: a text would need a font",
                figure.name
            );
            texts += usize::from(node.has_attribute("aria-label"));
            if node.tag_name().name() == "use" {
                let id = node.attribute("href").unwrap().trim_start_matches('#');
                let known = document
                    .descendants()
                    .any(|node| node.attribute("id") == Some(id));
                assert!(known, "{}: glyph {id}", figure.name);
                uses += 1;
            }
        }
        let want = figure
            .shapes
            .iter()
            .filter(|shape| shape.text_box().is_some())
            .count();
        assert_eq!(texts, want, "{}", figure.name);
        assert!(uses > texts, "{}", figure.name);
    }
}

#[test]
fn both_files_are_written_and_the_same_run_draws_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let figure = all().remove(0);
    let [svg, png] = figure.write(dir.path()).unwrap();
    let bytes = std::fs::read(&png).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (figure.size.0 * 2, figure.size.1 * 2));
    assert_eq!(
        std::fs::read_to_string(svg).unwrap(),
        all().remove(0).svg().unwrap()
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        2,
        "no litter"
    );
}

#[test]
fn no_line_is_drawn_over_a_point_that_lies_below_the_axis() {
    // How far the curve of flat reaches from left to right, its values at orders 0, 2 and 9 being
    // these; with what else is as wide: the sample in the legend, and edges of markers.
    let reach = |lines: [f64; 3]| -> f64 {
        let points = [0, 2, 9].into_iter().zip(lines);
        let points: Vec<LinePoint> = points
            .map(|(order, lines)| LinePoint {
                workload: "merging/add".to_owned(),
                who: "flat".to_owned(),
                order,
                lines,
                written: 0.0,
            })
            .collect();
        let reach = |shape: &Shape| match shape {
            Shape::Line { points, width, .. } if *width == 1.8 => {
                let pairs = points.windows(2);
                pairs.map(|pair| (pair[1].0 - pair[0].0).abs()).sum()
            }
            _ => 0.0,
        };
        line_figures(&points)[0].shapes.iter().map(reach).sum()
    };
    let [whole, half, none] = [[1.0, 4.0, 512.0], [0.0, 4.0, 512.0], [1.0, 0.0, 512.0]].map(reach);
    assert!(whole > half + 50.0, "{whole} {half}");
    assert!(half > none + 100.0, "over a value of none: {half} {none}");
}

/// Seventeen contenders in a panel that has two places, as charges in a run with all kernels.
#[test]
fn markers_beside_the_first_and_the_last_place_stay_in_the_frame() {
    let mut summary = Summary::from_run(&synthetic::run(7, 0.02));
    let more: Vec<String> = (0..14).map(|n| format!("linux-6.12+patch{n}")).collect();
    for family in &mut summary.families {
        family.cases.retain(|case| {
            let order = case.params.get("order").map(ToString::to_string);
            ["0", "9"]
                .iter()
                .any(|kept| order.as_deref() == Some(*kept))
        });
        // Level lines: on a steep one, a marker stands in its place.
        let Some(cell) = family.cases.first().map(|case| case.cells["flat"].clone()) else {
            continue;
        };
        for case in &mut family.cases {
            let names = more.iter().cloned().chain(["flat".to_owned()]);
            case.cells.extend(names.map(|name| (name, cell.clone())));
        }
    }
    summary.designs.extend(more);
    let figures = figures(&summary);
    let cost = figures
        .iter()
        .filter(|figure| figure.name.starts_with("cost-order"));
    let mut markers = 0;
    for figure in cost {
        let frames: Vec<_> = figure
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Line { points, .. } if points.len() == 5 && points[0] == points[4] => {
                    Some((points[0], points[2]))
                }
                _ => None,
            })
            .collect();
        let top = frames
            .iter()
            .map(|frame| frame.0.1)
            .fold(f64::MAX, f64::min);
        for shape in &figure.shapes {
            let Shape::Disc { centre: (x, y), .. } = shape else {
                continue;
            };
            // Above all frames is the legend.
            if *y < top {
                continue;
            }
            let held = |&((left, top), (right, bottom)): &((f64, f64), (f64, f64))| {
                (left..=right).contains(x) && (top..=bottom).contains(y)
            };
            assert!(frames.iter().any(held), "{}: {x}, {y}", figure.name);
            markers += 1;
        }
    }
    assert!(markers > 3, "{markers}");
}

#[test]
fn a_panel_that_would_have_dashes_only_is_left_out() {
    let mut summary = Summary::from_run(&synthetic::run(7, 0.02));
    let titles = |summary: &Summary| -> Vec<String> {
        let figures = figures(summary);
        let cost = figures
            .iter()
            .filter(|figure| figure.name.starts_with("cost-"));
        let shapes = cost.flat_map(|figure| &figure.shapes);
        let texts = shapes.filter_map(|shape| match shape {
            Shape::Text { content, .. } => Some(content.clone()),
            _ => None,
        });
        texts.collect()
    };
    let workload = "iteration/chunks".to_owned();
    assert!(titles(&summary).contains(&workload));
    let cases = summary
        .families
        .iter_mut()
        .flat_map(|family| &mut family.cases);
    for case in cases.filter(|case| case.workload == workload) {
        for cell in case.cells.values_mut() {
            *cell = compare::Cell::Absent("thin".to_owned());
        }
    }
    assert!(!titles(&summary).contains(&workload));
}
