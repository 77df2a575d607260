//! How a claim names results: `512 * time merging/add order=9 linux-6.12 + ...`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Param, Params};

/// A sum of results: `512 * time iteration/segments order=9 linux-6.12 + count ...`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reading {
    /// The results that are added up; never empty.
    pub terms: Vec<Term>,
}

/// One result, and how often it is counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    /// The factor.
    pub times: f64,
    /// Where the result stands.
    pub kind: ResultKind,
    /// The workload (`merging/add`), the primitive (`bio_add_page`) or the pattern of a source
    /// line.
    pub what: String,
    /// Parameters that the row must have. `rules`, which no other row has, must be named.
    pub params: Params,
    /// The contender: `folio`, `linux-6.12`, `linux-6.12+headpage`.
    pub of: String,
}

/// The results that a term is looked up in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResultKind {
    /// Nanoseconds an element, in the run.
    Time,
    /// A value other than a time, in the run.
    Value,
    /// Instructions, in the records of kernels and models.
    Count,
    /// Lines of descriptors touched, in the same.
    Lines,
    /// Lines of kernel source that have a pattern.
    Source,
}

impl ResultKind {
    const ALL: [Self; 5] = [
        Self::Time,
        Self::Value,
        Self::Count,
        Self::Lines,
        Self::Source,
    ];

    /// As a reading names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Value => "value",
            Self::Count => "count",
            Self::Lines => "lines",
            Self::Source => "source",
        }
    }
}

/// Parses `KIND WHAT [NAME=VALUE...]`.
///
/// # Errors
/// The fault, in words.
pub fn parse_row(text: &str) -> Result<(ResultKind, String, Params), String> {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let kind = ResultKind::ALL
        .into_iter()
        .find(|known| known.name() == kind)
        .ok_or_else(|| format!("`{kind}` is not time, value, count, lines or source"))?;
    let what = words.next().ok_or("no workload or primitive")?;
    let mut params = Params::new();
    for word in words {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| format!("`{word}` is not NAME=VALUE"))?;
        if params.insert(name.to_owned(), Param::from(value)).is_some() {
            return Err(format!("duplicate `{name}`"));
        }
    }
    Ok((kind, what.to_owned(), params))
}

impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (times, row) = match text.split_once(" * ") {
            Some((factor, row)) => {
                let times: f64 = factor
                    .trim()
                    .parse()
                    .map_err(|_| format!("`{factor}` is not a number"))?;
                (times, row)
            }
            None => (1.0, text),
        };
        if !(times.is_finite() && times > 0.0) {
            return Err(format!("`{times}` is not a positive number"));
        }
        let (row, of) = row
            .trim()
            .rsplit_once(' ')
            .ok_or_else(|| format!("`{row}` names no row and contender"))?;
        if of.contains('=') {
            return Err(format!("`{text}` ends without a contender"));
        }
        let (kind, what, params) = parse_row(row)?;
        let of = of.to_owned();
        Ok(Self {
            times,
            kind,
            what,
            params,
            of,
        })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.times != 1.0 {
            write!(f, "{} * ", self.times)?;
        }
        write!(f, "{} {}", self.kind.name(), self.what)?;
        for (name, value) in &self.params {
            write!(f, " {name}={value}")?;
        }
        write!(f, " {}", self.of)
    }
}

impl TryFrom<String> for Reading {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let terms = text.split(" + ").map(Term::from_str);
        let terms = terms.collect::<Result<Vec<_>, _>>()?;
        if terms.iter().any(|term| term.kind != terms[0].kind) {
            return Err("results of different kinds do not add up".to_owned());
        }
        Ok(Self { terms })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let plus = if at == 0 { "" } else { " + " };
            write!(f, "{plus}{term}")?;
        }
        Ok(())
    }
}

impl From<Reading> for String {
    fn from(reading: Reading) -> Self {
        reading.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_written_as_it_is_read() {
        for text in [
            "time merging/add order=9 unit=page linux-6.12+headpage",
            "count end_io_dirty order=9 state=clean linux-5.10 + count end_io_release order=9 linux-5.10",
            "512 * time iteration/segments order=9 folio",
            "value code/size split",
        ] {
            let reading = Reading::try_from(text.to_owned()).unwrap();
            assert_eq!(reading.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_row_is_refused() {
        for (text, why) in [
            ("speed merging/add flat", "`speed` is not time"),
            ("time merging/add order=9", "without a contender"),
            ("time merging/add order=9 order=4 flat", "duplicate `order`"),
            ("time merging/add nine flat", "not NAME=VALUE"),
            ("0 * time merging/add flat", "positive"),
            (
                "time merging/add flat + count recount linux-5.10",
                "do not add up",
            ),
            ("time", "no row and contender"),
        ] {
            let error = Reading::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
