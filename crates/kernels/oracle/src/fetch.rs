//! Fetching kernels: the tool carries `scripts/fetch-kernels` and runs it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::error::{OracleError, io_error};
use crate::kernel::Series;
use crate::store::Store;

const SCRIPT: &str = include_str!("../../../../scripts/fetch-kernels");

/// Fetches these series into the store; what is there already stays unless `refresh`.
/// Returns the script's lines, one per series.
///
/// # Errors
/// [`OracleError::Fetch`] with the script's own words: no apt, no network, a signature that
/// does not verify, a suite that has moved on.
pub fn fetch(store: &Store, series: &[Series], refresh: bool) -> Result<String, OracleError> {
    std::fs::create_dir_all(store.path())
        .map_err(io_error(format!("making {}", store.path().display())))?;
    let mut command = Command::new("sh");
    command.arg("-s").arg("--").arg("--into").arg(store.path());
    if refresh {
        command.arg("--refresh");
    }
    command.args(series.iter().map(|s| s.name()));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io_error("starting sh"))?;
    child
        .stdin
        .take()
        .expect("it was asked for")
        .write_all(SCRIPT.as_bytes())
        .map_err(io_error("handing the script to sh"))?;
    let done = child
        .wait_with_output()
        .map_err(io_error("waiting for the script"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() {
        Ok(text(&done.stdout))
    } else {
        Err(OracleError::Fetch {
            log: text(&done.stdout) + &text(&done.stderr),
        })
    }
}
