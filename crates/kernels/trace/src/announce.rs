//! How a program under the tracer says what lies where.
//!
//! The plugin sees system calls, so a number reaches it as the position of a seek: no
//! assembly, no effect on the program, and only a few calls where no tracer is attached.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use results::Class;

/// The prefix of a position for the plugin.
const MAGIC: u64 = 0x5e << 56;
/// The first byte of an object.
const FIRST: u64 = 0x10;
/// Its last byte.
const LAST: u64 = 0x20;
/// No more objects of a class.
const FORGET: u64 = 0x30;

/// Says that an object of this class is the `bytes` from `address`, in place of those that
/// were announced before.
pub fn object(class: Class, address: u64, bytes: u64) {
    forget(class);
    add(class, address, bytes);
}

/// Says that the objects of this class are gone.
pub fn forget(class: Class) {
    say(FORGET, class, 0);
}

/// Says that there is one more object of this class.
pub fn add(class: Class, address: u64, bytes: u64) {
    if bytes > 0 {
        say(FIRST, class, address);
        say(LAST, class, address + bytes - 1);
    }
}

/// The position that carries a number.
fn position(what: u64, class: Class, address: u64) -> u64 {
    MAGIC | (what + class as u64) << 48 | address & ((1 << 48) - 1)
}

fn say(what: u64, class: Class, address: u64) {
    // Without the device nothing is traced either.
    if let Ok(mut null) = File::open("/dev/null") {
        let _ = null.seek(SeekFrom::Start(position(what, class, address)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_one_that_a_file_may_have() {
        let position = position(FORGET, Class::Percpu, u64::MAX);
        assert!(i64::try_from(position).is_ok());
        assert_eq!(position >> 48, 0x5e33);
    }
}
