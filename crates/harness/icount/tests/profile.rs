//! Callgrind's text is read whole or refused with the line that is to blame.

use icount::profile::Profile;
use proptest::prelude::*;

/// As valgrind 3.19 writes it, shortened: two calls, and the end of the program.
const TEXT: &str = "\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 6727
cmd:  ./program entry-calls
part: 1


desc: I1 cache: 
desc: Timerange: Basic block 0 - 63517
desc: Trigger: --dump-after=entry_a

positions: instr line
events: Ir
summary: 36


ob=/bin/program
fl=src/main.rs
fn=main
cfn=entry_a
calls=1 0x140f0 1 
0x13f54 4 36

fn=entry_a
0x140f0 1 1
fi=src/step.rs
0x140f5 491 10
fe=src/main.rs
cob=/lib/libc.so.6
cfi=???
cfn=memcpy
calls=2 0x14060 0 
0x1413f 1 25

ob=/lib/libc.so.6
fl=???
fn=memcpy
0x14060 0 25

totals: 36

part: 2

desc: Trigger: --dump-after=entry_a

positions: instr line
events: Ir
summary: 3


ob=/bin/program
fl=src/main.rs
fn=entry_a
0x140f0 1 3

totals: 3

part: 3

desc: Trigger: Program termination

positions: instr line
events: Ir
summary: 0


totals: 0
";

#[test]
fn parts_functions_and_calls_are_read() {
    let profile = Profile::read(TEXT).unwrap();
    let totals: Vec<u64> = profile.parts.iter().map(|part| part.instructions).collect();
    assert_eq!(totals, [36, 3], "the end of the program is no call");
    let name = |index: usize| {
        let function = &profile.functions[index];
        (function.object.as_str(), function.name.as_str())
    };
    let first = &profile.parts[0];
    assert_eq!(first.trigger, "--dump-after=entry_a");
    let costs: Vec<_> = first
        .costs
        .iter()
        .map(|cost| (name(cost.function), cost.address, cost.instructions))
        .collect();
    let (program, libc) = ("/bin/program", "/lib/libc.so.6");
    assert_eq!(
        costs,
        [
            ((program, "entry_a"), 0x140f0, 1),
            ((program, "entry_a"), 0x140f5, 10),
            ((libc, "memcpy"), 0x14060, 25),
        ]
    );
    let calls: Vec<_> = first
        .calls
        .iter()
        .map(|call| {
            (
                name(call.from).1,
                call.site,
                name(call.to),
                call.instructions,
            )
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("main", 0x13f54, (program, "entry_a"), 36),
            ("entry_a", 0x1413f, (libc, "memcpy"), 25),
        ]
    );
}

#[test]
fn damage_is_refused_with_its_line() {
    for (from, to, line, word) in [
        ("0x140f5 491 10", "0x140f5 491 11", 41, "add up"),
        ("summary: 36", "summary: 35", 41, "add up"),
        ("totals: 36", "totals: 3x", 41, "not a number"),
        ("0x140f5 491 10", "0x140f5 491", 28, "not a count"),
        (
            "0x140f5 491 10",
            "+5 491 10",
            28,
            "not a line of callgrind's",
        ),
        (
            "positions: instr line",
            "positions: line",
            41,
            "not by instruction",
        ),
        ("events: Ir", "events: Ir Dr", 41, "not by instruction"),
        ("desc: Trigger: --dump-after=entry_a\n", "", 40, "triggered"),
        ("version: 1", "version: 2", 2, "version 2"),
        ("cfn=entry_a\n", "", 22, "nobody"),
        ("fn=main\n", "", 22, "no function"),
        ("part: 2", "part 2", 43, "not a line of callgrind's"),
    ] {
        let damaged = TEXT.replacen(from, to, 1);
        assert_ne!(damaged, TEXT, "{from} is there");
        let torn = Profile::read(&damaged).expect_err(to);
        assert_eq!(torn.line, line, "{to}: {torn}");
        assert!(
            torn.to_string().contains(word),
            "{to} should say {word}: {torn}"
        );
    }
}

#[test]
fn a_run_that_was_killed_between_two_parts_is_refused() {
    let (before, _) = TEXT.split_once("part: 3").unwrap();
    let torn = Profile::read(before).unwrap_err();
    assert!(torn.reason.contains("before the program"), "{torn}");
}

#[test]
fn a_part_of_the_text_is_never_taken_for_the_whole() {
    for cut in 0..TEXT.len() {
        let part = &TEXT[..cut];
        assert!(Profile::read(part).is_err(), "cut at {cut}: {part}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "(\\PC|\n)*") {
        prop_assert!(Profile::read(&text).is_err());
    }

    /// Lines of the format in any order: what is accepted adds up.
    #[test]
    fn shuffled_lines_never_make_another_total(lines in Just(TEXT.lines().collect::<Vec<_>>()).prop_shuffle()) {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        if let Ok(profile) = Profile::read(&text) {
            let sum = |part: &icount::profile::Part| part.costs.iter().map(|c| c.instructions).sum::<u64>();
            prop_assert!(profile.parts.iter().all(|part| sum(part) == part.instructions));
        }
    }
}
