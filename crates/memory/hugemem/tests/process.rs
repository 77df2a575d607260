//! Questions of a benchmark to its own process.

use hugemem::process::{self, Clock, Faults};
use hugemem::{BASE_PAGE_BYTES, Backing, Mapping, Request};

#[test]
fn a_thread_that_is_pinned_runs_there_and_the_others_are_left_alone() {
    let before = process::allowed_cpus().unwrap();
    assert!(!before.is_empty());
    for cpu in before.clone() {
        std::thread::spawn(move || {
            process::pin_to(cpu).unwrap();
            assert_eq!(process::allowed_cpus().unwrap(), [cpu]);
            assert_eq!(process::current_cpu(), Some(cpu));
        })
        .join()
        .unwrap();
    }
    assert_eq!(process::allowed_cpus().unwrap(), before);
    assert!(process::pin_to(1 << 20).is_err(), "no such CPU");
}

#[test]
fn faults_count_the_pages_that_are_touched_and_none_once_populated() {
    let pages = 256;
    let touch = |populate| {
        let request = Request::new(pages * BASE_PAGE_BYTES, Backing::Base).populate(populate);
        let mut bytes = Mapping::new(request).unwrap().into_bytes();
        let before = Faults::of_thread().unwrap();
        for page in bytes.as_mut_slice().chunks_mut(BASE_PAGE_BYTES) {
            page[0] = 1;
        }
        Faults::of_thread().unwrap().since(before).minor
    };
    assert!(touch(false) >= pages as u64);
    assert_eq!(touch(true), 0);
}

#[test]
fn clocks_go_forward_and_thread_time_is_not_more_than_process_time() {
    for clock in [Clock::MonotonicRaw, Clock::ThreadCpu, Clock::ProcessCpu] {
        let first = clock.now_ns();
        let second = clock.now_ns();
        assert!(first > 0 && second >= first, "{clock:?}");
        assert!(clock.resolution_ns() > 0);
    }
    let thread = Clock::ThreadCpu.now_ns();
    assert!(thread <= Clock::ProcessCpu.now_ns());
}

#[test]
fn the_peak_holds_what_was_once_resident() {
    let bytes = 32 << 20;
    let map = Mapping::new(Request::new(bytes, Backing::Base)).unwrap();
    drop(map);
    assert!(process::peak_resident_bytes().unwrap() >= bytes as u64);
}
