//! Which kernel: a fetched series, or a build of the user's.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use mm::KernelVersion;
use results::Package;
use serde::Deserialize;

use crate::error::{OracleError, io_error};
use crate::store::Store;

/// A series that `scripts/fetch-kernels` knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Series {
    /// Debian 11's kernel.
    V5_10,
    /// Debian 12's kernel.
    V6_1,
    /// Debian 12's backported kernel.
    V6_12,
    /// The newest 7.x of Debian's unstable suite; its modules are built in a chroot with that
    /// suite's own compiler.
    V7,
}

impl Series {
    /// All, oldest first.
    pub const ALL: [Self; 4] = [Self::V5_10, Self::V6_1, Self::V6_12, Self::V7];
    /// Those that any Debian 12 or newer can build modules for.
    pub const STABLE: [Self; 3] = [Self::V5_10, Self::V6_1, Self::V6_12];

    /// As `5.10`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V5_10 => "5.10",
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::V7 => "7",
        }
    }

    /// The rules that the models follow for it.
    pub const fn rules(self) -> KernelVersion {
        match self {
            Self::V5_10 => KernelVersion::V5_10,
            Self::V6_1 => KernelVersion::V6_1,
            Self::V6_12 => KernelVersion::V6_12,
            Self::V7 => KernelVersion::V7_2,
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Series {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|series| series.name() == s)
            .ok_or_else(|| format!("unknown series `{s}`: one of 5.10, 6.1, 6.12, 7"))
    }
}

/// A kernel that can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// Its `uname -r`.
    pub release: String,
    /// The rules that the models follow for it.
    pub rules: KernelVersion,
    /// The bootable image.
    pub bzimage: PathBuf,
    /// The build directory or unpacked headers that modules build against.
    pub kdir: PathBuf,
    /// The distribution's package, if it is one.
    pub package: Option<Package>,
    /// The root that `kdir` lies in, where modules must be built in a chroot since the
    /// kernel's build tools want a newer libc and compiler than this machine's.
    pub chroot: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Manifest {
    release: String,
    package: String,
    package_version: String,
    bzimage: PathBuf,
    kdir: PathBuf,
    #[serde(default)]
    chroot: bool,
}

impl Kernel {
    /// A series that was fetched into the store.
    ///
    /// # Errors
    /// [`OracleError::NotFetched`], or a manifest that does not read.
    pub fn fetched(store: &Store, series: Series) -> Result<Self, OracleError> {
        let place = store.path().join(series.name());
        let path = place.join("manifest.json");
        let text = fs::read_to_string(&path).map_err(|_| OracleError::NotFetched {
            series: series.name().into(),
            store: store.path().into(),
        })?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| OracleError::Malformed {
                path,
                reason: error.to_string(),
            })?;
        let kernel = Self {
            release: manifest.release,
            rules: series.rules(),
            bzimage: absolute(&place.join(manifest.bzimage))?,
            kdir: absolute(&place.join(manifest.kdir))?,
            package: Some(Package {
                name: manifest.package,
                version: manifest.package_version,
            }),
            chroot: if manifest.chroot {
                Some(absolute(&place)?)
            } else {
                None
            },
        };
        kernel.check_options()?;
        Ok(kernel)
    }

    /// A build of the user's: its bzImage, and the build directory that `make modules_prepare`
    /// or a whole build left. The rules are those of the newest modelled kernel that is not
    /// newer, unless given.
    ///
    /// # Errors
    /// [`OracleError::NotAKernel`] and [`OracleError::MissingOptions`].
    pub fn own(
        bzimage: &Path,
        kdir: &Path,
        rules: Option<KernelVersion>,
    ) -> Result<Self, OracleError> {
        let not = |path: &Path, reason: &str| OracleError::NotAKernel {
            path: path.into(),
            reason: reason.into(),
        };
        let head = read_head(bzimage).map_err(|error| not(bzimage, &error.to_string()))?;
        // The x86 boot protocol's signature.
        if head.get(0x202..0x206) != Some(b"HdrS") {
            return Err(not(
                bzimage,
                "not a bzImage (arch/x86/boot/bzImage of an x86-64 build)",
            ));
        }
        if !kdir.join("Makefile").is_file() {
            return Err(not(
                kdir,
                "no Makefile: name the build directory (its source tree, or what O= named)",
            ));
        }
        let release = [
            "include/config/kernel.release",
            "include/generated/utsrelease.h",
        ]
        .iter()
        .find_map(|file| fs::read_to_string(kdir.join(file)).ok())
        .map(|text| match text.split_once('"') {
            Some((_, rest)) => rest.trim_end().trim_end_matches('"').to_owned(),
            None => text.trim().to_owned(),
        })
        .ok_or_else(|| {
            not(
                kdir,
                "not built yet: run `make` (or at least `make modules_prepare`) there",
            )
        })?;
        let rules = match rules {
            Some(rules) => rules,
            None => {
                rules_for(&release).ok_or_else(|| not(kdir, "its release has no version number"))?
            }
        };
        let kernel = Self {
            release,
            rules,
            bzimage: absolute(bzimage)?,
            kdir: absolute(kdir)?,
            package: None,
            chroot: None,
        };
        kernel.check_options()?;
        Ok(kernel)
    }

    /// The `.config` beside the headers names what the guest and the module cannot do without.
    fn check_options(&self) -> Result<(), OracleError> {
        const NEEDED: [&str; 13] = [
            "CONFIG_64BIT=y",
            "CONFIG_MODULES=y",
            "CONFIG_BLOCK=y",
            "CONFIG_PROC_FS=y",
            "CONFIG_KPROBES=y",
            "CONFIG_BLK_DEV_INITRD=y",
            "CONFIG_BINFMT_ELF=y",
            "CONFIG_BINFMT_SCRIPT=y",
            "CONFIG_SERIAL_8250_CONSOLE=y",
            "CONFIG_SPARSEMEM_VMEMMAP=y",
            "CONFIG_CONTIG_ALLOC=y",
            "CONFIG_CRC32=y",
            "CONFIG_MEMCG=y",
        ];
        let config = self.kdir.join(".config");
        let text = fs::read_to_string(&config)
            .map_err(io_error(format!("reading {}", config.display())))?;
        let mut options: Vec<String> = NEEDED
            .iter()
            .filter(|n| !text.lines().any(|line| line == **n))
            .map(|n| n.to_string())
            .collect();
        if text.lines().any(|line| line == "CONFIG_MODULE_SIG_FORCE=y") {
            options.push("CONFIG_MODULE_SIG_FORCE=n (the module is not signed)".into());
        }
        if options.is_empty() {
            Ok(())
        } else {
            Err(OracleError::MissingOptions {
                kernel: self.release.clone(),
                options,
            })
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, OracleError> {
    path.canonicalize()
        .map_err(|error| OracleError::NotAKernel {
            path: path.into(),
            reason: error.to_string(),
        })
}

fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut head = Vec::new();
    fs::File::open(path)?.take(0x400).read_to_end(&mut head)?;
    Ok(head)
}

/// The newest modelled kernel that is not newer than this release.
pub(crate) fn rules_for(release: &str) -> Option<KernelVersion> {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    let version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let since = |rules: KernelVersion| {
        let (major, minor) = rules.name().split_once('.').expect("major.minor");
        (
            major.parse::<u32>().expect("a number"),
            minor.parse::<u32>().expect("a number"),
        )
    };
    // 7.0 has the merging and mapping rules that 7.1 is named for.
    let version = if version == (7, 0) { (7, 1) } else { version };
    KernelVersion::ALL
        .into_iter()
        .rev()
        .find(|&rules| since(rules) <= version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_follows_the_newest_rules_that_are_not_newer() {
        let cases = [
            ("5.10.0-32-cloud-amd64", KernelVersion::V5_10),
            ("6.0.3", KernelVersion::V5_10),
            ("6.11.0-rc3+", KernelVersion::V6_1),
            ("6.19.1", KernelVersion::V6_12),
            ("7.0.0", KernelVersion::V7_1),
            ("7.1.9-rc1", KernelVersion::V7_1),
            ("7.3.4-test", KernelVersion::V7_2),
        ];
        for (release, rules) in cases {
            assert_eq!(rules_for(release), Some(rules), "{release}");
        }
        assert_eq!(rules_for("next-20261101"), None);
    }

    #[test]
    fn a_store_without_the_series_names_the_script() {
        let dir = tempfile::tempdir().unwrap();
        let error = Kernel::fetched(&Store::at(dir.path()), Series::V6_1)
            .unwrap_err()
            .to_string();
        assert!(error.contains("scripts/fetch-kernels 6.1"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_bzimage_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("vmlinux");
        fs::write(&image, [0x7f; 4096]).unwrap();
        let error = Kernel::own(&image, dir.path(), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a bzImage"), "{error}");
    }

    /// A build directory as far as `own` looks at it.
    fn build_tree(config: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("bzImage");
        let mut bytes = vec![0; 0x400];
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        fs::write(&image, bytes).unwrap();
        fs::create_dir_all(dir.path().join("include/config")).unwrap();
        fs::write(
            dir.path().join("include/config/kernel.release"),
            "6.13.0-mine\n",
        )
        .unwrap();
        fs::write(dir.path().join("Makefile"), "").unwrap();
        fs::write(dir.path().join(".config"), config).unwrap();
        (dir, image)
    }

    #[test]
    fn options_that_an_own_kernel_lacks_are_named() {
        let (dir, image) =
            build_tree("CONFIG_64BIT=y\nCONFIG_KPROBES=n\nCONFIG_MODULE_SIG_FORCE=y\n");
        match Kernel::own(&image, dir.path(), None).unwrap_err() {
            OracleError::MissingOptions { kernel, options } => {
                assert_eq!(kernel, "6.13.0-mine");
                assert!(options.contains(&"CONFIG_KPROBES=y".to_owned()));
                assert!(!options.contains(&"CONFIG_64BIT=y".to_owned()));
                assert!(
                    options
                        .iter()
                        .any(|o| o.starts_with("CONFIG_MODULE_SIG_FORCE"))
                );
            }
            other => panic!("{other}"),
        }
    }
}
