//! `iteration/pfn-scan`: compaction's walk over page frames.

use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use mm::{KernelRules, Lru, Scan};
use physmem::{Extent, Kind, Mix, Order, Pfn, Share, mixed_zone};

use crate::checksum::Digest;
use crate::fixture::{ALLOCATED, Allocated, BASE, Fixture, build};
use crate::job::{Extras, LinearRead, Prepared, Then};
use crate::params::{self, Default, ParamSpec};
use crate::workload::{Quantity, Workload};
use crate::{Setup, SetupError};

/// The workload.
pub static WORKLOAD: Workload = Workload {
    id: "iteration/pfn-scan",
    capability: mm::Capability::Lru,
    asks: "what does compaction's walk cost, which meets any frame of any kind?",
    analysis: "Only a walk over page frames meets page tables, slabs, stacks and free memory next \
        to user memory, and has to find out which is which from the frame number alone. With one \
        flat array that is a sequential read of 64-byte lines, and the memory's bandwidth is the \
        limit: the row beside it says how close. With one pointer per frame to a typed \
        descriptor the walk reads 8 bytes per frame and then follows the pointer: cheap where \
        allocations are large, a second miss per frame where they are not, for descriptors \
        lie as they were allocated: by lot on a machine long in use, by frame on one fresh from \
        boot (allocated). mode=isolate also takes each movable allocation off its LRU list, \
        whose order is that of allocation, and puts it back.",
    favours: "flat and folio at order 0, where the descriptor lies where the frame number says; \
        memdesc with large allocations, where a frame's word leads past the whole allocation",
    unfair: "the zone is made up: kinds come in runs of up to 2 MiB, as pageblocks group them, \
        and a machine long in use has shorter ones, which mislead the branches more. The steps \
        are v6.12's in every design: behind a small allocation that it cannot take the walk goes \
        on with the next frame, so a slab of 8 pages costs 8 looks, though memdesc could step \
        over it from any of its frames and the others from its first. All allocations are compound, and none is frozen, \
        unless asked (mix=frozen-slab, mix=bare-stack); zsmalloc's pages are nobody's to move \
        unless asked (zsmalloc=movable), and what their driver does is not in the clock",
    unit: "frame",
    axis: "",
    params: &[
        ParamSpec::words(
            "mix",
            "order0: every kind in base pages; user: anonymous memory only; slab: slabs only; \
                free: free blocks only; typical: a server's mix; frozen-slab: typical, slabs \
                without references (v6.15); bare-stack: typical, stacks of 4 pages without \
                __GFP_COMP (no CONFIG_VMAP_STACK)",
            &[
                "order0",
                "user",
                "slab",
                "free",
                "typical",
                "frozen-slab",
                "bare-stack",
            ],
        ),
        ParamSpec::words(
            "mode",
            "scan: look only; isolate: take off the LRU list and put back",
            &["scan", "isolate"],
        ),
        ParamSpec::number(
            "user-order",
            "size of every block with mix=user, slab or free: 2^user-order base pages; unset: 0",
            0,
            (0, 9),
        )
        .or(params::Default::Unset),
        ParamSpec::words(
            "footprint",
            "flat descriptors: mem 128 MiB, l2 256 KiB, l1 16 KiB",
            &["mem", "l2", "l1"],
        ),
        ALLOCATED,
        ZSMALLOC,
    ],
    fixture: Some(fixture),
    quantity: Quantity::Time(expected),
};

/// Whether zsmalloc's memory is of a driver that moves it. It is absent where it is not, so that
/// rows keep the names they always had.
const ZSMALLOC: ParamSpec = ParamSpec::words(
    "zsmalloc",
    "movable: zsmalloc's pages are moved by their driver, and isolated though on no list",
    &["movable"],
)
.or(Default::Unset);

/// Whether memory of a kind is moved by its driver.
fn is_of_driver(setup: &Setup, kind: Kind) -> bool {
    kind == Kind::Zsmalloc && setup.params.contains_key(ZSMALLOC.name)
}

/// Frames below this size can be compacted (`pageblock_order`).
const PAGEBLOCK: Order = Order::PMD;

fn frames(setup: &Setup) -> Result<u64, SetupError> {
    Ok(match setup.word("footprint")?.as_str() {
        "mem" => (1 << 21) - (1 << 13),
        "l2" => 1 << 12,
        _ => 1 << 8,
    })
}

fn zone(setup: &Setup) -> Result<Vec<(Extent, Kind)>, SetupError> {
    let frames = BASE..BASE + frames(setup)?;
    let mix = setup.word("mix")?;
    let one_kind = match mix.as_str() {
        // What a walk meets where one process filled the memory.
        "user" => Some(Kind::Anon),
        "slab" => Some(Kind::Slab),
        "free" => Some(Kind::Free),
        _ => None,
    };
    if let Some(kind) = one_kind {
        let order = match setup.number("user-order") {
            Ok(order) => Order::try_from(order).unwrap_or(Order::BASE),
            Err(_) => Order::BASE,
        };
        let blocks = (frames.start.0..frames.end.0).step_by(order.pages() as usize);
        let block = |head| (Extent::new(Pfn(head), order), kind);
        return Ok(blocks.map(block).collect());
    }
    if is_bare(setup)? {
        let shares = Mix::typical()
            .shares()
            .iter()
            .map(bare_stack)
            .collect::<Vec<_>>();
        let stacks = Mix::new(shares).map_err(|error| SetupError::Param(error.to_string()))?;
        return Ok(mixed_zone(frames, setup.seed, &stacks));
    }
    let zone = mixed_zone(frames, setup.seed, &Mix::typical());
    if mix == "typical" || mix == "frozen-slab" {
        return Ok(zone);
    }
    // The same memory as on a machine without large folios: what one allocation held, many
    // of the same kind hold side by side. Free memory stays whole.
    let split = zone.into_iter().flat_map(|(extent, kind)| {
        let whole = (kind == Kind::Free).then_some((extent, kind));
        let pages = whole
            .is_none()
            .then(|| base_pages(extent.head..extent.end(), kind));
        whole.into_iter().chain(pages.into_iter().flatten())
    });
    Ok(split.collect())
}

/// Whether kernel stacks are allocations of 4 pages without `__GFP_COMP`.
fn is_bare(setup: &Setup) -> Result<bool, SetupError> {
    Ok(setup.word("mix")? == "bare-stack")
}

/// A share of the mix, with stacks of `THREAD_SIZE_ORDER`.
fn bare_stack(share: &Share) -> Share {
    let order = match share.kind {
        Kind::KernelStack => Order::new(2),
        _ => share.order,
    };
    Share { order, ..*share }
}

/// Frames that a design cannot tell from free ones: the later pages of bare stacks.
fn untold<D: Lru>(setup: &Setup, zone: &[(Extent, Kind)]) -> Result<u64, SetupError> {
    if D::LATER_PAGES_ARE_TOLD || !is_bare(setup)? {
        return Ok(0);
    }
    let stacks = zone.iter().filter(|(_, kind)| *kind == Kind::KernelStack);
    Ok(stacks.map(|(stack, _)| stack.order.pages() - 1).sum())
}

/// In the order of allocation, which is that of the LRU lists; the walk goes by frame.
fn fixture(setup: &Setup) -> Result<Fixture, SetupError> {
    let zone = zone(setup)?;
    let places = allocated(setup)?.places(&zone).into_iter();
    Ok(Fixture {
        extents: places.map(|place| zone[place]).collect(),
        allocated: Allocated::ByUse,
        frames: frames(setup)?,
        ios: Vec::new(),
        lookups: Vec::new(),
    })
}

/// The order in which the zone was allocated: unset, by lot.
fn allocated(setup: &Setup) -> Result<Allocated, SetupError> {
    let mut params = setup.params.clone();
    if !params.contains_key(ALLOCATED.name) {
        params.insert(ALLOCATED.name.to_owned(), "drawn".into());
    }
    Allocated::of(&Setup {
        params,
        ..setup.clone()
    })
}

/// Frames in allocations of one page each.
fn base_pages(frames: Range<Pfn>, kind: Kind) -> impl Iterator<Item = (Extent, Kind)> {
    (frames.start.0..frames.end.0).map(move |pfn| (Extent::new(Pfn(pfn), Order::BASE), kind))
}

fn digest(scan: &Scan) -> u64 {
    let seen = [
        scan.free,
        scan.movable,
        scan.movable_pages,
        scan.unmovable,
        scan.large,
        scan.isolated,
    ];
    // Rows without such memory keep the answers they always had, and kernels theirs.
    match scan.of_drivers {
        0 => Digest::of(&seen),
        of_drivers => Digest::of(&[Digest::of(&seen), of_drivers]),
    }
}

fn expected(setup: &Setup) -> Result<u64, SetupError> {
    let isolate = setup.word("mode")? == "isolate";
    let mut scan = Scan::default();
    for (extent, kind) in zone(setup)? {
        let pages = extent.order.pages();
        if kind == Kind::Free {
            scan.free += pages;
        } else if extent.order >= PAGEBLOCK {
            scan.large += 1;
        } else if kind.is_lru() {
            scan.movable += 1;
            scan.movable_pages += pages;
        } else if is_of_driver(setup, kind) {
            scan.of_drivers += 1;
        } else {
            scan.unmovable += 1;
        }
    }
    let isolated = scan.movable + scan.of_drivers;
    scan.isolated = if isolate { isolated } else { 0 };
    Ok(digest(&scan))
}

/// Where the machine code of the loops is.
pub fn loops<D: Lru, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D, V> as *const () as usize]
}

/// Sets the workload up for a design.
///
/// # Errors
/// [`SetupError`].
pub fn enter<D: Lru, V: KernelRules>(setup: &Setup, then: Then<'_>) -> Result<(), SetupError> {
    let frames = frames(setup)?;
    let isolate = setup.word("mode")? == "isolate";
    let zone = zone(setup)?;
    let passed_by = |(extent, kind): &(Extent, Kind)| {
        let pages = extent.order.pages();
        kind.is_lru()
            && (V::VERSION.compacts_below(PAGEBLOCK.pages())..PAGEBLOCK.pages()).contains(&pages)
    };
    if zone.iter().any(passed_by) {
        let why = "before 6.9 compaction passes by every compound page";
        return Err(SetupError::Absent(why.to_owned()));
    }
    let design: D = build(setup, frames)?;
    let per_frame = design.descriptor_bytes();
    populate(&design, &zone, setup)?;
    let untold = untold::<D>(setup, &zone)?;
    // With base pages, every descriptor is read once but those inside free blocks.
    let inside: u64 = zone
        .iter()
        .map(|(extent, _)| extent.order.pages() - 1)
        .sum();
    let unread = inside * per_frame / frames;
    let bytes_touched = ["order0", "user"].contains(&setup.word("mix")?.as_str()) && !isolate;
    let bytes_touched = bytes_touched.then(|| design.descriptor_bytes() - unread);
    drop(zone);
    let seen = std::cell::Cell::new(Scan::default());
    then(
        &mut Prepared::new(
            &design,
            &design,
            frames,
            |design, iters| {
                seen.set(entry::<D, V>(*design, BASE, frames, isolate, iters));
                0
            },
            |_, _| {
                // Every design is to say the same but for what it cannot tell from free frames.
                let seen = seen.get();
                let free = seen.free.wrapping_sub(untold);
                digest(&Scan { free, ..seen })
            },
        )
        .with(Extras {
            bytes_touched,
            read_linearly: Some(|design: &mut &D, iters| read_linearly(*design, iters)),
            ..Extras::default()
        }),
    );
    Ok(())
}

/// Makes the zone, and puts what belongs there on the LRU lists in the order in which it was
/// allocated, as a fault does.
fn populate<D: Lru>(design: &D, zone: &[(Extent, Kind)], setup: &Setup) -> Result<(), SetupError> {
    let order = allocated(setup)?;
    let frozen = setup.word("mix")? == "frozen-slab";
    let bare = is_bare(setup)?;
    let mut batch = Vec::with_capacity(31);
    for (extent, kind) in order.places(zone).into_iter().map(|place| zone[place]) {
        if kind == Kind::Free {
            design.mark_free(extent);
            continue;
        }
        let unit = if bare && kind == Kind::KernelStack {
            design.alloc_without_comp(extent, kind)
        } else {
            design.alloc(extent, kind)
        };
        if frozen && kind == Kind::Slab {
            design.freeze(unit);
        }
        if is_of_driver(setup, kind) {
            design.set_movable(unit);
        }
        if kind.is_lru() {
            batch.push(unit);
        }
        if batch.len() == 31 {
            design.lru_add(0, &batch);
            batch.clear();
        }
    }
    design.lru_add(0, &batch);
    Ok(())
}

#[inline(never)]
fn entry<D: Lru, V: KernelRules>(
    design: &D,
    start: Pfn,
    frames: u64,
    isolate: bool,
    iters: u64,
) -> Scan {
    let mut scan = Scan::default();
    for _ in 0..iters {
        scan = black_box(design.pfn_scan::<V>(0, black_box(start), frames, isolate));
    }
    scan
}

/// Every word of the array that the scan walks, in order.
#[inline(never)]
fn read_linearly<D: Lru>(design: &D, iters: u64) -> LinearRead {
    let slots = black_box(design).slots();
    let mut sum = 0_u64;
    for _ in 0..iters {
        for index in 0..slots.len() {
            let slot = slots.at(index);
            let counts =
                u64::from(slot.mapcount.load(Relaxed)) + u64::from(slot.refcount.load(Relaxed));
            let front = slot
                .flags
                .load(Relaxed)
                .wrapping_add(slot.word1.load(Relaxed));
            let middle = slot
                .word2
                .load(Relaxed)
                .wrapping_add(slot.mapping.load(Relaxed));
            let back = slot
                .index
                .load(Relaxed)
                .wrapping_add(slot.private.load(Relaxed));
            let rest = slot.memcg_data.load(Relaxed).wrapping_add(counts);
            sum = sum
                .wrapping_add(front)
                .wrapping_add(middle)
                .wrapping_add(back)
                .wrapping_add(rest);
        }
    }
    LinearRead {
        bytes: iters * slots.len() * mm::SLOT_SIZE,
        sum: black_box(sum),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hugemem::Backing;

    use super::*;
    use crate::{Param, Params};

    fn zone_of(mix: &str) -> Vec<(Extent, Kind)> {
        let asked = [("mix", mix), ("footprint", "l2")]
            .map(|(name, value)| (name.to_owned(), Param::Text(value.to_owned())));
        let params = WORKLOAD.complete(&Params::from(asked)).expect("valid");
        let setup = Setup {
            params,
            seed: 1,
            backing: Backing::Base,
            arena_shift: 0,
        };
        zone(&setup).expect("a zone")
    }

    #[test]
    fn each_mix_is_the_memory_that_its_name_says() {
        let kinds = |zone: &[(Extent, Kind)]| -> BTreeSet<String> {
            zone.iter().map(|(_, kind)| kind.to_string()).collect()
        };
        let large = |zone: &[(Extent, Kind)]| {
            zone.iter()
                .any(|(extent, kind)| *kind != Kind::Free && extent.order > Order::BASE)
        };
        let [user, order0, typical] = ["user", "order0", "typical"].map(zone_of);
        let [slab, free] = ["slab", "free"].map(zone_of);
        let stacks = |zone: &[(Extent, Kind)]| -> BTreeSet<u8> {
            let stacks = zone.iter().filter(|(_, kind)| *kind == Kind::KernelStack);
            stacks.map(|(stack, _)| stack.order.get()).collect()
        };
        let [frozen, bare] = ["frozen-slab", "bare-stack"].map(zone_of);
        assert_eq!(frozen, typical);
        assert_eq!((stacks(&typical), stacks(&bare)), ([0].into(), [2].into()));
        for (zone, kind) in [
            (&user, Kind::Anon),
            (&slab, Kind::Slab),
            (&free, Kind::Free),
        ] {
            assert_eq!(kinds(zone), BTreeSet::from([kind.to_string()]));
        }
        assert_eq!(kinds(&order0), kinds(&typical));
        assert!(kinds(&typical).len() > 3, "{:?}", kinds(&typical));
        assert!(!large(&user) && !large(&order0) && large(&typical));
        for zone in [user, order0, slab, free, typical] {
            let frames: u64 = zone.iter().map(|(extent, _)| extent.order.pages()).sum();
            assert_eq!(frames, 1 << 12);
        }
    }
}
