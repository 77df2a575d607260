//! Where descriptors come from: in which order, how many, and when there is none.

use hugemem::Backing;
use memdesc::MemDesc;
use mm::{Design, NoMemory, Plan, Pointer};
use physmem::{Extent, Kind, Order, Pfn};

const BASE: Pfn = Pfn(1 << 20);
const FRAMES: u64 = 4096;
/// Bytes of a slab of descriptors, and of a descriptor.
const SLAB: u64 = 4096;
const LINE: u64 = 64;

fn plan(seed: u64) -> Plan {
    Plan {
        base: BASE,
        frames: FRAMES,
        backing: Backing::Base,
        seed,
    }
}

fn page(n: u64) -> Extent {
    Extent::new(BASE + n, Order::BASE)
}

/// The words of the descriptors of all frames, allocated in the order of the frames, `rounds`
/// times over: what was freed is allocated again.
fn words(seed: u64, rounds: u64) -> Vec<u64> {
    let design = MemDesc::build(&plan(seed)).expect("a small design");
    let mut words = Vec::new();
    for round in 0..rounds {
        let units: Vec<_> = (0..FRAMES)
            .map(|n| design.alloc(page(n), Kind::Anon))
            .collect();
        words = units.iter().map(|unit| unit.word()).collect();
        if round + 1 < rounds {
            // Memory is not freed in the order in which it was allocated.
            (0..FRAMES).for_each(|n| design.free(units[(n * 2897 % FRAMES) as usize]));
        }
    }
    words
}

/// A share of the pairs of neighbours of which `holds` is true.
fn share(words: &[u64], holds: impl Fn(u64, u64) -> bool) -> f64 {
    let pairs = words.windows(2);
    let all = pairs.len() as f64;
    pairs.filter(|pair| holds(pair[0], pair[1])).count() as f64 / all
}

#[test]
fn descriptors_of_consecutive_units_are_not_adjacent() {
    for rounds in [1, 3] {
        let words = words(1, rounds);
        let adjacent = share(&words, |a, b| a.abs_diff(b) == LINE);
        // In a slab of 64 in random order two neighbours in time are neighbours in place in 2
        // of 64 cases.
        assert!(adjacent < 0.06, "{rounds} rounds: {adjacent}");
    }
}

#[test]
fn descriptors_allocated_together_share_slabs_until_they_were_recycled() {
    let same_slab = |words: &[u64]| share(words, |a, b| a / SLAB == b / SLAB);
    let (fresh, recycled) = (same_slab(&words(1, 1)), same_slab(&words(1, 3)));
    assert!(fresh > 0.9, "{fresh}");
    assert!(recycled < 0.5, "{recycled}");
}

#[test]
fn the_order_is_that_of_the_seed() {
    let relative = |words: Vec<u64>| -> Vec<u64> {
        let base = words.iter().min().copied().unwrap_or(0);
        words.iter().map(|word| word - base).collect()
    };
    assert_eq!(relative(words(1, 1)), relative(words(1, 1)));
    assert_ne!(relative(words(1, 1)), relative(words(2, 1)));
}

#[test]
fn a_split_that_gets_no_descriptors_changes_nothing() {
    let pages = 16;
    let design = MemDesc::with_descriptors(&plan(1), pages).expect("a small design");
    let whole = Extent::new(BASE, Order::new(4));
    let unit = design.alloc(whole, Kind::Anon);
    let other = design.alloc(page(pages), Kind::Anon);
    let before = design.descriptor_bytes();
    assert_eq!(design.split(unit), Err(NoMemory));
    assert_eq!(design.descriptor_bytes(), before);
    for n in 0..pages {
        let found = design.lookup(BASE + n).expect("it is whole still");
        assert_eq!(design.extent(found), whole);
    }
    // One more descriptor is enough.
    design.free(other);
    assert_eq!(design.split(unit), Ok(()));
    for n in 0..pages {
        let found = design.lookup(BASE + n).expect("each page is described");
        assert_eq!(design.extent(found), page(n));
    }
}
