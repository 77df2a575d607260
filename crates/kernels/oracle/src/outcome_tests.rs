//! How finished boots are classified, and what is said of a missing tool.

use super::*;
use crate::guest::Emulator;

fn remains(console: &str, data: &str) -> Remains {
    Remains {
        late: false,
        failed: None,
        console: console.into(),
        stderr: String::new(),
        data: data.into(),
    }
}

fn sealed(name: &str, body: &str) -> String {
    let crc = crc32fast::hash(body.as_bytes());
    format!(
        "@begin {name}\n{body}@end {name} {} {crc:08x}\n",
        body.lines().count()
    )
}

fn verdict(remains: Remains) -> Result<Vec<Batch>, OracleError> {
    judge("6.1-test", Duration::from_secs(3), remains)
}

#[test]
fn a_whole_boot_gives_the_batches_behind_the_greeting() {
    let data = sealed("hello", "arena 0\n") + &sealed("cases", "c 0\n");
    let batches = verdict(remains("folioscope: the end\n", &data)).unwrap();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].name, "cases");
}

#[test]
fn a_panic_is_told_from_its_first_line_on() {
    let console = "[ 1.0] fine\n[ 1.8] BUG: kernel NULL pointer dereference\n[ 1.9] RIP: blk\n[ 2.0] Kernel panic - not syncing\n";
    let data = sealed("hello", "arena 0\n");
    match verdict(remains(console, &data)) {
        Err(OracleError::Panic { tail, .. }) => {
            assert!(tail.trim_start().starts_with("[ 1.8] BUG"), "{tail}");
            assert!(tail.contains("Kernel panic"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hang_shows_the_consoles_tail() {
    let hang = Remains {
        late: true,
        ..remains("one\ntwo\n", "")
    };
    match verdict(hang) {
        Err(error @ OracleError::TimeLimit { .. }) => {
            let text = error.to_string();
            assert!(text.contains("after 3 s") && text.contains("two"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn output_cut_short_is_refused() {
    let data = sealed("hello", "arena 0\n") + "@begin cases\nc 0\nq 0 10";
    assert!(matches!(
        verdict(remains("", &data)),
        Err(OracleError::Wire { .. })
    ));
}

#[test]
fn a_kernel_that_never_spoke_is_told_apart_from_one_that_refused_the_module() {
    assert!(matches!(
        verdict(remains("no init found\n", "")),
        Err(OracleError::Silent { .. })
    ));
    let refused = remains(
        "insmod: invalid module format\nfolioscope: insmod failed\n",
        "",
    );
    assert!(matches!(
        verdict(refused),
        Err(OracleError::ModuleRefused { .. })
    ));
    let no_contig = remains(
        "folioscope: insmod failed\n",
        &sealed("hello", "arena -38\n"),
    );
    match verdict(no_contig) {
        Err(OracleError::ModuleRefused { reason, .. }) => {
            assert!(reason.contains("CONFIG_CONTIG_ALLOC"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_part_that_stopped_says_where() {
    let data = sealed("hello", "arena 0\n")
        + &sealed("cases", "c 7\ne 7 -95\n")
        + &sealed("failure", "cases -95\n");
    match verdict(remains("", &data)) {
        Err(OracleError::Part { part, what, .. }) => {
            assert_eq!(part, "cases");
            assert!(what.contains("-95") && what.contains("e 7"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_emulator_that_fails_or_is_absent_is_named() {
    let failed = Remains {
        failed: Some("exit status: 1".into()),
        stderr: "no such machine".into(),
        ..remains("", "")
    };
    assert!(
        verdict(failed)
            .unwrap_err()
            .to_string()
            .contains("no such machine")
    );

    let ended = Remains {
        stderr: "qemu: terminating on signal 15 from pid 1".into(),
        ..remains("", "")
    };
    let text = verdict(ended).unwrap_err().to_string();
    assert!(text.contains("somebody else"), "{text}");

    let absent = Emulator {
        program: "no-such-emulator".into(),
        ..Emulator::default()
    };
    let text = absent.version().unwrap_err().to_string();
    assert!(text.contains("apt-get install qemu-system-x86"), "{text}");
}
