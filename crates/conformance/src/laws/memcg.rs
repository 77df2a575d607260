//! Laws of accounting: counters are sums, limits hold, owners are kept, and after
//! everything is freed nothing is left. They need `Memcg`.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use mm::memcg::{LockStyle, MemCgroup, ObjectOwners, Stat};
use mm::{KernelRules, KernelVersion, Linux5_10, Linux6_1, Linux6_12, Linux7_1, Memcg};
use physmem::{Extent, Kind, Pfn};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::charging::Charging;
use super::describe;
use super::world::{BASE, GROUPS, Level, World, for_all_sequences, order};

/// Nothing is charged, no reference to a group is held, every statistic is zero.
pub(super) fn nothing_is_left<D: Memcg>(world: &World<D>) -> Result<(), TestCaseError> {
    let memory = world.design.groups();
    for (index, group) in memory.groups().enumerate() {
        prop_assert_eq!(group.memory.read(), 0, "group {} has pages", index);
        prop_assert_eq!(group.refs(), 0, "group {} is referenced", index);
        for stat in Stat::ALL {
            prop_assert_eq!(memory.stat(group, stat), 0, "group {}: {:?}", index, stat);
            prop_assert_eq!(
                memory.lruvec_stat(group, stat),
                0,
                "group {}: {:?}",
                index,
                stat
            );
        }
    }
    for stat in Stat::ALL {
        prop_assert_eq!(memory.node_stat(stat), 0, "node: {:?}", stat);
    }
    Ok(())
}

/// A group's usage is what it and those below it hold, and what stocks hold for them.
pub(super) fn usage_adds_up<D: Memcg>(world: &World<D>) -> Result<(), TestCaseError> {
    for index in 1..GROUPS {
        let group = world.group(index);
        let charged = world.charged(index, |_| true) as i64;
        let usage = group.memory.read();
        // Above it by what stocks hold for it or for a group below, and by objects.
        let stocked: i64 = (1..GROUPS)
            .filter(|&g| World::<D>::ancestry(g).any(|a| a == index))
            .map(|g| world.design.groups().stocked(world.group(g)) as i64)
            .sum();
        prop_assert!(
            usage >= charged + stocked,
            "group {}: {} < {} + {}",
            index,
            usage,
            charged,
            stocked
        );
        prop_assert!(
            !world.objects.is_empty() || usage == charged + stocked,
            "group {}: {} != {} + {}",
            index,
            usage,
            charged,
            stocked
        );
        kernel_memory_adds_up(world, index)?;
        let owned = world.units.values().filter(|c| c.owner == Some(index));
        prop_assert_eq!(group.refs(), owned.count() as i64);
    }
    Ok(())
}

/// A group's kernel memory is what it holds of it and what objects hold; before v5.18 nobody
/// counts it.
fn kernel_memory_adds_up<D: Memcg>(world: &World<D>, index: usize) -> Result<(), TestCaseError> {
    let held = world.units.values().filter(|unit| {
        unit.owner == Some(index) && !unit.kind.is_lru() && world.rules >= KernelVersion::V6_1
    });
    let held: u64 = held.map(|unit| unit.extent.order.pages()).sum();
    let told = world.design.groups().stat(world.group(index), Stat::Kmem);
    let expected = held as i64;
    prop_assert!(told >= expected, "{} kernel pages of {}", told, expected);
    prop_assert!(
        !world.objects.is_empty() || told == expected,
        "{} kernel pages where there are {}",
        told,
        expected
    );
    Ok(())
}

/// Every allocation's owner is the group that it was charged or moved to last.
pub(super) fn owners_are_known<D: Memcg>(world: &World<D>) -> Result<(), TestCaseError> {
    for (&pfn, unit) in &world.units {
        let owner = world.design.owner(world.held(pfn));
        let index = owner.map(|g| world.design.groups().index_of(g) as usize);
        prop_assert_eq!(index, unit.owner);
    }
    Ok(())
}

/// Statistics are sums over what is charged, per group, per lruvec and per node.
pub(super) fn statistics_add_up<D: Memcg>(world: &World<D>) -> Result<(), TestCaseError> {
    let pages = |only: &dyn Fn(&super::world::Unit) -> bool| -> i64 {
        let units = world.units.values().filter(|c| only(c));
        units.map(|c| c.extent.order.pages() as i64).sum()
    };
    let kinds = [
        Stat::AnonMapped,
        Stat::FilePages,
        Stat::Slab,
        Stat::PageTables,
        Stat::KernelStack,
    ];
    let memory = world.design.groups();
    for stat in kinds {
        for index in 1..GROUPS {
            let expected = pages(&|c| c.owner == Some(index) && Stat::of(c.kind) == stat);
            prop_assert_eq!(
                memory.stat(world.group(index), stat),
                expected,
                "{:?} of group {}",
                stat,
                index
            );
            prop_assert_eq!(memory.lruvec_stat(world.group(index), stat), expected);
        }
        let node = pages(&|c| c.owner.is_some() && Stat::of(c.kind) == stat);
        prop_assert_eq!(memory.node_stat(stat), node);
    }
    Ok(())
}

fn charges_balance<D: Memcg, V: KernelRules>() {
    for_all_sequences::<D, V, Charging>(
        "a group's usage is what it and those below it hold",
        usage_adds_up,
        nothing_is_left,
    );
}

/// A group's usage is the sum of what it and the groups below it were charged and what
/// stocks hold for them; after everything is freed it is zero. Under 5.10, 6.12 and 7.1.
pub fn usage_is_the_sum_of_charges<D: Memcg>() {
    charges_balance::<D, Linux5_10>();
    charges_balance::<D, Linux6_12>();
    charges_balance::<D, Linux7_1>();
}

/// A charge is known by its owner until it is uncharged or moved.
pub fn owners_are_kept<D: Memcg>() {
    for_all_sequences::<D, Linux6_12, Charging>(
        "owners are kept",
        owners_are_known,
        nothing_is_left,
    );
}

/// Every statistic is the sum over what is charged, per group, per lruvec and per node.
pub fn statistics_are_sums<D: Memcg>() {
    for_all_sequences::<D, Linux6_12, Charging>(
        "statistics are sums",
        statistics_add_up,
        nothing_is_left,
    );
}

/// Charging, uncharging and moving change nothing that describes the memory: frames still
/// lead to their allocation, and references are what was taken less what was dropped.
pub fn charges_change_no_description<D: Memcg>() {
    for_all_sequences::<D, Linux6_12, Charging>(
        "charges change no description",
        describe::description_is_right,
        describe::nothing_is_described,
    );
}

/// A charge beyond a limit is refused, changes nothing once stocks are drained, and is
/// accepted again when the limit is lifted.
pub fn limits_hold_and_refusals_change_nothing<D: Memcg>() {
    let world = <Charging as Level<D>>::world();
    let design = &world.design;
    let memory = design.groups();
    let units: Vec<_> = (0..64)
        .map(|n| design.alloc(Extent::new(BASE + n, order(0)), Kind::Anon))
        .collect();
    // The limit sits two levels above the group that is charged.
    world.group(1).memory.set_max(40);
    let charged = units
        .iter()
        .filter(|&&c| design.charge::<Linux6_12>(0, world.group(4), c).is_ok())
        .count();
    assert_eq!(charged, 40, "{}: exactly the limit", D::NAME);
    assert!(world.group(1).memory.failures() > 0);
    memory.drain::<Linux6_12>();
    for index in [1, 3, 4] {
        assert_eq!(
            world.group(index).memory.read(),
            40,
            "{}: group {index}",
            D::NAME
        );
    }
    assert_eq!(
        units.iter().filter(|&&c| design.owner(c).is_some()).count(),
        40
    );
    world.group(1).memory.set_max(u64::MAX);
    assert!(
        design
            .charge::<Linux6_12>(0, world.group(4), units[63])
            .is_ok()
    );
    design.uncharge_batch::<Linux6_12>(0, &units);
    memory.drain::<Linux6_12>();
    assert_eq!(world.group(1).memory.read(), 0);
}

/// The stock takes 32 pages at once up to v5.15 and 64 later, serves the rest without
/// touching a counter, and is bypassed by a 2 MiB charge.
pub fn the_stock_batches_and_large_charges_bypass_it<D: Memcg>() {
    fn run<D: Memcg, V: KernelRules>(batch: i64) {
        let world = <Charging as Level<D>>::world();
        let group = world.group(4);
        let mut units = Vec::new();
        for n in 0..batch {
            let unit = world
                .design
                .alloc(Extent::new(BASE + n as u64, order(0)), Kind::Anon);
            world
                .design
                .charge::<V>(0, group, unit)
                .expect("no limit is set");
            assert_eq!(
                group.memory.read(),
                batch,
                "{}: one batch serves {batch} charges",
                D::NAME
            );
            units.push(unit);
        }
        let huge = world
            .design
            .alloc(Extent::new(Pfn(BASE.0 + 512), order(9)), Kind::Anon);
        world
            .design
            .charge::<V>(0, group, huge)
            .expect("no limit is set");
        assert_eq!(
            group.memory.read(),
            batch + 512,
            "{}: exactly 512 for 2 MiB",
            D::NAME
        );
        units.push(huge);
        world.design.uncharge_batch::<Linux6_12>(1, &units);
        assert_eq!(
            group.memory.read(),
            0,
            "{}: uncharging refills no stock",
            D::NAME
        );
    }
    run::<D, Linux5_10>(32);
    run::<D, Linux6_12>(64);
}

/// Objects of a slab are charged by bytes and each is its owner's, whichever page of the slab it
/// lies in; the slab itself is nobody's. Under 5.10, 6.12 and 7.1.
pub fn objects_are_charged_by_bytes<D: Memcg>() {
    objects_add_up::<D, Linux5_10>();
    objects_add_up::<D, Linux6_12>();
    objects_add_up::<D, Linux7_1>();
}

fn objects_add_up<D: Memcg, V: KernelRules>() {
    const BYTES: u32 = 700;
    const FIRST: u64 = 64;
    let world = <Charging as Level<D>>::world();
    let (design, groups) = (&world.design, [world.group(3), world.group(4)]);
    let owners = ObjectOwners::new(256).expect("a page of memory");
    let slab = design.alloc(Extent::new(BASE, order(3)), Kind::Slab);
    let objects = (8 * 4096 / BYTES) as u64;
    owners.attach(design.owner_word(slab, LockStyle::Generic), FIRST);
    let page = |index: u64| design.mapped_page(slab, index * u64::from(BYTES) / 4096);
    for index in 0..objects {
        let to = (index as usize, groups[index as usize % 2]);
        let charged = design.charge_object::<V>(to, &owners, page(index), (index, BYTES));
        charged.expect("no limit is set");
    }
    for (n, group) in groups.into_iter().enumerate() {
        let mine = objects.div_ceil(2) - (objects % 2) * n as u64;
        let bytes = mine as i64 * i64::from(BYTES);
        assert!(group.memory.read() * 4096 >= bytes, "{}", D::NAME);
        assert_eq!(group.refs(), mine as i64, "{}: one an object", D::NAME);
    }
    for index in 0..objects {
        assert!(owners.is_owned(FIRST + index), "{}: {index}", D::NAME);
    }
    assert!(!owners.is_owned(FIRST + objects) && !owners.is_owned(FIRST - 1));
    for index in (0..objects).rev() {
        design.uncharge_object::<V>(0, &owners, page(index), (index, BYTES));
        assert!(!owners.is_owned(FIRST + index), "{}: {index}", D::NAME);
    }
    design.groups().drain::<V>();
    for group in design.groups().groups() {
        assert_eq!(group.memory.read(), 0, "{}: pages are left", D::NAME);
        assert_eq!(group.refs(), 0, "{}: references are left", D::NAME);
        assert_eq!(design.groups().stat(group, Stat::Kmem), 0, "{}", D::NAME);
    }
}

/// Charging to the root group counts nothing and leaves no owner.
pub fn the_root_group_is_not_charged<D: Memcg>() {
    let world = <Charging as Level<D>>::world();
    let unit = world.design.alloc(Extent::new(BASE, order(0)), Kind::Anon);
    world
        .design
        .charge::<Linux6_12>(0, world.group(0), unit)
        .expect("the root has no limit");
    assert!(world.design.owner(unit).is_none(), "{}", D::NAME);
    assert_eq!(world.group(0).memory.read(), 0, "{}", D::NAME);
}

/// While the binding is locked, the owner does not change, however the design locks it: under
/// 5.10, 6.1 and 6.12, by the unit and by any page of it that a page table leads to.
pub fn the_lock_keeps_the_owner<D: Memcg>() {
    for &style in D::LOCK_STYLES {
        for page in [None, Some(0), Some(3)] {
            lock_against_moves::<D, Linux5_10>(style, page);
            lock_against_moves::<D, Linux6_1>(style, page);
            lock_against_moves::<D, Linux6_12>(style, page);
        }
    }
}

fn lock_against_moves<D: Memcg, V: KernelRules>(style: LockStyle, page: Option<u64>) {
    let world = <Charging as Level<D>>::world();
    let (design, groups) = (&world.design, [world.group(1), world.group(2)]);
    let unit = design.alloc(Extent::new(BASE, order(2)), Kind::File);
    design
        .charge::<Linux6_12>(0, groups[0], unit)
        .expect("no limit is set");
    let mapped = page.map(|n| design.mapped_page(unit, n));
    let find = || mapped.map_or(unit, |page| design.unit_of_mapped(page));
    assert_eq!(
        design.extent(unit),
        design.extent(find()),
        "{}: page {page:?} is of another unit",
        D::NAME
    );
    let torn = AtomicU64::new(0);
    let locked_enough = AtomicBool::new(false);
    let mut last = groups[0];
    // As the kernel's movers do: announce first, wait for a grace period (nobody is inside
    // a critical section yet), then move.
    groups.iter().for_each(|g| g.begin_move());
    let name = |group: Option<&MemCgroup>| group.map(MemCgroup::word);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                design.with_memcg_lock::<V, _>(0, find, style, || {
                    let before = name(design.owner(unit));
                    let moved = (0..100).any(|_| name(design.owner(unit)) != before);
                    torn.fetch_add(u64::from(moved), Relaxed);
                });
            }
            locked_enough.store(true, Relaxed);
        });
        for to in [1, 0].into_iter().cycle().map(|n: usize| groups[n]) {
            design.move_charge(1, unit, to);
            last = to;
            if locked_enough.load(Relaxed) {
                break;
            }
        }
    });
    groups.iter().for_each(|g| g.end_move());
    assert!(
        design.groups().is_quiescent(),
        "{}: a read section was left open",
        D::NAME
    );
    assert_eq!(
        torn.into_inner(),
        0,
        "{}: moved while locked ({})",
        D::NAME,
        style.name()
    );
    assert_eq!(name(design.owner(unit)), name(Some(last)), "{}", D::NAME);
}

/// Threads that charge and uncharge at once lose no page, on counters that they share.
pub fn concurrent_charges_lose_nothing<D: Memcg>() {
    let world = <Charging as Level<D>>::world();
    let design = &world.design;
    let units: Vec<_> = (0..128)
        .map(|n| design.alloc(Extent::new(BASE + 2 * n, order(1)), Kind::Anon))
        .collect();
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for (cpu, part) in units.chunks(64).enumerate() {
            // Siblings below 1 share its counter; each thread has its own CPU.
            let group = world.group([3, 4][cpu]);
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for round in 0..200 {
                    for &unit in part {
                        design
                            .charge::<Linux6_12>(cpu, group, unit)
                            .expect("no limit is set");
                    }
                    if round % 8 == 0 {
                        design.uncharge_batch::<Linux6_12>(cpu, part);
                    } else {
                        part.iter()
                            .for_each(|&c| design.uncharge::<Linux6_12>(cpu, c));
                    }
                }
            });
        }
    });
    design.groups().drain::<Linux6_12>();
    let left: Vec<i64> = design.groups().groups().map(|g| g.memory.read()).collect();
    assert!(
        left.iter().all(|&pages| pages == 0),
        "{}: {left:?} pages left",
        D::NAME
    );
}
