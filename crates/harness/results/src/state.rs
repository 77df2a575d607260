//! The state of a counted call: `held+spill1@162`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of a counted call, which distinguishes counts of one primitive and order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct State {
    /// The state and what happened beside it: `held+spill1`; `all` where there is only one.
    name: String,
    /// Instructions, where one state had several exact values: 162.
    value: Option<u64>,
}

impl State {
    /// The state of a primitive that has only one.
    pub const ALL: &str = "all";

    /// Returns the state with what happened beside it, without the value: `held+spill1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the state without what happened beside it: `held`.
    #[must_use]
    pub fn main(&self) -> &str {
        self.name.split('+').next().unwrap_or_default()
    }

    /// Returns what happened beside the state, in order: `spill1`.
    pub fn beside(&self) -> impl Iterator<Item = &str> {
        self.name.split('+').skip(1)
    }

    /// Returns the instructions that tell it from others of its name.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        self.value
    }

    /// Whether the primitive has no other state.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.name == Self::ALL
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{}@{value}", self.name),
            None => f.pad(&self.name),
        }
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('@') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let sound = |part: &str| !part.is_empty() && !part.contains([' ', '@']);
        // As it would be written: no sign, no zero before it.
        let number = |value: &str| value.parse().ok().filter(|n: &u64| n.to_string() == value);
        let value = value.map(|value| number(value).ok_or(()));
        match value.transpose() {
            Ok(value) if name.split('+').all(sound) => Ok(Self {
                name: name.to_owned(),
                value,
            }),
            _ => Err(format!("`{text}` is not a state such as held+spill1@162")),
        }
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<State> for String {
    fn from(state: State) -> Self {
        state.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_is_written() {
        let state: State = "held+spill1+wm@162".parse().unwrap();
        assert_eq!(state.name(), "held+spill1+wm");
        assert_eq!((state.main(), state.value()), ("held", Some(162)));
        assert_eq!(state.beside().collect::<Vec<_>>(), ["spill1", "wm"]);
        for text in ["all", "as_thp+wm", "held@0", "held+spill1+wm@162"] {
            assert_eq!(text.parse::<State>().unwrap().to_string(), text);
        }
        for text in [
            "", "@9", "a@", "a@x", "a@1@2", "a@+1", "a@01", "a++b", "a b", "+a",
        ] {
            assert!(text.parse::<State>().is_err(), "{text}");
        }
    }
}
