//! Lines of descriptor against the order of the allocation, a figure for each family.

use compare::line_orders::LinePoint;
use stats::Estimate;

use super::Figure;
use super::panels::{Panel, Series, Sheet};
use super::scale::Format;
use super::series::{file_word, pages};
use crate::style::{sort_designs, style_of};

/// The figures, by family in the order of the points.
#[must_use]
pub fn line_figures(points: &[LinePoint]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for of_family in points.chunk_by(|a, b| family(a) == family(b)) {
        let panels: Vec<Panel> = of_family
            .chunk_by(|a, b| a.workload == b.workload)
            .map(panel)
            .collect();
        let (panels, without): (Vec<Panel>, Vec<Panel>) =
            panels.into_iter().partition(Panel::has_values);
        let mut names: Vec<String> = of_family.iter().map(|point| point.who.clone()).collect();
        names.sort();
        names.dedup();
        sort_designs(&mut names);
        let family = family(&of_family[0]);
        let mut note = "Distinct lines of 64 bytes that one allocation's descriptors are touched \
                        in: models by their timed loops, kernels by the primitive that does the \
                        same. Logarithmic scales; what touches none lies below."
            .to_owned();
        if !without.is_empty() {
            let names: Vec<&str> = without.iter().map(|panel| panel.title.as_str()).collect();
            note += &format!(" No descriptor is touched by {}.", names.join(", "));
        }
        let page = Sheet {
            name: format!("lines-order-{}", file_word(family)),
            title: format!("{family}: lines of descriptor against order"),
            axis: "order of the allocation".to_owned(),
            note,
            legend: names
                .iter()
                .map(|name| (style_of(name), name.clone()))
                .collect(),
        };
        figures.extend(pages(&page, &panels));
    }
    figures
}

fn family(point: &LinePoint) -> &str {
    point.workload.split('/').next().unwrap_or_default()
}

fn panel(points: &[LinePoint]) -> Panel {
    let mut names: Vec<String> = points.iter().map(|point| point.who.clone()).collect();
    names.sort();
    names.dedup();
    sort_designs(&mut names);
    let series = names.iter().map(|name| Series {
        style: style_of(name),
        points: points
            .iter()
            .filter(|point| point.who == *name)
            .map(|point| (point.order as f64, Estimate::exact(point.lines)))
            .collect(),
    });
    let mut orders: Vec<u64> = points.iter().map(|point| point.order).collect();
    orders.sort_unstable();
    orders.dedup();
    Panel {
        title: points[0].workload.clone(),
        detail: String::new(),
        unit: "lines per allocation".to_owned(),
        format: Format::Plain,
        ticks: orders
            .into_iter()
            .map(|order| (order as f64, order.to_string()))
            .collect(),
        joined: true,
        series: series.collect(),
    }
}
