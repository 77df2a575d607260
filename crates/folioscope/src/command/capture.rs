//! `folioscope capture`: how real memory is laid out.

use physmem::capture::{self, PidFilter, TakeError};

use crate::args::{CaptureArgs, Memory};
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(args: &CaptureArgs, output: &mut Output) -> Result<Code, Failure> {
    let taken = match (args.backing, args.pid, &args.file) {
        (Some(backing), _, _) => {
            let bytes = usize::try_from(args.size)
                .map_err(|_| Failure::Usage("--size is larger than an address space".to_owned()))?;
            capture::own_buffer(backing, bytes)
        }
        (_, Some(pid), _) => capture::pid(pid, filter(args.memory)),
        (_, _, Some(path)) => capture::file(path),
        // clap sees to it that one of them is given.
        (None, None, None) => {
            return Err(Failure::Usage(
                "give one of --backing, --pid and --file".to_owned(),
            ));
        }
    };
    let capture = taken.map_err(|error| explain(&error))?;
    let text = capture.to_text();
    let Some(path) = &args.out else {
        output.text(text)?;
        return Ok(Code::Done);
    };
    results::write_whole(path, text.as_bytes())?;
    let header = &capture.header;
    output.line(format_args!(
        "{}: {}, {} pages in {} runs, Linux {}",
        path.display(),
        header.what,
        header.pages,
        capture.runs.len(),
        header.kernel
    ))?;
    Ok(Code::Done)
}

fn filter(memory: Memory) -> PidFilter {
    match memory {
        Memory::Anonymous => PidFilter::Anonymous,
        Memory::Files => PidFilter::Files,
        Memory::All => PidFilter::All,
    }
}

fn explain(error: &TakeError) -> Failure {
    Failure::Wrong(format!("nothing was captured: {error}"))
}
