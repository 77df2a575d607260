//! Kernels that are built on this machine: they answer cases, of bios and of accounting.

use std::time::Duration;

use crate::built::kernels;
use native::{Session, Size};

const LONG: Duration = Duration::from_secs(60);

/// A case whose answer is the same in every released kernel: two neighbours join, a third one does not.
fn case(id: usize) -> String {
    let text = format!("c {id}\nb 8 16\na p 16 0 0 4096\na p 17 0 0 4096\na p 32 0 0 4096\n.\n");
    format!("l - - - - - - - - -\n{text}")
}

#[test]
fn a_batch_of_cases_is_answered_in_order() {
    for kernel in kernels() {
        if !kernel.patches.is_empty() {
            continue;
        }
        let mut session = Session::start(&kernel, Size::cases())
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        for batch in 0..3 {
            let text: String = (0..50).map(|n| case(50 * batch + n)).collect();
            let (text, warnings) = session
                .cases(&text, LONG)
                .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
            assert_eq!(warnings, [""; 0], "{}", kernel.name());
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.first(), Some(&"@begin cases"), "{text}");
            assert_eq!(lines[1], format!("c {}", 50 * batch));
            let rest = ["b 1000 1000 1000", "v 10:0:2000 20:0:1000", "w 3 2 3"];
            assert_eq!(lines[2..4], rest[..2], "{text}");
            let walks = lines[4] == rest[2] || lines[4] == "w 3 2 -";
            assert!(walks, "{text}");
            assert_eq!(
                lines[5..8],
                ["q 8 3000 2", "m 8:3000", "g 10000:2000 20000:1000"]
            );
        }
    }
}

/// Charges, counts and lists show in a group and in those above it.
#[test]
fn a_ledger_adds_up_along_the_tree() {
    const CASE: &str = "c one\ng /0\ng /0/0\ng /0/1\n\
        a 1 0 0 a\na 2 16 0 f\na 2 17 0 f\na 0 18 0 a\n\
        s 0 1\ns 1 1\ns 2 1\ns 2 -1\nl 0\nl 1\nl 2\ni 2\nr 0\nr 0\nd 0\nu 3\n.\n";
    const ANSWER: [&str; 8] = [
        "c one",
        "g 3 1 1 0 0",
        "g 1 1 0 1 0",
        "g 2 0 1 0 1",
        "a 1 2 1",
        "a 2 1 1",
        "a 2 1 0",
        "a - 1 0",
    ];
    for kernel in kernels() {
        let mut session = Session::start(&kernel, Size::cases())
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        // Twice, since the first case must leave nothing behind that the next one sees.
        let text = session
            .ledger(&CASE.repeat(2), LONG)
            .unwrap_or_else(|error| panic!("{}: {error}", kernel.name()));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"@begin ledger"), "{text}");
        assert_eq!(lines[1..9], ANSWER, "{}", kernel.name());
        assert_eq!(lines[9..17], ANSWER, "{}, again", kernel.name());
        let refused = session.ledger("c two\ng /0\na 7 0 0 a\n.\n", LONG);
        let refused = refused.unwrap_or_else(|error| panic!("{error}"));
        assert!(refused.contains("c two\ne a -22\n"), "{refused}");
    }
}
