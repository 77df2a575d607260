//! Values of arguments that have a unit or a limit.

/// A number of seconds above 0.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 && seconds <= 1e6 => Ok(seconds),
        _ => Err("expected a number of seconds above 0".to_owned()),
    }
}

/// A percentage, with its sign or without.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("expected a percentage >= 0".to_owned()),
    }
}

/// A name beside a kernel's version: it becomes part of names in records.
pub(super) fn label(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.len() > 32 || !text.chars().all(plain) {
        return Err("expected up to 32 letters, digits, `-`, `_` or `.`".to_owned());
    }
    Ok(text.to_owned())
}

/// A number of bytes, with its unit or without.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let refused = || "expected a number of bytes above 0; K, M and G are powers of 1024".to_owned();
    let (digits, shift) = match text.trim_end_matches('B').strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 10),
        None => match text.trim_end_matches('B').strip_suffix(['M', 'm']) {
            Some(digits) => (digits, 20),
            None => match text.trim_end_matches('B').strip_suffix(['G', 'g']) {
                Some(digits) => (digits, 30),
                None => (text, 0),
            },
        },
    };
    let number: u64 = digits.parse().map_err(|_| refused())?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("1G"), Ok(1 << 30));
        assert_eq!(bytes("2k"), Ok(2048));
        for bad in ["", "0", "M", "-1", "1.5G", "99999999999G", "4X"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn budgets_are_sane() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(
            seconds("0").is_err()
                && seconds("-3").is_err()
                && seconds("inf").is_err()
                && seconds("NaN").is_err()
        );
    }

    #[test]
    fn thresholds_are_sane() {
        assert_eq!(percent("5%"), Ok(5.0));
        assert!(percent("-1").is_err() && percent("NaN").is_err());
    }
}
