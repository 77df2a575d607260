//! Bad days, played by an emulator that is a shell script.

use std::path::PathBuf;

use mm::KernelVersion;

use super::*;

fn kernel() -> Kernel {
    Kernel {
        release: "6.1-test".into(),
        rules: KernelVersion::V6_1,
        bzimage: PathBuf::from("bzImage"),
        kdir: PathBuf::from("kdir"),
        package: None,
        chroot: None,
    }
}

/// The outcome of a boot in which the emulator runs this script.
fn played(script: &str, time_limit: Duration) -> Result<Vec<Batch>, OracleError> {
    let emulator = Emulator {
        program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator.sh").into(),
        time_limit,
    };
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("play"), script).unwrap();
    let remains = emulator.boot(&kernel(), work.path(), ASKING_CPU, None)?;
    judge("6.1-test", time_limit, remains)
}

const LONG: Duration = Duration::from_secs(60);
const HELLO: &str = "@begin hello\narena 0\n@end hello 1 ";

/// The greeting with its checksum, then this text, on the data port.
fn says(more: &str) -> String {
    let crc = crc32fast::hash(b"arena 0\n");
    format!("printf '{HELLO}{crc:08x}\\n{more}' > data\n")
}

#[test]
fn a_boot_that_goes_well_gives_its_batches() {
    let crc = crc32fast::hash(b"c 0\n");
    let script = says(&format!("@begin cases\\nc 0\\n@end cases 1 {crc:08x}\\n"));
    let batches = played(&script, LONG).unwrap();
    assert_eq!(batches[0].lines, ["c 0"]);
}

#[test]
fn a_guest_that_spins_is_ended_by_its_processor_time() {
    let script = "echo booting; echo probing the disk; while :; do :; done";
    let error = played(script, Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, OracleError::TimeLimit { .. }), "{error}");
    assert!(error.to_string().contains("probing the disk"), "{error}");
}

#[test]
fn a_guest_that_waits_for_ever_is_ended_by_the_clock() {
    let script = "echo waiting for root; exec tail -f /dev/null";
    let error = played(script, Duration::from_millis(100)).unwrap_err();
    assert!(matches!(error, OracleError::TimeLimit { .. }), "{error}");
    assert!(error.to_string().contains("waiting for root"), "{error}");
}

#[test]
fn a_panic_is_shown_even_where_answers_came_before() {
    let script = says("") + "echo 'fine so far'; echo 'Kernel panic - not syncing: no init'";
    let error = played(&script, LONG).unwrap_err();
    assert!(matches!(error, OracleError::Panic { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("no init") && !text.contains("fine so far"),
        "{text}"
    );
}

#[test]
fn answers_cut_short_are_no_answers() {
    let error = played(&says("@begin cases\\nc 0\\nq 0 10"), LONG).unwrap_err();
    assert!(matches!(error, OracleError::Wire { .. }), "{error}");
    assert!(error.to_string().contains("no part"), "{error}");
}

#[test]
fn an_emulator_that_fails_is_quoted() {
    let error = played("echo 'no such machine' >&2; exit 3", LONG).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("exit status: 3") && text.contains("no such machine"),
        "{text}"
    );
}

#[test]
fn a_kernel_without_a_word_shows_its_console() {
    let error = played("echo 'VFS: no root'", LONG).unwrap_err();
    assert!(matches!(error, OracleError::Silent { .. }), "{error}");
    assert!(error.to_string().contains("VFS: no root"), "{error}");
}
