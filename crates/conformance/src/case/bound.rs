//! How large an answer may become. The author of a case chooses memory and limits, so a line
//! of a hundred bytes can ask for a scatterlist of 3 GiB in segments of a byte.

use super::{Case, Impossible};

/// The maximum number of scatterlist entries of an answer: 6 MB of text, or 1 GiB in base pages.
pub const MAX_ENTRIES: u64 = 1 << 18;

impl Case {
    /// The most entries that the scatterlists of all requests can have together, give or take a few
    /// for each add; 0 where the kernel refuses the limits.
    fn entries(&self) -> u64 {
        let Ok(limits) = self.limits.effective(self.rules) else {
            return 0;
        };
        let sectors = match limits.chunk_sectors {
            0 => limits.max_sectors,
            chunk => limits.max_sectors.min(chunk),
        };
        // A request is cut after a segment that ends off the virtual boundary, so there are no more
        // requests than segments.
        let segment = u64::from(limits.max_segment_size)
            .min(limits.seg_boundary_mask.saturating_add(1))
            .min(u64::from(sectors) << 9)
            .max(1);
        let of_add = |len: u32| u64::from(len).div_ceil(segment).saturating_add(2);
        self.adds
            .iter()
            .fold(0, |sum: u64, add| sum.saturating_add(of_add(add.len)))
    }

    /// Whether the answer is small enough to be written down.
    pub(super) fn check_answer(&self) -> Result<(), Impossible> {
        let entries = self.entries();
        if entries <= MAX_ENTRIES {
            return Ok(());
        }
        Err(Impossible {
            field: "adds".into(),
            reason: format!(
                "the answer can have {entries} scatterlist entries, more than {MAX_ENTRIES}; ask \
                 for less memory or for larger segments"
            ),
        })
    }
}
