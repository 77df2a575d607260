//! The driver's sources, which the tool carries.

use sha2::{Digest as _, Sha256};

use crate::source::hex;

/// Names and texts, of the driver and of what it shares with the module.
pub(crate) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/driver_files.rs"));
/// The folder in a kernel's tree.
pub(crate) const FOLDER: &str = "mm/folioscope";
/// The configuration.
pub(crate) const CONFIG: &str = include_str!("../../driver/folioscope.config");
/// Flags for the compiler: the code model of a kernel that lies in the lowest 2 GiB, as this
/// one does, calls functions directly, as kernels for real machines do. ARCH=um asks for the
/// large model otherwise, whose calls all go through a register.
pub(crate) const KCFLAGS: &str = "-mcmodel=small";

/// A change of one line that every tree needs.
#[derive(Debug)]
pub(crate) struct Edit {
    /// The file.
    pub file: &'static str,
    /// The line, as it stands there.
    pub line: &'static str,
    /// Its replacement; `None` removes it.
    pub becomes: Option<&'static str>,
    /// Whether a tree without the line is refused.
    pub needed: bool,
}

/// The changes of lines.
pub(crate) const EDITS: &[Edit] = &[
    // ARCH=um has one CPU, for which atomics would lose their lock prefix: a reference would
    // cost a twentieth of what it costs on any machine that people have.
    Edit {
        file: "arch/x86/include/asm/alternative.h",
        line: "#define LOCK_PREFIX \"\"",
        becomes: Some("#define LOCK_PREFIX \"\\n\\tlock; \""),
        needed: true,
    },
    // Boot takes low memory from just below 4 GiB, around which cases want memory of ours.
    Edit {
        file: "include/linux/memblock.h",
        line: "#define ARCH_LOW_ADDRESS_LIMIT  0xffffffffUL",
        becomes: Some("#define ARCH_LOW_ADDRESS_LIMIT  0x3fffffffUL"),
        needed: false,
    },
    // Functions that today's libc no longer has (until 6.6).
    Edit {
        file: "arch/um/os-Linux/user_syms.c",
        line: "EXPORT_SYMBOL_PROTO(__xstat);",
        becomes: None,
        needed: false,
    },
    Edit {
        file: "arch/um/os-Linux/user_syms.c",
        line: "EXPORT_SYMBOL_PROTO(__xmknod);",
        becomes: None,
        needed: false,
    },
];

/// Lines that go to the end of the kernel's own files.
pub(crate) const HOOKS: &[(&str, &str)] = &[
    (
        "block/blk-merge.c",
        "#include \"../mm/folioscope/in_blk_merge.c\"",
    ),
    ("mm/Makefile", "obj-y += folioscope/"),
    ("mm/page_alloc.c", "#include \"folioscope/in_page_alloc.c\""),
    ("mm/vmscan.c", "#include \"folioscope/in_vmscan.c\""),
];

/// The hash of all that we bring to a kernel: driver, edits, hooks, options and flags.
pub(crate) fn hash() -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    for (name, text) in FILES {
        add(name);
        add(text);
    }
    add(&format!("{EDITS:?} {HOOKS:?}"));
    add(CONFIG);
    add(KCFLAGS);
    hex(&hash.finalize()[..10])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_carried_whole() {
        let has = |name: &str| FILES.iter().any(|(file, _)| *file == name);
        let makefile = FILES
            .iter()
            .find(|(name, _)| *name == "Makefile")
            .expect("it is one of them")
            .1;
        let objects = makefile
            .lines()
            .filter_map(|line| line.split_once("obj-y "))
            .flat_map(|(_, objects)| objects.split_whitespace())
            .filter_map(|object| object.strip_suffix(".o"));
        let mut met = 0;
        for object in objects {
            assert!(has(&format!("{object}.c")), "{object}");
            met += 1;
        }
        assert!(met > 10, "{met} objects");
        for (_, text) in FILES {
            for line in text.lines() {
                let Some(name) = line.strip_prefix("#include \"") else {
                    continue;
                };
                let name = name.trim_end_matches('"');
                assert!(name.starts_with("../") || has(name), "{name}");
            }
        }
    }
}
