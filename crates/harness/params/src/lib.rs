//! The parameters of a workload: one type for the plan, the loops and the results.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Parameters by name, in the order of their names.
///
/// Names in use: `order`, `layout`, `backing`, `footprint` (regime: `l1`, `l2`, `mem`),
/// `threads`, `depth`, `kind`, `io_bytes`; a workload may add its own.
pub type Params = BTreeMap<String, Param>;

/// The value of one parameter: a whole number or a word.
///
/// There is one rule for what a text means, [`From<&str>`](Param#impl-From<%26str>-for-Param),
/// on the command line, in plans and in results alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Wire", untagged)]
pub enum Param {
    /// A number that has an order: `9`.
    Number(u64),
    /// A name: `contiguous`.
    Text(String),
}

/// A parameter in JSON: `9` and `"9"` are the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Number(u64),
    Text(String),
}

impl From<Wire> for Param {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Number(number) => Self::Number(number),
            Wire::Text(text) => Self::from(text),
        }
    }
}

impl From<u64> for Param {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Param {
    /// Returns a number for what a number is printed as, and a word for any other text: `007`
    /// and `+7` are words. So nothing is lost on the way from a text and back.
    fn from(text: &str) -> Self {
        match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.to_owned()),
        }
    }
}

impl From<String> for Param {
    /// As from a `&str`.
    fn from(text: String) -> Self {
        match Self::from(text.as_str()) {
            Self::Text(_) => Self::Text(text),
            number => number,
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}
