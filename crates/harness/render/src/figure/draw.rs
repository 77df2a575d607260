//! Drawing shapes through plotters' backends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ab_glyph::GlyphId;
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle};

use super::shapes::{Anchor, Shape};
use super::{Figure, font};
use crate::style::Rgb;

/// Backends take whole pixels: the SVG is drawn this many times larger and scaled back, so
/// that rounding cannot be seen.
const SVG_SCALE: f64 = 8.0;
/// PNG pixels per pixel of the figure.
const PNG_SCALE: f64 = 2.0;

/// A point of the figure in a backend's pixels.
fn round(point: (f64, f64), scale: f64) -> (i32, i32) {
    (
        (point.0 * scale).round() as i32,
        (point.1 * scale).round() as i32,
    )
}

fn style(colour: Rgb, width: f64) -> ShapeStyle {
    let rgb = RGBColor(colour.0, colour.1, colour.2);
    ShapeStyle {
        color: rgb.to_rgba(),
        filled: true,
        stroke_width: width.round().max(1.0) as u32,
    }
}

/// Everything but texts.
fn outlines<B: DrawingBackend>(backend: &mut B, figure: &Figure, scale: f64) -> Result<(), String> {
    let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
    let page = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    backend
        .fill_polygon(
            page.map(|point| round(point, scale)),
            &style((255, 255, 255), 1.0),
        )
        .map_err(|error| error.to_string())?;
    for shape in &figure.shapes {
        match shape {
            Shape::Line {
                points,
                colour,
                width,
            } => {
                let points = points.iter().map(|point| round(*point, scale));
                backend
                    .draw_path(points, &style(*colour, width * scale))
                    .map_err(|error| error.to_string())?;
            }
            Shape::Fill { points, colour } => {
                let points = points.iter().map(|point| round(*point, scale));
                backend
                    .fill_polygon(points, &style(*colour, 1.0))
                    .map_err(|error| error.to_string())?;
            }
            Shape::Disc {
                centre,
                radius,
                colour,
            } => {
                let radius = (radius * scale).round() as u32;
                backend
                    .draw_circle(round(*centre, scale), radius, &style(*colour, 1.0), true)
                    .map_err(|error| error.to_string())?;
            }
            Shape::Text { .. } => {}
        }
    }
    Ok(())
}

/// A text, its glyphs with their origins in pixels of the figure.
struct Glyphs<'a> {
    placed: Vec<(GlyphId, f64, f64)>,
    size: f64,
    bold: bool,
    colour: Rgb,
    content: &'a str,
}

fn glyphs(shape: &Shape) -> Option<Glyphs<'_>> {
    let Shape::Text {
        at,
        anchor,
        size,
        bold,
        colour,
        content,
    } = shape
    else {
        return None;
    };
    let (glyphs, width) = font::place(content, *size, *bold);
    let left = match anchor {
        Anchor::Left => at.0,
        Anchor::Middle => at.0 - width / 2.0,
        Anchor::Right => at.0 - width,
    };
    let baseline = at.1 + size * font::CAPITAL / 2.0;
    let placed = glyphs
        .into_iter()
        .map(|(id, x)| (id, left + x, baseline))
        .collect();
    Some(Glyphs {
        placed,
        size: *size,
        bold: *bold,
        colour: *colour,
        content,
    })
}

/// The figure as SVG: the backend's shapes, and texts as outlines that are defined once.
pub(super) fn svg(figure: &Figure) -> Result<String, String> {
    let (width, height) = figure.size;
    let large = (width * SVG_SCALE as u32, height * SVG_SCALE as u32);
    let mut drawn = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut drawn, large);
        outlines(&mut backend, figure, SVG_SCALE)?;
        backend.present().map_err(|error| error.to_string())?;
    }
    // The backend's own head says the enlarged size; the picture keeps its coordinates
    // and is shown in the figure's.
    let head = format!("<svg width=\"{}\" height=\"{}\"", large.0, large.1);
    let shown = format!("<svg width=\"{width}\" height=\"{height}\" role=\"img\"");
    if !drawn.contains(&head) {
        return Err("the SVG backend writes another head than expected".to_owned());
    }
    let drawn = drawn.replacen(&head, &shown, 1);
    let end = drawn
        .rfind("</svg>")
        .ok_or("the SVG backend wrote no end")?;
    Ok(format!("{}{}</svg>\n", &drawn[..end], svg_texts(figure)))
}

fn svg_texts(figure: &Figure) -> String {
    let mut defined: BTreeMap<(bool, u16), String> = BTreeMap::new();
    let mut body = String::new();
    for shape in &figure.shapes {
        let Some(glyphs) = glyphs(shape) else {
            continue;
        };
        let Glyphs {
            placed,
            size,
            bold,
            colour,
            content,
        } = glyphs;
        let scale = font::unit(size, bold) * SVG_SCALE;
        let _ = writeln!(
            body,
            "<g aria-label=\"{}\" fill=\"#{:02X}{:02X}{:02X}\">",
            escape(content),
            colour.0,
            colour.1,
            colour.2
        );
        for (id, x, y) in placed {
            let path = defined
                .entry((bold, id.0))
                .or_insert_with(|| font::path_data(id, bold));
            if !path.is_empty() {
                let (x, y) = (x * SVG_SCALE, y * SVG_SCALE);
                let name = glyph_name(bold, id.0);
                let _ = writeln!(
                    body,
                    "<use href=\"#{name}\" transform=\"translate({x:.0} {y:.0}) scale({scale:.5})\"/>"
                );
            }
        }
        body.push_str("</g>\n");
    }
    let mut texts = format!(
        "<title>{}</title>\n<desc>{}</desc>\n<defs>\n",
        escape(&figure.title),
        escape(&figure.alt)
    );
    for ((bold, id), path) in &defined {
        if !path.is_empty() {
            let _ = writeln!(
                texts,
                "<path id=\"{}\" d=\"{path}\"/>",
                glyph_name(*bold, *id)
            );
        }
    }
    texts.push_str("</defs>\n");
    texts.push_str(&body);
    texts
}

fn glyph_name(bold: bool, id: u16) -> String {
    format!("{}{id}", if bold { 'b' } else { 'r' })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The figure as a PNG file.
pub(super) fn png(figure: &Figure, path: &Path) -> Result<(), String> {
    let (width, height) = figure.size;
    let size = (width * PNG_SCALE as u32, height * PNG_SCALE as u32);
    let mut backend = BitMapBackend::new(path, size);
    outlines(&mut backend, figure, PNG_SCALE)?;
    for shape in &figure.shapes {
        let Some(glyphs) = glyphs(shape) else {
            continue;
        };
        let Glyphs {
            placed,
            size,
            bold,
            colour,
            ..
        } = glyphs;
        for (id, x, y) in placed {
            let mut refused = None;
            let covered = |share| RGBAColor(colour.0, colour.1, colour.2, share).to_backend_color();
            font::rasterise(
                id,
                size * PNG_SCALE,
                bold,
                (x * PNG_SCALE, y * PNG_SCALE),
                |x, y, coverage| {
                    if let Err(error) = backend.draw_pixel((x, y), covered(coverage)) {
                        refused.get_or_insert(error.to_string());
                    }
                },
            );
            if let Some(reason) = refused {
                return Err(reason);
            }
        }
    }
    backend.present().map_err(|error| error.to_string())
}
