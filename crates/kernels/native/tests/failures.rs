//! Every way in which a kernel can fail to answer, played by scripts: each has its own error,
//! the end of the console is in it, and no number comes out.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use native::{Process, RunError, Size};

/// Long enough for any machine; only a hang waits for all of a limit.
const LONG: Duration = Duration::from_secs(60);

/// A kernel that reads its command and then does what the script says.
fn process(dir: &tempfile::TempDir, script: &str) -> Process {
    let program: PathBuf = dir.path().join("linux");
    fs::write(
        &program,
        format!("#!/bin/sh\necho booted >&2\nread command\n{script}\n"),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Process::start_program(&program, Size::of(1024)).unwrap()
}

fn failure(script: &str, limit: Duration) -> (RunError, RunError) {
    let dir = tempfile::tempdir().unwrap();
    let mut process = process(&dir, script);
    let first = process.ask("run", b"5", limit).unwrap_err();
    (first, process.ask("run", b"5", limit).unwrap_err())
}

/// An answer as the driver seals it.
fn sealed(status: &str, text: &str) -> String {
    let crc = crc32fast::hash(text.as_bytes());
    let text = text.replace('\n', "\\n");
    let bytes = text.replace("\\n", "\n").len();
    format!("printf '@answer 1 run {status} {bytes} {crc:08x}\\n{text}@end 1\\n'")
}

#[test]
fn an_answer_is_returned_and_a_refusal_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = process(&dir, &sealed("ok", "raw 7\n"));
    assert_eq!(process.ask("run", b"", LONG).unwrap(), "raw 7\n");
    let (refused, _) = failure(&sealed("error", "no job is set up\n"), LONG);
    assert!(matches!(&refused, RunError::Refused { reason, .. } if reason == "no job is set up"));
    let (absent, _) = failure(&sealed("absent", "folios came with 5.16\n"), LONG);
    assert_eq!(absent.to_string(), "folios came with 5.16");
}

#[test]
fn a_kernel_that_ends_says_how_and_what_it_printed() {
    let (error, after) = failure("echo out of memory >&2; exit 3", LONG);
    assert!(matches!(error, RunError::Exit { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("exit status: 3") && text.contains("out of memory"),
        "{text}"
    );
    assert!(matches!(after, RunError::Exit { .. }), "{after}");
}

#[test]
fn a_panic_a_bug_and_a_warning_are_told_apart() {
    let (error, _) = failure(
        "echo 'Kernel panic - not syncing: VFS' >&2; kill -ABRT $$",
        LONG,
    );
    assert!(
        matches!(&error, RunError::Panic { message, .. } if message.contains("VFS")),
        "{error}"
    );
    let bug = "echo 'kernel BUG at mm/slub.c:9!' >&2; echo 'Kernel panic - BUG!' >&2; exit 1";
    let (error, _) = failure(bug, LONG);
    assert!(
        matches!(&error, RunError::Bug { message, .. } if message.contains("slub.c:9")),
        "{error}"
    );
    let warn = format!(
        "echo 'WARNING: CPU: 0 at mm/x.c:3' >&2; exec 2>&-; {}",
        sealed("tainted", "raw 7\n")
    );
    let (error, _) = failure(&warn, LONG);
    assert!(
        matches!(&error, RunError::Warn { message, .. } if message.contains("x.c:3")),
        "{error}"
    );
}

#[test]
fn a_hang_is_ended_at_the_limit() {
    let (error, after) = failure("read never", Duration::from_millis(200));
    assert!(matches!(error, RunError::Hang { .. }), "{error}");
    assert!(error.to_string().contains("booted"), "{error}");
    assert!(
        !matches!(after, RunError::Hang { .. }),
        "it was ended: {after}"
    );
}

#[test]
fn a_cut_and_a_damaged_answer_are_told_apart() {
    let (error, _) = failure("printf '@answer 1 run ok 100 00000000\\nraw 7\\n'", LONG);
    assert!(
        matches!(
            error,
            RunError::Truncated {
                said: 100,
                came: 6,
                ..
            }
        ),
        "{error}"
    );
    let (error, _) = failure(&sealed("ok", "raw 7\n").replace("raw 7", "raw 8"), LONG);
    assert!(matches!(error, RunError::Garbled { .. }), "{error}");
    let (error, _) = failure("echo 'Linux version 6.12'", LONG);
    assert!(matches!(error, RunError::Garbled { .. }), "{error}");
}

#[test]
fn a_dropped_process_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = process(&dir, "read never");
    let id = process.id();
    let error = process
        .ask("hello", b"", Duration::from_millis(1))
        .unwrap_err();
    assert!(matches!(error, RunError::Hang { .. }), "{error}");
    drop(process);
    assert!(
        !PathBuf::from(format!("/proc/{id}")).exists(),
        "it was waited for"
    );
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = Process::start_program("/nowhere/linux".as_ref(), Size::of(1024))
        .map(|mut process| process.ask("hello", b"", LONG).unwrap_err())
        .unwrap_or_else(|error| error);
    assert!(error.to_string().contains("/nowhere/linux"), "{error}");
}
