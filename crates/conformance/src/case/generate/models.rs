//! Random cases that models alone are asked: the kernels that we run have neither memory of devices
//! nor zones.

use std::collections::BTreeMap;

use mm::KernelVersion;
use rand::RngExt as _;
use rand_pcg::Pcg64;

use super::{Source, generate_more};
use crate::case::{Answer, By, Case, Operation, Refusal};
use crate::reference::evaluate;

/// The same case as [`generate_more`] makes, in some with device memory or zone appends, which no
/// kernel that we run can be asked about. That comes from a stream of its own too: what campaigns put to kernels stays.
pub fn generate_for_models(seed: u64, index: u64, rules: KernelVersion) -> Case {
    let further = generate_more(seed, index, rules);
    let stream = (1 << 126) | (u128::from(index) << 8) | rules as u128;
    let mut source = Source {
        rng: Pcg64::new(seed.into(), stream),
        rules,
    };
    let mut case = further.clone();
    if source.one_in(4) {
        source.place_on_devices(&mut case);
    }
    let plain = case.op == Operation::Read && case.clones.is_empty();
    if plain && rules > KernelVersion::V5_0 && source.one_in(5) {
        source.append_to_zones(&mut case);
    }
    // Bios that took less may have no room for the case's clones.
    if case.check().is_err() {
        return further;
    }
    let stops = matches!(evaluate(&case), Answer::Refused(r) if r.error == Refusal::Bug);
    if stops { further } else { case }
}

/// Leaves of each bio no more than so many bytes.
fn shorten(case: &mut Case, most: u32) {
    let mut left = BTreeMap::new();
    for add in &mut case.adds {
        let left = left.entry(add.bio).or_insert(most);
        add.len = add.len.min(*left);
        *left -= add.len;
    }
    case.adds.retain(|add| add.len > 0);
}

impl Source {
    /// Zone appends, nine times in ten from the start of a zone, and often of as much as the device
    /// takes.
    fn append_to_zones(&mut self, case: &mut Case) {
        case.op = Operation::ZoneAppend;
        let zone = self.pick(&[8, 16, 64, 128, 1024, 1 << 16]);
        case.limits.chunk_sectors = Some(zone);
        let most = self.pick(&[7, 8, 16, 64, 128, 255, 4096]);
        case.limits.max_zone_append_sectors = Some(most);
        if !self.one_in(10) {
            case.start_sector -= case.start_sector % u64::from(zone);
        }
        if self.rules < KernelVersion::V7_1 {
            for add in &mut case.adds {
                add.by = By::Page;
            }
        }
        // Where nothing that is added is refused, a submitter keeps to the limit itself.
        let is_free = self.rules >= KernelVersion::V7_1;
        if is_free && !self.one_in(4) {
            shorten(case, zone.min(most) << 9);
        }
    }

    /// Makes runs of neighbouring allocations, or all that a bio begins with, device memory of three
    /// page maps, up to two of them of other PCI devices.
    fn place_on_devices(&mut self, case: &mut Case) {
        case.held = false;
        let is_old = self.rules < KernelVersion::V7_1;
        let p2pdma = self.rng.random_range(0..=2_u32);
        let (ordinary, by_bio) = (self.one_in(2), self.one_in(2));
        let mut map = None;
        let mut bio = None;
        let mut on_device = BTreeMap::new();
        for (pfn, order) in case.allocations() {
            let first = case.adds.iter().find(|add| add.pfn == pfn);
            let of = first.map(|add| add.bio);
            let changes = if by_bio { bio != of } else { self.one_in(3) };
            if on_device.is_empty() || changes {
                map = (!ordinary || self.one_in(2)).then(|| self.rng.random_range(1..=3_u32));
            }
            bio = of;
            on_device.insert(pfn, map.filter(|_| order == 0 || !is_old));
        }
        for add in &mut case.adds {
            add.pgmap = on_device[&add.pfn];
        }
        let is_named = |map: &u32| case.adds.iter().any(|add| add.pgmap == Some(*map));
        case.p2pdma = (1..=p2pdma).filter(is_named).collect();
    }
}
