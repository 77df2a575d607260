//! Laws of reclaim's lists and compaction's walk. Order and isolation are compared at
//! every operation (see `listing`); here what the lists hold as a whole. They
//! need `Lru`.

use std::sync::Barrier;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Release},
};

use mm::memcg::Stat;
use mm::{KernelRules, Linux5_10, Linux6_12, Linux7_1, Lru};
use physmem::Kind;
use proptest::prop_assert_eq;

use super::cases::rounds;
use super::listing::Listing;
use super::world::{GROUPS, Level, for_all_sequences};
use super::{describe, memcg};
use crate::case::{CaseLine, parse_all_lines};
use crate::ledger;

/// A list holds what was added and not taken, and its size says so; the tail comes first. The
/// zone counts the pages of all groups' lists.
pub fn lists_are_queues<D: Lru>() {
    for_all_sequences::<D, Linux6_12, Listing>(
        "lists are queues",
        |world| {
            for index in 0..GROUPS {
                for kind in [Kind::Anon, Kind::File] {
                    let expected = world
                        .lists
                        .get(&(index, kind == Kind::Anon))
                        .map_or(0, Vec::len) as u64;
                    let group = world.group(index);
                    prop_assert_eq!(mm::lru::count(&world.design, group, kind), expected);
                    prop_assert_eq!(group.lru_units(kind), expected, "the size of the list");
                }
            }
            let memory = world.design.groups();
            for kind in [Kind::Anon, Kind::File] {
                let on_lists = memory
                    .groups()
                    .map(|group| memory.lruvec_stat(group, Stat::of_lru(kind)));
                let on_lists: i64 = on_lists.sum();
                prop_assert_eq!(memory.zone_lru_pages(kind), on_lists, "the zone's count");
            }
            Ok(())
        },
        |_| Ok(()),
    );
}

/// A PFN walk from anywhere sees every allocation whose head it passes, skips free blocks
/// and large pages, and what it isolates goes back to its list.
pub fn a_pfn_walk_sees_what_is_there<D: Lru>() {
    // Compared with the model at every Scan operation.
    for_all_sequences::<D, Linux6_12, Listing>(
        "a PFN walk sees what is there",
        |_| Ok(()),
        |_| Ok(()),
    );
}

/// Operations on lists change neither charges nor descriptions. Under 5.10, 6.12 and
/// 7.1.
pub fn lists_change_neither_charges_nor_descriptions<D: Lru>() {
    fn run<D: Lru, V: KernelRules>() {
        for_all_sequences::<D, V, Listing>(
            "lists change neither charges nor descriptions",
            |world| {
                describe::description_is_right(world)?;
                memcg::usage_adds_up(world)?;
                memcg::owners_are_known(world)?;
                memcg::statistics_add_up(world)
            },
            |world| {
                memcg::nothing_is_left(world)?;
                describe::nothing_is_described(world)
            },
        );
    }
    run::<D, Linux5_10>();
    run::<D, Linux6_12>();
    run::<D, Linux7_1>();
}

/// Two threads that isolate and put back at once lose no unit.
pub fn concurrent_isolation_loses_nothing<D: Lru>() {
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let units: Vec<_> = (0..64)
        .map(|n| {
            design.alloc(
                physmem::Extent::new(super::world::BASE + n, super::world::order(0)),
                Kind::Anon,
            )
        })
        .collect();
    design.lru_add(0, &units);
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for cpu in 0..2 {
            let start = &start;
            scope.spawn(move || {
                let root = design.groups().root();
                start.wait();
                for _ in 0..rounds(10_000) {
                    let mut out = Vec::new();
                    design.lru_isolate(cpu, root, Kind::Anon, 7, &mut out);
                    design.lru_putback(cpu, &out);
                }
            });
        }
    });
    let root = design.groups().root();
    assert_eq!(mm::lru::count(design, root, Kind::Anon), 64, "{}", D::NAME);
    assert_eq!(root.lru_units(Kind::Anon), 64, "{}", D::NAME);
    assert_eq!(
        design.groups().zone_lru_pages(Kind::Anon),
        64,
        "{}",
        D::NAME
    );
    assert!(
        units.iter().all(|&c| design.refcount(c) == 1),
        "{}",
        D::NAME
    );
}

/// Pages of the walks below, how often a thread goes over them while another does, and after how
/// many walks it is content with fewer.
const PAGES: u64 = 64;
const WALKS: usize = 10_000;
const MAX_WALKS: usize = 200_000;

/// Pages on the root's list, one allocation each.
fn listed<D: Lru>(design: &D) -> Vec<D::Unit<'_>> {
    let page = |n| physmem::Extent::new(super::world::BASE + n, super::world::order(0));
    let units: Vec<_> = (0..PAGES)
        .map(|n| design.alloc(page(n), Kind::Anon))
        .collect();
    design.lru_add(0, &units);
    units
}

/// Has threads walk at once, each with its number, until one of them has done so [`WALKS`] times
/// (fewer on few cases, as [`rounds`] says) while another did: threads that the machine lets run
/// one after the other show no race.
fn walk_at_once(threads: usize, walk: impl Fn(usize) + Sync) {
    let (enough, most) = (rounds(WALKS), rounds(MAX_WALKS));
    let walked: Vec<AtomicU64> = (0..threads).map(|_| AtomicU64::new(0)).collect();
    let (start, done) = (Barrier::new(threads), AtomicBool::new(false));
    let of_others = |me: usize| {
        let others = walked.iter().enumerate().filter(|(n, _)| *n != me);
        others.map(|(_, walks)| walks.load(Acquire)).sum::<u64>()
    };
    std::thread::scope(|scope| {
        for me in 0..threads {
            let (walked, start, done) = (&walked[me], &start, &done);
            let (walk, of_others) = (&walk, &of_others);
            scope.spawn(move || {
                start.wait();
                let mut at_once = 0;
                for _ in 0..most {
                    let before = of_others(me);
                    walk(me);
                    walked.fetch_add(1, Release);
                    at_once += usize::from(of_others(me) != before);
                    if at_once >= enough {
                        done.store(true, Release);
                    }
                    if done.load(Acquire) {
                        break;
                    }
                }
            });
        }
    });
}

/// Two PFN walks and an isolation from the list at once lose no unit, no reference and no
/// count: taking a unit off its list needs the list's lock.
pub fn walks_and_isolation_at_once_lose_nothing<D: Lru>() {
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let units = listed(design);
    let root = design.groups().root();
    walk_at_once(3, |cpu| {
        if cpu < 2 {
            design.pfn_scan::<mm::Linux6_12>(cpu, super::world::BASE, PAGES, true);
            return;
        }
        let mut out = Vec::new();
        design.lru_isolate(cpu, root, Kind::Anon, 7, &mut out);
        design.lru_putback(cpu, &out);
    });
    assert_eq!(
        mm::lru::count(design, root, Kind::Anon),
        PAGES,
        "{}",
        D::NAME
    );
    assert_eq!(root.lru_units(Kind::Anon), PAGES, "{}", D::NAME);
    assert_eq!(
        design.groups().zone_lru_pages(Kind::Anon),
        PAGES as i64,
        "{}",
        D::NAME
    );
    let kept = units.iter().all(|&unit| design.refcount(unit) == 1);
    assert!(kept, "{}: references were lost", D::NAME);
}

/// A walk that isolates meets memory that is being freed: every allocation is freed once, by
/// its owner or by the walk where that had the last reference, and the lists are empty then.
pub fn a_walk_against_freeing_frees_each_once<D: Lru>() {
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let root = design.groups().root();
    let (done, walks) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let walk = scope.spawn(|| {
            while !done.load(Acquire) {
                design.pfn_scan::<mm::Linux6_12>(1, super::world::BASE, PAGES, true);
                walks.fetch_add(1, Release);
            }
        });
        for _ in 0..rounds(200) {
            for unit in listed(design) {
                mm::lru::folio_put(design, 0, unit);
            }
            // The walk may have the last reference of one still, and be about to free it.
            let free = |n| design.lookup(super::world::BASE + n).is_none();
            while !(0..PAGES).all(free) && !walk.is_finished() {
                std::thread::yield_now();
            }
            let before = walks.load(Acquire);
            while walks.load(Acquire) == before && !walk.is_finished() {
                std::thread::yield_now();
            }
        }
        done.store(true, Release);
    });
    assert_eq!(mm::lru::count(design, root, Kind::Anon), 0, "{}", D::NAME);
    assert_eq!(root.lru_units(Kind::Anon), 0, "{}", D::NAME);
    assert_eq!(design.groups().zone_lru_pages(Kind::Anon), 0, "{}", D::NAME);
}

/// Memory that a driver moves is isolated by a walk without being on a list, and keeps its
/// references under two walks at once; what nobody moves stays unmovable.
pub fn what_drivers_move_is_isolated_too<D: Lru>() {
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let page = |n| physmem::Extent::new(super::world::BASE + n, super::world::order(0));
    let units: Vec<_> = (0..PAGES)
        .map(|n| design.alloc(page(n), Kind::Zsmalloc))
        .collect();
    let (moved, pinned) = units.split_at(PAGES as usize / 2);
    moved.iter().for_each(|&unit| design.set_movable(unit));
    let look = |isolate| design.pfn_scan::<mm::Linux6_12>(0, super::world::BASE, PAGES, isolate);
    for isolate in [false, true, true] {
        let scan = look(isolate);
        let seen = (scan.of_drivers, scan.unmovable, scan.movable);
        assert_eq!(seen, (PAGES / 2, PAGES / 2, 0), "{}", D::NAME);
        let expected = if isolate { PAGES / 2 } else { 0 };
        assert_eq!(scan.isolated, expected, "{}", D::NAME);
    }
    walk_at_once(2, |cpu| {
        design.pfn_scan::<mm::Linux6_12>(cpu, super::world::BASE, PAGES, true);
    });
    let kept = units.iter().all(|&unit| design.refcount(unit) == 1);
    assert!(kept, "{}: references were lost", D::NAME);
    assert_eq!(look(true).isolated, PAGES / 2, "{}: left isolated", D::NAME);
    for &unit in moved.iter().chain(pinned) {
        assert!(design.put(unit), "{}", D::NAME);
        design.free(unit);
    }
}

/// A walk steps over free blocks, over what is on a list and over what is too large, and behind any
/// other allocation goes on as its kernel does: from v6.9 on with the next frame, before with the
/// next allocation, and then no allocation of several pages is isolated. Frames inside of an
/// allocation that claim to be free show where the walk looked.
pub fn a_walk_steps_as_its_kernel_does<D: Lru>() {
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let extent = |n, size| physmem::Extent::new(super::world::BASE + n, super::world::order(size));
    let slab = design.alloc(extent(0, 3), Kind::Slab);
    let user = design.alloc(extent(8, 3), Kind::Anon);
    design.lru_add(0, &[user]);
    assert_eq!(design.kind(slab), Kind::Slab, "{}", D::NAME);
    design.mark_free(extent(5, 0));
    design.mark_free(extent(13, 0));
    let start = super::world::BASE;
    let walks = [
        design.pfn_scan::<mm::Linux6_1>(0, start, 16, false),
        design.pfn_scan::<mm::Linux6_12>(0, start, 16, false),
        design.pfn_scan::<mm::Linux6_12>(0, start + 3, 13, false),
    ];
    let seen = walks.map(|scan| (scan.free, scan.unmovable, scan.movable_pages));
    assert_eq!(seen, [(0, 1, 0), (1, 1, 8), (1, 0, 8)], "{}", D::NAME);
    assert_eq!(walks.map(|scan| scan.large), [1, 0, 0], "{}", D::NAME);
}

/// A walk isolates nothing that has no reference, and counts what is in use as such: frozen slabs
/// (v6.15), a unit on a list that is frozen while it is split, and allocations without
/// `__GFP_COMP`, whose later pages a design may not be able to tell from free ones.
pub fn a_walk_passes_what_is_frozen_or_not_compound<D: Lru>() {
    const STACKS: u64 = 4;
    let world = <Listing as Level<D>>::world();
    let design = &world.design;
    let extent = |n, size| physmem::Extent::new(super::world::BASE + n, super::world::order(size));
    let slabs = [
        design.alloc(extent(0, 0), Kind::Slab),
        design.alloc(extent(8, 3), Kind::Slab),
    ];
    slabs.iter().for_each(|&slab| design.freeze(slab));
    let stacks: Vec<_> = (0..STACKS)
        .map(|n| design.alloc_without_comp(extent(16 + 4 * n, 2), Kind::KernelStack))
        .collect();
    let user: Vec<_> = [32, 33]
        .map(|n| design.alloc(extent(n, 0), Kind::Anon))
        .to_vec();
    design.lru_add(0, &user);
    design.freeze(user[0]);
    design.mark_free(extent(1, 0));
    design.mark_free(extent(2, 1));
    design.mark_free(extent(4, 2));
    let untold = if D::LATER_PAGES_ARE_TOLD {
        0
    } else {
        3 * STACKS
    };
    let walk = |isolate| design.pfn_scan::<mm::Linux6_12>(0, super::world::BASE, 34, isolate);
    let expected = |isolated| mm::Scan {
        free: 7 + untold,
        movable: 2,
        movable_pages: 2,
        unmovable: 2 + STACKS,
        isolated,
        ..mm::Scan::default()
    };
    for (isolate, isolated) in [(false, 0), (true, 1), (true, 1)] {
        assert_eq!(walk(isolate), expected(isolated), "{}", D::NAME);
    }
    assert_eq!(
        design.refcount(user[0]),
        0,
        "{}: a reference to it",
        D::NAME
    );
    assert_eq!(
        mm::lru::count(design, design.groups().root(), Kind::Anon),
        2,
        "{}",
        D::NAME
    );
    let found = |n| design.try_get_at(super::world::BASE + n);
    for frozen in [0, 8, 15, 32] {
        assert_eq!(found(frozen), None, "{}: frame {frozen} is frozen", D::NAME);
    }
    for later in 17..20 {
        let told = D::LATER_PAGES_ARE_TOLD.then_some(stacks[0]);
        let unit = found(later);
        assert_eq!(unit, told, "{}: frame {later}", D::NAME);
        unit.into_iter().for_each(|unit| design.put_and_free(unit));
    }
    design.unfreeze(user[0]);
    assert_eq!(walk(true), expected(2), "{}: not frozen any more", D::NAME);
    slabs
        .into_iter()
        .chain(stacks)
        .for_each(|unit| design.free(unit));
    for unit in user {
        mm::lru::folio_put(design, 0, unit);
    }
    for n in 0..34 {
        let left = design.lookup(super::world::BASE + n);
        assert_eq!(left, None, "{}: frame {n} was not freed", D::NAME);
    }
}

/// The shipped case file about accounting and lists (`cases/ledger.jsonl`): usage, statistics,
/// list sizes, owners and references of every line are the sums.
pub fn ledgers_come_out<D: Lru>() {
    let file = include_str!("../../cases/ledger.jsonl");
    let mut cases = 0;
    for (_, line) in parse_all_lines(file.as_bytes(), None) {
        let line = line.unwrap_or_else(|error| panic!("cases/ledger.jsonl: {error}"));
        let CaseLine::Ledger(case) = line else {
            panic!("cases/ledger.jsonl: a line about bios");
        };
        let is = ledger::evaluate::<D>(&case);
        let should = Ok(case.expected(ledger::FILE_RULES));
        assert_eq!(is, should, "{}: {}", D::NAME, case.name);
        cases += 1;
    }
    assert!(cases > 0, "the file has no case");
}
