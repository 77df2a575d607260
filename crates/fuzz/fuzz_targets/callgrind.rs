//! Callgrind's output.
#![no_main]

use icount::profile::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(profile) = Profile::read(text) {
        for part in &profile.parts {
            let counted: u64 = part.costs.iter().map(|cost| cost.instructions).sum();
            assert_eq!(counted, part.instructions);
            let known = |index| index < profile.functions.len();
            assert!(part.costs.iter().all(|cost| known(cost.function)));
            let calls = || part.calls.iter();
            assert!(calls().all(|call| known(call.from) && known(call.to)));
        }
    }
});
