//! Cases at full speed: several processes of one kernel, a batch at a time each.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::{Kernel, RunError, Session, Size};

/// The time that a batch of a few thousand cases may take: a thousand times what it takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Puts batches of cases, in the text that `cases.c` reads, to so many processes of a kernel.
/// `each` is handed the number of a batch and its answers as the kernel prints them, in
/// whatever order they come, and may end it all. Returns the number of batches answered.
///
/// A batch of some thousand cases keeps a process busy for a tenth of a second; its answers
/// are some hundred bytes a case.
///
/// # Errors
/// The first [`RunError`] of any process; the others stop behind their batch.
pub fn put_cases(
    kernel: &Kernel,
    batches: impl Iterator<Item = String> + Send,
    processes: usize,
    each: &(dyn Fn(usize, String) -> ControlFlow<()> + Sync),
) -> Result<usize, RunError> {
    let batches = Mutex::new(batches.enumerate());
    let ended = Mutex::new(Ended::default());
    let next = || {
        let over = locked(&ended).over;
        if over { None } else { locked(&batches).next() }
    };
    let work = || -> Result<(), RunError> {
        let mut session = Session::start(kernel, Size::cases())?;
        while let Some((number, text)) = next() {
            let answers = session.cases(&text, LIMIT)?;
            let flow = each(number, answers);
            let mut ended = locked(&ended);
            ended.answered += 1;
            ended.over |= flow.is_break();
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..processes.max(1) {
            scope.spawn(|| {
                if let Err(error) = work() {
                    let mut ended = locked(&ended);
                    ended.over = true;
                    ended.error.get_or_insert(error);
                }
            });
        }
    });
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.error.map_or(Ok(ended.answered), Err)
}

/// How far it has come.
#[derive(Debug, Default)]
struct Ended {
    answered: usize,
    over: bool,
    error: Option<RunError>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
