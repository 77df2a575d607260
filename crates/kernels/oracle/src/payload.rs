//! The files that the guest boots with: busybox, an init, the module and the questions.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{OracleError, io_error};
use crate::initramfs::Initramfs;

const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mkdir -p /sys/fs/cgroup
/bin/busybox mount -t cgroup2 none /sys/fs/cgroup
for group in /sys/fs/cgroup /sys/fs/cgroup/a /sys/fs/cgroup/a/b; do
    /bin/busybox mkdir -p $group
    [ $group = /sys/fs/cgroup/a/b ] || echo +memory > $group/cgroup.subtree_control
done
echo $$ > /sys/fs/cgroup/a/b/cgroup.procs
if /bin/busybox insmod /folioscope.ko; then
    for part in cases count; do
        [ -e /$part ] && /bin/busybox cat /$part > /proc/folioscope/$part
    done
else
    echo 'folioscope: insmod failed'
fi
echo 'folioscope: the end'
/bin/busybox reboot -f
";

/// The archive for a boot; `parts` are the questions by the parts of the module that take them.
pub(crate) fn initramfs(
    module: &Path,
    parts: [(&str, Option<&str>); 2],
) -> Result<Vec<u8>, OracleError> {
    let ko = fs::read(module).map_err(io_error(format!("reading {}", module.display())))?;
    let mut archive = Initramfs::default();
    for directory in ["bin", "proc", "dev", "sys"] {
        archive.directory(directory);
    }
    archive.program("bin/busybox", &busybox()?);
    archive.program("init", INIT.as_bytes());
    archive.file("folioscope.ko", &ko);
    for (name, text) in parts {
        if let Some(text) = text {
            // An empty write would not reach the module.
            archive.file(
                name,
                if text.is_empty() {
                    b"\n"
                } else {
                    text.as_bytes()
                },
            );
        }
    }
    Ok(archive.finish())
}

/// A busybox that needs no libraries: the one that `FOLIOSCOPE_BUSYBOX` names, or the PATH's.
fn busybox() -> Result<Vec<u8>, OracleError> {
    let no = |reason: String| OracleError::NoBusybox { reason };
    let path = match env::var_os("FOLIOSCOPE_BUSYBOX") {
        Some(path) => PathBuf::from(path),
        None => on_path("busybox").ok_or_else(|| no("none on the PATH".into()))?,
    };
    let bytes = fs::read(&path).map_err(|error| no(format!("{}: {error}", path.display())))?;
    check_static(&bytes).map_err(|reason| no(format!("{}: {reason}", path.display())))?;
    Ok(bytes)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path)
        .map(|dir| dir.join(OsStr::new(program)))
        .find(|file| file.is_file());
    // Debian's root-only places are not on everybody's PATH.
    found.or_else(|| {
        [Path::new("/bin/busybox").into()]
            .into_iter()
            .find(|p: &PathBuf| p.is_file())
    })
}

/// An ELF program with an interpreter (PT_INTERP, 3) would not start in the guest.
fn check_static(elf: &[u8]) -> Result<(), String> {
    let word = |at: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(at..at + len)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |n, &byte| (n << 8) | u64::from(byte)),
        )
    };
    let dynamic = || -> Option<bool> {
        if elf.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let (table, size, count) = (
            word(32, 8)? as usize,
            word(54, 2)? as usize,
            word(56, 2)? as usize,
        );
        Some((0..count).any(|n| word(table + n * size, 4) == Some(3)))
    };
    match dynamic() {
        Some(false) => Ok(()),
        Some(true) => Err("it is dynamically linked".into()),
        None => Err("not a 64-bit ELF program".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_dynamically_linked_busybox_is_refused() {
        // An ELF header with one program header of the given type.
        let elf = |kind: u8| {
            let mut bytes = vec![0; 120];
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            bytes[32] = 64;
            bytes[54] = 56;
            bytes[56] = 1;
            bytes[64] = kind;
            bytes
        };
        assert!(check_static(&elf(1)).is_ok());
        assert!(check_static(&elf(3)).unwrap_err().contains("dynamically"));
        assert!(check_static(b"#!/bin/sh").unwrap_err().contains("ELF"));
    }
}
