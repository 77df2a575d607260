//! Case files of block IO, answered by the reference.
#![no_main]

use conformance::case::{CaseLine, KernelVersion, invariants, parse_all_lines};
use conformance::reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (_, line) in parse_all_lines(data, Some(KernelVersion::V6_12)) {
        let Ok(CaseLine::Bio(case)) = line else {
            continue;
        };
        let answer = reference::evaluate(&case);
        if let Err(why) = invariants(&case, &answer) {
            panic!("{why}");
        }
        let _ = reference::evaluate_by_unit(&case);
        let _ = reference::depends_on_names(&case);
        let written = serde_json::to_vec(&case).expect("a case is written");
        let again = parse_all_lines(&written[..], None).next();
        assert_eq!(again, Some((1, Ok(CaseLine::Bio(case)))));
    }
});
