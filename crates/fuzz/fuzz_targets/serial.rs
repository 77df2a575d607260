//! The module's output on the serial line: as it came, and with its length and checksum mended so
//! that the lines inside are read, too.
#![no_main]

use conformance::case::KernelVersion;
use libfuzzer_sys::fuzz_target;
use oracle::recorded::worked_cases;
use oracle::wire::{Batch, batches};
use oracle::{read_answers, read_counts};

fn read(batch: &Batch) {
    let _ = read_counts(batch);
    // As many cases as the batch begins answers.
    let asked = batch.lines.iter().filter(|line| line.starts_with('c'));
    let cases = worked_cases(KernelVersion::V6_12).into_iter();
    let _ = read_answers(&cases.take(asked.count()).collect::<Vec<_>>(), batch);
}

fuzz_target!(|data: &[u8]| {
    if let Ok(whole) = batches(data) {
        whole.iter().for_each(read);
    }
    let lines: Vec<&[u8]> = data
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !line.starts_with(b"@") && line.ends_with(b"\n"))
        .collect();
    let body = lines.concat();
    let crc = crc32fast::hash(&body);
    let end = format!("@end fuzz {} {crc:08x}\n", lines.len());
    let sealed = [b"@begin fuzz\n", &body[..], end.as_bytes()].concat();
    match batches(&sealed) {
        Ok(whole) => whole.iter().for_each(read),
        Err(error) => panic!("{error}"),
    }
});
