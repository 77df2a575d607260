//! Every backing: what is asked for is what is had, or the error says why not.

use std::sync::atomic::Ordering;

use hugemem::pool::{self, HugetlbPool};
use hugemem::{BASE_PAGE_BYTES, Backing, Error, Mapping, PMD_PAGE_BYTES, Request, pagemap};

/// Whether this machine may lack what a request took.
fn absent_here(error: &Error) -> bool {
    matches!(
        error,
        Error::HugetlbUnavailable { .. }
            | Error::HugetlbUnsupported { .. }
            | Error::ThpUnavailable { .. }
            | Error::NoProc { .. }
    )
}

/// The mapping, unless this machine cannot have it.
fn map(request: Request) -> Option<Mapping> {
    match Mapping::new(request.clone()) {
        Ok(map) => Some(map),
        Err(error) if absent_here(&error) => {
            eprintln!("not on this machine: {error}");
            None
        }
        Err(error) => panic!("{request:?}: {error}"),
    }
}

#[test]
fn every_backing_is_zero_filled_aligned_and_writable_to_its_last_byte() {
    for backing in Backing::ALL {
        for len in [1, BASE_PAGE_BYTES, PMD_PAGE_BYTES + 1] {
            for align in [BASE_PAGE_BYTES, 1 << 16, 8 << 20] {
                let Some(map) = map(Request::new(len, backing).align(align)) else {
                    continue;
                };
                assert_eq!(map.len(), len);
                assert!(map.mapped_bytes() >= len);
                assert_eq!(map.as_ptr().addr() % align, 0, "{backing} {len} {align}");
                let mut bytes = map.into_bytes();
                assert!(
                    bytes.as_slice().iter().all(|byte| *byte == 0),
                    "{backing} {len} {align}"
                );
                bytes.as_mut_slice()[len - 1] = 0xA5;
                assert_eq!(bytes.as_slice()[len - 1], 0xA5);
            }
        }
    }
}

#[test]
fn what_was_written_through_one_view_is_seen_through_the_other() {
    let map = Mapping::new(Request::new(20, Backing::Base)).unwrap();
    let words = map.into_words();
    assert_eq!(words.words().len(), 2, "20 bytes hold two whole words");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    words.words()[1].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let bytes = words.into_mapping().into_bytes();
    assert_eq!(bytes.as_slice()[8..16], 2000_u64.to_ne_bytes());
}

#[test]
fn a_proof_tells_what_smaps_has_for_just_this_mapping() {
    let len = 4 * PMD_PAGE_BYTES;
    // Neighbours of the same kind, which the kernel would join with ours if it could.
    let mut neighbours = Vec::new();
    for backing in Backing::ALL {
        let Some(map) = map(Request::new(len, backing)) else {
            continue;
        };
        let proof = map.proof().unwrap();
        assert_eq!((proof.asked, proof.got), (backing, map.got()));
        assert_eq!(proof.bytes_total, map.mapped_bytes() as u64, "{backing}");
        assert_eq!(
            proof.resident_bytes, proof.bytes_total,
            "{backing}: populated, and nothing else"
        );
        match map.got() {
            Backing::Base => assert_eq!(proof.bytes_huge, 0),
            Backing::Thp | Backing::Hugetlb2M | Backing::Hugetlb1G => {
                assert_eq!(proof.bytes_huge, proof.bytes_total, "{backing}");
                if let Some(ranges) = proof.contiguous_2m_ranges {
                    assert_eq!(ranges, proof.bytes_total / PMD_PAGE_BYTES as u64);
                }
            }
            _ => assert!(proof.filesystem.is_some(), "{backing}"),
        }
        let page = match map.got() {
            Backing::Hugetlb2M | Backing::Hugetlb1G => map.got().page_bytes(),
            _ => BASE_PAGE_BYTES,
        };
        assert_eq!(proof.page_size_bytes, page as u64, "{backing}");
        if proof.contiguous_2m_ranges.is_some() {
            assert_eq!(proof.source, "smaps+pagemap");
        } else {
            assert_eq!(proof.source, "smaps");
            let reason = proof.reason.expect("it says why frames are not shown");
            assert!(reason.contains("pagemap"), "{reason}");
        }
        neighbours.push(map);
        neighbours.push(Mapping::new(Request::new(len, Backing::Base)).unwrap());
    }
}

#[test]
fn an_anonymous_mapping_has_an_entry_of_its_own_between_two_guards() {
    for backing in [Backing::Base, Backing::Thp] {
        let Some(map) = map(Request::new(PMD_PAGE_BYTES, backing)) else {
            continue;
        };
        let start = map.as_ptr().addr() as u64;
        let end = start + map.mapped_bytes() as u64;
        let regions = pagemap::regions(std::process::id()).unwrap();
        let found = |what: &dyn Fn(&pagemap::Region) -> bool| regions.iter().any(what);
        assert!(found(
            &|region| (region.start, region.end) == (start, end) && region.accessible
        ));
        assert!(
            found(&|region| region.end == start && !region.accessible),
            "{backing}"
        );
        assert!(
            found(&|region| region.start == end && !region.accessible),
            "{backing}"
        );
    }
}

#[test]
fn an_unpopulated_mapping_has_nothing_resident_until_it_is_touched() {
    for backing in [Backing::Base, Backing::Tmpfs, Backing::File] {
        let map = Mapping::new(Request::new(8 * BASE_PAGE_BYTES, backing).populate(false)).unwrap();
        assert_eq!(map.proof().unwrap().resident_bytes, 0, "{backing}");
        let mut bytes = map.into_bytes();
        bytes.as_mut_slice()[5 * BASE_PAGE_BYTES] = 1;
        let resident = bytes.mapping().proof().unwrap().resident_bytes;
        assert!(resident >= BASE_PAGE_BYTES as u64, "{backing}: {resident}");
    }
}

#[test]
fn a_huge_page_is_had_where_the_kernel_offers_them_and_has_memory() {
    let offered = pool::thp_mode("enabled").is_some_and(|mode| mode != "never");
    let free = pool::memory_available_bytes().is_some_and(|bytes| bytes > 2 << 30);
    let proof = Mapping::new(Request::new(1, Backing::Thp)).and_then(|map| map.proof());
    match proof {
        Ok(proof) => assert_eq!(proof.bytes_huge, PMD_PAGE_BYTES as u64),
        Err(error) => assert!(!offered || !free, "{error}"),
    }
}

#[test]
fn auto_says_what_it_took_and_why() {
    let map = Mapping::new(Request::new(PMD_PAGE_BYTES, Backing::Auto)).unwrap();
    let reason = map.reason().expect("auto gives its reason").to_owned();
    assert!(
        reason.starts_with(&format!("auto took {}", map.got())),
        "{reason}"
    );
    let free = HugetlbPool::read(PMD_PAGE_BYTES).map_or(0, |pool| pool.available());
    if free == 0 {
        assert!(
            reason.contains("hugetlb-2m: 1 page(s) wanted, 0 free"),
            "{reason}"
        );
    }
    assert!(map.proof().unwrap().reason.unwrap().contains(&reason));
}

#[test]
fn hugetlb_beyond_the_pool_is_an_error_with_the_command_that_helps() {
    let Some(pool) = HugetlbPool::read(PMD_PAGE_BYTES) else {
        return;
    };
    // More than any pool of this machine: nothing is taken from it.
    let pages = pool.total as usize + (64 << 10);
    let error = Mapping::new(Request::new(pages * PMD_PAGE_BYTES, Backing::Hugetlb2M)).unwrap_err();
    let Error::HugetlbUnavailable {
        size_bytes,
        wanted,
        reserve,
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((size_bytes, wanted), (PMD_PAGE_BYTES, pages as u64));
    assert!(reserve >= wanted);
    let help =
        format!("echo {reserve} | sudo tee /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    assert!(error.to_string().contains(&help), "{error}");
}

#[test]
fn more_than_the_machine_has_is_out_of_memory_and_not_a_kill() {
    for backing in [Backing::Base, Backing::Thp, Backing::Tmpfs, Backing::Auto] {
        let error = Mapping::new(Request::new(1 << 50, backing)).unwrap_err();
        assert!(
            matches!(error, Error::OutOfMemory { len, .. } if len == 1 << 50),
            "{backing}: {error}"
        );
        assert!(error.to_string().contains(&(1_u64 << 50).to_string()));
    }
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    for (len, align) in [
        (0, 4096),
        (1, 0),
        (1, 2048),
        (1, 12288),
        (usize::MAX, 4096),
        (1, 1 << 63),
    ] {
        let error = Mapping::new(Request::new(len, Backing::Base).align(align)).unwrap_err();
        assert!(
            matches!(error, Error::BadRequest { .. }),
            "{len} {align}: {error}"
        );
    }
}

#[test]
fn a_file_mapping_leaves_no_file_behind_and_names_a_folder_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let map = Mapping::new(Request::new(1 << 20, Backing::File).dir(dir.path())).unwrap();
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the file has no name"
    );
    drop(map);
    let gone = dir.path().join("gone");
    let error = Mapping::new(Request::new(1, Backing::File).dir(&gone)).unwrap_err();
    assert!(
        matches!(&error, Error::File { path, .. } if *path == gone),
        "{error}"
    );
}

#[test]
fn names_are_read_back_and_unknown_ones_list_the_known() {
    for backing in Backing::ALL {
        assert_eq!(backing.name().parse(), Ok(backing));
    }
    let error = "huge".parse::<Backing>().unwrap_err().to_string();
    for backing in Backing::ALL {
        assert!(error.contains(backing.name()), "{error}");
    }
}

#[test]
fn locking_beyond_the_limit_names_the_limit() {
    let map = Mapping::new(Request::new(64 << 20, Backing::Base).populate(false)).unwrap();
    match map.lock() {
        // Root, or no limit.
        Ok(()) => assert_eq!(map.proof().unwrap().resident_bytes, 64 << 20),
        Err(Error::MemlockLimit { len, limit }) => {
            assert_eq!(len, 64 << 20);
            assert!(limit < 64 << 20);
        }
        Err(error) => panic!("{error}"),
    }
}
