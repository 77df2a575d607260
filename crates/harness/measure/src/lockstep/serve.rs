//! A process in lock-step: sets loops up and takes turns when it is told.

use std::io::{self, BufRead, Lines, Write};

use hugemem::Smaps;
use registry::{Request, enter_all};
use results::Status;
use workloads::{Job, Setup};

use super::protocol::{Answer, Ask, Hello, Task};
use crate::burning::Burning;
use crate::cell::status_of;
use crate::evidence::memory_of;
use crate::pmu::Counters;
use crate::sampling::{Contender, calibrate, timed};
use crate::worker::WorkerError;

/// Sends its greeting, then serves requests until there are no more.
///
/// # Errors
/// [`WorkerError`] where it cannot speak; what goes wrong with a loop is an answer.
pub fn serve(
    hello: &Hello,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), WorkerError> {
    say(&mut output, hello)?;
    let mut asks = input.lines();
    while let Some(ask) = next(&mut asks)? {
        let answer = match ask {
            Ask::Enter(task) => enter(&task, &mut asks, &mut output)?,
            // After a refusal the parent may still be a step ahead.
            Ask::Turn(_) => Answer::No(Status::Err("nothing is set up".to_owned())),
            Ask::Leave => Answer::Left,
        };
        say(&mut output, &answer)?;
    }
    Ok(())
}

fn next(asks: &mut Lines<impl BufRead>) -> Result<Option<Ask>, WorkerError> {
    let line = asks.next().transpose()?;
    Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
}

fn say(output: &mut impl Write, what: &impl serde::Serialize) -> Result<(), WorkerError> {
    // One write: the parent is woken once.
    output.write_all(jsonl_line(what)?.as_bytes())?;
    Ok(output.flush()?)
}

fn jsonl_line(what: &impl serde::Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(what)? + "\n")
}

/// Sets a loop up, takes turns, and returns how it ended.
fn enter(
    task: &Task,
    asks: &mut Lines<impl BufRead>,
    output: &mut impl Write,
) -> Result<Answer, WorkerError> {
    let no = |why: String| Ok(Answer::No(Status::Err(why)));
    // What another revision names differently is absent here, not wrong.
    let workload = match registry::workload(&task.workload) {
        Ok(workload) => workload,
        Err(unknown) => return Ok(Answer::No(Status::Absent(unknown.to_string()))),
    };
    let entry = match registry::entry(&task.workload, &task.design, &task.params) {
        Ok(entry) => entry,
        Err(unknown) => return Ok(Answer::No(Status::Absent(unknown.to_string()))),
    };
    if let Err(error) = hugemem::borrow_memory(task.memory.as_deref()) {
        return no(error.to_string());
    }
    let setup = Setup {
        params: task.params.clone(),
        seed: task.seed,
        backing: task.backing,
        arena_shift: task.arena_shift,
    };
    let expected = match workload.expected(&setup) {
        Ok(expected) => expected,
        Err(error) => return Ok(Answer::No(status_of(&error))),
    };
    let floor = entry.design.is_floor();
    let request = Request { entry, label: "" };
    let mut ended = Ok(Answer::No(Status::Err("it was not set up".to_owned())));
    enter_all(&[request], &setup, &mut |residents| {
        ended = match residents.first_mut().map(|resident| &mut resident.job) {
            Some(Ok(job)) => turns(&mut **job, task, expected.filter(|_| !floor), asks, output),
            Some(Err(error)) => Ok(Answer::No(status_of(error))),
            None => return,
        };
    });
    ended
}

/// Takes turns until it is told to leave.
fn turns(
    job: &mut dyn Job,
    task: &Task,
    expected: Option<u64>,
    asks: &mut Lines<impl BufRead>,
    output: &mut impl Write,
) -> Result<Answer, WorkerError> {
    let memory =
        memory_of(&job.memory(), &Smaps::read()).map_or(String::new(), |memory| memory.got);
    let mut job = Burning::by(job, task.burn_percent);
    let elements = job.elements();
    let mut contender = Contender {
        job: &mut job,
        expected,
        threaded: false,
    };
    let (outcome, _) = calibrate(&mut contender, task.turn_ns);
    if let Some(error) = outcome.error {
        return Ok(Answer::No(Status::Err(error)));
    }
    // Nobody knew the answer beforehand: every turn has to give the first one again.
    contender.expected = expected.map(|_| outcome.checksum);
    say(
        output,
        &Answer::Ready {
            iters: outcome.iters,
            elements,
            checksum: outcome.checksum,
            memory,
        },
    )?;
    while let Some(ask) = next(asks)? {
        match ask {
            Ask::Turn(iters) => match turn(&mut contender, iters) {
                Ok(ns) => say(output, &Answer::Took(ns))?,
                Err(why) => return Ok(Answer::No(Status::Err(why))),
            },
            Ask::Leave => return Ok(Answer::Left),
            Ask::Enter(_) => {
                let why = "asked to set up a second loop".to_owned();
                return Ok(Answer::No(Status::Err(why)));
            }
        }
    }
    Ok(Answer::Left)
}

/// One turn, after a call that is not timed: the others have pushed this one's lines out of the
/// caches, which is no part of the work. A call that fills a turn by itself has no room for that.
fn turn(contender: &mut Contender<'_>, iters: u64) -> Result<u64, String> {
    let mut none = Counters::none();
    if iters > 1 {
        timed(contender, 1, &mut none)?;
    }
    let run = timed(contender, iters.max(1), &mut none)?;
    match run.minor_faults {
        0 => Ok(run.ns),
        faults => Err(format!("{faults} minor page fault(s) inside the clock")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use hugemem::Backing;
    use results::Param;

    use super::*;

    fn hello() -> Hello {
        Hello {
            lockstep: super::super::protocol::VERSION,
            git: None,
            rustc: String::new(),
            target: String::new(),
            profile: String::new(),
        }
    }

    fn task() -> Task {
        let workload = registry::workload("iteration/chunks").unwrap();
        let given = [("order".to_owned(), Param::Number(9))];
        Task {
            workload: workload.id.to_owned(),
            design: "flat".to_owned(),
            params: workload.complete(&given.into()).unwrap(),
            backing: Backing::Tmpfs,
            seed: 1,
            arena_shift: 0,
            memory: None,
            turn_ns: 10_000,
            burn_percent: 0.0,
        }
    }

    /// Returns the answers of a process to these requests, without its greeting.
    fn answers(asks: &[Ask]) -> Vec<Answer> {
        let text: String = asks.iter().map(|ask| jsonl_line(ask).unwrap()).collect();
        let mut said = Vec::new();
        serve(&hello(), BufReader::new(text.as_bytes()), &mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        let lines = said.lines().skip(1);
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_loop_is_set_up_turned_and_torn_down() {
        let enter = || Ask::Enter(Box::new(task()));
        let said = answers(&[
            enter(),
            Ask::Turn(3),
            Ask::Leave,
            enter(),
            Ask::Leave,
            Ask::Turn(1),
        ]);
        let [
            Answer::Ready {
                iters,
                elements,
                memory,
                ..
            },
            Answer::Took(ns),
            Answer::Left,
            again,
            ..,
        ] = &said[..]
        else {
            panic!("{said:?}");
        };
        assert!(*iters > 0 && *elements > 0 && *ns > 0);
        assert_eq!(memory, "tmpfs");
        assert!(matches!(again, Answer::Ready { .. }));
        assert!(matches!(said.last(), Some(Answer::No(Status::Err(_)))));
    }

    #[test]
    fn what_this_build_does_not_know_is_absent() {
        let unknown = [
            Task {
                workload: "merging/later".to_owned(),
                ..task()
            },
            Task {
                design: "later".to_owned(),
                ..task()
            },
        ];
        for task in unknown {
            let said = answers(&[Ask::Enter(Box::new(task)), Ask::Leave]);
            let [Answer::No(Status::Absent(why)), Answer::Left] = &said[..] else {
                panic!("{said:?}");
            };
            assert!(why.contains("later"), "{why}");
        }
    }

    #[test]
    fn memory_that_is_gone_is_an_error() {
        let gone = Task {
            memory: Some("/proc/0/fd/1".into()),
            ..task()
        };
        let said = answers(&[Ask::Enter(Box::new(gone))]);
        assert!(
            matches!(&said[..], [Answer::No(Status::Err(why))] if why.contains("lent")),
            "{said:?}"
        );
    }
}
