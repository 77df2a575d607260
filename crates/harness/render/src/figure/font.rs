//! The font of every figure: widths, and outlines as SVG paths.

use std::fmt::Write as _;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, GlyphId, OutlineCurve, PxScale, ScaleFont, point};

/// DejaVu Sans is part of the program; that it can be read is checked by every test that
/// draws.
static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(dejavu::sans::regular()).expect("the embedded font is whole")
});
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(dejavu::sans::bold()).expect("the embedded bold font is whole")
});

/// The font in a weight.
pub(super) fn face(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// Height of a capital letter as a share of the size.
pub(super) const CAPITAL: f64 = 0.626;

/// Width of a text in pixels at a size (of ascent and descent together, in pixels).
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    place(text, size, bold).1
}

/// The glyphs of a text with their distances from its left end, and its width.
pub(super) fn place(text: &str, size: f64, bold: bool) -> (Vec<(GlyphId, f64)>, f64) {
    let font = face(bold).as_scaled(PxScale::from(size as f32));
    let mut glyphs = Vec::new();
    let mut x = 0.0;
    let mut last = None;
    for c in text.chars() {
        let id = font.glyph_id(c);
        if let Some(last) = last {
            x += f64::from(font.kern(last, id));
        }
        glyphs.push((id, x));
        x += f64::from(font.h_advance(id));
        last = Some(id);
    }
    (glyphs, x)
}

/// Pixels per font unit at a size.
pub(super) fn unit(size: f64, bold: bool) -> f64 {
    f64::from(
        face(bold)
            .as_scaled(PxScale::from(size as f32))
            .h_scale_factor(),
    )
}

/// The outline of a glyph in font units as the data of an SVG path, y downwards; empty
/// for a blank.
pub(super) fn path_data(id: GlyphId, bold: bool) -> String {
    let mut data = String::new();
    let Some(outline) = face(bold).outline(id) else {
        return data;
    };
    let mut at = None;
    for curve in &outline.curves {
        let (from, to) = match curve {
            OutlineCurve::Line(a, b) => (*a, *b),
            OutlineCurve::Quad(a, _, b) => (*a, *b),
            OutlineCurve::Cubic(a, _, _, b) => (*a, *b),
        };
        if at != Some((from.x, from.y)) {
            let _ = write!(data, "M{:.0} {:.0}", from.x, -from.y);
        }
        let _ = match curve {
            OutlineCurve::Line(..) => write!(data, "L{:.0} {:.0}", to.x, -to.y),
            OutlineCurve::Quad(_, c, _) => {
                write!(data, "Q{:.0} {:.0} {:.0} {:.0}", c.x, -c.y, to.x, -to.y)
            }
            OutlineCurve::Cubic(_, c, d, _) => write!(
                data,
                "C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}",
                c.x, -c.y, d.x, -d.y, to.x, -to.y
            ),
        };
        at = Some((to.x, to.y));
    }
    data
}

/// Calls `pixel` with the coverage of every pixel that a glyph touches, its origin at
/// `(x, baseline)`.
pub(super) fn rasterise(
    id: GlyphId,
    size: f64,
    bold: bool,
    origin: (f64, f64),
    mut pixel: impl FnMut(i32, i32, f64),
) {
    let glyph = Glyph {
        id,
        scale: PxScale::from(size as f32),
        position: point(origin.0 as f32, origin.1 as f32),
    };
    let Some(outlined) = face(bold).outline_glyph(glyph) else {
        return;
    };
    let corner = outlined.px_bounds().min;
    outlined.draw(|x, y, coverage| {
        let (x, y) = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
        pixel(x, y, f64::from(coverage.clamp(0.0, 1.0)));
    });
}
