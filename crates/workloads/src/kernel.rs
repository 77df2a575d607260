//! Questions that only real kernels answer: what a kernel does with its own memory, and steps
//! that no model has.
//!
//! They have no loop of ours. A design's row says that it is not asked; the driver has the job
//! (`crates/kernels/driver`), over the fixture that is made here.

use physmem::{Extent, Kind, PAGE_SIZE};

use crate::accounting;
use crate::checksum::Digest;
use crate::fixture::{Allocated, BASE, Fixture, IoRange, allocations};
use crate::params::{self, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The family, and the reason that designs give.
pub const FAMILY: &str = "kernel";
/// Why a design is not asked.
pub const NOT_ASKED: &str = "only real kernels are asked this";

/// How many objects or tables are held at a time.
const HELD: ParamSpec = ParamSpec::number("count", "how many are held at a time", 64, (1, 4096));

/// The loop that runs over the bio.
const OF: ParamSpec = ParamSpec::words(
    "of",
    "the workload whose loop runs over the bio",
    &[
        "merging/add",
        "iteration/segments",
        "iteration/bvecs",
        "iteration/chunks",
        "merging/map-sg",
        "merging/split",
    ],
);

const AT: ParamSpec = ParamSpec::words(
    "at",
    "the half of the allocation that is added: start, or half, which begins in a tail page",
    &["start", "half"],
);

const FROM: ParamSpec = ParamSpec::words(
    "from",
    "unit: an allocation; pte: a page as a page table leads to it, the last of its unit, as rmap \
     has",
    &["unit", "pte"],
);

/// A bio that begins at an offset beyond a page.
pub static PARTIAL: Workload = Workload {
    id: "kernel/partial",
    capability: mm::Capability::Block,
    asks: "what does a vec cost that begins in a tail page of its allocation?",
    analysis: "bio_add_folio() of 6.1 names the folio and the whole offset, so its vecs are \
        head-page vecs already; 6.12 names the page that the offset lies in. Half of one \
        allocation is added in one step, its first half as the control, and then walked, split or \
        mapped. A short cut that tests bv_offset + bv_len <= PAGE_SIZE is missed by a 6.1 vec of a \
        tail (order=1 at=half), and the walk by folio of 6.12 looks for the head.",
    favours: "no kernel: each is compared with itself, at=half with at=start",
    unfair: "5.10 has no bio_add_folio() and adds page by page",
    unit: "element",
    axis: "",
    params: &[params::ORDER, OF, AT],
    fixture: Some(half),
    quantity: Quantity::Time(half_expected),
};

/// Statistics by a page out of a page table.
pub static STAT: Workload = Workload {
    id: "kernel/stat",
    capability: mm::Capability::Memcg,
    asks: "what does it cost to count a change of state by a tail page, as rmap did?",
    analysis: "__mod_lruvec_page_state() of 5.10 is handed the page that is mapped, which may be a \
        tail, and looks for its head. Since folios the caller has looked before. from=pte hands \
        out the last page of each allocation, and kernels with folios pay for page_folio().",
    favours: "no kernel",
    unfair: "5.10 charges no large allocation without THPs, which ARCH=um has none of: there the \
        head's owner word is set without a charge, which is all that the statistic looks at",
    unit: "update",
    axis: "",
    params: &[
        params::ORDER,
        params::KIND,
        params::DEPTH,
        params::FOOTPRINT,
        FROM,
    ],
    fixture: Some(|setup| allocations(setup, accounting::L1)),
    quantity: Quantity::Time(accounting::stat::expected),
};

/// Objects of a slab cache.
pub static OBJECTS: Workload = Workload {
    id: "kernel/objects",
    capability: mm::Capability::Describe,
    asks: "what do kmem_cache_alloc() and kmem_cache_free() cost, with accounting and without?",
    analysis: "A descriptor that is allocated apart comes from a slab cache: this is its price. \
        With accounted=yes a group pays for each object, from obj_cgroup_charge() to the free \
        that finds the owner through the object's slab, so the difference to accounted=no is \
        what charging and uncharging an object costs.",
    favours: "no kernel",
    unfair: "one CPU, objects of 64 bytes, freed in the order in which they were allocated",
    unit: "object",
    axis: "",
    params: &[
        HELD,
        ParamSpec::words("accounted", "whether a group pays", &["no", "yes"]),
        params::DEPTH,
    ],
    fixture: Some(nothing),
    quantity: Quantity::Time(held),
};

/// Page tables with their descriptors.
pub static TABLES: Workload = Workload {
    id: "kernel/tables",
    capability: mm::Capability::Describe,
    asks: "what does it cost to allocate and free a page table with its descriptor?",
    analysis: "struct ptdesc lies over struct page, so a table is a page and nothing more. In the \
        patch ptdesc it is an object of its own, so a table costs a page, an object and the word \
        that leads from one to the other.",
    favours: "a descriptor that lies over the page",
    unfair: "without the zeroing that a table in use needs, which costs more than the rest",
    unit: "table",
    axis: "",
    params: &[HELD],
    fixture: Some(nothing),
    quantity: Quantity::Time(held),
};

/// From an entry to its table's descriptor.
pub static TABLE_LOOKUP: Workload = Workload {
    id: "kernel/table-lookup",
    capability: mm::Capability::Describe,
    asks: "what does it cost to get from an entry of a page table to its table's descriptor?",
    analysis: "Every page fault takes this way to the table's lock. Over struct page it is \
        arithmetic; with a descriptor apart (patch ptdesc) one more load, which depends on the \
        page's.",
    favours: "a descriptor that lies over the page",
    unfair: "tables and descriptors that the caches hold",
    unit: "lookup",
    axis: "",
    params: &[HELD],
    fixture: Some(nothing),
    quantity: Quantity::Time(held),
};

/// All of them, in the order of reports.
pub static ALL: [&Workload; 5] = [&PARTIAL, &STAT, &OBJECTS, &TABLES, &TABLE_LOOKUP];

/// An allocation that no job looks at: a kernel takes no empty layout.
fn nothing(setup: &Setup) -> Result<Fixture, SetupError> {
    let extent = Extent::new(BASE, physmem::Order::new(0));
    Ok(Fixture {
        extents: vec![(extent, Kind::Anon)],
        allocated: Allocated::of(setup)?,
        frames: 1,
        ios: Vec::new(),
        lookups: Vec::new(),
    })
}

fn held(setup: &Setup) -> Result<u64, SetupError> {
    Ok(Digest::of(&[setup.number("count")?]))
}

/// One allocation, and an IO that meets half of it.
fn half(setup: &Setup) -> Result<Fixture, SetupError> {
    let order = setup.order()?;
    if order.pages() == 1 {
        let why = "order=0: half of it is no page";
        return Err(SetupError::Param(why.to_owned()));
    }
    let len = (order.bytes() / 2).max(PAGE_SIZE) as u32;
    let range = IoRange {
        extent: 0,
        offset: if setup.word("at")? == "half" { len } else { 0 },
        len,
    };
    let extent = Extent::new(BASE + setup.shift() * order.pages(), order);
    Ok(Fixture {
        extents: vec![(extent, Kind::Anon)],
        allocated: Allocated::of(setup)?,
        frames: extent.end() - BASE,
        ios: vec![vec![range]],
        lookups: Vec::new(),
    })
}

fn half_expected(setup: &Setup) -> Result<u64, SetupError> {
    let fixture = half(setup)?;
    Ok(match setup.word("of")?.as_str() {
        "merging/add" => Digest::of(&[fixture.bytes(), fixture.digest()]),
        "merging/split" => fixture.bytes(),
        _ => fixture.digest(),
    })
}

#[cfg(test)]
mod tests {
    use hugemem::Backing;
    use physmem::Pfn;

    use super::*;
    use crate::{Param, Params};

    fn setup(workload: &Workload, given: &[(&str, Param)]) -> Setup {
        let given = given.iter().cloned();
        let params: Params = given.map(|(name, to)| (name.to_owned(), to)).collect();
        Setup {
            params: workload.complete(&params).unwrap(),
            seed: 1,
            backing: Backing::Base,
            arena_shift: 1,
        }
    }

    #[test]
    fn half_of_an_allocation_begins_in_its_middle() {
        let of = |at: &'static str, order: u64| {
            let given = [("at", Param::from(at)), ("order", Param::Number(order))];
            half(&setup(&PARTIAL, &given)).unwrap()
        };
        let (first, second) = (of("start", 4), of("half", 4));
        assert_eq!((first.bytes(), second.bytes()), (8 * 4096, 8 * 4096));
        assert_eq!(first.ios[0][0].offset, 0);
        assert_eq!(second.ios[0][0].offset, 8 * 4096);
        assert_ne!(first.digest(), second.digest());
        // Shifted by one allocation, and all of it described.
        assert_eq!(second.extents[0].0.head, Pfn(BASE.0 + 16));
        assert_eq!(second.frames, 32);
        let one = of("half", 1);
        assert_eq!((one.ios[0][0].offset, one.ios[0][0].len), (4096, 4096));
    }

    #[test]
    fn what_is_expected_follows_what_is_asked() {
        let of = |of: &'static str| {
            let given = [("of", Param::from(of)), ("order", Param::Number(9))];
            half_expected(&setup(&PARTIAL, &given)).unwrap()
        };
        assert_eq!(of("merging/split"), 1 << 20);
        assert_eq!(of("iteration/segments"), of("iteration/bvecs"));
        assert_ne!(of("merging/add"), of("iteration/bvecs"));
        assert!(half(&setup(&PARTIAL, &[])).is_err(), "order 0 has no half");
    }

    #[test]
    fn they_are_a_family_of_their_own() {
        for workload in ALL {
            assert_eq!(workload.family(), FAMILY);
            assert!(crate::ALL.iter().all(|other| other.id != workload.id));
        }
        assert!(crate::ALL.iter().all(|other| other.family() != FAMILY));
    }
}
