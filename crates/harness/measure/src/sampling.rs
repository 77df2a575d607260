//! The clock's inside: calibration and interleaved rounds over contenders that are set up.
//!
//! A contender is a job that runs a number of calls. Everything but the calls (their
//! preparation, fault counters, checksums, shuffling) stands outside the two readings of
//! the clock.

use std::hint::black_box;
use std::time::Duration;

use hugemem::process::Faults;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use crate::clock::{CLOCK, nanoseconds};
use crate::pmu::{Counters, Counts};
use crate::yardstick::Yardstick;
use results::Yardsticks;
use workloads::Job;

/// Rounds before the first that counts. Calibration warms one contender at a time; only
/// rounds leave caches and predictors as the rounds to come will find them, with all
/// contenders' work in between.
pub(crate) const WARM_UP_ROUNDS: u32 = 2;

/// Fewer rounds than this are not a time: an interval of so few says little of the process
/// that they were made in.
pub const MIN_ROUNDS: u32 = 15;

/// How long to sample one group of contenders.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Effort {
    /// Time for all rounds of all contenders together, in nanoseconds.
    pub slice_ns: u64,
    /// The shortest sample (one contender in one round) in nanoseconds, so that the
    /// clock's step and its call do not show.
    pub min_sample_ns: u64,
    /// The longest sample, in nanoseconds, unless a single call takes longer.
    pub max_sample_ns: u64,
    /// Rounds that are made even if the slice is over.
    pub min_rounds: u32,
    /// Rounds that are enough.
    pub max_rounds: u32,
    /// Time after which no further round is begun, in nanoseconds: contenders that then
    /// have fewer than [`MIN_ROUNDS`] get an error.
    pub limit_ns: u64,
}

/// The least time that contenders may take before their rounds are cut short, whatever their
/// share.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for each of them: ten are as slow as one ten times.
const PATIENCE_EACH: Duration = Duration::from_millis(500);

/// The length of the shortest sample.
pub(crate) fn min_sample(quick: bool) -> Duration {
    Duration::from_micros(if quick { 50 } else { 100 })
}

impl Effort {
    /// For a number of contenders that have a `fair` share of the time, of which `slice` is left.
    pub(crate) fn of(quick: bool, slice: Duration, fair: Duration, contenders: usize) -> Self {
        let each = PATIENCE_EACH.saturating_mul(u32::try_from(contenders).unwrap_or(u32::MAX));
        let (max_sample_ns, max_rounds) = match quick {
            true => (1_000_000, MIN_ROUNDS),
            false => (5_000_000, 41),
        };
        Self {
            slice_ns: nanoseconds(slice),
            min_sample_ns: nanoseconds(min_sample(quick)),
            max_sample_ns,
            min_rounds: MIN_ROUNDS,
            max_rounds,
            limit_ns: nanoseconds(fair.saturating_mul(4).max(PATIENCE).max(each)),
        }
    }

    /// The length of a sample that lets `contenders` have the most rounds in the slice.
    fn sample_ns(&self, contenders: usize) -> u64 {
        let samples = contenders.max(1) as u64 * u64::from(self.max_rounds.max(1));
        (self.slice_ns / samples).clamp(
            self.min_sample_ns,
            self.max_sample_ns.max(self.min_sample_ns),
        )
    }

    /// Rounds that fit behind the warm-up if one round takes `round_ns`.
    fn rounds(&self, round_ns: u64) -> u32 {
        let fit = u32::try_from(self.slice_ns / round_ns.max(1)).unwrap_or(u32::MAX);
        fit.saturating_sub(WARM_UP_ROUNDS).clamp(
            self.min_rounds.max(1),
            self.max_rounds.max(self.min_rounds.max(1)),
        )
    }
}

/// One design that is set up and ready.
pub struct Contender<'a> {
    /// The work.
    pub job: &'a mut dyn Job,
    /// The checksum of a right answer; `None` where answers are not checked (the floor).
    pub expected: Option<u64>,
    /// Whether a call runs on several threads: then the process's faults count.
    pub threaded: bool,
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender")
            .field("elements", &self.job.elements())
            .finish_non_exhaustive()
    }
}

/// The rounds of one contender.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// Calls per round.
    pub iters: u64,
    /// Nanoseconds per element, one per round; empty where `error` says why.
    pub rounds: Vec<f64>,
    /// The yardsticks right before each round.
    pub yardsticks: Yardsticks,
    /// The checksum of a call.
    pub checksum: u64,
    /// Minor faults inside the clock, all rounds.
    pub minor_faults: u64,
    /// Context switches inside the clock, all rounds.
    pub context_switches: u64,
    /// Instructions per element, where a counter exists.
    pub instructions: Option<f64>,
    /// Data TLB misses per element, where a counter exists.
    pub dtlb_misses: Option<f64>,
    /// Why there is no time.
    pub error: Option<String>,
    /// Why there is no time without an error: too few rounds.
    pub thin: Option<String>,
}

/// Calibrates every contender and times them in interleaved rounds of random order.
///
/// A contender with a wrong answer gets an error and leaves the rounds; the others go on.
pub fn sample(
    contenders: &mut [Contender<'_>],
    effort: Effort,
    random: &mut Pcg64Mcg,
    counters: &mut Counters,
) -> Vec<Outcome> {
    let begun = CLOCK.now_ns();
    let mut yardstick = Yardstick::new();
    let target_ns = effort.sample_ns(contenders.len());
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(contenders.len());
    let mut round_ns = 0;
    for contender in contenders.iter_mut() {
        let (outcome, sample_ns) = calibrate(contender, target_ns);
        round_ns += sample_ns;
        outcomes.push(outcome);
    }
    let yardsticks_ns = {
        let start = CLOCK.now_ns();
        yardstick.read();
        CLOCK.now_ns() - start
    };
    let rounds = effort.rounds(round_ns + yardsticks_ns * contenders.len() as u64);
    let mut order: Vec<usize> = (0..contenders.len())
        .filter(|at| outcomes[*at].error.is_none())
        .collect();
    for _ in 0..WARM_UP_ROUNDS {
        order.shuffle(random);
        for at in &order {
            let iters = outcomes[*at].iters;
            if let Err(error) = timed(&mut contenders[*at], iters, &mut Counters::none()) {
                outcomes[*at].error = Some(error);
            }
        }
        order.retain(|at| outcomes[*at].error.is_none());
    }
    let mut totals = vec![Counts::default(); contenders.len()];
    for _ in 0..rounds {
        if CLOCK.now_ns() - begun > effort.limit_ns {
            break;
        }
        order.shuffle(random);
        for at in &order {
            round(
                &mut contenders[*at],
                &mut outcomes[*at],
                &mut totals[*at],
                counters,
                &mut yardstick,
            );
        }
        order.retain(|at| outcomes[*at].error.is_none());
    }
    let limit = Duration::from_nanos(effort.limit_ns);
    for ((contender, outcome), total) in contenders.iter().zip(&mut outcomes).zip(&totals) {
        conclude(contender, outcome, total, effort.min_rounds, limit);
    }
    outcomes
}

/// Checks one call, warms up, and finds the number of calls that fill `target_ns`. Returns
/// that and the nanoseconds that a round of it takes, preparation included.
pub(crate) fn calibrate(contender: &mut Contender<'_>, target_ns: u64) -> (Outcome, u64) {
    let mut outcome = Outcome::default();
    let first = match timed(contender, 1, &mut Counters::none()) {
        Ok(run) => run,
        Err(error) => return (failed(outcome, error), 0),
    };
    outcome.checksum = first.checksum;
    if let Some(expected) = contender.expected
        && first.checksum != expected
    {
        return (failed(outcome, wrong(first.checksum, expected)), 0);
    }
    // The second bound is for work whose preparation takes far longer than itself.
    let fills = |run_ns: u64, whole_ns: u64, iters: u64| {
        run_ns >= target_ns || whole_ns >= 20 * target_ns || iters >= 1 << 40
    };
    let mut iters: u64 = 1;
    let (mut run_ns, mut whole_ns) = (first.ns, first.ns);
    loop {
        if fills(run_ns, whole_ns, iters) {
            // A disturbance can fill the time with a call or two, and each round would then
            // consist of those: a count must fill at least half of the time in a second
            // try.
            let (again_ns, whole_again_ns) = match tried(contender, iters) {
                Ok(took) => took,
                Err(error) => return (failed(outcome, error), 0),
            };
            (run_ns, whole_ns) = (run_ns.min(again_ns), whole_ns.min(whole_again_ns));
            if fills(2 * run_ns, 2 * whole_ns, iters) {
                // The last try was the warm-up; what it took is what a round will take.
                outcome.iters = iters;
                return (outcome, whole_ns);
            }
        }
        // Aim a little above; a bad first guess (cold caches) is corrected by the next.
        let wanted = iters as f64 * target_ns as f64 * 1.1 / run_ns.max(1) as f64;
        iters = (wanted.ceil() as u64).clamp(iters + 1, iters.saturating_mul(64));
        (run_ns, whole_ns) = match tried(contender, iters) {
            Ok(took) => took,
            Err(error) => return (failed(outcome, error), 0),
        };
    }
}

/// The nanoseconds that `iters` calls take: inside the clock, and with their preparation.
fn tried(contender: &mut Contender<'_>, iters: u64) -> Result<(u64, u64), String> {
    let start = CLOCK.now_ns();
    let run = timed(contender, iters, &mut Counters::none())?;
    Ok((run.ns, CLOCK.now_ns() - start))
}

fn failed(outcome: Outcome, error: String) -> Outcome {
    Outcome {
        error: Some(error),
        ..outcome
    }
}

/// The time of some calls.
#[derive(Default)]
pub(crate) struct Run {
    pub ns: u64,
    checksum: u64,
    pub minor_faults: u64,
    context_switches: u64,
    counts: Counts,
}

/// Runs `iters` calls, the clock running during the calls only: preparation, fault counters
/// and the comparison of answers are outside.
pub(crate) fn timed(
    contender: &mut Contender<'_>,
    iters: u64,
    counters: &mut Counters,
) -> Result<Run, String> {
    let faults = if contender.threaded {
        Faults::of_process
    } else {
        Faults::of_thread
    };
    let uncounted = |error| format!("cannot count faults: {error}");
    let mut whole = Run::default();
    let mut left = iters;
    while left > 0 {
        let calls = left.min(contender.job.max_iters().max(1));
        contender.job.prepare(calls);
        let before = faults().map_err(uncounted)?;
        counters.start();
        let start = CLOCK.now_ns();
        let raw = black_box(contender.job.run(black_box(calls)));
        let here = CLOCK.now_ns() - start;
        whole.counts += counters.stop();
        whole.ns += match contender.job.outside() {
            None => here,
            Some(there) => there?.round() as u64,
        };
        let delta = faults().map_err(uncounted)?.since(before);
        // What was done elsewhere did not fault here: this thread only waited for it.
        if contender.job.outside().is_none() {
            whole.minor_faults += delta.minor;
        }
        whole.context_switches += delta.voluntary_switches + delta.involuntary_switches;
        let checksum = contender.job.checksum(raw);
        if let Some(Err(lost)) = contender.job.outside() {
            return Err(lost);
        }
        if contender
            .expected
            .is_some_and(|expected| checksum != expected)
            && left != iters
        {
            return Err(format!(
                "not repeatable: {}",
                wrong(checksum, whole.checksum)
            ));
        }
        whole.checksum = checksum;
        left -= calls;
    }
    Ok(whole)
}

fn round(
    contender: &mut Contender<'_>,
    outcome: &mut Outcome,
    total: &mut Counts,
    counters: &mut Counters,
    yardstick: &mut Yardstick,
) {
    let reading = yardstick.read();
    let run = match timed(contender, outcome.iters, counters) {
        Ok(run) => run,
        Err(error) => return outcome.error = Some(error),
    };
    if contender.expected.is_some() && run.checksum != outcome.checksum {
        let wrong = wrong(run.checksum, outcome.checksum);
        return outcome.error = Some(format!("not repeatable: {wrong}"));
    }
    outcome.minor_faults += run.minor_faults;
    outcome.context_switches += run.context_switches;
    *total += run.counts;
    let elements = outcome.iters as f64 * contender.job.elements().max(1) as f64;
    outcome.rounds.push(run.ns as f64 / elements);
    outcome.yardsticks.chain_ns.push(reading.chain_ns);
    outcome.yardsticks.walk_ns.push(reading.walk_ns);
}

/// Turns totals into figures per element, or a broken promise into an error.
fn conclude(
    contender: &Contender<'_>,
    outcome: &mut Outcome,
    totals: &Counts,
    least: u32,
    limit: Duration,
) {
    let rounds = outcome.rounds.len();
    if outcome.error.is_none() && rounds < least.min(MIN_ROUNDS) as usize {
        outcome.thin = Some(format!(
            "thin: {rounds} of at least {MIN_ROUNDS} rounds within {limit:.1?}; \
             fewer designs at once or a larger --budget give it more"
        ));
    }
    if outcome.error.is_none() && outcome.minor_faults > 0 {
        outcome.error = Some(format!(
            "{} minor page fault(s) inside the clock: its memory was not all populated before",
            outcome.minor_faults
        ));
    }
    if outcome.error.is_some() || outcome.thin.is_some() {
        outcome.rounds.clear();
        outcome.yardsticks = Yardsticks::default();
        return;
    }
    let elements = outcome.iters as f64 * contender.job.elements().max(1) as f64 * rounds as f64;
    outcome.instructions = totals.instructions.map(|count| count as f64 / elements);
    outcome.dtlb_misses = totals.dtlb_misses.map(|count| count as f64 / elements);
}

fn wrong(got: u64, expected: u64) -> String {
    format!("wrong answer: checksum {got:#x}, expected {expected:#x}")
}

#[cfg(test)]
#[path = "sampling_tests.rs"]
mod tests;
