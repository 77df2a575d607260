//! Kernels that a patch of ours changed (`crates/kernels/patches`), in what it changes.

use mm::KernelVersion;

use crate::case::{Add, Case, PAGE_SIZE};

use super::bio::{Built, Bvec, add_run, build, build_by_unit, build_with, call, from_head};

/// A kernel whose answers are worked out: a released one, or one that a patch changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// The release.
    pub rules: KernelVersion,
    /// The patch.
    pub change: Option<Change>,
}

impl From<KernelVersion> for Kernel {
    fn from(rules: KernelVersion) -> Self {
        Self {
            rules,
            change: None,
        }
    }
}

impl Kernel {
    /// Where a vec ends, as the short cuts for a vec within one page see it: counted from what
    /// the vec names, or from the page that it begins in.
    pub(super) fn end_in_page(self, vec: Bvec) -> u64 {
        match self.change {
            Some(Change::HeadPages | Change::WithinHead | Change::PhysRanges) => {
                u64::from(vec.offset) % PAGE_SIZE + u64::from(vec.len)
            }
            _ => vec.offset_end(),
        }
    }

    /// Where a vec begins for a device's virtual boundary and its alignment: counted from what
    /// the vec names.
    pub(super) fn place(self, vec: Bvec) -> u64 {
        match self.change {
            Some(Change::PhysRanges) => vec.phys(),
            _ => vec.offset.into(),
        }
    }
}

/// A patch's change to the answers of the kernel whose rules a case names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// `headpage`: a vec names the head of its allocation.
    HeadPages,
    /// `headpage-strict`, on top of `headpage`: and ends with its allocation.
    WithinHead,
    /// `no-merge`: every call opens a vec.
    NoMerge,
    /// `phyr`: a vec is a physical address and a length. It is written down as the page and the
    /// offset in it.
    PhysRanges,
    /// `single-page`: a vec ends with its page, and neighbours are joined when a bio is split
    /// and when it is mapped, as before v5.1.
    SinglePage,
}

impl Change {
    /// Returns the change that the patch of this name makes to answers; `None` for one that must
    /// change no answer, or that is not known.
    pub fn of_patch(name: &str) -> Option<Self> {
        Some(match name {
            "headpage" => Self::HeadPages,
            "headpage-strict" => Self::WithinHead,
            "no-merge" => Self::NoMerge,
            "phyr" => Self::PhysRanges,
            "single-page" => Self::SinglePage,
            _ => return None,
        })
    }

    /// The change that this one is made on top of, by a patch of its own.
    pub fn on_top_of(self) -> Option<Self> {
        (self == Self::WithinHead).then_some(Self::HeadPages)
    }

    /// Makes all calls of a case.
    pub(super) fn build(self, case: &Case) -> Built {
        let most = usize::from(case.max_vecs);
        match self {
            Self::HeadPages => build_by_unit(case),
            Self::WithinHead => build_with(case, |tables, add| {
                let table = tables.last_mut().expect("there is always a bio");
                let run = from_head(case, add);
                if table.last().is_some_and(|last| last.pfn == run.pfn) {
                    return add_run(table, case.rules, case.max_vecs, run);
                }
                if table.len() >= most || !has_room(table, add) {
                    return 0;
                }
                table.push(run);
                run.len
            }),
            Self::PhysRanges => build(case),
            Self::NoMerge => build_with(case, |tables, add| {
                let table = tables.last_mut().expect("there is always a bio");
                if table.len() >= most || !has_room(table, add) {
                    return 0;
                }
                table.push(call(case, add));
                add.len
            }),
            Self::SinglePage => build_with(case, |tables, add| {
                let table = tables.last_mut().expect("there is always a bio");
                let joined = by_page(table, case, add);
                if joined.len() > most || !has_room(table, add) {
                    return 0;
                }
                *table = joined;
                add.len
            }),
        }
    }
}

/// Whether the bio's size still fits into 32 bits.
fn has_room(table: &[Bvec], add: &Add) -> bool {
    let size: u64 = table.iter().map(|vec| u64::from(vec.len)).sum();
    size + u64::from(add.len) <= u64::from(u32::MAX)
}

/// The table with an add appended, cut at the ends of pages. Only what goes on in the page
/// that the last vec ends in joins it.
fn by_page(table: &[Bvec], case: &Case, add: &Add) -> Vec<Bvec> {
    let mut table = table.to_vec();
    let mut done = 0;
    while done < add.len {
        let at = add.offset + done;
        let offset = at % PAGE_SIZE as u32;
        let piece = Bvec {
            pfn: add.pfn + u64::from(at) / PAGE_SIZE,
            offset,
            len: (PAGE_SIZE as u32 - offset).min(add.len - done),
            pgmap: case.pgmap_of(add),
        };
        done += piece.len;
        match table.last_mut() {
            Some(last) if last.pfn == piece.pfn && last.end() == piece.phys() => {
                last.len += piece.len;
            }
            _ => table.push(piece),
        }
    }
    table
}
