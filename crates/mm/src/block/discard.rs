//! Discards: bios that have sectors and no memory.

/// The limits of a queue that only discards know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiscardLimits {
    /// Sectors of a request (`max_discard_sectors`).
    pub max_sectors: u32,
    /// Sectors of the unit that the device frees, at least 1 (`discard_granularity`).
    pub granularity: u32,
}

/// Where a discard is cut: sectors of the front part, `None` where it goes out as it is
/// (`blk_bio_discard_split`, later `bio_split_discard`). The rest begins on a unit of the device.
pub fn discard_front(limits: &DiscardLimits, sector: u64, sectors: u32) -> Option<u32> {
    let granularity = limits.granularity.max(1);
    let most = limits.max_sectors - limits.max_sectors % granularity;
    // Where the device takes less than a unit at once, the kernel does not cut at all.
    if most == 0 || sectors <= most {
        return None;
    }
    let beyond = (sector + u64::from(most)) % u64::from(granularity);
    Some(most - beyond as u32)
}
