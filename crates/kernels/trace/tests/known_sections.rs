//! The plugin counts sections whose answer is known, where this machine has the user-mode
//! emulator with plugins and gcc. Without them it says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use results::{Class, Words};
use trace::program::{self, EMULATOR, PACKAGE};
use trace::{NoTrace, Plugin, Section, sections};

/// The traffic that one section must have, as `tests/known.c` prints it.
struct Known {
    name: String,
    loads: u64,
    stores: u64,
    other: String,
    descriptor: String,
    bio: String,
    words: Vec<String>,
}

fn known(line: &str) -> Known {
    let mut words = line.split(' ').map(str::to_owned);
    let mut next = || words.next().expect("a section has all its figures");
    Known {
        name: next(),
        loads: next().parse().expect("a number"),
        stores: next().parse().expect("a number"),
        other: next(),
        descriptor: next(),
        bio: next(),
        words: words.collect(),
    }
}

fn lines(section: &Section, class: Class) -> String {
    let lines = section.traffic.of(class);
    format!("{}/{}", lines.lines, lines.written)
}

fn shape(words: &Words) -> String {
    let mask = |words: &[u8]| words.iter().fold(0, |mask, word| mask | 1_u8 << word);
    let (read, written) = (mask(&words.read), mask(&words.written));
    format!("word.{read:02x}.{written:02x}={}", words.descriptors)
}

/// Builds the program; `None` where this machine lacks what tracing needs.
fn program(work: &Path) -> Option<(Plugin, PathBuf)> {
    let plugin = match Plugin::build(EMULATOR, PACKAGE, work) {
        Ok(plugin) => plugin,
        Err(
            error @ (NoTrace::NoEmulator { .. } | NoTrace::NoPlugins { .. } | NoTrace::NoCompiler),
        ) => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/known.c");
    let program = work.join("known");
    let built = Command::new("gcc")
        .args([
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-unused-parameter",
        ])
        .args(["-static", "-nostdlib", "-fno-pie", "-no-pie"])
        .args(["-fno-stack-protector", "-fcf-protection=none"])
        .args(["-fomit-frame-pointer", "-mno-red-zone", "-o"])
        .args([&program, &source])
        .status()
        .expect("gcc built the plugin just now");
    assert!(built.success());
    Some((plugin, program))
}

/// The lines that the program prints before each section, and the sections between its marks;
/// `None` where this machine lacks what that needs.
fn run() -> Option<(Vec<Known>, Vec<Section>)> {
    let work = tempfile::tempdir().expect("a directory for the test");
    let (plugin, program) = program(work.path())?;
    let out = work.path().join("sections");
    let done = Command::new(EMULATOR)
        .args(["-seed", "1", "-plugin"])
        .arg(plugin.argument(&out, &[]))
        .arg(&program)
        .output()
        .expect("the emulator was there just now");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let said = String::from_utf8(done.stdout).expect("names are text");
    let written = std::fs::read_to_string(&out).expect("the plugin wrote its file");
    let found = sections(&written).unwrap_or_else(|error| panic!("{error}"));
    Some((said.lines().map(known).collect(), found))
}

#[test]
fn sections_with_a_known_answer_have_it() {
    let Some((known, found)) = run() else { return };
    assert_eq!(known.len(), found.len());
    assert!(known.len() > 20);
    let empty = &found[0].traffic;
    assert_eq!((empty.instructions, empty.loads, empty.stores), (2, 1, 1));
    assert_eq!((empty.lines, empty.written), (1, 1));
    for (known, found) in known.iter().zip(&found) {
        let name = &known.name;
        let net = found.traffic.without(empty);
        assert_eq!(
            (net.loads, net.stores),
            (known.loads, known.stores),
            "{name}"
        );
        assert_eq!(lines(found, Class::Other), known.other, "{name}");
        assert_eq!(lines(found, Class::Descriptor), known.descriptor, "{name}");
        assert_eq!(lines(found, Class::Bio), known.bio, "{name}");
        assert_eq!(lines(found, Class::Stack), "1/1", "{name}");
        let mut shapes: Vec<String> = found.traffic.words.iter().map(shape).collect();
        shapes.sort();
        assert_eq!(shapes, known.words, "{name}");
        let by_class: u32 = Class::ALL
            .iter()
            .map(|&class| found.traffic.of(class).lines)
            .sum();
        assert_eq!(by_class, found.traffic.lines, "{name}");
    }
    let at = known.iter().position(|known| known.name == "walk");
    let walk = &found[at.expect("a walk")].traffic;
    // Each of 512 turns is a load and a loop's three; the stack's page and eight of theirs.
    assert_eq!((walk.pages, walk.huge_pages), (9, 2));
}

#[test]
fn two_runs_agree_in_every_figure() {
    let (Some((_, first)), Some((_, second))) = (run(), run()) else {
        return;
    };
    assert_eq!(first, second);
}

#[test]
fn a_function_is_traced_from_its_first_instruction_until_it_has_returned() {
    let work = tempfile::tempdir().expect("a directory for the test");
    let Some((_, path)) = program(work.path()) else {
        return;
    };
    let counted = |name: &str| matches!(name, "nothing" | "walk" | "two_words");
    let traced = program::trace(&path, &[""; 0], counted).unwrap_or_else(|error| panic!("{error}"));
    let found: Vec<_> = traced.sections.iter().map(|s| &s.traffic).collect();
    // As they are called: nothing, two_words, the same by a jump from another function, walk.
    assert_eq!(found.len(), 4);
    // The return alone: the call belongs to the caller.
    let (empty, two, walk) = (found[0], found[1], found[3]);
    assert_eq!(
        found[2], two,
        "it returns to where the other function was called from"
    );
    assert_eq!((empty.instructions, empty.loads, empty.stores), (1, 1, 0));
    assert_eq!(empty.of(Class::Stack).lines, 1);
    assert_eq!((two.instructions, two.loads, two.stores), (3, 2, 1));
    assert_eq!(
        two.words.iter().map(shape).collect::<Vec<_>>(),
        ["word.02.40=1"]
    );
    assert_eq!((walk.loads, walk.stores), (513, 0));
    assert_eq!(walk.of(Class::Descriptor).lines, 512);
    // One load of the loop touches all of them.
    let lines: Vec<u32> = traced.sections[3].from.iter().map(|from| from.1).collect();
    assert_eq!(lines, [512]);
}

#[test]
fn a_program_without_the_functions_is_refused() {
    let work = tempfile::tempdir().expect("a directory for the test");
    let Some((_, path)) = program(work.path()) else {
        return;
    };
    let error = program::trace(&path, &[""; 0], |name| name == "no_such").unwrap_err();
    assert!(
        error.to_string().contains("none of the functions"),
        "{error}"
    );
}
