//! Zone appends (`REQ_OP_ZONE_APPEND`, v5.8 and later).

use mm::block::ZoneLimits;
use mm::{KernelVersion, QueueLimits};

use super::limits::MAX_HW_SECTORS;
use super::{By, Case, Impossible, Limits, Operation};

impl Limits {
    /// The limits of zone appends in force beside `queue`, which are these limits in force
    /// (`blk_queue_max_zone_append_sectors`, later `blk_validate_zoned_limits`).
    pub fn zone(&self, rules: KernelVersion, queue: &QueueLimits) -> ZoneLimits {
        let validated = rules >= KernelVersion::V6_12;
        let hw = match self.max_sectors {
            _ if validated => self.max_hw_sectors(queue.logical_block_size),
            Some(_) => queue.max_sectors,
            None => MAX_HW_SECTORS,
        };
        let stated = self.max_zone_append_sectors.unwrap_or(0);
        let max_append = stated.min(hw).min(queue.chunk_sectors);
        // Up to 6.1 the administrator's bound holds for appends too.
        let bound = if validated {
            u32::MAX
        } else {
            queue.max_sectors
        };
        ZoneLimits {
            max_append,
            max_add: max_append.min(bound),
        }
    }
}

impl Case {
    /// The limits in force of a case that appends to zones, if the kernel takes them.
    pub(crate) fn zone_limits(&self) -> Option<(QueueLimits, ZoneLimits)> {
        if self.op != Operation::ZoneAppend {
            return None;
        }
        let queue = self.limits.effective(self.rules).ok()?;
        Some((queue, self.limits.zone(self.rules, &queue)))
    }

    /// The sectors from one bio's zone to the next one's, where bios are appended to zones.
    pub(crate) fn zone_sectors(&self) -> Option<u64> {
        let appends = self.op == Operation::ZoneAppend;
        appends.then(|| self.limits.chunk_sectors.unwrap_or(0).into())
    }

    pub(super) fn check_zone_append(&self) -> Result<(), Impossible> {
        let no = |field: &str, reason: String| {
            let field = field.to_owned();
            Err(Impossible { field, reason })
        };
        let stated = self.limits.max_zone_append_sectors;
        if self.op != Operation::ZoneAppend {
            return match stated {
                None => Ok(()),
                Some(_) => no(
                    "limits.max_zone_append_sectors",
                    "only a zone append is held to it".into(),
                ),
            };
        }
        if self.rules < KernelVersion::V5_10 {
            let reason = format!("Linux {} has no zone appends (v5.8)", self.rules);
            return no("op", reason);
        }
        if stated.unwrap_or(0) == 0 {
            let reason = "missing or 0: such a device has no appends, and from v6.10 on writes take \
                          their place (zone write plugging), which is left out";
            return no("limits.max_zone_append_sectors", reason.into());
        }
        if !self.limits.chunk_sectors.unwrap_or(0).is_power_of_two() {
            let reason = "the size of a zone, which is a power of two";
            return no("limits.chunk_sectors", reason.into());
        }
        if !self.clones.is_empty() {
            return no("clones", "a zone append is never trimmed".into());
        }
        let by_folio = self.adds.iter().position(|add| add.by == By::Folio);
        if let Some(at) = by_folio
            && self.rules < KernelVersion::V7_1
        {
            let reason = format!("Linux {} adds pages to a zone append", self.rules);
            return no(&format!("adds[{at}].by"), reason);
        }
        Ok(())
    }
}
