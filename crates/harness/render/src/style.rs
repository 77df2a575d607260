//! How a design looks: the same colour, marker, letter and place in every table and
//! figure of every run.

pub(crate) use compare::NULL;
use compare::{Summary, fnv1a};

/// A colour as red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Shape of a data point; distinct shapes carry the figures in black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Filled circle.
    Circle,
    /// Circle with a white heart.
    Ring,
    /// Filled square.
    Square,
    /// Square with a white heart.
    Frame,
    /// Triangle pointing up.
    Up,
    /// Triangle pointing down.
    Down,
    /// Filled diamond.
    Diamond,
    /// Diamond with a white heart.
    Kite,
    /// Upright cross.
    Plus,
    /// Diagonal cross.
    Cross,
    /// No marker: a line only.
    None,
}

/// How one design is drawn and named.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// The design's name.
    pub name: String,
    /// At most nine characters, for column heads.
    pub short: String,
    /// The letter that stands for it in the text report's bars.
    pub letter: char,
    /// Colour (Okabe and Ito's palette, told apart by the colour-blind too).
    pub colour: Rgb,
    /// Shape of its points.
    pub marker: Marker,
    /// Lengths of dash and gap of its lines; empty for a solid line.
    pub dash: &'static [f64],
    /// Its place: smaller comes first.
    rank: u32,
}

const BLACK: Rgb = (0, 0, 0);
const ORANGE: Rgb = (230, 159, 0);
const SKY: Rgb = (86, 180, 233);
const GREEN: Rgb = (0, 158, 115);
const BLUE: Rgb = (0, 114, 178);
const VERMILION: Rgb = (213, 94, 0);
const PURPLE: Rgb = (204, 121, 167);
const GREY: Rgb = (120, 120, 120);

type Entry = (
    &'static str,
    &'static str,
    char,
    Rgb,
    Marker,
    &'static [f64],
);

/// The designs we know, in their order. Add a design at the end (before `null`) and never
/// change an entry: readers compare figures of different years.
const KNOWN: &[Entry] = &[
    ("flat", "flat", 'f', BLACK, Marker::Circle, &[]),
    ("flat-sp", "flat-sp", 'p', SKY, Marker::Ring, &[8.0, 3.0]),
    ("folio", "folio", 'o', BLUE, Marker::Square, &[]),
    ("split", "split", 's', VERMILION, Marker::Up, &[]),
    ("headpage", "headpage", 'h', GREEN, Marker::Diamond, &[]),
    (
        "headpage-noassert",
        "hp-noass",
        'n',
        PURPLE,
        Marker::Kite,
        &[8.0, 3.0],
    ),
    (NULL, "null", '0', GREY, Marker::None, &[2.0, 3.0]),
];

/// What a design we do not know is drawn from, chosen by its name alone.
const OTHER_COLOURS: [Rgb; 5] = [ORANGE, PURPLE, SKY, GREEN, VERMILION];
const OTHER_MARKERS: [Marker; 5] = [
    Marker::Down,
    Marker::Plus,
    Marker::Cross,
    Marker::Frame,
    Marker::Kite,
];

/// The style of a design. A name outside the table gets a style that depends on nothing
/// but the name, and comes after the known designs, in the order of names.
#[must_use]
pub fn style_of(name: &str) -> Style {
    if let Some(place) = KNOWN.iter().position(|entry| entry.0 == name) {
        let (name, short, letter, colour, marker, dash) = KNOWN[place];
        let rank = if name == NULL { u32::MAX } else { place as u32 };
        return Style {
            name: name.to_owned(),
            short: short.to_owned(),
            letter,
            colour,
            marker,
            dash,
            rank,
        };
    }
    let hash = fnv1a(name.as_bytes());
    let pick = |count: usize, shift: u32| (hash >> shift) as usize % count;
    let letter = (b'A' + pick(26, 40) as u8) as char;
    Style {
        name: name.to_owned(),
        short: shorten(name),
        letter,
        colour: OTHER_COLOURS[pick(OTHER_COLOURS.len(), 0)],
        marker: OTHER_MARKERS[pick(OTHER_MARKERS.len(), 20)],
        dash: &[5.0, 2.0],
        rank: KNOWN.len() as u32,
    }
}

/// Puts design names into the order in which every table and legend shows them.
pub fn sort_designs(names: &mut [String]) {
    names.sort_by_cached_key(|name| (style_of(name).rank, name.clone()));
}

/// The designs of a summary in that order.
pub(crate) fn designs(summary: &Summary) -> Vec<String> {
    let mut names = summary.designs.clone();
    sort_designs(&mut names);
    names
}

/// At most nine characters of a name: its parts cut evenly, `headpage-folio` to `head-foli`.
fn shorten(name: &str) -> String {
    const WIDTH: usize = 9;
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '_' })
        .collect();
    if ascii.len() <= WIDTH {
        return ascii;
    }
    let parts: Vec<&str> = ascii.split('-').filter(|part| !part.is_empty()).collect();
    let count = parts.len().clamp(1, 3);
    let each = (WIDTH + 1 - count) / count;
    let cut: Vec<&str> = parts
        .iter()
        .take(count)
        .map(|part| &part[..part.len().min(each)])
        .collect();
    cut.join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_designs_differ_in_colour_marker_and_letter() {
        let styles: Vec<Style> = KNOWN.iter().map(|entry| style_of(entry.0)).collect();
        let colours: BTreeSet<Rgb> = styles.iter().map(|style| style.colour).collect();
        let letters: BTreeSet<char> = styles.iter().map(|style| style.letter).collect();
        let markers: Vec<Marker> = styles.iter().map(|style| style.marker).collect();
        assert_eq!(colours.len(), KNOWN.len());
        assert_eq!(letters.len(), KNOWN.len());
        for (index, marker) in markers.iter().enumerate() {
            assert!(!markers[..index].contains(marker), "{marker:?} twice");
        }
    }

    #[test]
    fn an_unknown_design_keeps_its_looks_whoever_else_is_there() {
        let alone = style_of("folio-tagged");
        let mut names: Vec<String> = ["zz", "null", "folio-tagged", "split", "flat"]
            .map(str::to_owned)
            .to_vec();
        sort_designs(&mut names);
        assert_eq!(names, ["flat", "split", "folio-tagged", "zz", "null"]);
        assert_eq!(style_of("folio-tagged"), alone);
    }

    #[test]
    fn column_heads_fit() {
        for name in [
            "headpage-folio",
            "a-very-long-name-indeed",
            "straightforward",
            "é-design",
        ] {
            let short = style_of(name).short;
            assert!(
                short.is_ascii() && (1..=9).contains(&short.len()),
                "{short}"
            );
        }
        assert_eq!(style_of("headpage-folio").short, "head-foli");
    }
}
