//! bio, bio_vec and the walks.

use std::collections::BTreeMap;
use std::rc::Rc;

use mm::KernelVersion;
use mm::block::Pgmap;

use crate::case::{Add, By, Case, CloneOf, PAGE_SIZE};

use super::{asks_pgmap, zone};

/// A `struct bio_vec`: a run of physical memory, named by a page and an offset from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bvec {
    /// The page frame that `bv_page` points at.
    pub pfn: u64,
    /// Bytes from that page's start; may exceed a page.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// The page map of the memory, where it is a device's.
    pub pgmap: Option<Pgmap>,
}

impl Bvec {
    /// The physical address of the first byte.
    pub fn phys(self) -> u64 {
        self.pfn * PAGE_SIZE + u64::from(self.offset)
    }

    /// The physical address past the last byte.
    pub fn end(self) -> u64 {
        self.phys() + u64::from(self.len)
    }

    /// Where the run ends, in bytes from its page's start.
    pub fn offset_end(self) -> u64 {
        u64::from(self.offset) + u64::from(self.len)
    }
}

/// A bio: a vec table that never changes once it is built, and the part of it still to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bio {
    table: Rc<[Bvec]>,
    /// The first byte still to do, counted over the whole table.
    start: u64,
    /// Bytes still to do (`bi_iter.bi_size`).
    pub(super) size: u64,
    /// Where on the device it goes (`bi_iter.bi_sector`).
    pub(super) sector: u64,
    /// No request may merge it (`REQ_NOMERGE`): the front part of a split, or a bio of its own kind.
    pub(super) nomerge: bool,
    /// A clone, which knows the table but not how many vecs it has (`bi_vcnt` is 0).
    pub(super) cloned: bool,
}

impl Bio {
    fn new(table: Vec<Bvec>, sector: u64) -> Self {
        let size = table.iter().map(|v| u64::from(v.len)).sum();
        Self {
            table: table.into(),
            start: 0,
            size,
            sector,
            nomerge: false,
            cloned: false,
        }
    }

    /// The whole vec table, including what is done or belongs to another part.
    pub fn table(&self) -> &[Bvec] {
        &self.table
    }

    /// Bytes still to do.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The sector that the next byte goes to.
    pub fn sector(&self) -> u64 {
        self.sector
    }

    /// `bio_for_each_bvec`: the vecs still to do, the first and last cut to what is.
    pub fn bvecs(&self) -> Vec<Bvec> {
        let (from, to) = (self.start, self.start + self.size);
        let mut views = Vec::new();
        let mut at = 0;
        for vec in self.table.iter() {
            let end = at + u64::from(vec.len);
            let (first, last) = (at.max(from), end.min(to));
            if first < last {
                views.push(Bvec {
                    pfn: vec.pfn,
                    offset: vec.offset + (first - at) as u32,
                    len: (last - first) as u32,
                    pgmap: vec.pgmap,
                });
            }
            at = end;
        }
        views
    }

    /// `bio_for_each_segment`: the same bytes in pieces that stay inside one page.
    pub fn segments(&self) -> Vec<Bvec> {
        let mut pieces = Vec::new();
        for view in self.bvecs() {
            let mut at = view.phys();
            while at < view.end() {
                let page_end = (at / PAGE_SIZE + 1) * PAGE_SIZE;
                let end = page_end.min(view.end());
                pieces.push(Bvec {
                    pfn: at / PAGE_SIZE,
                    offset: (at % PAGE_SIZE) as u32,
                    len: (end - at) as u32,
                    pgmap: view.pgmap,
                });
                at = end;
            }
        }
        pieces
    }

    /// `bio_for_each_folio_all`: the bytes of every vec in pieces that stay inside one
    /// allocation, each named by the allocation's head. Kernels without folios have no such
    /// walk; the same rule holds for their compound pages.
    ///
    /// # Panics
    /// If a byte belongs to none of `allocations`.
    pub fn folios(&self, allocations: &BTreeMap<u64, u8>) -> Vec<Bvec> {
        let mut pieces = Vec::new();
        for vec in self.table.iter() {
            let mut at = vec.phys();
            while at < vec.end() {
                let (&head, &order) = allocations
                    .range(..=at / PAGE_SIZE)
                    .next_back()
                    .filter(|&(&head, &order)| at / PAGE_SIZE < head + (1 << order))
                    .expect("a vec covers only memory that an add named");
                let end = ((head + (1 << order)) * PAGE_SIZE).min(vec.end());
                pieces.push(Bvec {
                    pfn: head,
                    offset: (at - head * PAGE_SIZE) as u32,
                    len: (end - at) as u32,
                    pgmap: vec.pgmap,
                });
                at = end;
            }
        }
        pieces
    }

    /// `bio_split`: the first `bytes` and the rest; both look at the same table.
    ///
    /// # Panics
    /// If either part would be empty.
    pub fn split_at(self, bytes: u64) -> (Self, Self) {
        assert!(0 < bytes && bytes < self.size, "both parts have data");
        let front = Self {
            size: bytes,
            nomerge: true,
            ..self.clone()
        };
        let rest = Self {
            start: self.start + bytes,
            size: self.size - bytes,
            sector: self.sector + (bytes >> 9),
            ..self
        };
        (front, rest)
    }

    /// `bio_alloc_clone` and `bio_trim`: `bytes` of the bio from byte `skip` on, as a bio of its own.
    ///
    /// # Panics
    /// If the bio has no such bytes.
    pub fn clone_part(&self, skip: u64, bytes: u64) -> Self {
        assert!(0 < bytes && skip + bytes <= self.size, "a clone has data");
        Self {
            start: self.start + skip,
            size: bytes,
            sector: self.sector + (skip >> 9),
            cloned: true,
            ..self.clone()
        }
    }

    /// The table entry that the next byte lies in, and how much of it is done.
    pub(super) fn current(&self) -> (Bvec, u64) {
        let mut at = 0;
        for vec in self.table.iter() {
            let end = at + u64::from(vec.len);
            if self.start < end {
                return (*vec, self.start - at);
            }
            at = end;
        }
        unreachable!("a bio with data has a current vec")
    }
}

/// The bios of a case before anything is submitted.
#[derive(Clone, Debug)]
pub struct Built {
    /// Bytes that each add took.
    pub accepted: Vec<u32>,
    /// The bios that took something, in order, each at its sector.
    pub bios: Vec<Bio>,
    /// For each bio that the case names, the place among `bios` of what it became.
    places: Vec<Option<usize>>,
}

impl Built {
    /// The bytes of each bio that the case names.
    pub fn sizes(&self) -> Vec<u64> {
        let size = |place: &Option<usize>| place.map_or(0, |at| self.bios[at].size);
        self.places.iter().map(size).collect()
    }

    /// The same bios with vecs that name pages. 6.1's `bio_add_folio` keeps the folio.
    pub(super) fn by_page(&self, case: &Case) -> Self {
        let mut built = self.clone();
        let by_folio = case.adds.iter().all(|add| add.by == By::Folio);
        if case.rules != KernelVersion::V6_1 || !by_folio {
            for bio in &mut built.bios {
                bio.table = bio.table.iter().map(|vec| zone::by_page(*vec)).collect();
            }
        }
        built
    }

    /// The bios that are submitted: all, or the clones of them that the case asks for.
    ///
    /// # Panics
    /// If the case does not pass [`Case::check`].
    pub fn submitted(&self, case: &Case) -> Vec<Bio> {
        if case.clones.is_empty() {
            return self.bios.clone();
        }
        let of = |clone: &CloneOf| {
            let place = self.places[usize::from(clone.bio)].expect("its bio took something");
            self.bios[place].clone_part(clone.start_bytes(), clone.bytes())
        };
        case.clones.iter().map(of).collect()
    }
}

/// Makes all calls of a case (`bio_add_page`, `bio_add_folio`). Limits play a part in zone appends
/// alone.
pub fn build(case: &Case) -> Built {
    build_by(case, |add| call(case, add))
}

/// The same in a kernel whose vecs name whole allocations, as 6.1's `bio_add_folio` has them
/// name folios: every call hands down the first page and the whole offset.
pub fn build_by_unit(case: &Case) -> Built {
    build_by(case, |add| from_head(case, add))
}

fn build_by(case: &Case, call: impl Fn(&Add) -> Bvec) -> Built {
    // A zone append of 7.x is built like any other bio.
    let is_held = case.rules < KernelVersion::V7_1;
    let zone = case.zone_limits().filter(|_| is_held);
    build_with(case, |tables, add| {
        if case.rules == KernelVersion::V5_0 {
            return add_page_by_page(tables, case, add);
        }
        let table = tables.last_mut().expect("there is always a bio");
        match &zone {
            Some((limits, zone)) => zone::add(case, (limits, zone), table, call(add)),
            None => add_run(table, case.rules, case.max_vecs, call(add)),
        }
    })
}

/// Makes all calls; `make` makes one, into the last of the tables, and says what it took.
pub(super) fn build_with(case: &Case, make: impl Fn(&mut Vec<Vec<Bvec>>, &Add) -> u32) -> Built {
    let mut tables: Vec<Vec<Bvec>> = vec![Vec::new()];
    let mut accepted = Vec::new();
    let mut bio = 0;
    for add in &case.adds {
        if add.bio != bio {
            bio = add.bio;
            tables.push(Vec::new());
        }
        accepted.push(make(&mut tables, add));
    }
    let mut sector = case.start_sector;
    let mut bios = Vec::new();
    let mut places = Vec::new();
    for (number, table) in tables.into_iter().enumerate() {
        if let Some(zone) = case.zone_sectors() {
            sector = case.start_sector + number as u64 * zone;
        }
        let mut bio = Bio::new(table, sector);
        // `__bio_add_page`: no other bio is mapped the way that such memory is.
        bio.nomerge = case.rules >= KernelVersion::V7_1 && bio.table.iter().any(is_p2pdma);
        sector += bio.size >> 9;
        places.push((bio.size > 0).then_some(bios.len()));
        if bio.size > 0 {
            bios.push(bio);
        }
    }
    Built {
        accepted,
        bios,
        places,
    }
}

/// An add as a vec that names its allocation.
pub(super) fn from_head(case: &Case, add: &Add) -> Bvec {
    Bvec {
        pfn: add.pfn,
        offset: add.offset,
        len: add.len,
        pgmap: case.pgmap_of(add),
    }
}

/// The page, offset and length that reach `bio_add_page`.
pub(super) fn call(case: &Case, add: &Add) -> Bvec {
    // v6.1's bio_add_folio hands the head page down; v6.12's finds the page first.
    if add.by == By::Folio && case.rules == KernelVersion::V6_1 {
        return from_head(case, add);
    }
    let page = u64::from(add.offset) / PAGE_SIZE;
    Bvec {
        pfn: add.pfn + page,
        offset: add.offset % PAGE_SIZE as u32,
        ..from_head(case, add)
    }
}

/// `bio_add_page`: grow the last vec if the run continues it, else open a new one. A vec that
/// can grow needs no free entry. Returns the bytes taken: all or none.
pub(super) fn add_run(
    table: &mut Vec<Bvec>,
    rules: KernelVersion,
    max_vecs: u16,
    run: Bvec,
) -> u32 {
    let size: u64 = table.iter().map(|v| u64::from(v.len)).sum();
    if size + u64::from(run.len) > u64::from(u32::MAX) {
        return 0;
    }
    if let Some(last) = table.last_mut() {
        // From v6.2 on a vec is of one page map, and later a bio of one where it is another PCI
        // device's.
        let apart = asks_pgmap(rules) && last.pgmap != run.pgmap;
        if apart && (is_p2pdma(last) || is_p2pdma(&run)) {
            return 0;
        }
        let continues = match rules {
            // Before v5.1 a vec stays inside its page.
            KernelVersion::V5_0 => last.pfn == run.pfn && last.end() == run.phys(),
            _ => last.end() == run.phys() && !apart,
        };
        if continues {
            last.len += run.len;
            return run.len;
        }
    }
    if table.len() >= usize::from(max_vecs) {
        return 0;
    }
    table.push(run);
    run.len
}

/// Whether the vec's memory is another PCI device's.
fn is_p2pdma(vec: &Bvec) -> bool {
    vec.pgmap.is_some_and(|map| map.p2pdma)
}

/// v5.0: one call per page. A run that fills the table goes on in a further bio, as a
/// filesystem would do it; one that finds the table full from the start is refused.
fn add_page_by_page(tables: &mut Vec<Vec<Bvec>>, case: &Case, add: &Add) -> u32 {
    let mut done = 0;
    while done < add.len {
        let at = add.offset + done;
        let offset = at % PAGE_SIZE as u32;
        let run = Bvec {
            pfn: add.pfn + u64::from(at) / PAGE_SIZE,
            offset,
            len: (PAGE_SIZE as u32 - offset).min(add.len - done),
            pgmap: case.pgmap_of(add),
        };
        let table = tables.last_mut().expect("there is always a bio");
        if add_run(table, KernelVersion::V5_0, case.max_vecs, run) == 0 {
            if done == 0 {
                return 0;
            }
            tables.push(vec![run]);
        }
        done += run.len;
    }
    done
}
