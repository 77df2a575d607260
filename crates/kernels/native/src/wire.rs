//! Commands to the driver and its answers: text with its length and checksum, each under the
//! number of the command it belongs to.
//!
//! ```text
//! SEQ VERB BYTES\n                       and BYTES bytes of data
//! @answer SEQ VERB STATUS BYTES CRC32\n  and BYTES bytes of text
//! @end SEQ\n
//! ```

use std::io::{self, BufRead, Read as _};

/// The head of a command.
pub(crate) fn head(seq: u64, verb: &str, bytes: usize) -> String {
    format!("{seq} {verb} {bytes}\n")
}

/// The driver's status of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It was done.
    Ok,
    /// This kernel lacks the operation.
    Absent,
    /// It was refused.
    Error,
    /// It was done, and the kernel warned.
    Tainted,
}

/// An answer that adds up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The driver's own judgement.
    pub status: Status,
    /// Its text.
    pub text: String,
}

/// An answer that does not.
#[derive(Debug)]
pub enum Fault {
    /// Nothing came: the kernel has ended.
    End,
    /// It stops in the middle.
    Truncated {
        /// Bytes that were promised.
        said: u64,
        /// Bytes that came.
        came: u64,
    },
    /// It contradicts its own header.
    Garbled(String),
}

/// The longest line that a head can be.
const MAX_HEAD: u64 = 128;
/// The longest text: what a million cases in one command would come to.
const MAX_TEXT: u64 = 1 << 31;

fn line(from: &mut impl BufRead) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let read = from
        .by_ref()
        .take(MAX_HEAD)
        .read_until(b'\n', &mut bytes)
        .map_err(|error: io::Error| Fault::Garbled(error.to_string()))?;
    if read == 0 {
        return Err(Fault::End);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match text.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None if read as u64 == MAX_HEAD => Err(Fault::Garbled(format!(
            "`{}...` is not a header",
            text.escape_default()
        ))),
        None => Err(Fault::Truncated { said: 0, came: 0 }),
    }
}

/// Reads the answer to a command.
///
/// # Errors
/// [`Fault`].
pub fn read(from: &mut impl BufRead, seq: u64, verb: &str) -> Result<Answer, Fault> {
    let head = line(from)?;
    let garbled = |what: &str| Fault::Garbled(format!("{what}: `{}`", head.escape_default()));
    let words: Vec<&str> = head.split(' ').collect();
    let ["@answer", its_seq, its_verb, status, bytes, crc] = words[..] else {
        return Err(garbled("not the head of an answer"));
    };
    if its_seq != seq.to_string() || its_verb != verb {
        return Err(garbled("an answer to another command"));
    }
    let status = match status {
        "ok" => Status::Ok,
        "absent" => Status::Absent,
        "error" => Status::Error,
        "tainted" => Status::Tainted,
        _ => return Err(garbled("an unknown status")),
    };
    let said: u64 = bytes
        .parse()
        .ok()
        .filter(|&n| n <= MAX_TEXT)
        .ok_or_else(|| garbled("no length"))?;
    let crc = u32::from_str_radix(crc, 16).map_err(|_| garbled("no checksum"))?;
    let mut text = Vec::new();
    let came = from
        .by_ref()
        .take(said)
        .read_to_end(&mut text)
        .map_err(|error| Fault::Garbled(error.to_string()))? as u64;
    if came < said {
        return Err(Fault::Truncated { said, came });
    }
    if crc32fast::hash(&text) != crc {
        return Err(garbled("the checksum is not that of the text behind"));
    }
    let end = line(from).map_err(|fault| match fault {
        Fault::End => Fault::Truncated { said, came },
        other => other,
    })?;
    if end != format!("@end {seq}") {
        return Err(Fault::Garbled(format!(
            "`{}` where its end belongs",
            end.escape_default()
        )));
    }
    let text = String::from_utf8(text).map_err(|_| garbled("text that is not UTF-8"))?;
    Ok(Answer { status, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(seq: u64, verb: &str, text: &str) -> Vec<u8> {
        let crc = crc32fast::hash(text.as_bytes());
        format!(
            "@answer {seq} {verb} ok {} {crc:08x}\n{text}@end {seq}\n",
            text.len()
        )
        .into_bytes()
    }

    #[test]
    fn an_answer_is_read_and_nothing_behind_it() {
        let bytes = [sealed(3, "run", "raw 5\n"), sealed(4, "hello", "")].concat();
        let mut from = &bytes[..];
        assert_eq!(read(&mut from, 3, "run").unwrap().text, "raw 5\n");
        assert_eq!(read(&mut from, 4, "hello").unwrap().text, "");
        assert!(matches!(read(&mut from, 5, "run"), Err(Fault::End)));
    }

    #[test]
    fn an_answer_cut_anywhere_is_no_answer() {
        let whole = sealed(3, "run", "ticks 5\nraw 6\n");
        for end in 0..whole.len() {
            let cut = read(&mut &whole[..end], 3, "run");
            assert!(
                matches!(cut, Err(Fault::End | Fault::Truncated { .. })),
                "{end}: {cut:?}"
            );
        }
    }

    #[test]
    fn every_single_damaged_byte_is_refused() {
        let whole = sealed(3, "run", "ticks 5\nraw 6\n");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            let read = read(&mut &damaged[..], 3, "run");
            assert!(read.is_err(), "{at}: {read:?}");
        }
    }

    #[test]
    fn an_answer_to_another_command_is_refused() {
        for (seq, verb) in [(2, "run"), (3, "check")] {
            let read = read(&mut &sealed(seq, verb, "")[..], 3, "run");
            assert!(matches!(read, Err(Fault::Garbled(_))), "{read:?}");
        }
    }
}
