//! The memory that a mapping is asked to lie on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{BASE_PAGE_BYTES, PMD_PAGE_BYTES, PUD_PAGE_BYTES};

/// The kind of memory behind a mapping. Written and read as its name on the command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&str")]
pub enum Backing {
    /// Anonymous memory on base pages: huge pages are refused (`MADV_NOHUGEPAGE`).
    Base,
    /// Anonymous memory on transparent huge pages of 2 MiB.
    Thp,
    /// Pages of 2 MiB from the hugetlb pool.
    Hugetlb2M,
    /// Pages of 1 GiB from the hugetlb pool.
    Hugetlb1G,
    /// A file in the kernel's own tmpfs (a memfd), mapped shared.
    Tmpfs,
    /// A temporary regular file, mapped shared.
    File,
    /// The best available: hugetlb, if its pool has free pages, else THP, else base pages.
    Auto,
}

impl Backing {
    /// Every backing, [`Backing::Auto`] last.
    pub const ALL: [Self; 7] = [
        Self::Base,
        Self::Thp,
        Self::Hugetlb2M,
        Self::Hugetlb1G,
        Self::Tmpfs,
        Self::File,
        Self::Auto,
    ];

    /// The name on the command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Thp => "thp",
            Self::Hugetlb2M => "hugetlb-2m",
            Self::Hugetlb1G => "hugetlb-1g",
            Self::Tmpfs => "tmpfs",
            Self::File => "file",
            Self::Auto => "auto",
        }
    }

    /// The unit in bytes in which this backing is handed out; [`Backing::Auto`] has that of a base
    /// page.
    pub const fn page_bytes(self) -> usize {
        match self {
            Self::Base | Self::Tmpfs | Self::File | Self::Auto => BASE_PAGE_BYTES,
            Self::Thp | Self::Hugetlb2M => PMD_PAGE_BYTES,
            Self::Hugetlb1G => PUD_PAGE_BYTES,
        }
    }
}

impl fmt::Display for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is not one of [`Backing::ALL`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown backing `{0}`: it is one of base, thp, hugetlb-2m, hugetlb-1g, tmpfs, file, auto")]
pub struct UnknownBacking(pub String);

impl FromStr for Backing {
    type Err = UnknownBacking;

    fn from_str(name: &str) -> Result<Self, UnknownBacking> {
        Self::ALL
            .into_iter()
            .find(|backing| backing.name() == name)
            .ok_or_else(|| UnknownBacking(name.to_owned()))
    }
}

impl TryFrom<String> for Backing {
    type Error = UnknownBacking;

    fn try_from(name: String) -> Result<Self, UnknownBacking> {
        name.parse()
    }
}

impl From<Backing> for &str {
    fn from(backing: Backing) -> Self {
        backing.name()
    }
}
