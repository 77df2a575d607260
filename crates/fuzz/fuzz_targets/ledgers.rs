//! Case files of accounting and lists, added up.
#![no_main]

use conformance::case::{CaseLine, parse_all_lines};
use conformance::ledger::FILE_RULES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (_, line) in parse_all_lines(data, None) {
        let Ok(CaseLine::Ledger(case)) = line else {
            continue;
        };
        let _ = case.expected(FILE_RULES);
        let _ = case.write(0);
        let written = serde_json::to_vec(&case).expect("a case is written");
        let again = parse_all_lines(&written[..], None).next();
        assert_eq!(again, Some((1, Ok(CaseLine::Ledger(case)))));
    }
});
