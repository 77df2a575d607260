//! The kernels that are built on this machine.
//!
//! Without one a test says so and passes; `FOLIOSCOPE_REQUIRE_KERNELS=1` makes that a failure.

use native::{Cache, Kernel, current};

/// Those with our driver.
pub fn kernels() -> Vec<Kernel> {
    let mut kernels = current(&Cache::found()).unwrap_or_else(|error| panic!("{error}"));
    // Those with the kernel's own tests in them are asked nothing.
    kernels.retain(|kernel| !kernel.runs_tests());
    assert!(
        !kernels.is_empty() || std::env::var_os("FOLIOSCOPE_REQUIRE_KERNELS").is_none(),
        "no kernel is built"
    );
    if kernels.is_empty() {
        eprintln!("live check of native kernels skipped: none is built");
    }
    kernels
}
