//! The instructions of every timed loop, and the functions they come from.

use std::path::Path;
use std::thread;

use results::LoopCount;

use crate::callgrind::{self, Calls, NoCounts, Wanted};
use crate::origin::{self, Origin, Stack};

/// A loop that was counted, with the way to each of its instructions.
#[derive(Clone, PartialEq, Debug)]
pub struct Profiled {
    /// The count as a baseline holds it.
    pub count: LoopCount,
    /// The stacks that a flame graph is drawn from.
    pub stacks: Vec<Stack>,
}

/// Runs `program` under callgrind once for each of `runs`, its arguments, all at the same time.
/// Each must make the calls of [`entries::calls`](crate::entries::calls) and print the label of
/// each, one line each. `symbols` are the loops' own functions.
///
/// # Errors
/// [`NoCounts`].
pub fn count(
    program: &Path,
    runs: &[Vec<String>],
    symbols: &[String],
) -> Result<Vec<Profiled>, NoCounts> {
    let counted: Vec<Result<Vec<Profiled>, NoCounts>> = thread::scope(|scope| {
        let threads: Vec<_> = runs
            .iter()
            .map(|args| scope.spawn(move || one(program, args, symbols)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| {
                    Err(NoCounts::Unreadable("counting was given up".to_owned()))
                })
            })
            .collect()
    });
    let mut all = Vec::new();
    for counted in counted {
        all.extend(counted?);
    }
    all.sort_by(|a, b| a.count.of.cmp(&b.count.of));
    if let Some(twice) = all
        .windows(2)
        .find(|two| two[0].count.of == two[1].count.of)
    {
        let of = &twice[0].count.of;
        return Err(NoCounts::Unreadable(format!("{of} was called twice")));
    }
    Ok(all)
}

fn one(program: &Path, args: &[String], symbols: &[String]) -> Result<Vec<Profiled>, NoCounts> {
    let Calls { labels, profile } = callgrind::run(program, args, Wanted::Symbols(symbols))?;
    let origin = Origin::of(program).map_err(NoCounts::Unreadable)?;
    let mut all = Vec::new();
    for (label, part) in labels.iter().zip(&profile.parts) {
        let of = label.parse().map_err(NoCounts::Unreadable)?;
        let stacks = origin.stacks(&profile, part);
        all.push(Profiled {
            count: LoopCount {
                of,
                instructions: part.instructions,
                limit: None,
                functions: origin::functions(&stacks),
            },
            stacks,
        });
    }
    Ok(all)
}
