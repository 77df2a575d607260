//! The machine as a record needs it: kernel, CPU, caches, modes, steal; no names of hosts
//! or people. What the machine does not tell stays absent.

use std::fs;
use std::path::Path;

use hugemem::pool::{self, HugetlbPool};
use hugemem::process;
use procfs::{Current, CurrentSI};
use results::{Cache, Clock, CpuId, Environment};

use crate::clock::{CLOCK, CLOCK_NAME};

/// Fills in what the machine tells: everything but what belongs to the tool and the run.
#[must_use]
pub fn environment() -> Environment {
    let unknown = Environment::unknown();
    Environment {
        kernel: word("/proc/sys/kernel/osrelease").unwrap_or(unknown.kernel.clone()),
        cpu_model: cpu_model().unwrap_or(unknown.cpu_model.clone()),
        cpu_id: cpu_id(),
        cores: process::allowed_cpus().map_or(1, |cpus| cpus.len() as u32),
        caches: caches(Path::new("/sys/devices/system/cpu/cpu0/cache")),
        governor: word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        thp: pool::thp_mode("enabled"),
        hugetlb: hugetlb_pools(),
        clock: Clock {
            source: CLOCK_NAME.to_owned(),
            resolution_ns: clock_step_ns(),
        },
        ..unknown
    }
}

/// Ticks that the hypervisor has stolen from all CPUs since boot; `None` where /proc/stat
/// does not tell.
#[must_use]
pub fn steal_ticks() -> Option<u64> {
    procfs::KernelStats::current().ok()?.total.steal
}

/// The smallest step that was seen between two readings of the clock.
fn clock_step_ns() -> f64 {
    let mut least = u64::MAX;
    for _ in 0..1000 {
        let start = CLOCK.now_ns();
        let mut now = CLOCK.now_ns();
        while now == start {
            now = CLOCK.now_ns();
        }
        least = least.min(now - start);
    }
    least as f64
}

fn cpu_model() -> Option<String> {
    let info = procfs::CpuInfo::current().ok()?;
    let named = info.model_name(0).map(str::to_owned);
    named.or_else(|| {
        info.fields
            .get("Hardware")
            .or(info.fields.get("Processor"))
            .cloned()
    })
}

fn cpu_id() -> Option<CpuId> {
    let info = procfs::CpuInfo::current().ok()?;
    let cpu = info.get_info(0)?;
    let number = |field: &str| cpu.get(field)?.trim().parse().ok();
    Some(CpuId {
        vendor: (*cpu.get("vendor_id")?).to_owned(),
        family: number("cpu family")?,
        model: number("model")?,
        stepping: number("stepping")?,
        hypervisor: info.flags(0)?.contains(&"hypervisor"),
    })
}

fn hugetlb_pools() -> Vec<results::HugetlbPool> {
    [hugemem::PMD_PAGE_BYTES, hugemem::PUD_PAGE_BYTES]
        .into_iter()
        .filter_map(HugetlbPool::read)
        .map(|pool| results::HugetlbPool {
            page_bytes: pool.page_bytes as u64,
            total: pool.total,
            free: pool.free,
        })
        .collect()
}

/// Data and unified caches below a sysfs folder, smallest level first.
fn caches(folder: &Path) -> Vec<Cache> {
    let mut caches: Vec<Cache> = (0..)
        .map(|index| folder.join(format!("index{index}")))
        .map_while(|folder| {
            fs::read_to_string(folder.join("type"))
                .ok()
                .map(|kind| (folder, kind))
        })
        .filter_map(|(folder, kind)| {
            let read = |name: &str| word(folder.join(name));
            Some(Cache {
                level: read("level")?.parse().ok()?,
                kind: kind.trim().to_lowercase(),
                bytes: size_bytes(&read("size")?)?,
            })
        })
        .filter(|cache| cache.kind != "instruction")
        .collect();
    caches.sort_by_key(|cache| cache.level);
    caches
}

/// `32K`, `1024K`, `32M` in bytes.
fn size_bytes(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn word(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Now, as records write it: UTC, whole seconds.
#[must_use]
pub fn now_utc() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// A time as records write it; `None` for one without a date.
#[must_use]
pub fn utc(time: std::time::SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_sizes_are_read_in_their_units() {
        assert_eq!(size_bytes("32K"), Some(32 << 10));
        assert_eq!(size_bytes("33M"), Some(33 << 20));
        assert_eq!(size_bytes("512"), Some(512));
        assert_eq!(size_bytes("K"), None);
        assert_eq!(size_bytes(""), None);
    }

    #[test]
    fn instruction_caches_are_left_out_and_a_missing_folder_is_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        for (index, level, kind, size) in [
            (0, 1, "Data", "32K"),
            (1, 1, "Instruction", "32K"),
            (2, 3, "Unified", "8M"),
        ] {
            let at = folder.path().join(format!("index{index}"));
            fs::create_dir(&at).unwrap();
            fs::write(at.join("level"), format!("{level}\n")).unwrap();
            fs::write(at.join("type"), format!("{kind}\n")).unwrap();
            fs::write(at.join("size"), format!("{size}\n")).unwrap();
        }
        let found = caches(folder.path());
        let kinds: Vec<(u32, &str, u64)> = found
            .iter()
            .map(|c| (c.level, c.kind.as_str(), c.bytes))
            .collect();
        assert_eq!(kinds, [(1, "data", 32 << 10), (3, "unified", 8 << 20)]);
        assert!(caches(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    fn the_record_names_kernel_and_clock_but_no_host() {
        let env = environment();
        assert_ne!(env.kernel, "unknown");
        assert!(env.clock.resolution_ns > 0.0);
        let host = word("/proc/sys/kernel/hostname").unwrap_or_default();
        let json = serde_json::to_string(&env).unwrap();
        assert!(host.len() < 4 || !json.contains(&host));
    }

    #[test]
    fn dates_have_whole_seconds_and_a_z() {
        let now = now_utc();
        assert_eq!(now.len(), "2026-11-23T01:02:03Z".len());
        assert!(now.ends_with('Z'));
    }
}
