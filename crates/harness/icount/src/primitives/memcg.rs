//! Memory cgroup accounting in a group two levels below the root (`count_memcg.c`).

use mm::memcg::{LockStyle, MemCgroup, Stat};
use mm::{KernelRules, Lru};
use workloads::bodies::{charge_each, uncharge_each};

use super::fixture::{Fixture, MemArg, Unbuilt, group, told};
use super::{ORDERS, Say};

/// Allocations uncharged together, as on the kernel's side.
const BATCH: usize = 15;
const CPU: usize = 0;

#[inline(never)]
fn op_charge<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    a.sink = u64::from(design.charge::<V>(a.cpu, a.group, a.unit).is_err());
}

#[inline(never)]
fn op_uncharge<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.uncharge::<V>(a.cpu, a.unit);
}

#[inline(never)]
fn op_charge_base<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    a.sink = charge_each::<D, V>(design, a.cpu, a.group, a.units);
}

#[inline(never)]
fn op_uncharge_base<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    uncharge_each::<D, V>(design, a.cpu, a.units);
}

#[inline(never)]
fn op_uncharge_batch<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.uncharge_batch::<V>(a.cpu, a.units);
}

/// The lruvec is given, as on the kernel's side; a unit's owner is not looked up.
#[inline(never)]
fn op_lruvec_stat<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    mm::memcg::mod_lruvec_state(design.groups(), a.cpu, a.group, Stat::AnonMapped, a.nr);
}

#[inline(never)]
fn op_lock_pair<'d, D: Lru, V: KernelRules>(design: &'d D, a: &mut MemArg<'_, 'd, D>) {
    design.with_memcg_lock::<V, _>(a.cpu, || a.unit, LockStyle::Native, || ());
}

pub(super) fn run<D: Lru, V: KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    for order in ORDERS {
        charges::<D, V>(say, order)?;
        base_charges::<D, V>(say, order)?;
        batches::<D, V>(say, order)?;
        stats::<D, V>(say, order)?;
    }
    let fixture = Fixture::<D>::new()?;
    let units = [fixture.compound(0)?];
    let mut a = arg(&fixture.design, &units);
    charge::<D, V>(&a);
    op_lock_pair::<D, V>(a.design, &mut a);
    let name = if V::VERSION < mm::KernelVersion::V6_1 {
        "lock_page_memcg"
    } else {
        "folio_memcg_lock"
    };
    told::<D, V>(say, name, 0, "no_move", true, 0)
}

fn arg<'a, 'd, D: Lru>(design: &'d D, units: &'a [D::Unit<'d>]) -> MemArg<'a, 'd, D> {
    MemArg {
        design,
        cpu: CPU,
        group: group(design),
        unit: units[0],
        units,
        nr: 0,
        sink: 0,
    }
}

fn charge<D: Lru, V: KernelRules>(a: &MemArg<'_, '_, D>) {
    // No limit is set.
    let charged = a.design.charge::<V>(a.cpu, a.group, a.unit);
    debug_assert!(charged.is_ok());
}

/// The state that a call meets and moves: the same classes as on the kernel's side.
struct State {
    usage: i64,
    watermarks: Vec<i64>,
    events: u32,
    next_look: u64,
}

fn levels<'d, D: Lru>(design: &'d D, group: &'d MemCgroup) -> impl Iterator<Item = &'d MemCgroup> {
    std::iter::successors(Some(group), |g| design.groups().parent(g))
}

impl State {
    fn of<D: Lru>(a: &MemArg<'_, '_, D>) -> Self {
        let (events, next_look) = a.design.groups().events_on(a.group, a.cpu);
        Self {
            usage: a.group.memory.read(),
            watermarks: levels(a.design, a.group)
                .map(|g| g.memory.watermark())
                .collect(),
            events,
            next_look,
        }
    }

    /// Pages by which the usage went up since.
    fn charged<D: Lru>(&self, a: &MemArg<'_, '_, D>) -> i64 {
        a.group.memory.read() - self.usage
    }

    /// The other events since: a new watermark, and with `events` (before 6.12) page events
    /// passed to the ancestors and a look at thresholds.
    fn marks<D: Lru, V: KernelRules>(&self, a: &MemArg<'_, '_, D>) -> String {
        let now = Self::of(a);
        let mut marks = String::new();
        if now.watermarks != self.watermarks {
            marks += "+wm";
        }
        if V::VERSION < mm::KernelVersion::V6_12 {
            if now.events < self.events {
                marks += "+spill";
            }
            if now.next_look != self.next_look {
                marks += "+event";
            }
        }
        marks
    }
}

/// Puts every level's watermark out of reach, and leaves no stock.
fn raise_watermarks<'d, D: Lru, V: KernelRules>(a: &mut MemArg<'_, 'd, D>, large: &[D::Unit<'d>]) {
    let unit = a.unit;
    for &unit in large {
        a.unit = unit;
        charge::<D, V>(a);
    }
    for &unit in large {
        a.design.uncharge::<V>(a.cpu, unit);
    }
    a.unit = unit;
    a.design.groups().drain::<V>();
}

fn charges<D: Lru, V: KernelRules>(say: Say<'_>, order: u8) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    let pages = 1_i64 << order;
    let large = [fixture.compound(9)?, fixture.compound(9)?];
    let units = [fixture.compound(order)?];
    let mut a = arg(&fixture.design, &units);
    for marked in [false, true] {
        if marked {
            raise_watermarks::<D, V>(&mut a, &large);
        }
        // The first finds no stock, the others what it left. Several, for page events add up.
        for _ in 0..4 {
            let state = State::of(&a);
            op_charge::<D, V>(a.design, &mut a);
            let class = match state.charged(&a) {
                0 => "hit",
                moved if moved == pages => "exact",
                _ => "miss",
            };
            let class = format!("{class}{}", state.marks::<D, V>(&a));
            told::<D, V>(say, "memcg_charge", order, &class, a.sink == 0, a.sink)?;
            let state = State::of(&a);
            op_uncharge::<D, V>(a.design, &mut a);
            let gone = -state.charged(&a);
            let class = format!("direct{}", state.marks::<D, V>(&a));
            told::<D, V>(
                say,
                "memcg_uncharge",
                order,
                &class,
                gone == pages,
                gone as u64,
            )?;
        }
    }
    Ok(())
}

fn base_charges<D: Lru, V: KernelRules>(say: Say<'_>, order: u8) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    let large = [fixture.compound(9)?, fixture.compound(9)?];
    let first = [fixture.compound(0)?];
    let pages = fixture.pages(order)?;
    let mut a = arg(&fixture.design, &first);
    raise_watermarks::<D, V>(&mut a, &large);
    // A page's charge leaves stock behind: from here on the first charge finds some.
    charge::<D, V>(&a);
    a.design.uncharge::<V>(a.cpu, a.unit);
    a.units = &pages;
    for _ in 0..2 {
        let state = State::of(&a);
        op_charge_base::<D, V>(a.design, &mut a);
        let refills = state.charged(&a) / i64::from(V::VERSION.charge_batch());
        let class = format!("refill{refills}");
        told::<D, V>(
            say,
            "memcg_charge_base_pages",
            order,
            &class,
            a.sink == 0,
            a.sink,
        )?;
        let state = State::of(&a);
        op_uncharge_base::<D, V>(a.design, &mut a);
        let gone = -state.charged(&a);
        let right = gone == 1 << order;
        told::<D, V>(
            say,
            "memcg_uncharge_base_pages",
            order,
            "direct",
            right,
            gone as u64,
        )?;
    }
    Ok(())
}

fn batches<D: Lru, V: KernelRules>(say: Say<'_>, order: u8) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    let units = (0..BATCH)
        .map(|_| fixture.compound(order))
        .collect::<Result<Vec<_>, _>>()?;
    let mut a = arg(&fixture.design, &units);
    for &unit in &units {
        a.unit = unit;
        charge::<D, V>(&a);
    }
    let usage = a.group.memory.read();
    op_uncharge_batch::<D, V>(a.design, &mut a);
    let gone = (usage - a.group.memory.read()) as u64;
    let right = gone == (BATCH as u64) << order;
    told::<D, V>(say, "uncharge_batch", order, "one_owner", right, gone)
}

/// Long climbs, so that differences spill.
fn stats<D: Lru, V: KernelRules>(say: Say<'_>, order: u8) -> Result<(), Unbuilt> {
    let fixture = Fixture::<D>::new()?;
    let units = [fixture.compound(0)?];
    let mut a = arg(&fixture.design, &units);
    let memory = fixture.design.groups();
    a.nr = 1 << order;
    for _ in 0..128_u64.div_ceil(1 << order) + 1 {
        let (all, told_before) = (
            memory.node_stat(Stat::AnonMapped),
            memory.node_told(Stat::AnonMapped),
        );
        op_lruvec_stat::<D, V>(a.design, &mut a);
        let change = memory.node_stat(Stat::AnonMapped) - all;
        let spilled = memory.node_told(Stat::AnonMapped) != told_before;
        let class = if spilled { "cpu+spill1" } else { "cpu" };
        told::<D, V>(
            say,
            "lruvec_stat",
            order,
            class,
            change == a.nr,
            change as u64,
        )?;
    }
    Ok(())
}
