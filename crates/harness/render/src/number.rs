//! Numbers as text: significant digits, intervals in per cent, units of time and size.

use stats::Estimate;

/// `value` with `digits` significant digits and no exponent: 1.23, 12.3, 1230.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "n/a".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let wanted = digits as i32 - 1 - magnitude;
    // Rounding may carry into the next magnitude (9.996 is 10.0, not 10.00).
    let factor = 10f64.powi(wanted);
    let rounded = (value * factor).round() / factor;
    let magnitude = if rounded == 0.0 {
        magnitude
    } else {
        rounded.abs().log10().floor() as i32
    };
    let decimals = (digits as i32 - 1 - magnitude).clamp(0, 9) as usize;
    format!("{rounded:.decimals$}")
}

/// Half the interval in per cent of the value, rounded up so that no interval looks
/// narrower than it is.
pub(crate) fn percent(estimate: &Estimate) -> String {
    if estimate.value <= 0.0 {
        return "?".to_owned();
    }
    // A hair is taken off first, or 2 % given as 0.02 would round up to 3 %.
    let percent = (estimate.half_width() / estimate.value * 100.0 - 1e-9)
        .ceil()
        .max(0.0);
    if percent > 999.0 {
        ">999".to_owned()
    } else {
        format!("{percent:.0}")
    }
}

/// `1.23+-2%`, in at most `width` characters where that can be done with at least one
/// digit: three significant ones, but no more than two decimals from 0.1 up.
pub(crate) fn with_percent(value: f64, estimate: &Estimate, width: usize) -> String {
    let percent = percent(estimate);
    let most = match (value.abs(), percent.len()) {
        (size, 1) if size >= 1.0 => 3,
        _ => 2,
    };
    for digits in (1..=most).rev() {
        let text = format!("{}+-{percent}%", significant(value, digits));
        if text.len() <= width {
            return text;
        }
        // A digit is worth more than the zero before the point.
        if let Some(short) = text.strip_prefix('0').filter(|short| short.len() <= width) {
            return short.to_owned();
        }
    }
    format!("{value:.0e}+-{percent}%")
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(count: usize) -> String {
    if count == 1 {
        "1 row".to_owned()
    } else {
        format!("{count} rows")
    }
}

/// The unit in which a workload's times are shown, and what to multiply with.
pub(crate) fn time_scale(largest_ns: f64) -> (&'static str, f64) {
    if largest_ns < 9_950.0 {
        ("ns", 1.0)
    } else if largest_ns < 9_950_000.0 {
        ("us", 1e-3)
    } else {
        ("ms", 1e-6)
    }
}

/// Bytes in the largest unit that leaves at least 1: `2 MiB`, `1.5 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB"] {
        if value < 1024.0 {
            return format!("{} {unit}", trimmed(value));
        }
        value /= 1024.0;
    }
    format!("{} GiB", trimmed(value))
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(value: f64, half: f64) -> Estimate {
        Estimate {
            value,
            low: value - half,
            high: value + half,
            processes: 3,
        }
    }

    #[test]
    fn significant_digits_carry() {
        for (value, text) in [
            (1.234, "1.23"),
            (9.996, "10.0"),
            (0.012_34, "0.0123"),
            (99.96, "100"),
            (1234.4, "1230"),
            (0.0, "0"),
            (-0.5, "-0.500"),
        ] {
            assert_eq!(significant(value, 3), text, "{value}");
        }
        assert_eq!(significant(f64::NAN, 3), "n/a");
    }

    #[test]
    fn an_interval_never_looks_narrower_than_it_is() {
        let shown = |value, half| with_percent(value, &around(value, half), 9);
        assert_eq!(shown(1.0, 0.02), "1.00+-2%");
        assert_eq!(shown(1.0, 0.0201), "1.00+-3%");
        assert_eq!(shown(1.0, 0.001), "1.00+-1%");
        assert_eq!(shown(0.874, 0.15), "0.87+-18%");
        assert_eq!(shown(0.0874, 0.015), ".087+-18%");
        assert_eq!(shown(1234.0, 200.0), "1200+-17%");
        assert_eq!(shown(1.2e-6, 2e-7), "1e-6+-17%");
        assert_eq!(percent(&around(0.0, 0.1)), "?");
    }

    #[test]
    fn units_grow_with_the_value() {
        assert_eq!(time_scale(9_000.0).0, "ns");
        assert_eq!(time_scale(10_000.0).0, "us");
        assert_eq!(time_scale(2e7).0, "ms");
        assert_eq!(bytes(2 << 20), "2 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(100), "100 B");
    }
}
