//! The module's output as it comes through the data port: batches that carry their length and
//! checksum, so that truncated or damaged text is refused and never taken for an answer.
//!
//! ```text
//! @begin NAME
//! any lines that do not start with @
//! @end NAME LINES CRC32
//! ```

/// A batch whose length and checksum were right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Its name: `hello`, `cases`, `count`, `failure`.
    pub name: String,
    /// Its lines, without newlines.
    pub lines: Vec<String>,
}

/// A fault in the module's output.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// The text stops inside a batch.
    #[error("the output stops inside batch `{batch}`, {lines} lines after its beginning")]
    Truncated {
        /// The batch's name.
        batch: String,
        /// Whole lines that did arrive.
        lines: usize,
    },
    /// Lines got lost or were doubled.
    #[error("batch `{batch}` says {said} lines, {came} came")]
    LineCount {
        /// The batch's name.
        batch: String,
        /// The value at its end.
        said: u64,
        /// The number that arrived.
        came: u64,
    },
    /// Bytes changed on the way.
    #[error("batch `{batch}` says checksum {said:08x}, its bytes give {came:08x}")]
    Checksum {
        /// The batch's name.
        batch: String,
        /// The value at its end.
        said: u32,
        /// The sum of its bytes.
        came: u32,
    },
    /// The module ran out of memory for its output.
    #[error("the module lacked memory for the output of batch `{0}`")]
    Broken(String),
    /// Text that no module of ours prints.
    #[error("line {line} of the output is out of place: `{text}`")]
    Stray {
        /// Its number, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// A batch that should have come did not.
    #[error("batch `{0}` did not come")]
    Missing(String),
    /// A line whose fields do not read.
    #[error("batch `{batch}`, line {line}: {reason}: `{text}`")]
    Field {
        /// The batch's name.
        batch: String,
        /// The line's number in the batch, from 1.
        line: usize,
        /// The fault.
        reason: String,
        /// The line's beginning.
        text: String,
    },
}

/// The batches of a boot's output.
///
/// # Errors
/// The first thing that does not add up. Text after the last whole line of a batch counts:
/// output that stops anywhere but after an `@end` line is [`WireError::Truncated`].
pub fn batches(text: &[u8]) -> Result<Vec<Batch>, WireError> {
    let mut done = Vec::new();
    let mut open: Option<(String, Vec<String>, crc32fast::Hasher)> = None;
    for (number, bytes) in text.split_inclusive(|&b| b == b'\n').enumerate() {
        let line = String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(bytes)).into_owned();
        let stray = || WireError::Stray {
            line: number + 1,
            text: line.chars().take(60).collect(),
        };
        let whole = bytes.ends_with(b"\n");
        match &mut open {
            Some((name, lines, crc)) if whole => match line.strip_prefix('@') {
                None => {
                    crc.update(bytes);
                    lines.push(line);
                }
                Some(end) => {
                    let said = parse_end(end, name).ok_or_else(stray)?;
                    let Some((said_lines, said_crc)) = said else {
                        return Err(WireError::Broken(name.clone()));
                    };
                    let (batch, lines, crc) = open.take().expect("it is open");
                    let came = lines.len() as u64;
                    if said_lines != came {
                        return Err(WireError::LineCount {
                            batch,
                            said: said_lines,
                            came,
                        });
                    }
                    let came = crc.finalize();
                    if said_crc != came {
                        return Err(WireError::Checksum {
                            batch,
                            said: said_crc,
                            came,
                        });
                    }
                    done.push(Batch { name: batch, lines });
                }
            },
            Some(_) => break,
            None => match line.strip_prefix("@begin ") {
                Some(name) => open = Some((name.into(), Vec::new(), crc32fast::Hasher::new())),
                None => return Err(stray()),
            },
        }
    }
    match open {
        Some((batch, lines, _)) => Err(WireError::Truncated {
            batch,
            lines: lines.len(),
        }),
        None => Ok(done),
    }
}

/// `end NAME LINES CRC` or `broken NAME`; `None` if it is neither.
#[allow(
    clippy::option_option,
    reason = "two different kinds of nothing, both local"
)]
fn parse_end(line: &str, name: &str) -> Option<Option<(u64, u32)>> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    if words.next()? != name {
        return None;
    }
    match kind {
        "broken" => Some(None),
        "end" => {
            let lines = words.next()?.parse().ok()?;
            let crc = u32::from_str_radix(words.next()?, 16).ok()?;
            Some(Some((lines, crc)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(name: &str, body: &str) -> String {
        let crc = crc32fast::hash(body.as_bytes());
        format!(
            "@begin {name}\n{body}@end {name} {} {crc:08x}\n",
            body.lines().count()
        )
    }

    #[test]
    fn whole_batches_are_read() {
        let text = sealed("hello", "a 1\n\nb\n") + &sealed("cases", "");
        let read = batches(text.as_bytes()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].lines, ["a 1", "", "b"]);
        assert!(read[1].lines.is_empty());
    }

    #[test]
    fn output_cut_anywhere_is_refused() {
        let text = sealed("cases", "c 1\nq 0 1000 1\n");
        for end in 1..text.len() {
            let cut = batches(&text.as_bytes()[..end]);
            assert!(cut.is_err(), "cut at {end} was read as {cut:?}");
        }
    }

    #[test]
    fn every_single_damaged_byte_is_refused() {
        let text = sealed("cases", "c 1\nq 0 1000 1\n");
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1;
            assert!(
                batches(&damaged).is_err() || damaged[at] == b'@',
                "damage at {at} was not seen"
            );
        }
    }

    #[test]
    fn a_lost_line_is_named_as_such() {
        let text = sealed("cases", "a\nb\n").replacen("a\n", "", 1);
        let error = batches(text.as_bytes()).unwrap_err();
        assert_eq!(
            error,
            WireError::LineCount {
                batch: "cases".into(),
                said: 2,
                came: 1
            }
        );
    }

    #[test]
    fn a_module_out_of_memory_is_not_an_answer() {
        let error = batches(b"@begin count\na\n@broken count\n").unwrap_err();
        assert_eq!(error, WireError::Broken("count".into()));
    }
}
