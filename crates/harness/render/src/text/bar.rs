//! Bars of characters: ratios as marks on a logarithmic line, means as rows of `#`.

use crate::style::style_of;

/// Characters of a mark line between its two ends; odd, so that 1 has a place.
const LINE: usize = 29;
/// A mark line goes from one over this to this.
const REACH: f64 = 4.0;

/// The scale above mark lines.
pub(crate) const SCALE: &str = "1/4    1/2     1      2      4";

/// A line on which every design's ratio is marked by the design's letter: `|` is the
/// reference, `*` several designs in one place, `<` and `>` something beyond the ends.
pub(crate) fn marks(ratios: &[(&str, f64)]) -> String {
    let middle = LINE / 2;
    let mut line = vec![' '; LINE];
    line[middle] = '|';
    let mut taken = [false; LINE];
    for (design, ratio) in ratios {
        if *ratio <= 0.0 {
            continue;
        }
        let offset = ratio.ln() / REACH.ln() * middle as f64;
        let place = (middle as f64 + offset).round();
        let (place, mark) = if place < 0.0 {
            (0, '<')
        } else if place > (LINE - 1) as f64 {
            (LINE - 1, '>')
        } else {
            (place as usize, style_of(design).letter)
        };
        line[place] = match (taken[place], mark) {
            (true, mark) if mark.is_ascii_alphanumeric() => '*',
            (_, mark) => mark,
        };
        taken[place] = true;
    }
    format!("[{}]", line.into_iter().collect::<String>())
}

/// A row of `#` as long as a ratio; `|` marks 1 where the row does not reach it.
pub(crate) fn row(ratio: f64) -> String {
    const ONE: usize = 20;
    const MAX: usize = 34;
    let length = (ratio * ONE as f64).round().max(0.0) as usize;
    if length > MAX {
        return format!("{}>", "#".repeat(MAX));
    }
    let mut row = "#".repeat(length.max(1));
    if row.len() < ONE {
        row = format!("{row:<width$}|", width = ONE);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_the_scale_says() {
        crate::style::use_looks(registry::looks());
        let line = marks(&[("folio", 0.25), ("memdesc", 4.0), ("headpage", 2.0)]);
        assert_eq!(line.find('o'), Some(1));
        assert_eq!(line.find('m'), Some(LINE));
        assert_eq!(line.find('|'), Some(1 + LINE / 2));
        assert_eq!(line.find('h'), Some(1 + LINE / 2 + 7));
        for (text, ratio) in [(" 1 ", 1.0), (" 2 ", 2.0), (" 4", 4.0)] {
            let mark = marks(&[("folio", ratio)]).find('o');
            assert_eq!(SCALE.find(text).map(|at| at + 1), mark, "{text}");
        }
    }

    #[test]
    fn designs_in_one_place_and_beyond_the_ends_are_not_lost() {
        crate::style::use_looks(registry::looks());
        assert!(marks(&[("folio", 0.5), ("memdesc", 0.501)]).contains('*'));
        assert!(marks(&[("folio", 40.0)]).ends_with(">]"));
        assert!(marks(&[("folio", 0.01)]).starts_with("[<"));
        assert!(
            marks(&[("folio", 1.0)]).contains('o'),
            "a mark beats the middle"
        );
    }

    #[test]
    fn rows_grow_with_the_ratio() {
        assert_eq!(row(0.5), "##########          |");
        assert_eq!(row(1.5).len(), 30);
        assert!(row(9.0).ends_with('>'));
        assert!(row(0.0).starts_with('#'));
    }
}
