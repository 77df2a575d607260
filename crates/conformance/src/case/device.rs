//! Device memory: adds that name pages of a page map.

use mm::KernelVersion;
use mm::block::Pgmap;

use super::{Add, Case, Impossible};

impl Case {
    /// Whether any of its memory is a device's.
    pub fn has_device_memory(&self) -> bool {
        self.adds.iter().any(|add| add.pgmap.is_some())
    }

    /// The page map of an add's memory.
    pub fn pgmap_of(&self, add: &Add) -> Option<Pgmap> {
        let number = add.pgmap?;
        let p2pdma = self.p2pdma.contains(&number);
        Some(Pgmap { number, p2pdma })
    }

    pub(super) fn check_device_memory(&self) -> Result<(), Impossible> {
        let no = |field: String, reason: String| Err(Impossible { field, reason });
        for (i, add) in self.adds.iter().enumerate() {
            let of_it = self.adds[..i].iter().position(|other| other.pfn == add.pfn);
            if let Some(first) = of_it
                && self.adds[first].pgmap != add.pgmap
            {
                return no(
                    format!("adds[{i}].pgmap"),
                    format!("adds[{first}] says otherwise of the same allocation"),
                );
            }
            if add.pgmap.is_some() && add.order > 0 && self.rules < KernelVersion::V7_1 {
                let reason = "up to v6.14 the later pages of a large one do not say their page map";
                return no(format!("adds[{i}].pgmap"), reason.to_owned());
            }
        }
        for (i, number) in self.p2pdma.iter().enumerate() {
            let field = format!("p2pdma[{i}]");
            if self.p2pdma[..i].contains(number) {
                return no(field, format!("{number} is there already"));
            }
            if !self.adds.iter().any(|add| add.pgmap == Some(*number)) {
                return no(field, format!("no add names page map {number}"));
            }
        }
        if self.held && self.has_device_memory() {
            let reason = "the references of device memory are its driver's, which is not modelled";
            return no("held".to_owned(), reason.to_owned());
        }
        Ok(())
    }
}
