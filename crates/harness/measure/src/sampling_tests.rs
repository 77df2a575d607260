//! Sampling: interleaving, answers and faults, with jobs made for it.

use std::cell::Cell;
use std::rc::Rc;

use hugemem::{Backing, Mapping, Request};
use rand::SeedableRng;
use workloads::{LinearRead, MemoryOf};

use super::*;

const EFFORT: Effort = Effort {
    slice_ns: 2_000_000,
    min_sample_ns: 20_000,
    max_sample_ns: 100_000,
    min_rounds: 4,
    max_rounds: 8,
    limit_ns: u64::MAX,
};

/// A closure as a job: 2 elements, as many calls at once as one likes.
struct Closure<F> {
    run: F,
    max_iters: u64,
    prepared: u64,
    /// Nanoseconds of the last run, where it is done elsewhere.
    outside: Option<Rc<Cell<f64>>>,
}

impl<F: FnMut(u64) -> u64> Job for Closure<F> {
    fn max_iters(&self) -> u64 {
        self.max_iters
    }
    fn prepare(&mut self, iters: u64) {
        self.prepared = iters;
    }
    fn run(&mut self, iters: u64) -> u64 {
        assert_eq!(self.prepared, iters, "prepared for as many calls as run");
        assert!(iters <= self.max_iters);
        self.prepared = 0;
        (self.run)(iters)
    }
    fn checksum(&mut self, raw: u64) -> u64 {
        raw
    }
    fn elements(&self) -> u64 {
        2
    }
    fn bytes_touched(&self) -> Option<u64> {
        None
    }
    fn memory(&self) -> Vec<MemoryOf<'_>> {
        Vec::new()
    }
    fn read_linearly(&mut self, _: u64) -> Option<LinearRead> {
        None
    }
    fn outside(&self) -> Option<workloads::Outside> {
        Some(Ok(self.outside.as_ref()?.get()))
    }
}

fn job<F: FnMut(u64) -> u64>(run: F) -> Closure<F> {
    Closure {
        run,
        max_iters: u64::MAX,
        prepared: 0,
        outside: None,
    }
}

fn contender(job: &mut dyn Job, expected: Option<u64>) -> Contender<'_> {
    Contender {
        job,
        expected,
        threaded: false,
    }
}

fn work(iters: u64) -> u64 {
    for i in 0..iters {
        black_box(i);
    }
    7
}

fn run(contenders: &mut [Contender<'_>]) -> Vec<Outcome> {
    sample(
        contenders,
        EFFORT,
        &mut Pcg64Mcg::seed_from_u64(1),
        &mut Counters::none(),
    )
}

#[test]
fn equal_numbers_of_rounds_and_a_sample_long_enough() {
    let (mut a, mut b) = (job(work), job(|iters| work(iters * 3)));
    let outcomes = run(&mut [contender(&mut a, Some(7)), contender(&mut b, Some(7))]);
    assert_eq!(outcomes[0].rounds.len(), outcomes[1].rounds.len());
    assert!(outcomes[0].rounds.len() >= 4 && outcomes[0].rounds.len() <= 8);
    for outcome in &outcomes {
        assert_eq!(outcome.error, None);
        assert!(
            outcome.iters > 100,
            "{} calls cannot fill 20 µs",
            outcome.iters
        );
    }
}

#[test]
fn a_disturbed_first_call_does_not_make_a_sample_of_one_call() {
    let (mut runs, took) = (0, Rc::new(Cell::new(0.0)));
    let mut job = Closure {
        outside: Some(Rc::clone(&took)),
        ..job(|iters| {
            runs += 1;
            // 10 ns a call, but for the first.
            took.set(if runs == 1 { 1e7 } else { 10.0 * iters as f64 });
            7
        })
    };
    let outcomes = run(&mut [contender(&mut job, Some(7))]);
    let least = EFFORT.min_sample_ns / 10;
    assert!(outcomes[0].iters >= least, "{} calls", outcomes[0].iters);
    assert_eq!(outcomes[0].error, None);
}

#[test]
fn a_wrong_answer_is_an_error_and_never_a_time() {
    let (mut good, mut bad) = (job(work), job(|iters| work(iters) + 1));
    let outcomes = run(&mut [contender(&mut good, Some(7)), contender(&mut bad, Some(7))]);
    assert_eq!(outcomes[0].error, None);
    assert!(outcomes[1].rounds.is_empty());
    assert!(
        outcomes[1]
            .error
            .as_deref()
            .unwrap()
            .contains("checksum 0x8, expected 0x7")
    );
}

#[test]
fn an_answer_that_changes_between_rounds_is_an_error() {
    let mut calls = 0;
    let mut fickle = job(|iters| {
        calls += 1;
        work(iters) + u64::from(calls > 40)
    });
    let effort = Effort {
        min_rounds: 50,
        max_rounds: 50,
        ..EFFORT
    };
    let mut contenders = [contender(&mut fickle, Some(7))];
    let outcomes = sample(
        &mut contenders,
        effort,
        &mut Pcg64Mcg::seed_from_u64(1),
        &mut Counters::none(),
    );
    assert!(outcomes[0].rounds.is_empty());
    assert!(
        outcomes[0]
            .error
            .as_deref()
            .unwrap()
            .starts_with("not repeatable")
    );
}

#[test]
fn the_floor_is_not_checked() {
    let mut floor = job(|iters| work(iters) + 5);
    let outcomes = run(&mut [contender(&mut floor, None)]);
    assert_eq!(outcomes[0].error, None);
    assert!(!outcomes[0].rounds.is_empty());
}

#[test]
fn page_faults_inside_the_clock_are_an_error_that_names_them() {
    // Fresh memory for every call: its pages are touched inside the clock.
    let mut faulty = job(|iters: u64| {
        for _ in 0..iters {
            let request = Request::new(64 << 10, Backing::Base).populate(false);
            Mapping::new(request)
                .unwrap()
                .into_bytes()
                .as_mut_slice()
                .fill(1);
        }
        7
    });
    let outcomes = run(&mut [contender(&mut faulty, Some(7))]);
    assert!(outcomes[0].minor_faults > 0);
    assert!(outcomes[0].rounds.is_empty());
    assert!(
        outcomes[0]
            .error
            .as_deref()
            .unwrap()
            .contains("minor page fault")
    );
}

#[test]
fn the_order_within_rounds_changes() {
    let log = std::cell::RefCell::new(Vec::new());
    let mut first = job(|iters| {
        log.borrow_mut().push('a');
        work(iters)
    });
    let mut second = job(|iters| {
        log.borrow_mut().push('b');
        work(iters)
    });
    let effort = Effort {
        min_rounds: 40,
        max_rounds: 40,
        min_sample_ns: 1,
        max_sample_ns: 1,
        ..EFFORT
    };
    let mut contenders = [
        contender(&mut first, Some(7)),
        contender(&mut second, Some(7)),
    ];
    sample(
        &mut contenders,
        effort,
        &mut Pcg64Mcg::seed_from_u64(1),
        &mut Counters::none(),
    );
    let log = log.into_inner();
    let rounds = &log[log.len() - 80..];
    let leads = rounds.chunks(2).filter(|round| round[0] == 'a').count();
    assert!(
        (5..35).contains(&leads),
        "`a` came first in {leads} of 40 rounds"
    );
    assert!(
        rounds.chunks(2).all(|round| round[0] != round[1]),
        "each once per round"
    );
}

#[test]
fn rounds_that_warm_up_are_run_and_not_counted() {
    let mut calls = 0;
    let mut counting = job(|iters| {
        calls += iters;
        work(iters)
    });
    let effort = Effort {
        min_rounds: 10,
        max_rounds: 10,
        min_sample_ns: 1,
        max_sample_ns: 1,
        ..EFFORT
    };
    let outcomes = sample(
        &mut [contender(&mut counting, Some(7))],
        effort,
        &mut Pcg64Mcg::seed_from_u64(1),
        &mut Counters::none(),
    );
    assert_eq!(outcomes[0].rounds.len(), 10);
    // A sample of a nanosecond is one call, and calibration makes two to be sure of that.
    assert_eq!(calls, 2 + u64::from(WARM_UP_ROUNDS) + 10);
}

#[test]
fn effort_prefers_rounds_then_length() {
    let effort = Effort {
        slice_ns: 100_000_000,
        min_sample_ns: 50_000,
        max_sample_ns: 2_000_000,
        min_rounds: 5,
        max_rounds: 20,
        limit_ns: u64::MAX,
    };
    assert_eq!(effort.sample_ns(5), 1_000_000);
    assert_eq!(effort.sample_ns(1), 2_000_000, "no longer than the longest");
    assert_eq!(
        effort.sample_ns(1000),
        50_000,
        "no shorter than the shortest"
    );
    assert_eq!(effort.rounds(4_000_000), 20);
    assert_eq!(effort.rounds(10_000_000), 10 - WARM_UP_ROUNDS);
    assert_eq!(
        effort.rounds(1_000_000_000),
        5,
        "never fewer than the fewest"
    );
}

#[test]
fn every_round_has_its_yardsticks() {
    let (mut a, mut wrong) = (job(work), job(|iters| work(iters) + 1));
    let outcomes = run(&mut [contender(&mut a, Some(7)), contender(&mut wrong, Some(7))]);
    let yardsticks = &outcomes[0].yardsticks;
    assert_eq!(yardsticks.chain_ns.len(), outcomes[0].rounds.len());
    assert_eq!(yardsticks.walk_ns.len(), outcomes[0].rounds.len());
    assert_eq!(outcomes[1].yardsticks, Yardsticks::default());
}

#[test]
fn too_few_rounds_are_an_error_and_never_a_time() {
    let mut calls = 0;
    let mut endless = job(|iters| {
        calls += 1;
        work(iters)
    });
    let effort = Effort {
        min_rounds: MIN_ROUNDS,
        max_rounds: 41,
        limit_ns: 0,
        ..EFFORT
    };
    let mut contenders = [contender(&mut endless, Some(7))];
    let outcomes = sample(
        &mut contenders,
        effort,
        &mut Pcg64Mcg::seed_from_u64(1),
        &mut Counters::none(),
    );
    assert!(outcomes[0].rounds.is_empty());
    assert_eq!(outcomes[0].error, None);
    let thin = outcomes[0].thin.as_deref().unwrap();
    assert!(thin.starts_with("thin: 0 of at least 15 rounds"), "{thin}");
}

#[test]
fn a_job_that_must_be_rewound_is_run_one_call_at_a_time() {
    let mut single = job(work);
    single.max_iters = 1;
    let outcomes = run(&mut [contender(&mut single, Some(7))]);
    assert_eq!(outcomes[0].error, None);
    assert!(outcomes[0].iters > 10, "many calls make one sample");
}

#[test]
fn many_contenders_may_take_longer_and_few_not_less() {
    let limit = |fair, contenders| {
        let fair = Duration::from_secs(fair);
        Effort::of(false, fair, fair, contenders).limit_ns / 1_000_000_000
    };
    assert_eq!(limit(1, 2), 5);
    assert_eq!(limit(1, 24), 12);
    assert_eq!(limit(4, 24), 16);
}
