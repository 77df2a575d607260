//! Memory that the kernel can offer: hugetlb pools, THP modes, available memory. Read only.

use std::fs;

/// A hugetlb pool as sysfs shows it, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HugetlbPool {
    /// Bytes in one page.
    pub page_bytes: usize,
    /// Pages in the pool (`nr_hugepages`).
    pub total: u64,
    /// Pages that no mapping has touched yet (`free_hugepages`).
    pub free: u64,
    /// Free pages that are promised to a mapping (`resv_hugepages`).
    pub reserved: u64,
}

impl HugetlbPool {
    /// The pool of pages of `page_bytes` bytes; `None` where the kernel has none or sysfs is
    /// hidden.
    pub fn read(page_bytes: usize) -> Option<Self> {
        let folder = format!("/sys/kernel/mm/hugepages/hugepages-{}kB", page_bytes / 1024);
        let number = |name: &str| -> Option<u64> {
            fs::read_to_string(format!("{folder}/{name}"))
                .ok()?
                .trim()
                .parse()
                .ok()
        };
        Some(Self {
            page_bytes,
            total: number("nr_hugepages")?,
            free: number("free_hugepages")?,
            reserved: number("resv_hugepages")?,
        })
    }

    /// Pages that a new mapping can have.
    pub const fn available(&self) -> u64 {
        self.free.saturating_sub(self.reserved)
    }
}

/// The mode selected in `/sys/kernel/mm/transparent_hugepage/<name>`; `None` without THP.
pub fn thp_mode(name: &str) -> Option<String> {
    let modes = fs::read_to_string(format!("/sys/kernel/mm/transparent_hugepage/{name}")).ok()?;
    let (_, rest) = modes.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

/// Bytes that the kernel could hand out without swapping (`MemAvailable`), where it tells.
pub fn memory_available_bytes() -> Option<u64> {
    use procfs::Current;
    procfs::Meminfo::current().ok()?.mem_available
}
