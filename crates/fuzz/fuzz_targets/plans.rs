//! The plan of an unfinished run, and the cells that it comes to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use measure::plan::Plan;

fuzz_target!(|data: &[u8]| {
    if let Ok(plan) = serde_json::from_slice::<Plan>(data) {
        let _ = plan.cells();
        let written = serde_json::to_vec(&plan).expect("a plan is written");
        let again: Plan = serde_json::from_slice(&written).expect("a plan is read again");
        assert_eq!(again, plan);
    }
});
