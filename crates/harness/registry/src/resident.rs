//! Several designs set up at once.

use workloads::{Job, Setup, SetupError};

use crate::entries::{Enter, Entry};

/// A design to be set up, under a label.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The entry.
    pub entry: &'static Entry,
    /// Empty, or `control` for the second copy of the reference design.
    pub label: &'static str,
}

/// A design that is set up, or why it is not.
pub struct Resident<'a> {
    /// The request.
    pub request: Request,
    /// The job; [`SetupError::Absent`] is a dash, any other error an error row.
    pub job: Result<&'a mut dyn Job, SetupError>,
}

/// Sets up every request, one inside the other, so that all are resident at the same time,
/// and calls `then` once with all of them in order.
///
/// Jobs borrow their design, and the design lives on the stack of the function that set it
/// up; so the jobs cannot be returned, and each next one is entered from within the last.
pub fn enter_all(requests: &[Request], setup: &Setup, then: &mut dyn FnMut(&mut [Resident<'_>])) {
    // Heap blocks of different processes lie at different distances from their pages' starts.
    let pad = vec![0_u8; 16 + (setup.arena_shift % 13 * 208) as usize];
    enter_rest(requests, setup, Vec::new(), then);
    drop(std::hint::black_box(pad));
}

fn enter_rest(
    requests: &[Request],
    setup: &Setup,
    mut entered: Vec<Resident<'_>>,
    then: &mut dyn FnMut(&mut [Resident<'_>]),
) {
    let Some((&request, rest)) = requests.split_first() else {
        return then(&mut entered);
    };
    let failed = match request.entry.enter {
        Enter::Absent(reason) => Err(SetupError::Absent(reason.to_owned())),
        Enter::Value => Err(SetupError::Absent("a number, not a time".to_owned())),
        Enter::Timed(enter) => {
            let mut outer = Some(entered);
            let result = enter(setup, &mut |job| {
                // A job is handed over once; a second call would find nothing to add it to.
                let Some(outer) = outer.take() else { return };
                let mut all: Vec<Resident<'_>> = outer.into_iter().map(Resident::shorter).collect();
                all.push(Resident {
                    request,
                    job: Ok(job),
                });
                enter_rest(rest, setup, all, then);
            });
            match (result, outer) {
                // Set up and used: nothing is left to do on the way out.
                (_, None) => return,
                (Err(error), Some(outer)) => {
                    entered = outer;
                    Err(error)
                }
                (Ok(()), Some(outer)) => {
                    entered = outer;
                    Err(SetupError::Wrong(
                        "the workload hands over no job".to_owned(),
                    ))
                }
            }
        }
    };
    entered.push(Resident {
        request,
        job: failed,
    });
    enter_rest(rest, setup, entered, then);
}

impl<'a> Resident<'a> {
    /// The same for a shorter time, so that it can stand next to one set up later.
    fn shorter<'b>(self) -> Resident<'b>
    where
        'a: 'b,
    {
        Resident {
            request: self.request,
            job: self.job.map(|job| job as &mut dyn Job),
        }
    }
}
