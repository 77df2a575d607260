//! Shapes: what a figure consists of, in pixels of the SVG, y downwards.

use super::font;
use crate::style::{Marker, Rgb, Style};

pub(super) const BLACK: Rgb = (0, 0, 0);
pub(super) const WHITE: Rgb = (255, 255, 255);
/// Frames and ticks.
pub(super) const DARK: Rgb = (90, 90, 90);
/// Grid lines.
pub(super) const LIGHT: Rgb = (225, 225, 225);
/// The band of the noise floor.
pub(super) const BAND: Rgb = (232, 236, 240);

/// Where a text lies in relation to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// A line through points.
    Line {
        points: Vec<(f64, f64)>,
        colour: Rgb,
        width: f64,
    },
    /// A filled polygon.
    Fill {
        points: Vec<(f64, f64)>,
        colour: Rgb,
    },
    /// A filled circle.
    Disc {
        centre: (f64, f64),
        radius: f64,
        colour: Rgb,
    },
    /// A text, its capitals centred on the point's height.
    Text {
        at: (f64, f64),
        anchor: Anchor,
        size: f64,
        bold: bool,
        colour: Rgb,
        content: String,
    },
}

/// A text of usual weight and colour.
pub(super) fn text(at: (f64, f64), anchor: Anchor, size: f64, content: &str) -> Shape {
    Shape::Text {
        at,
        anchor,
        size,
        bold: false,
        colour: BLACK,
        content: content.to_owned(),
    }
}

/// A bold text.
pub(super) fn bold(at: (f64, f64), anchor: Anchor, size: f64, content: &str) -> Shape {
    Shape::Text {
        at,
        anchor,
        size,
        bold: true,
        colour: BLACK,
        content: content.to_owned(),
    }
}

/// A straight line.
pub(super) fn line(from: (f64, f64), to: (f64, f64), colour: Rgb, width: f64) -> Shape {
    Shape::Line {
        points: vec![from, to],
        colour,
        width,
    }
}

/// A filled rectangle.
pub(super) fn rectangle(from: (f64, f64), to: (f64, f64), colour: Rgb) -> Shape {
    let points = vec![from, (to.0, from.1), to, (from.0, to.1)];
    Shape::Fill { points, colour }
}

/// A line through points with the dashes of a style.
pub(super) fn dashed(points: &[(f64, f64)], style: &Style, width: f64) -> Vec<Shape> {
    let colour = style.colour;
    if style.dash.is_empty() {
        return vec![Shape::Line {
            points: points.to_vec(),
            colour,
            width,
        }];
    }
    let mut shapes = Vec::new();
    let mut dash = vec![];
    // The pattern runs on over corners: which part we are in, and how much of it is left.
    let (mut part, mut left) = (0, style.dash[0]);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let along = |distance: f64| {
            let share = if length > 0.0 { distance / length } else { 0.0 };
            (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            )
        };
        let mut done = 0.0;
        if part % 2 == 0 {
            dash.push(from);
        }
        while length - done > left {
            done += left;
            if part % 2 == 0 {
                dash.push(along(done));
                shapes.push(Shape::Line {
                    points: std::mem::take(&mut dash),
                    colour,
                    width,
                });
            } else {
                dash.push(along(done));
            }
            part += 1;
            left = style.dash[part % style.dash.len()];
        }
        left -= length - done;
        if part % 2 == 0 {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        shapes.push(Shape::Line {
            points: dash,
            colour,
            width,
        });
    }
    shapes
}

/// A design's marker, about `2 * r` wide.
pub(super) fn marker(style: &Style, at: (f64, f64), r: f64) -> Vec<Shape> {
    let (x, y) = at;
    let colour = style.colour;
    let ring = |points: Vec<(f64, f64)>, colour| Shape::Fill { points, colour };
    let square = |r: f64| {
        vec![
            (x - r, y - r),
            (x + r, y - r),
            (x + r, y + r),
            (x - r, y + r),
        ]
    };
    let kite = |r: f64| vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
    // Triangles, the point at `tip` from the middle.
    let upright = |tip: f64| {
        vec![
            (x, y + tip * 1.1),
            (x + r, y - tip * 0.8),
            (x - r, y - tip * 0.8),
        ]
    };
    let lying = |tip: f64| {
        vec![
            (x + tip * 1.1, y),
            (x - tip * 0.8, y + r),
            (x - tip * 0.8, y - r),
        ]
    };
    let cross = |dx: f64, dy: f64| line((x - dx, y - dy), (x + dx, y + dy), colour, r * 0.55);
    match style.marker {
        Marker::Circle => vec![Shape::Disc {
            centre: at,
            radius: r,
            colour,
        }],
        Marker::Ring => vec![
            Shape::Disc {
                centre: at,
                radius: r,
                colour,
            },
            Shape::Disc {
                centre: at,
                radius: r * 0.55,
                colour: WHITE,
            },
        ],
        Marker::Square => vec![ring(square(r * 0.9), colour)],
        Marker::Frame => vec![ring(square(r * 0.9), colour), ring(square(r * 0.45), WHITE)],
        Marker::Up => vec![ring(upright(-r), colour)],
        Marker::Down => vec![ring(upright(r), colour)],
        Marker::Left => vec![ring(lying(-r), colour)],
        Marker::Right => vec![ring(lying(r), colour)],
        Marker::Star => vec![ring(upright(-r), colour), ring(upright(r), colour)],
        Marker::Hourglass => [-r, r]
            .map(|end| ring(vec![at, (x - r, y + end), (x + r, y + end)], colour))
            .into(),
        Marker::Diamond => vec![ring(kite(r * 1.2), colour)],
        Marker::Kite => vec![ring(kite(r * 1.2), colour), ring(kite(r * 0.6), WHITE)],
        Marker::Plus => vec![cross(r, 0.0), cross(0.0, r)],
        Marker::Cross => vec![cross(r * 0.8, r * 0.8), cross(r * 0.8, -r * 0.8)],
        Marker::None => Vec::new(),
    }
}

/// A row of legend entries, broken into lines at `width`. Returns the height it takes.
pub(super) fn legend(
    shapes: &mut Vec<Shape>,
    entries: &[(Style, String)],
    origin: (f64, f64),
    width: f64,
) -> f64 {
    const SIZE: f64 = 15.0;
    const SAMPLE: f64 = 34.0;
    const ROW: f64 = 24.0;
    let (mut x, mut y) = origin;
    for (style, name) in entries {
        let wide = SAMPLE + 8.0 + font::width(name, SIZE, false) + 26.0;
        if x > origin.0 && x + wide > origin.0 + width {
            x = origin.0;
            y += ROW;
        }
        shapes.extend(dashed(&[(x, y), (x + SAMPLE, y)], style, 2.0));
        shapes.extend(marker(style, (x + SAMPLE / 2.0, y), 5.0));
        shapes.push(text((x + SAMPLE + 8.0, y), Anchor::Left, SIZE, name));
        x += wide;
    }
    y - origin.1 + ROW
}

/// A text broken into lines of at most `width` pixels.
pub(super) fn broken(content: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in content.split_whitespace() {
        match lines.last_mut() {
            Some(last) if font::width(&format!("{last} {word}"), size, false) <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

impl Shape {
    /// Left, top, right and bottom of a text; `None` for other shapes.
    #[cfg(test)]
    pub(super) fn text_box(&self) -> Option<(f64, f64, f64, f64)> {
        let Self::Text {
            at,
            anchor,
            size,
            bold,
            content,
            ..
        } = self
        else {
            return None;
        };
        let width = font::width(content, *size, *bold);
        let left = match anchor {
            Anchor::Left => at.0,
            Anchor::Middle => at.0 - width / 2.0,
            Anchor::Right => at.0 - width,
        };
        let half = size * font::CAPITAL / 2.0;
        Some((left, at.1 - half, left + width, at.1 + half))
    }
}
