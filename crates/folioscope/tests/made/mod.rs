//! Runs that are made up, and the tool beside them.

mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use results::{
    ENV_FILE, Environment, Git, Params, Row, RowWriter, SAMPLES_FILE, Sample, write_environment,
};

pub use tool::folioscope;

/// Writes a run of `flat`, its control, `memdesc`, and `folio`, which takes `ns`. Of three
/// designs one may change without being taken for the machine's drift.
pub fn run(root: &Path, place: &str, date: &str, ns: f64) -> PathBuf {
    let dir = root.join(place);
    fs::create_dir_all(&dir).expect("a folder");
    let env = Environment {
        date_utc: date.to_owned(),
        elapsed_s: 60.0,
        finished: true,
        git: Some(Git {
            revision: "0123456789".to_owned(),
            dirty: false,
        }),
        ..Environment::unknown()
    };
    write_environment(&dir.join(ENV_FILE), &env).expect("written");
    let mut rows = RowWriter::create(&dir.join(SAMPLES_FILE)).expect("a file");
    for process in 0..3 {
        for (design, label, ns) in [
            ("flat", "", 10.0),
            ("flat", "control", 10.0),
            ("folio", "", ns),
            ("memdesc", "", 8.0),
        ] {
            let params = Params::from([("order".to_owned(), 9.into())]);
            let sample = Sample {
                label: label.to_owned(),
                elements: 1,
                iters: 1,
                rounds: vec![ns; 5],
                checksum: "0x1".to_owned(),
                ..Sample::blank("merging/add", design, params, "page", process)
            };
            rows.append(&Row::Sample(sample)).expect("a row");
        }
    }
    dir
}
