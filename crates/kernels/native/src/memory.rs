//! The pages that a kernel's memory really lies on, from the host's view of its process.

use std::path::PathBuf;

use procfs::process::Process as Proc;

use crate::RunError;

/// The mapping that a kernel's physical memory is: its descriptors and all that it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backed {
    /// Bytes of it that are in memory.
    pub resident: u64,
    /// Bytes of it that huge pages map, from the host's `ShmemPmdMapped` and `FilePmdMapped`.
    pub huge: u64,
    /// Bytes of descriptors of the arena.
    pub descriptors: u64,
    /// Whether the host made the descriptors huge pages, or its errno.
    pub collapsed: Result<(), i32>,
    /// The folder whose file it is.
    pub folder: PathBuf,
}

impl Backed {
    /// A sentence for a report.
    pub fn words(&self) -> String {
        let mib = |bytes: u64| bytes >> 20;
        let pages = match self.collapsed {
            Ok(()) => "descriptors on huge pages".to_owned(),
            Err(errno) => format!(
                "descriptors on base pages (the host refused to collapse them: errno {errno})"
            ),
        };
        format!(
            "{pages}; {} of {} MiB in memory are huge, a file in {}",
            mib(self.huge),
            mib(self.resident),
            self.folder.display()
        )
    }
}

/// Resident and huge bytes of all mappings of the file that this address lies in.
pub(crate) fn of_mapping(pid: u32, address: u64) -> Result<(u64, u64), RunError> {
    let fail = |error: procfs::ProcError| RunError::Smaps(error.to_string());
    let maps = Proc::new(pid as i32)
        .and_then(|process| process.smaps())
        .map_err(fail)?
        .0;
    let around = maps
        .iter()
        .find(|map| (map.address.0..map.address.1).contains(&address))
        .ok_or_else(|| RunError::Smaps(format!("nothing is mapped at {address:#x}")))?;
    let field = |map: &procfs::process::MemoryMap, name: &str| {
        map.extension.map.get(name).copied().unwrap_or(0)
    };
    Ok(maps
        .iter()
        .filter(|map| map.inode == around.inode && map.dev == around.dev)
        .fold((0, 0), |(resident, huge), map| {
            let pmd = field(map, "ShmemPmdMapped") + field(map, "FilePmdMapped");
            (resident + field(map, "Rss"), huge + pmd)
        }))
}
