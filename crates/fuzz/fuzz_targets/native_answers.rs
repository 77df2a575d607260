//! A native kernel's answers on its pipe: as they came, and with length and checksum mended.
#![no_main]

use libfuzzer_sys::fuzz_target;
use native::wire;

fuzz_target!(|data: &[u8]| {
    let _ = wire::read(&mut &data[..], 1, "run");
    let crc = crc32fast::hash(data);
    let head = format!("@answer 1 run ok {} {crc:08x}\n", data.len());
    let sealed = [head.as_bytes(), data, b"@end 1\n"].concat();
    match wire::read(&mut &sealed[..], 1, "run") {
        Ok(answer) => assert_eq!(answer.text.as_bytes(), data),
        Err(_) => assert!(std::str::from_utf8(data).is_err()),
    }
});
