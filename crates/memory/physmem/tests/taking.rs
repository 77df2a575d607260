//! Captures taken from the kernel that runs the tests: as root the truth, else a clear refusal.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use hugemem::{Backing, Error};
use physmem::capture::{self, CapturedBacking, PidFilter, TakeError};
use physmem::{Capture, Kind, Layout};

/// The capture, unless this machine hides frames or lacks huge pages.
fn taken(capture: Result<Capture, TakeError>) -> Option<Capture> {
    match capture {
        Ok(capture) => Some(capture),
        Err(TakeError::Memory(error @ (Error::PfnsHidden { .. } | Error::NoProc { .. }))) => {
            let said = error.to_string();
            assert!(said.contains("/proc/"), "{said}");
            assert!(said.contains("root"), "it says what helps: {said}");
            None
        }
        Err(TakeError::Memory(
            Error::HugetlbUnavailable { .. } | Error::HugetlbUnsupported { .. },
        )) => None,
        Err(TakeError::Memory(Error::ThpUnavailable { .. })) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn own_buffers_come_out_whole_in_the_order_of_their_backing() {
    let bytes = 8 << 20;
    for backing in Backing::ALL {
        // A page of 1 GiB is not for tests to take.
        if backing == Backing::Hugetlb1G {
            continue;
        }
        let Some(capture) = taken(capture::own_buffer(backing, bytes)) else {
            continue;
        };
        let layout = Layout::from(&capture);
        assert_eq!(capture.header.bytes, bytes as u64, "{backing}");
        assert_eq!(
            (capture.header.partial, capture.header.skipped),
            (0, 0),
            "{backing}"
        );
        let CapturedBacking::Buffer(got) = capture.header.backing else {
            panic!("a buffer")
        };
        let kind = if matches!(got, Backing::Tmpfs | Backing::File) {
            Kind::File
        } else {
            Kind::Anon
        };
        assert!(layout.iter().all(|(_, found)| *found == kind), "{backing}");
        match got {
            Backing::Base => assert_eq!(layout.len(), bytes >> 12),
            Backing::Thp | Backing::Hugetlb2M => assert_eq!(layout.len(), bytes >> 21),
            _ => assert_eq!(layout.bytes(), bytes as u64),
        }
        assert_eq!(Capture::parse("own", &capture.to_text()).unwrap(), capture);
    }
}

#[test]
fn a_process_shows_anonymous_memory_and_files_apart() {
    // A process that holds still: it has answered once and waits for more.
    let mut cat = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cat.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let [all, files, anonymous] = [PidFilter::All, PidFilter::Files, PidFilter::Anonymous]
        .map(|filter| taken(capture::pid(cat.id(), filter)));
    drop(cat.stdin.take());
    cat.wait().unwrap();
    if let (Some(all), Some(files), Some(anonymous)) = (all, files, anonymous) {
        assert_eq!(all.header.backing, CapturedBacking::Process);
        assert_eq!(
            all.header.bytes,
            files.header.bytes + anonymous.header.bytes
        );
        assert!(files.extents().any(|(_, kind)| kind == Kind::File));
        // A file's private pages are anonymous once written to; the other way round is nothing.
        assert!(anonymous.extents().all(|(_, kind)| kind == Kind::Anon));
    }
    let error = capture::pid(u32::MAX, PidFilter::All)
        .unwrap_err()
        .to_string();
    assert!(error.contains("/proc/"), "{error}");
}

#[test]
fn the_page_cache_of_a_file_is_captured_in_full_and_its_name_is_not() {
    let mut file = tempfile::Builder::new()
        .prefix("secret")
        .tempfile()
        .unwrap();
    let bytes = (1 << 20) + 1;
    file.write_all(&vec![7; bytes]).unwrap();
    let Some(capture) = taken(capture::file(file.path())) else {
        return;
    };
    assert_eq!(capture.header.bytes, (bytes as u64).next_multiple_of(4096));
    assert!(capture.extents().all(|(_, kind)| kind == Kind::File));
    assert!(!capture.to_text().contains("secret"));
}

#[test]
fn a_file_that_is_not_there_or_empty_is_named() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    for path in [empty.path().to_owned(), empty.path().join("none")] {
        match capture::file(&path) {
            Err(TakeError::Memory(Error::File { path: named, .. })) => assert_eq!(named, path),
            // Without root the flags are refused first.
            other => assert!(taken(other).is_none()),
        }
    }
}
