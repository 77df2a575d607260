//! The laws of every contender, a test for each: `flat::block::split_parts_add_up`. Unlike other
//! programs of tests, this one takes a single filter.

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let mut trials = Vec::new();
    for held in registry::held() {
        for law in held.laws() {
            let name = format!("{}::{}::{}", held.name, law.capability, law.name);
            // What a law says when it is broken, the panic's hook has printed.
            trials.push(Trial::test(name, || {
                std::panic::catch_unwind(law.check).map_err(|_| Failed::without_message())
            }));
        }
    }
    assert!(!trials.is_empty(), "no contender is held to any law");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
