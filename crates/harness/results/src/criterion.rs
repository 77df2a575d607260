//! Reads the results that Criterion.rs leaves (`target/criterion`) as rows.
//!
//! A folder with `new/benchmark.json` and `new/sample.json` is a benchmark. Its group becomes the
//! workload `criterion/GROUP`, its function the design, its parameter the parameter `value`: what
//! is compared within a group stands in one case, side by side. Each folder that Criterion was run
//! into is one process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use crate::{Param, Params, RecordError, Row, Sample};

/// The family of imported rows.
const FAMILY: &str = "criterion";
/// Nested groups that are looked into: more than Criterion makes.
const DEPTH: u32 = 8;

/// The parts of `benchmark.json` that name a benchmark.
#[derive(Deserialize)]
struct Named {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

/// The parts of `sample.json`: calls of each round, and what they took in nanoseconds.
#[derive(Deserialize)]
struct Timed {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Reads all benchmarks below a folder of Criterion's as rows of one process, in the order of
/// their folders, and when the last of them was written.
///
/// # Errors
///
/// [`RecordError`] with file and field for files that are not Criterion's, and where the folder
/// cannot be read.
pub fn read_criterion(folder: &Path, process: u32) -> Result<(Vec<Row>, SystemTime), RecordError> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    found.sort();
    let mut rows = Vec::new();
    let mut last = SystemTime::UNIX_EPOCH;
    for new in found {
        let samples = new.join("sample.json");
        rows.push(Row::Sample(sample(&new, &samples, process)?));
        let written = fs::metadata(&samples).and_then(|found| found.modified());
        last = last.max(written.map_err(|source| RecordError::io(&samples, source))?);
    }
    Ok((rows, last))
}

/// The `new` folders of benchmarks below a folder.
fn collect(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), RecordError> {
    let refuse = |source| RecordError::io(folder, source);
    for entry in fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        if !path.is_dir() {
            continue;
        }
        if path.ends_with("new") && path.join("benchmark.json").is_file() {
            found.push(path);
        } else if depth > 0 {
            collect(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

fn sample(new: &Path, samples: &Path, process: u32) -> Result<Sample, RecordError> {
    let named: Named = jsonl::document(&new.join("benchmark.json"), None)?;
    let timed: Timed = jsonl::document(samples, None)?;
    let at = jsonl::At {
        path: samples,
        line: 1,
    };
    let counts = timed.iters.len();
    if counts == 0 || counts != timed.times.len() {
        return Err(at.refuse("times", "are not one for each of `iters`"));
    }
    let positive = |x: &f64| *x > 0.0 && x.is_finite();
    if !timed.iters.iter().chain(&timed.times).all(positive) {
        return Err(at.refuse("times", "and `iters` must be above 0"));
    }
    let rounds = timed.times.iter().zip(&timed.iters);
    let group = named.group_id.replace('/', "-");
    let mut params = Params::new();
    let mut axis = String::new();
    if let Some(value) = named.value_str {
        axis = "value".to_owned();
        params.insert(axis.clone(), Param::from(value));
    }
    let workload = format!("{FAMILY}/{group}");
    let design = named.function_id.unwrap_or(group);
    Ok(Sample {
        axis,
        elements: 1,
        // Criterion makes more calls from round to round; what is kept is the time of one.
        iters: timed.iters.iter().fold(0.0, |most: f64, n| most.max(*n)) as u64,
        rounds: rounds.map(|(ns, calls)| ns / calls).collect(),
        checksum: Sample::UNCHECKED.to_owned(),
        ..Sample::blank(&workload, &design, params, "call", process)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn benchmark(folder: &Path, place: &str, named: &str, sample: &str) {
        let new = folder.join(place).join("new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("benchmark.json"), named).unwrap();
        fs::write(new.join("sample.json"), sample).unwrap();
    }

    const NAMED: &str = r#"{"group_id":"sort/ints","function_id":"std","value_str":"1000",
        "throughput":null,"full_id":"sort/ints/std/1000","directory_name":"x","title":"y"}"#;
    const SAMPLE: &str = r#"{"sampling_mode":"Linear","iters":[2.0,4.0],"times":[20.0,48.0]}"#;

    #[test]
    fn a_benchmark_is_a_row() {
        let folder = tempfile::tempdir().unwrap();
        benchmark(folder.path(), "sort_ints/std/1000", NAMED, SAMPLE);
        // What Criterion leaves beside it: the run before, and its report.
        fs::create_dir_all(folder.path().join("sort_ints/std/1000/base")).unwrap();
        fs::create_dir_all(folder.path().join("report")).unwrap();
        let (rows, written) = read_criterion(folder.path(), 2).unwrap();
        let [Row::Sample(sample)] = &rows[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(
            (sample.workload.as_str(), sample.design.as_str()),
            ("criterion/sort-ints", "std")
        );
        assert_eq!(sample.params["value"], Param::Number(1000));
        assert_eq!(
            (sample.rounds.as_slice(), sample.process),
            (&[10.0, 12.0][..], 2)
        );
        assert!(written > SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn damage_is_refused_by_file() {
        for (named, sample, file) in [
            (NAMED, r#"{"iters":[1.0],"times":[]}"#, "sample.json"),
            (NAMED, r#"{"iters":[0.0],"times":[1.0]}"#, "sample.json"),
            (NAMED, r#"{"iters":[1.0]}"#, "sample.json"),
            (r#"{"function_id":"std"}"#, SAMPLE, "benchmark.json"),
            ("", SAMPLE, "benchmark.json"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            benchmark(folder.path(), "a", named, sample);
            let error = read_criterion(folder.path(), 0).unwrap_err().to_string();
            assert!(error.contains(file), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(read_criterion(folder.path(), 0).unwrap().0.is_empty());
        assert!(read_criterion(&folder.path().join("none"), 0).is_err());
    }
}
