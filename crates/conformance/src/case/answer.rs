//! The answer to a case, as one JSON line.

use serde::{Deserialize, Serialize};

/// The answer of a kernel, or of a model of it, to a case.
///
/// Serialises to one object with the fields in the order of [`Taken`] or [`Refused`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// The IO reached the driver.
    Taken(Taken),
    /// The kernel refused it.
    Refused(Refused),
}

impl Answer {
    /// The case's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Taken(taken) => &taken.name,
            Self::Refused(refused) => &refused.name,
        }
    }
}

/// The tables, requests and scatterlists of a case that the kernel took.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// The case's name.
    pub name: String,
    /// Bytes that each add took: all of it, or 0 when it was refused. 6.12 may take a part of what
    /// is added to a zone append.
    pub accepted: Vec<u32>,
    /// The bio_vec tables of all bios in order, before anything is submitted:
    /// page frame, byte offset from that page, bytes.
    pub vecs: Vec<(u64, u32, u32)>,
    /// The requests that reach the driver, in order of sector.
    pub bios: Vec<Request>,
    /// Steps of `bio_for_each_segment` over all bios, or over the clones that are submitted in
    /// their place: pieces that stay inside one page.
    pub sp_segments: u64,
    /// Steps of `bio_for_each_folio_all` over all bios: pieces that stay inside one allocation.
    pub chunks: u64,
    /// Where the case asks for it ([`super::Case::held`]): each allocation's first page frame, and
    /// the references of its submitter that are still there when all IO has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<(u64, u64)>>,
}

impl Taken {
    /// The answer in which nothing was added and nothing submitted yet.
    pub fn nothing(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            accepted: Vec::new(),
            vecs: Vec::new(),
            bios: Vec::new(),
            sp_segments: 0,
            chunks: 0,
            held: None,
        }
    }
}

/// One request as the driver sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The first 512-byte sector (`blk_rq_pos`).
    pub sector: u64,
    /// Bytes (`blk_rq_bytes`).
    pub bytes: u32,
    /// Physical segments as the split counted them (`blk_rq_nr_phys_segments`).
    pub segments: u32,
    /// Entries that `blk_rq_map_sg` fills in: physical address, bytes.
    pub sg: Vec<(u64, u32)>,
}

/// A case that the kernel refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The case's name.
    pub name: String,
    /// How it ended.
    pub error: Refusal,
}

/// How a refused case ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// The limits were refused or a bio completed with an error, whichever errno its
    /// status stands for.
    #[serde(rename = "EINVAL")]
    Invalid,
    /// That kernel stops at a `BUG_ON`: until 6.1 a split that would leave nothing in the
    /// first part, in 5.0 a chunk size that is not a power of two.
    #[serde(rename = "BUG")]
    Bug,
}
