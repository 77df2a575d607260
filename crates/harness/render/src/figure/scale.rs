//! Scales: from values to pixels, and where the ticks are.

use crate::number::{bytes, significant};

/// How the numbers of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// 0.5, 20, 3000.
    Plain,
    /// 64 KiB, 2 MiB; nothing below one byte.
    Bytes,
    /// 1/4, 1/2, 1, 2, 4.
    Ratio,
}

/// A logarithmic scale between two pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// A scale that shows all of `values` (those above 0) with some room at both ends;
    /// `None` if there are none.
    pub fn over(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values
            .into_iter()
            .filter(|value| *value > 0.0 && value.is_finite())
        {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return None;
        }
        // Less than a factor of 2 would blow noise up to the height of the panel.
        let spread = (2.0 / (high / low)).max(1.0).sqrt();
        let room = (high / low).clamp(2.0, f64::MAX).powf(0.07);
        // An infinite end would have a tick for every power that an i32 can hold.
        Some(Self {
            low: (low / spread / room).max(f64::MIN_POSITIVE),
            high: (high * spread * room).min(f64::MAX),
            from,
            to,
        })
    }

    /// Whether a value lies between the ends.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The pixel of a value; values beyond the ends are put onto them.
    pub fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = self.above_low(value) / self.above_low(self.high);
        self.from + (self.to - self.from) * share
    }

    /// The natural logarithm of how far a value lies above the low end, also where the
    /// quotient of the two is beyond the largest number.
    fn above_low(&self, value: f64) -> f64 {
        match value / self.low {
            ratio if ratio.is_finite() => ratio.ln(),
            _ => value.ln() - self.low.ln(),
        }
    }

    /// Ticks with their words, in pixels at least `apart` from each other.
    pub fn ticks(&self, format: Format, apart: f64) -> Vec<(f64, String)> {
        // From fine to coarse, the first whose ticks keep their distance: multiples of
        // the powers of a base.
        let candidates: &[(f64, &[f64])] = match format {
            Format::Plain => &[
                (10.0, &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]),
                (10.0, &[1.0, 2.0, 5.0]),
                (10.0, &[1.0, 3.0]),
                (10.0, &[1.0]),
            ],
            Format::Bytes => &[
                (2.0, &[1.0, 1.5]),
                (2.0, &[1.0]),
                (4.0, &[1.0]),
                (16.0, &[1.0]),
            ],
            Format::Ratio => &[(2.0, &[1.0]), (4.0, &[1.0]), (16.0, &[1.0])],
        };
        let mut best = Vec::new();
        for (base, mantissas) in candidates {
            best = self.multiples(*base, mantissas, format);
            let close = best
                .windows(2)
                .any(|pair| (pair[1].0 - pair[0].0).abs() < apart);
            if !close {
                return best;
            }
        }
        // Many decades on little room: every second, third, … of the coarsest.
        let step = (2..).find(|step| {
            let kept: Vec<f64> = best.iter().step_by(*step).map(|tick| tick.0).collect();
            kept.windows(2)
                .all(|pair| (pair[1] - pair[0]).abs() >= apart)
        });
        best.into_iter().step_by(step.unwrap_or(1)).collect()
    }

    fn multiples(&self, base: f64, mantissas: &[f64], format: Format) -> Vec<(f64, String)> {
        let first = self.low.log(base).floor() as i32;
        let last = self.high.log(base).ceil() as i32;
        (first..=last)
            .flat_map(|power| {
                mantissas
                    .iter()
                    .map(move |mantissa| mantissa * base.powi(power))
            })
            .filter(|value| (self.low..=self.high).contains(value))
            .filter(|value| format != Format::Bytes || *value >= 1.0)
            .map(|value| {
                let word = match format {
                    Format::Ratio if value < 1.0 => format!("1/{}", plain(1.0 / value)),
                    Format::Plain | Format::Ratio => plain(value),
                    Format::Bytes => bytes(value.round() as u64),
                };
                (self.place(value), word)
            })
            .collect()
    }
}

/// 0.05, 1, 1.5, 20000, and powers of ten where that would be long.
fn plain(value: f64) -> String {
    if !(1e-3..1e6).contains(&value) {
        return format!("{value:.0e}");
    }
    let text = significant(value, 3);
    if value < 100.0 && text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_are_where_they_belong() {
        let scale = Log::over([1.0, 100.0], 0.0, 200.0).unwrap();
        assert!((scale.place(10.0) - 100.0).abs() < 1e-9);
        assert!(scale.place(1.0) > 0.0 && scale.place(100.0) < 200.0);
        assert!(scale.place(1e9) <= 200.0 && scale.place(1e-9) >= 0.0);
        assert!(scale.holds(50.0) && !scale.holds(0.01) && !scale.holds(1e9));
        assert!(Log::over([0.0, f64::NAN], 0.0, 1.0).is_none());
    }

    #[test]
    fn ticks_keep_their_distance_and_there_are_at_least_two() {
        for (low, high) in [
            (1.0_f64, 1.0_f64),
            (0.9, 1.2),
            (0.05, 20.0),
            (1e-4, 1e7),
            (1.0, 64e9),
        ] {
            for format in [Format::Plain, Format::Bytes, Format::Ratio] {
                // Where the formats are used: whole bytes, and ratios around 1.
                let (low, high) = match format {
                    Format::Plain => (low, high),
                    Format::Bytes => (low.max(64.0), high.max(64.0)),
                    Format::Ratio => (low.min(0.5), high.max(2.0)),
                };
                let scale = Log::over([low, high], 300.0, 0.0).unwrap();
                let ticks = scale.ticks(format, 20.0);
                assert!(ticks.len() >= 2, "{low} to {high}: {ticks:?}");
                assert!(ticks.len() <= 16, "{low} to {high}: {ticks:?}");
                for pair in ticks.windows(2) {
                    assert!((pair[1].0 - pair[0].0).abs() >= 20.0, "{ticks:?}");
                    assert_ne!(pair[0].1, pair[1].1, "{ticks:?}");
                }
            }
        }
    }

    #[test]
    fn extreme_values_have_few_ticks_inside_the_panel() {
        for (low, high) in [(1.0, 1e300), (1e-300, 1e300), (5e-324, f64::MAX)] {
            for format in [Format::Plain, Format::Bytes, Format::Ratio] {
                let scale = Log::over([low, high], 300.0, 0.0).unwrap();
                let ticks = scale.ticks(format, 20.0);
                assert!(
                    (2..=16).contains(&ticks.len()),
                    "{low} to {high}: {ticks:?}"
                );
                assert!(ticks.iter().all(|tick| (0.0..=300.0).contains(&tick.0)));
            }
        }
    }

    #[test]
    fn tick_words_are_short() {
        let words = |value| plain(value);
        assert_eq!(words(1.5), "1.5");
        assert_eq!(words(0.05), "0.05");
        assert_eq!(words(2000.0), "2000");
        assert_eq!(words(20.0), "20");
        assert_eq!(words(1e7), "1e7");
    }
}
