//! The claims of the 2021 thread: who said what, the rows that it rests on, the rule that
//! turns them into a verdict, and what the first screen of a report shows.
//!
//! One file, `bench-results/claims.jsonl`: a header with the table of the first screen, then a
//! claim a line. A claim names rows as `KIND WHAT [NAME=VALUE...] CONTENDER`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use jsonl::{Reader, record_from_bytes};
use serde::{Deserialize, Serialize};

use crate::reading::{Reading, Term, parse_row};
use crate::{RecordError, ResultKind, SCHEMA_VERSION};

/// The file of the claims, below `bench-results`.
pub const CLAIMS_FILE: &str = "claims.jsonl";

/// All claims, and what the first screen shows beside them.
#[derive(Clone, PartialEq, Debug)]
pub struct Claims {
    /// The table of the first screen.
    pub screen: Screen,
    /// The claims, by number.
    pub claims: Vec<Claim>,
}

/// The table of the first screen: questions down, contenders across.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// The contenders, each shown as a ratio to the reference; those that a run lacks are left
    /// out.
    pub contenders: Vec<String>,
    /// Contenders that are known and not shown. What neither list has is new, and comes first.
    pub hidden: Vec<String>,
    /// The orders of the allocations.
    pub orders: Vec<u64>,
    /// The rows.
    pub rows: Vec<ScreenRow>,
    /// The work whose counts in real kernels are shown, as `kernel history` names it.
    pub kernels: Vec<String>,
    /// Work whose times in real kernels are shown: rows of the plan with their order and without
    /// a contender.
    #[serde(default)]
    pub native: Vec<NativeRow>,
    /// An explanation of the contenders' names, in one line.
    #[serde(default)]
    pub legend: String,
}

/// A row of times of real kernels: the same memory handed over as pages and as one unit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeRow {
    /// The work in at most 18 characters.
    pub says: String,
    /// The row in which pages are handed over.
    pub pages: String,
    /// The row in which one unit is.
    pub folio: String,
}

/// A row of the first screen: a row of the plan without its order and contender.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenRow {
    /// The question in at most 18 characters.
    pub says: String,
    /// `time merging/map-sg count=1`, or `value layout/footprint mix=uniform`.
    pub row: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    claims: usize,
    screen: Screen,
}

/// One claim of the thread.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its number: from 1, in the order of the file.
    pub id: u32,
    /// The author of the claim.
    pub who: String,
    /// The claim in at most 40 characters, for the first screen.
    pub short: String,
    /// The claim in our words.
    pub claim: String,
    /// The numbers that it is judged by.
    pub numbers: Vec<Number>,
    /// The rule: the first outcome whose conditions are all met is the verdict.
    pub rule: Vec<Outcome>,
    /// The meaning of the verdict, in a sentence or two.
    pub because: String,
    /// Unfairness of the evidence, or gaps in it.
    pub unfair: String,
    /// The verdict that the committed results give. A test compares.
    pub expected: Ruling,
}

/// A number of a claim: a reading, or a ratio of two, and its bounds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// Its name in the rule.
    pub key: String,
    /// Its meaning, for a reader.
    pub says: String,
    /// The rows.
    pub of: Reading,
    /// The rows that it is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Reading>,
    /// The condition is met where the number is no less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The condition is met where the number is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

/// A verdict and the conditions under which it is given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Ruling,
    /// Keys of numbers that must be within their bounds, or beyond them with a `!` in front.
    #[serde(rename = "if")]
    pub when: Vec<String>,
}

/// The verdict on a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Ruling {
    /// The rows show it.
    #[serde(rename = "holds")]
    Holds,
    /// The rows show it for large allocations, and the contrary for base pages.
    #[serde(rename = "holds for large units only")]
    LargeOnly,
    /// One part of it holds, another does not.
    #[serde(rename = "half true")]
    HalfTrue,
    /// The rows show the contrary.
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// There are rows, but their intervals reach across a bound.
    #[serde(rename = "undecided")]
    Undecided,
    /// A row that the rule needs is not in these results.
    #[serde(rename = "not measured")]
    NotMeasured,
    /// No measurement of ours can answer it.
    #[serde(rename = "not measurable here")]
    NotMeasurable,
}

impl Ruling {
    /// As it is written in the file and in tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::LargeOnly => "holds for large units only",
            Self::HalfTrue => "half true",
            Self::DoesNotHold => "does not hold",
            Self::Undecided => "undecided",
            Self::NotMeasured => "not measured",
            Self::NotMeasurable => "not measurable here",
        }
    }

    /// Whether it says something of the claim.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(
            self,
            Self::Holds | Self::LargeOnly | Self::HalfTrue | Self::DoesNotHold
        )
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

impl Claims {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with line and field: also for numbers out of order, a condition that
    /// names no number of its claim or one without a bound, and a rule without an outcome.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        Self::from_bytes(&jsonl::bytes(path)?, path)
    }

    /// Reads the file from memory; `path` only serves to name the culprit.
    ///
    /// # Errors
    ///
    /// As [`Claims::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, RecordError> {
        record_from_bytes(bytes, path, Self::parse)
    }

    fn parse(lines: &mut Reader<'_>) -> Result<Self, RecordError> {
        let header: Header = lines.header(SCHEMA_VERSION)?;
        for row in &header.screen.rows {
            parse_row(&row.row).map_err(|why| lines.at().refuse("screen.rows", why))?;
        }
        for row in header
            .screen
            .native
            .iter()
            .flat_map(|row| [&row.pages, &row.folio])
        {
            match parse_row(row) {
                Ok((ResultKind::Time, ..)) => {}
                Ok(_) => {
                    return Err(lines
                        .at()
                        .refuse("screen.native", format!("{row}: not a time")));
                }
                Err(why) => return Err(lines.at().refuse("screen.native", why)),
            }
        }
        let mut next = 1;
        let claims = lines.rows(header.claims, "claims", |claim: &Claim| {
            let id = next;
            next += 1;
            if claim.id != id {
                return Err(("id".to_owned(), format!("{} where {id} comes", claim.id)));
            }
            claim.check()
        })?;
        Ok(Self {
            screen: header.screen,
            claims,
        })
    }
}

impl Claim {
    fn check(&self) -> Result<(), (String, String)> {
        let fault = |field: &str, why: String| Err((field.to_owned(), why));
        let mut keys = BTreeSet::new();
        for number in &self.numbers {
            if !keys.insert(number.key.as_str()) {
                return fault("numbers", format!("duplicate `{}`", number.key));
            }
        }
        if self.rule.is_empty() {
            return fault("rule", "no outcome".to_owned());
        }
        for condition in self.rule.iter().flat_map(|outcome| &outcome.when) {
            let key = condition.trim_start_matches('!');
            let number = self.numbers.iter().find(|number| number.key == key);
            if number.is_none_or(|number| number.at_least.is_none() && number.at_most.is_none()) {
                return fault("rule", format!("`{key}` is not a number with a bound"));
            }
        }
        Ok(())
    }

    /// Every result that the claim names, the bounded numbers' first.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        let readings = self.numbers.iter().flat_map(|number| {
            let over = number.over.as_ref();
            std::iter::once(&number.of).chain(over)
        });
        readings.flat_map(|reading| &reading.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_native_row_that_names_no_time_is_refused() {
        let read = |pages: &str| {
            let header = serde_json::json!({
                "schema": SCHEMA_VERSION,
                "claims": 0,
                "screen": {
                    "contenders": [], "hidden": [], "orders": [], "rows": [], "kernels": [],
                    "native": [{
                        "says": "add", "pages": pages, "folio": "time merging/add order=9"
                    }],
                },
            });
            Claims::from_bytes(format!("{header}\n").as_bytes(), Path::new("claims.jsonl"))
        };
        assert!(read("time merging/add order=9 unit=page").is_ok());
        for bad in [
            "",
            "time",
            "merging/add",
            "time merging/add order",
            "value layout/footprint",
        ] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(
                error.contains("claims.jsonl:1: field `screen.native`"),
                "{bad}: {error}"
            );
        }
    }
}
