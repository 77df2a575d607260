//! How a design looks: the same colour, marker, letter and place in every table and
//! figure of every run.

use std::sync::OnceLock;

pub(crate) use compare::NULL;
use compare::{Summary, fnv1a};
use results::look::palette::{ORANGE, YELLOW};
use results::look::{KERNEL, stock_of};

pub use results::look::{Look, Marker, Rgb};

/// How one design is drawn and named.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// The design's name.
    pub name: String,
    /// At most nine characters, for column heads.
    pub short: String,
    /// Its letter in the bars of the text report.
    pub letter: char,
    /// Colour, of Okabe and Ito's palette, which the colour-blind can distinguish.
    pub colour: Rgb,
    /// Shape of its points.
    pub marker: Marker,
    /// Lengths of dash and gap of its lines; empty for a solid line.
    pub dash: &'static [f64],
    /// Its place: smaller comes first.
    rank: u32,
}

/// The looks of the contenders, in their order.
static LOOKS: OnceLock<Vec<&'static Look>> = OnceLock::new();

/// Sets the looks of the contenders, in their order; the first call counts. The registry has
/// them, and this crate may not see it.
pub fn use_looks(looks: impl IntoIterator<Item = &'static Look>) {
    LOOKS.get_or_init(|| looks.into_iter().collect());
}

fn looks() -> &'static [&'static Look] {
    LOOKS.get().map_or(&[], Vec::as_slice)
}

/// The palette of designs that are not registered: those of an old record, or of another
/// tree. Tol's muted palette first, Okabe and Ito's where no contender has it.
const OTHER_COLOURS: [Rgb; 6] = [
    (136, 34, 85),
    (153, 153, 51),
    (51, 34, 136),
    (170, 68, 153),
    ORANGE,
    YELLOW,
];
const OTHER_MARKERS: [Marker; 9] = [
    Marker::Plus,
    Marker::Cross,
    Marker::Frame,
    Marker::Down,
    Marker::Kite,
    Marker::Ring,
    Marker::Up,
    Marker::Diamond,
    Marker::Square,
];

/// The style of a design. One that is not registered gets a style that depends on its name
/// and on the registered ones, none of whose colours, markers and letters it shares; it comes
/// after them, in the order of names.
#[must_use]
pub fn style_of(name: &str) -> Style {
    let looks = looks();
    let Some(place) = looks.iter().position(|look| look.name == name) else {
        return other(name, looks);
    };
    let look = looks[place];
    Style {
        name: name.to_owned(),
        short: look.short.map_or_else(|| shorten(name), str::to_owned),
        letter: look.letter,
        colour: look.colour,
        marker: look.marker,
        dash: look.dash.lengths(),
        rank: if name == NULL { u32::MAX } else { place as u32 },
    }
}

/// The referee of a model, in the words of tables; `None` for the harness floor, for kernels and
/// for designs that are not registered.
#[must_use]
pub fn refereed(name: &str) -> Option<String> {
    let look = looks().iter().find(|look| look.name == name)?;
    (name != NULL).then(|| match look.referee {
        Some(kernel) => format!("held to {kernel}"),
        None => "no referee".to_owned(),
    })
}

/// Whether a model has no kernel that it is held to.
#[must_use]
pub fn is_unrefereed(name: &str) -> bool {
    let has_none = |look: &&Look| look.name == name && look.referee.is_none();
    name != NULL && looks().iter().any(has_none)
}

/// The number of a kernel's version, for its place and its look: 5.10 is 510, 6.1 is 601.
fn version(kernel: &str) -> Option<u32> {
    let mut numbers = kernel
        .strip_prefix(KERNEL)?
        .split(|c: char| !c.is_ascii_digit());
    let major: u32 = numbers.next()?.parse().ok()?;
    let minor: u32 = numbers.next()?.parse().ok()?;
    (minor < 100).then_some(major.checked_mul(100)? + minor)
}

/// Marker and letter of a kernel as it was released, so that kernels are told apart whichever
/// take part; those of the four that the project builds differ.
fn released(name: &str) -> Option<(Marker, Rgb, char)> {
    Some(match name {
        "linux-5.10" => (Marker::Down, OTHER_COLOURS[0], 'A'),
        "linux-6.1" => (Marker::Plus, OTHER_COLOURS[1], 'B'),
        "linux-6.12" => (Marker::Cross, OTHER_COLOURS[2], 'C'),
        "linux-7.2" => (Marker::Frame, OTHER_COLOURS[3], 'D'),
        _ => return None,
    })
}

/// Marker and letter of a kernel with a patch of ours, where its name gives it those of another.
/// A marker may be a design's: the colour is that of its kernel, which no design has.
fn patched(name: &str) -> Option<(Marker, char)> {
    Some(match name {
        "linux-6.12+no-merge" => (Marker::Frame, 'Z'),
        "linux-6.12+headpage+headpage-strict" => (Marker::Star, 'N'),
        "linux-6.12+ptdesc" => (Marker::Hourglass, 'K'),
        "linux-6.12+filedesc" => (Marker::Left, 'F'),
        "linux-7.2+phyr" => (Marker::Plus, 'P'),
        _ => return None,
    })
}

/// The style of a design that is not registered.
fn other(name: &str, looks: &[&Look]) -> Style {
    let rank = looks.len() as u32 + version(name).unwrap_or(0);
    if let Some((marker, colour, letter)) = released(name) {
        return Style {
            name: name.to_owned(),
            short: name.trim_start_matches(KERNEL).to_owned(),
            letter,
            colour,
            marker,
            dash: &[5.0, 2.0],
            rank,
        };
    }
    let hash = fnv1a(name.as_bytes());
    // A patched kernel has the colour of the kernel that it was.
    let stock = released(stock_of(name));
    let own = patched(name);
    Style {
        name: name.to_owned(),
        short: shorten(name.strip_prefix(KERNEL).unwrap_or(name)),
        letter: own
            .map(|(_, letter)| letter)
            .or_else(|| {
                pick('A'..='Z', hash >> 40, |letter| {
                    let first = if stock.is_some() { 'E' } else { 'A' };
                    *letter < first || looks.iter().any(|look| look.letter == *letter)
                })
            })
            .unwrap_or('?'),
        colour: stock.map_or_else(
            || {
                pick(OTHER_COLOURS, hash, |colour| {
                    looks.iter().any(|look| look.colour == *colour)
                })
                .unwrap_or(OTHER_COLOURS[0])
            },
            |(_, colour, _)| colour,
        ),
        marker: own
            .map(|(marker, _)| marker)
            .or_else(|| {
                pick(OTHER_MARKERS, hash >> 20, |marker| {
                    stock.is_some_and(|(taken, ..)| taken == *marker)
                        || looks.iter().any(|look| look.marker == *marker)
                })
            })
            .unwrap_or(Marker::None),
        dash: &[5.0, 2.0],
        rank,
    }
}

/// One of what is not taken.
fn pick<T>(
    from: impl IntoIterator<Item = T>,
    hash: u64,
    is_taken: impl Fn(&T) -> bool,
) -> Option<T> {
    let mut free: Vec<T> = from.into_iter().filter(|one| !is_taken(one)).collect();
    let index = hash as usize % free.len().max(1);
    (index < free.len()).then(|| free.swap_remove(index))
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
    use super::*;

    #[test]
    fn a_design_that_is_not_registered_shares_no_look_with_one_that_is() {
        use_looks(registry::looks());
        assert!(looks().len() >= 5);
        for name in [
            "zz",
            "folio-tagged",
            "page_pool",
            "old",
            "a",
            "b",
            "c",
            "d",
            "",
        ] {
            let style = style_of(name);
            for look in looks() {
                assert_ne!(style.letter, look.letter, "{name}, {}", look.name);
                assert_ne!(style.colour, look.colour, "{name}, {}", look.name);
                assert_ne!(style.marker, look.marker, "{name}, {}", look.name);
            }
            assert_ne!((style.letter, style.marker), ('?', Marker::None), "{name}");
        }
    }

    #[test]
    fn an_unknown_design_keeps_its_looks_whoever_else_is_there() {
        use_looks(registry::looks());
        let alone = style_of("folio-tagged");
        let mut names: Vec<String> = ["zz", "null", "folio-tagged", "memdesc", "flat"]
            .map(str::to_owned)
            .to_vec();
        sort_designs(&mut names);
        assert_eq!(names, ["flat", "memdesc", "folio-tagged", "zz", "null"]);
        assert_eq!(style_of("folio-tagged"), alone);
    }

    #[test]
    fn kernels_come_by_version_behind_the_designs_and_look_unlike() {
        use_looks(registry::looks());
        let mut names: Vec<String> = ["linux-6.12", "null", "linux-5.10", "flat", "linux-6.1"]
            .map(str::to_owned)
            .to_vec();
        sort_designs(&mut names);
        assert_eq!(
            names,
            ["flat", "linux-5.10", "linux-6.1", "linux-6.12", "null"]
        );
        let kernels = ["linux-5.10", "linux-6.1", "linux-6.12", "linux-7.2"].map(style_of);
        for (at, one) in kernels.iter().enumerate() {
            for other in kernels.iter().skip(at + 1) {
                assert_ne!(one.marker, other.marker);
                assert_ne!(one.colour, other.colour);
                assert_ne!(one.letter, other.letter);
            }
            for look in looks() {
                assert_ne!((one.marker, one.colour), (look.marker, look.colour));
                assert_ne!(one.letter, look.letter);
            }
        }
        assert_eq!(style_of("linux-6.12").short, "6.12");
        let patched = style_of("linux-6.12+headpage");
        assert_eq!(patched.short, "6.12+head");
        assert_eq!(patched.colour, style_of("linux-6.12").colour);
        assert_ne!(patched.marker, style_of("linux-6.12").marker);
        assert!(!['A', 'B', 'C', 'D'].contains(&patched.letter));
    }

    #[test]
    fn kernels_with_a_patch_of_ours_are_told_apart() {
        use_looks(registry::looks());
        let names = [
            "linux-5.10",
            "linux-5.10+single-page",
            "linux-6.1",
            "linux-6.1+memcg-lock-generic",
            "linux-6.1+memcg-lock-typed",
            "linux-6.12",
            "linux-6.12+filedesc",
            "linux-6.12+headpage",
            "linux-6.12+headpage+headpage-assert",
            "linux-6.12+headpage+headpage-strict",
            "linux-6.12+no-merge",
            "linux-6.12+ptdesc",
            "linux-7.2",
            "linux-7.2+headpage",
            "linux-7.2+no-merge",
            "linux-7.2+phyr",
        ];
        let kernels = names.map(style_of);
        for (at, one) in kernels.iter().enumerate() {
            for other in kernels.iter().skip(at + 1) {
                let looks = |style: &Style| (style.colour, style.marker);
                assert_ne!(looks(one), looks(other), "{}, {}", one.name, other.name);
                assert_ne!(one.letter, other.letter, "{}, {}", one.name, other.name);
                assert_ne!(one.short, other.short, "{}, {}", one.name, other.name);
            }
        }
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
