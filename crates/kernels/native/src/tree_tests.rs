//! Work trees, on a source that is as small as ours may be.

use std::time::SystemTime;

use super::*;
use crate::source::{Source, find};

/// A tree with the files that our edits and hooks change.
fn source(dir: &Path) -> PathBuf {
    let root = dir.join("source");
    for (file, text) in [
        (
            "Makefile",
            "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION =\n",
        ),
        ("arch/um/Makefile", "um\n"),
        (
            "arch/um/os-Linux/user_syms.c",
            "EXPORT_SYMBOL_PROTO(__xstat);\nkeep\n",
        ),
        (
            "arch/x86/include/asm/alternative.h",
            "#define LOCK_PREFIX \"\"\n",
        ),
        ("block/bio.c", "one\ntwo\nthree\n"),
        ("block/blk-merge.c", "merge\n"),
        ("drivers/net/foo.c", "foo\n"),
        ("include/linux/memblock.h", "#define X\n"),
        ("mm/Makefile", "obj-y += x.o\n"),
        ("mm/page_alloc.c", "alloc\n"),
        ("mm/vmscan.c", "scan\n"),
    ] {
        write_changed(&root.join(file), text.as_bytes()).unwrap();
    }
    root
}

fn prepared(dir: &Path, patches: &[Patch]) -> Result<Tree, BuildError> {
    let found = find(&Source::Tree(dir.join("source")), dir, false)?;
    let tree = Tree::at(&dir.join("tree"), &found);
    tree.prepare(&found, patches).map(|()| tree)
}

fn patch(dir: &Path, name: &str, text: &str) -> Patch {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    Patch::read(&path).unwrap()
}

const LOUD: &str = "--- a/block/bio.c\n+++ b/block/bio.c\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n\
    --- /dev/null\n+++ b/block/new.c\n@@ -0,0 +1 @@\n+new\n";

#[test]
fn driver_edits_and_hooks_are_in_the_tree_once_however_often_it_is_prepared() {
    let dir = tempfile::tempdir().unwrap();
    source(dir.path());
    let mut tree = prepared(dir.path(), &[]).unwrap();
    let text = |tree: &Tree, file: &str| fs::read_to_string(tree.linux.join(file)).unwrap();
    let time = |tree: &Tree, file: &str| -> SystemTime {
        fs::metadata(tree.linux.join(file))
            .unwrap()
            .modified()
            .unwrap()
    };
    assert_eq!(
        text(&tree, "mm/Makefile"),
        "obj-y += x.o\nobj-y += folioscope/\n"
    );
    assert_eq!(text(&tree, "arch/um/os-Linux/user_syms.c"), "keep\n");
    assert!(text(&tree, "arch/x86/include/asm/alternative.h").contains("lock;"));
    assert!(tree.linux.join("mm/folioscope/main.c").is_file());
    assert!(!tree.linux.join("drivers/net/foo.c").exists());

    let before = time(&tree, "mm/Makefile");
    tree = prepared(dir.path(), &[]).unwrap();
    assert_eq!(
        time(&tree, "mm/Makefile"),
        before,
        "make would compile it again"
    );
}

#[test]
fn a_patch_comes_and_goes_with_all_that_it_added() {
    let dir = tempfile::tempdir().unwrap();
    source(dir.path());
    let tree = prepared(dir.path(), &[patch(dir.path(), "loud.patch", LOUD)]).unwrap();
    let bio = tree.linux.join("block/bio.c");
    assert_eq!(fs::read_to_string(&bio).unwrap(), "one\nTWO\nthree\n");
    assert!(tree.linux.join("block/new.c").is_file());
    prepared(dir.path(), &[patch(dir.path(), "loud.patch", LOUD)]).unwrap();
    assert_eq!(fs::read_to_string(&bio).unwrap(), "one\nTWO\nthree\n");
    prepared(dir.path(), &[]).unwrap();
    assert_eq!(fs::read_to_string(&bio).unwrap(), "one\ntwo\nthree\n");
    assert!(!tree.linux.join("block/new.c").exists());
}

#[test]
fn a_patch_that_does_not_apply_leaves_the_tree_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    source(dir.path());
    let wrong = patch(dir.path(), "wrong.patch", &LOUD.replace("-two", "-zwei"));
    let good = patch(dir.path(), "loud.patch", LOUD);
    let tree = prepared(dir.path(), std::slice::from_ref(&good)).unwrap();
    let error = prepared(dir.path(), &[wrong]).unwrap_err().to_string();
    assert!(error.contains("Hunk #1 FAILED"), "{error}");
    let bio = fs::read_to_string(tree.linux.join("block/bio.c")).unwrap();
    assert_eq!(bio, "one\nTWO\nthree\n", "still the last good one");
    prepared(dir.path(), &[good]).unwrap();
}

#[test]
fn what_changes_in_ones_own_tree_arrives_below_the_patches() {
    let dir = tempfile::tempdir().unwrap();
    let root = source(dir.path());
    let good = || patch(dir.path(), "loud.patch", LOUD);
    let tree = prepared(dir.path(), &[good()]).unwrap();
    fs::write(root.join("block/bio.c"), "zero\none\ntwo\nthree\n").unwrap();
    fs::remove_file(root.join("arch/um/Makefile")).unwrap();
    let error = prepared(dir.path(), &[good()]).unwrap_err().to_string();
    assert!(error.contains("arch/um/Makefile"), "{error}");
    fs::write(root.join("arch/um/Makefile"), "um\n").unwrap();
    prepared(dir.path(), &[good()]).unwrap();
    let bio = fs::read_to_string(tree.linux.join("block/bio.c")).unwrap();
    assert_eq!(bio, "zero\none\nTWO\nthree\n");
}

#[test]
fn a_patch_may_touch_what_no_build_needs() {
    let dir = tempfile::tempdir().unwrap();
    source(dir.path());
    let text = "--- a/drivers/net/foo.c\n+++ b/drivers/net/foo.c\n@@ -1 +1 @@\n-foo\n+bar\n";
    let tree = prepared(dir.path(), &[patch(dir.path(), "net.patch", text)]).unwrap();
    let foo = fs::read_to_string(tree.linux.join("drivers/net/foo.c")).unwrap();
    assert_eq!(foo, "bar\n");
}

#[test]
fn a_tree_that_our_edits_do_not_fit_is_refused_by_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let root = source(dir.path());
    fs::write(root.join("arch/x86/include/asm/alternative.h"), "other\n").unwrap();
    let error = prepared(dir.path(), &[]).unwrap_err().to_string();
    assert!(
        error.contains("alternative.h has no line `#define LOCK_PREFIX \"\"`"),
        "{error}"
    );
}
