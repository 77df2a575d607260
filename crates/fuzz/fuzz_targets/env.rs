//! `env.json`: what is read is read again as it was.
#![no_main]

use fuzz::file;
use libfuzzer_sys::fuzz_target;
use results::{Environment, command_without_paths, read_environment};

fuzz_target!(|data: &[u8]| {
    let Ok(env) = read_environment(&file("env.json", data)) else {
        return;
    };
    let _ = env.differences(&Environment::unknown());
    let _ = command_without_paths(&env.command);
    let written = serde_json::to_vec(&env).expect("an environment is written");
    match read_environment(&file("env.json", &written)) {
        Ok(again) => assert_eq!(again, env),
        Err(error) => panic!("{error}"),
    }
});
