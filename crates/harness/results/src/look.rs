//! How a contender is drawn and named: what the registry says of it and what figures and
//! tables show.

/// The beginning of the names of real kernels as contenders; no design's name has it.
pub const KERNEL: &str = "linux-";

/// Whether this is the name of a real kernel: `linux-6.12`.
#[must_use]
pub fn is_kernel(contender: &str) -> bool {
    contender.starts_with(KERNEL)
}

/// Whether this is the name of a real kernel of a version: `linux-6.12` and `linux-6.12-mine`
/// of 6.12, but not of 6.1.
#[must_use]
pub fn is_kernel_of(contender: &str, version: &str) -> bool {
    let rest = contender
        .strip_prefix(KERNEL)
        .and_then(|name| name.strip_prefix(version));
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
}

/// The kernel that a patched one was before, by name: `linux-6.12` of `linux-6.12+headpage`. Any
/// other contender is its own.
#[must_use]
pub fn stock_of(contender: &str) -> &str {
    match contender.split_once('+') {
        Some((stock, _)) if is_kernel(contender) => stock,
        _ => contender,
    }
}

/// A colour as red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Shape of a data point; distinct shapes carry the figures in black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Filled circle.
    Circle,
    /// Circle with a white centre.
    Ring,
    /// Filled square.
    Square,
    /// Square with a white centre.
    Frame,
    /// Triangle pointing up.
    Up,
    /// Triangle pointing down.
    Down,
    /// Triangle pointing left.
    Left,
    /// Triangle pointing right.
    Right,
    /// Star of six points.
    Star,
    /// Two triangles that meet at their points.
    Hourglass,
    /// Filled diamond.
    Diamond,
    /// Diamond with a white centre.
    Kite,
    /// Upright cross.
    Plus,
    /// Diagonal cross.
    Cross,
    /// No marker: a line only.
    None,
}

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dash {
    /// Not at all.
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
}

impl Dash {
    /// Lengths of dash and gap; empty for a solid line.
    #[must_use]
    pub const fn lengths(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[8.0, 3.0],
            Self::Dotted => &[2.0, 3.0],
        }
    }
}

/// How one contender is drawn and named. Readers compare figures of different years: a look
/// that was published stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The contender's name.
    pub name: &'static str,
    /// A head for narrow columns, where the name's own shortening says less.
    pub short: Option<&'static str>,
    /// The letter that stands for it in the text report's bars.
    pub letter: char,
    /// Its colour.
    pub colour: Rgb,
    /// Shape of its points.
    pub marker: Marker,
    /// How its lines are broken.
    pub dash: Dash,
    /// The real kernel whose answers, counts and times it is held to, by its name as a
    /// contender; none for a model of what no kernel is.
    pub referee: Option<&'static str>,
}

/// Okabe and Ito's palette, which the colour-blind can distinguish, and a grey; a brown and Tol's
/// rose beside it, darker and lighter than any of its reds.
pub mod palette {
    #![allow(missing_docs, reason = "the names say it")]
    use super::Rgb;

    pub const BLACK: Rgb = (0, 0, 0);
    pub const ORANGE: Rgb = (230, 159, 0);
    pub const SKY: Rgb = (86, 180, 233);
    pub const GREEN: Rgb = (0, 158, 115);
    pub const YELLOW: Rgb = (240, 228, 66);
    pub const BLUE: Rgb = (0, 114, 178);
    pub const VERMILION: Rgb = (213, 94, 0);
    pub const PURPLE: Rgb = (204, 121, 167);
    pub const BROWN: Rgb = (101, 57, 18);
    pub const ROSE: Rgb = (238, 153, 170);
    pub const LIME: Rgb = (140, 198, 40);
    pub const GREY: Rgb = (120, 120, 120);
}
