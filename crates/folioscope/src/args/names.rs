//! Arguments that are names: any text is taken, since names may have `*` and `?` and unknown
//! ones get near matches later, and completions know the names that there are.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use hugemem::Backing;

/// A parser that takes any text and knows names to complete.
#[derive(Clone)]
pub(super) struct Names(fn() -> Vec<&'static str>);

/// The ids of workloads.
pub(super) fn workloads() -> Names {
    Names(|| workloads::every().map(|one| one.id).collect())
}

/// The names of contenders.
pub(super) fn designs() -> Names {
    Names(|| registry::contenders().iter().map(|one| one.name).collect())
}

/// Kinds of memory.
pub(super) fn backings() -> impl TypedValueParser<Value = Backing> {
    let names = || Backing::ALL.iter().map(|backing| backing.name()).collect();
    Names(names).try_map(|name| name.parse::<Backing>())
}

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}
