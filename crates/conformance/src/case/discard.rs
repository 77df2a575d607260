//! Discards: sectors to be forgotten, and no memory.

use mm::block::DiscardLimits;
use mm::{KernelVersion, QueueLimits};

use super::{Case, Impossible, Limits, Operation};

/// The maximum sectors of a discard: 2 GiB.
const MAX_SECTORS: u32 = 1 << 22;

impl Limits {
    /// The limits of discards in force beside `queue`, which are these limits in force; `None` where
    /// the device takes no discard.
    pub fn discard(&self, rules: KernelVersion, queue: &QueueLimits) -> Option<DiscardLimits> {
        let max_sectors = self.max_discard_sectors?;
        // Up to 5.18 a flag of the queue says whether it does.
        if max_sectors == 0 && rules >= KernelVersion::V6_1 {
            return None;
        }
        let stated = self.discard_granularity.unwrap_or(0);
        let granularity = if rules >= KernelVersion::V6_12 {
            stated.max(queue.physical_block_size)
        } else {
            stated
        };
        Some(DiscardLimits {
            max_sectors,
            granularity: (granularity >> 9).max(1),
        })
    }
}

impl Case {
    pub(super) fn check_discard(&self) -> Result<(), Impossible> {
        let no = |field: &str, reason: &str| {
            let (field, reason) = (field.to_owned(), reason.to_owned());
            Err(Impossible { field, reason })
        };
        if self.op != Operation::Discard {
            return match self.sectors {
                0 => Ok(()),
                _ => no("sectors", "only a discard has sectors without memory"),
            };
        }
        if !(1..=MAX_SECTORS).contains(&self.sectors) {
            return no("sectors", "a discard has 1 to 2^22 of them");
        }
        if !self.adds.is_empty() {
            return no("adds", "a discard has no memory");
        }
        if self.held || !self.clones.is_empty() {
            return no(
                "op",
                "a discard has no memory to hold, and is not cloned here",
            );
        }
        let requests = match self.limits.max_discard_sectors {
            None | Some(0) => 1,
            Some(most) => self.sectors / most,
        };
        if requests > 1024 {
            return no("sectors", "more than 1024 requests; ask for fewer sectors");
        }
        Ok(())
    }
}
