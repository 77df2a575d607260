//! Parts of bios that are submitted in place of the bios: clones, and what `bio_trim` leaves of them.

use mm::{KernelVersion, SECTOR_SIZE};
use serde::{Deserialize, Serialize};

use super::{Case, Impossible};
use crate::reference::{Built, build};

/// The maximum number of clones of a case, for which kernels that are asked have room.
const MAX_CLONES: usize = 64;

/// A part of a bio, submitted as a bio of its own over the same table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneOf {
    /// The bio that is cloned, by its number in [`super::Add::bio`].
    pub bio: u16,
    /// Sectors of the bio before the part.
    #[serde(default)]
    pub skip: u32,
    /// Sectors of the part.
    pub sectors: u32,
}

impl CloneOf {
    /// The sector of the bio at which the part ends.
    pub(crate) fn end(self) -> u64 {
        u64::from(self.skip) + u64::from(self.sectors)
    }

    /// The first byte of the part in its bio.
    pub(crate) fn start_bytes(self) -> u64 {
        u64::from(self.skip) * SECTOR_SIZE
    }

    /// The bytes of the part.
    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.sectors) * SECTOR_SIZE
    }
}

impl Case {
    /// Whether `bio_trim` takes every clone, and no two of them share bytes.
    pub(super) fn check_clones(&self) -> Result<(), Impossible> {
        if self.clones.is_empty() {
            return Ok(());
        }
        self.check_clones_of(&build(self))
    }

    /// The same in a kernel that a patch of ours changed: its bios may have taken less.
    ///
    /// # Errors
    /// The first clone that is not a part of its bio.
    pub fn check_clones_of(&self, built: &Built) -> Result<(), Impossible> {
        let no = |i: usize, field: &str, reason: String| {
            let field = format!("clones[{i}]{field}");
            Err(Impossible { field, reason })
        };
        if self.clones.is_empty() {
            return Ok(());
        }
        if self.rules == KernelVersion::V5_0 {
            let reason =
                "under the rules of 5.0 an add may open further bios, which have no number";
            return no(0, "", reason.to_owned());
        }
        if self.clones.len() > MAX_CLONES {
            let reason = format!("{} clones, at most {MAX_CLONES}", self.clones.len());
            return no(MAX_CLONES, "", reason);
        }
        let sizes = built.sizes();
        for (i, clone) in self.clones.iter().enumerate() {
            let Some(size) = sizes.get(usize::from(clone.bio)) else {
                return no(i, ".bio", format!("there is no bio {}", clone.bio));
            };
            if clone.sectors == 0 {
                return no(i, ".sectors", "nothing is left of the bio".into());
            }
            if clone.end() > size / SECTOR_SIZE {
                let has = size / SECTOR_SIZE;
                let reason = format!("ends at sector {}, the bio has {has}", clone.end());
                return no(i, ".sectors", reason);
            }
            let follows = |before: &CloneOf| {
                before.bio < clone.bio
                    || before.bio == clone.bio && before.end() <= u64::from(clone.skip)
            };
            if i > 0 && !follows(&self.clones[i - 1]) {
                let reason = "clones come in the order of their bytes and do not overlap";
                return no(i, ".skip", reason.into());
            }
        }
        Ok(())
    }
}
