//! A case put to a design: every step through the design's own paths, and the counters as a
//! reader of `memory.current` and `memory.stat` would see them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use hugemem::Backing;
use mm::lru::{PG_LRU, isolate_one};
use mm::memcg::{MemCgroup, MemcgTree, Stat, try_charge};
use mm::{Linux6_12, Lru, Plan};
use physmem::{Extent, Kind, Order, Pfn};

use super::{FRAMES, LedgerCase, Step, first_frame};

/// The CPU that everything happens on.
const CPU: usize = 0;
/// The first frame, a multiple of every order.
const BASE: Pfn = Pfn(1 << 18);

/// Takes the steps of a case, under the rules of 6.12, and returns the counters in the lines
/// of [`LedgerCase::expected`].
///
/// # Errors
/// Why the case cannot be put to the design.
pub fn evaluate<D: Lru>(case: &LedgerCase) -> Result<Vec<String>, String> {
    let plan = Plan {
        base: BASE,
        frames: FRAMES + 1,
        backing: Backing::Base,
        seed: 1,
    };
    let design = D::build(&plan).map_err(|error| error.to_string())?;
    let groups = groups(design.groups(), case)?;
    let mut units: Vec<D::Unit<'_>> = Vec::new();
    let mut next = 0;
    for &step in &case.steps {
        let unit = |n: usize| units.get(n).copied().ok_or("no such allocation");
        match step {
            Step::Charge { group, order, file } => {
                let at = first_frame(next, order);
                next = at + (1 << order);
                let kind = if file { Kind::File } else { Kind::Anon };
                let unit = design.alloc(Extent::new(BASE + at, Order::new(order)), kind);
                let group = groups.get(group).ok_or("no such group")?;
                // Refused by a limit, it belongs to nobody.
                let _ = design.charge::<Linux6_12>(CPU, group, unit);
                units.push(unit);
            }
            Step::Uncharge(n) => design.uncharge::<Linux6_12>(CPU, unit(n)?),
            Step::Stat(n, pages) => design.mod_stat(CPU, unit(n)?, pages),
            Step::List(n) => design.lru_add(CPU, &[unit(n)?]),
            // The reference with which it comes off is given back at once.
            Step::Isolate(n) => {
                if isolate_one(&design, CPU, unit(n)?) {
                    design.put(unit(n)?);
                }
            }
            Step::Get(n) => design.get(unit(n)?),
            Step::Put(n) => drop(design.put(unit(n)?)),
            // A CPU's stock counts as used: who sets a limit, or needs room, drains it first.
            Step::Move(n, group) => {
                let group = groups.get(group).ok_or("no such group")?;
                drain_stocks(design.groups(), group);
                design.move_charge(CPU, unit(n)?, group);
            }
            Step::Limit(group, pages) => {
                let group = groups.get(group).ok_or("no such group")?;
                drain_stocks(design.groups(), group);
                group.memory.set_max(pages);
            }
        }
    }
    let index = |group: &MemCgroup| groups.iter().position(|&one| std::ptr::eq(one, group));
    let mut lines: Vec<String> = groups
        .iter()
        .map(|group| counters(design.groups(), group))
        .collect();
    lines.extend(units.iter().map(|&unit| {
        let owner = design.owner(unit).and_then(index);
        let owner = owner.map_or("-".to_owned(), |owner| owner.to_string());
        let listed = design.slot_of(unit).flags.load(Relaxed) & PG_LRU != 0;
        format!("a {owner} {} {}", design.refcount(unit), u8::from(listed))
    }));
    Ok(lines)
}

/// Gives back what CPUs have in stock (`drain_all_stock`), as a charge does that finds no room.
fn drain_stocks(tree: &MemcgTree, group: &MemCgroup) {
    let most = group.memory.max();
    group.memory.set_max(0);
    let refused = try_charge::<Linux6_12>(tree, CPU, group, FRAMES + 1);
    debug_assert!(refused.is_err(), "there is no room for it");
    group.memory.set_max(most);
}

/// The groups of a case, made with those above them.
fn groups<'t>(tree: &'t MemcgTree, case: &LedgerCase) -> Result<Vec<&'t MemCgroup>, String> {
    let mut made: BTreeMap<&str, &MemCgroup> = BTreeMap::new();
    made.insert("", tree.root());
    let full = || "the tree has no room for so many groups".to_owned();
    let mut of_case = Vec::new();
    for path in &case.groups {
        let mut group = tree.root();
        for end in (2..=path.len()).step_by(2) {
            let level = path.get(..end).ok_or("a group's path is cut")?;
            group = match made.get(level) {
                Some(group) => group,
                None => tree.create(group).ok_or_else(full)?,
            };
            made.insert(level, group);
        }
        of_case.push(group);
    }
    Ok(of_case)
}

/// `g`, usage, statistics of anonymous and of file memory with those of all groups below, and
/// pages on the group's own lists. What a CPU has in stock for a group is charged, and used by
/// nobody.
fn counters(tree: &MemcgTree, group: &MemCgroup) -> String {
    let is_within = |one: &MemCgroup| {
        let mut above = std::iter::successors(Some(one), |one| tree.parent(one));
        above.any(|one| std::ptr::eq(one, group))
    };
    let below: Vec<_> = tree.groups().filter(|one| is_within(one)).collect();
    let stocked: u64 = below.iter().map(|one| tree.stocked(one)).sum();
    let stat = |stat| below.iter().map(|one| tree.stat(one, stat)).sum::<i64>();
    let list = |kind| tree.lruvec_stat(group, Stat::of_lru(kind));
    format!(
        "g {} {} {} {} {}",
        group.memory.read() - stocked as i64,
        stat(Stat::AnonMapped),
        stat(Stat::FilePages),
        list(Kind::Anon),
        list(Kind::File)
    )
}
