//! The memory of a row: the proofs of all its mappings as one.

use hugemem::Proof;
use results::Memory;
use workloads::MemoryOf;

/// All mappings that a row worked on, as one entry: bytes add up, the smallest page
/// counts, and what could not be proved is said.
pub(crate) fn memory_of(mappings: Vec<MemoryOf>) -> Option<Memory> {
    mappings
        .into_iter()
        .map(|mapping| one(mapping.what, mapping.proof))
        .reduce(join)
}

fn one(what: &str, proof: Result<Proof, hugemem::Error>) -> Memory {
    match proof {
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
            reason: format!("no proof for its {what}: {error}"),
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
        let error = hugemem::Error::NotInSmaps {
            start: 0,
            end: 4096,
        };
        let memory = memory_of(vec![MemoryOf {
            what: "descriptors",
            proof: Err(error),
        }])
        .unwrap();
        assert_eq!(memory.source, "none");
        assert!(memory.reason.starts_with("no proof for its descriptors"));
        assert_eq!(memory_of(Vec::new()), None);
    }
}
