//! Random cases that models alone are asked: the kernels that we run have no such memory.

use std::collections::BTreeMap;

use mm::KernelVersion;
use rand::RngExt as _;
use rand_pcg::Pcg64;

use super::{Source, generate_more};
use crate::case::{Answer, Case, Refusal};
use crate::reference::evaluate;

/// The same case as [`generate_more`] makes, in some with memory that no kernel that we run can be
/// asked about. That comes from a stream of its own too: what campaigns put to kernels stays.
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
    // Bios that took less may have no room for the case's clones.
    if case.check().is_err() {
        return further;
    }
    let stops = matches!(evaluate(&case), Answer::Refused(r) if r.error == Refusal::Bug);
    if stops { further } else { case }
}

impl Source {
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
