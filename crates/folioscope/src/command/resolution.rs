//! `folioscope resolution FILE...`: the table of a sensitivity study, for the documents.

use compare::lockstep::Study;
use render::{lockstep_study, resolution_table};
use results::{LockstepRecord, StudyRecord};

use crate::args::ResolutionArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(args: &ResolutionArgs, output: &mut Output) -> Result<Code, Failure> {
    match &args.files[..] {
        [file] if !LockstepRecord::is_at(file).map_err(Failure::input)? => {
            output.text(resolution_table(&StudyRecord::read(file)?))?;
        }
        files => {
            let records = files.iter().map(|file| LockstepRecord::read(file));
            let records = records.collect::<Result<Vec<_>, _>>()?;
            let study = Study::of(&records);
            if study.nulls()[0] == 0 {
                let why = "no row was judged in any of these records; raise --budget";
                return Err(Failure::Usage(why.to_owned()));
            }
            output.text(lockstep_study(&study))?;
        }
    }
    Ok(Code::Done)
}
