//! The memory of a row: the proofs of all its mappings as one.

use hugemem::{Error, Smaps};
use results::Memory;
use workloads::MemoryOf;

/// All mappings that a row worked on, as one entry: bytes add up, the smallest page
/// counts, and what could not be proved is said.
pub(crate) fn memory_of(mappings: &[MemoryOf<'_>], smaps: &Result<Smaps, Error>) -> Option<Memory> {
    let mappings = mappings.iter();
    mappings.map(|mapping| one(mapping, smaps)).reduce(join)
}

fn one(of: &MemoryOf<'_>, smaps: &Result<Smaps, Error>) -> Memory {
    let smaps = smaps.as_ref().map_err(Error::to_string);
    match smaps.and_then(|smaps| {
        of.mapping
            .proof_in(smaps)
            .map_err(|error| error.to_string())
    }) {
        Ok(proof) => Memory {
            asked: proof.asked.to_string(),
            got: proof.got.to_string(),
            bytes_total: proof.bytes_total,
            bytes_huge: proof.bytes_huge,
            page_size: if proof.bytes_huge > 0 {
                proof.got.page_bytes() as u64
            } else {
                proof.page_size_bytes
            },
            source: proof.source.to_owned(),
            reason: proof.reason.unwrap_or_default(),
        },
        Err(error) => Memory {
            asked: "unknown".to_owned(),
            got: "unknown".to_owned(),
            bytes_total: 0,
            bytes_huge: 0,
            page_size: 0,
            source: "none".to_owned(),
            reason: format!("no proof for its {}: {error}", of.what),
        },
    }
}

fn join(first: Memory, second: Memory) -> Memory {
    Memory {
        asked: words(first.asked, second.asked, "+"),
        got: words(first.got, second.got, "+"),
        bytes_total: first.bytes_total + second.bytes_total,
        bytes_huge: first.bytes_huge + second.bytes_huge,
        page_size: first.page_size.min(second.page_size),
        source: words(first.source, second.source, "+"),
        reason: words(first.reason, second.reason, "; "),
    }
}

/// Both, or one of them where the other adds nothing.
fn words(first: String, second: String, between: &str) -> String {
    if second.is_empty() || first == second || first.split(between).any(|word| word == second) {
        first
    } else if first.is_empty() {
        second
    } else {
        first + between + &second
    }
}

#[cfg(test)]
mod tests {
    use hugemem::{Backing, Mapping, Request};

    use super::*;

    fn memory(got: &str, huge: u64, reason: &str) -> Memory {
        Memory {
            asked: "auto".to_owned(),
            got: got.to_owned(),
            bytes_total: 4096,
            bytes_huge: huge,
            page_size: 4096,
            source: "smaps+pagemap".to_owned(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn bytes_add_up_and_equal_words_are_said_once() {
        let both = join(memory("thp", 4096, "why"), memory("thp", 0, "why"));
        assert_eq!((both.bytes_total, both.bytes_huge), (8192, 4096));
        assert_eq!((both.got.as_str(), both.reason.as_str()), ("thp", "why"));
        assert_eq!(both.source, "smaps+pagemap");
        let mixed = join(memory("thp", 0, ""), memory("base", 0, "no pool"));
        assert_eq!(
            (mixed.got.as_str(), mixed.reason.as_str()),
            ("thp+base", "no pool")
        );
    }

    #[test]
    fn memory_without_proof_says_so() {
        let before = Smaps::read();
        let mapping = Mapping::new(Request::new(4096, Backing::Base)).unwrap();
        let descriptors = MemoryOf {
            what: "descriptors",
            mapping: &mapping,
        };
        let unread = Err(Error::NotInSmaps { start: 0, end: 0 });
        for smaps in [&unread, &before] {
            let memory = memory_of(&[descriptors], smaps).unwrap();
            assert_eq!(memory.source, "none");
            assert!(memory.reason.starts_with("no proof for its descriptors"));
        }
        let memory = memory_of(&[descriptors], &Smaps::read()).unwrap();
        assert_eq!(memory.bytes_total, 4096);
        assert_eq!(memory_of(&[], &unread), None);
    }
}
