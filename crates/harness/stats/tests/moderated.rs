//! Coverage of the moderated intervals, on simulated machines with the noise of real ones.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use stats::{Moderated, Prior, RowValues, Verdict, judge_together};

/// Round noise of three committed runs of `bench-results/epyc-vm` and `epyc-vm-l2-1m`: the logarithm of a
/// round over the median of its process, in per cent, at the quantiles 0, 2.5, 5, … 100 %
/// (the ends at 0.1 and 99.9 %), over all designs but `null` on one thread in processes
/// of 25 rounds or more.
///
/// 2026-11-24-0057e49, 57,272 rounds: a quiet machine.
const QUIET: [f64; 41] = [
    -20.86, -3.43, -2.24, -1.88, -1.68, -1.51, -1.37, -1.21, -1.02, -0.79, -0.60, -0.46, -0.36,
    -0.29, -0.23, -0.18, -0.13, -0.09, -0.05, -0.02, 0.00, 0.00, 0.04, 0.10, 0.16, 0.22, 0.30,
    0.38, 0.47, 0.57, 0.70, 0.83, 0.98, 1.18, 1.43, 1.73, 2.19, 2.95, 4.30, 7.14, 52.13,
];
/// 2026-11-23-a669be1, 53,619 rounds.
const USUAL: [f64; 41] = [
    -55.85, -13.65, -7.16, -4.65, -3.47, -2.78, -2.29, -1.91, -1.62, -1.34, -1.08, -0.85, -0.67,
    -0.52, -0.39, -0.29, -0.21, -0.13, -0.07, -0.03, 0.00, 0.01, 0.12, 0.29, 0.55, 0.91, 1.34,
    1.76, 2.23, 2.79, 3.40, 4.19, 5.19, 6.47, 8.09, 10.16, 13.23, 18.73, 27.68, 41.00, 101.62,
];
/// 2026-11-24-9c1c3fc, 43,309 rounds: a machine that changed its speed.
const UNSTEADY: [f64; 41] = [
    -71.43, -39.09, -14.95, -8.78, -6.20, -4.68, -3.75, -3.16, -2.69, -2.35, -2.03, -1.75, -1.54,
    -1.30, -1.07, -0.86, -0.73, -0.53, -0.31, -0.10, 0.00, 0.01, 0.22, 0.48, 0.76, 1.03, 1.36,
    1.73, 2.12, 2.57, 3.08, 3.70, 4.44, 5.37, 6.66, 8.42, 10.99, 15.61, 25.57, 47.73, 80.73,
];

/// How processes differ from one another: memory layout, and its luck.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// Normal, with this standard deviation.
    Normal(f64),
    /// As the committed A/A pairs: four rows of five hardly differ, one differs by some
    /// per cent, by amounts of its own.
    Luck,
    /// Every row has two or three usual layouts and now and then a bad one.
    Tails(f64),
}

#[derive(Debug, Clone, Copy)]
struct Case {
    noise: &'static [f64; 41],
    layout: Layout,
    processes: usize,
    rounds: usize,
}

struct Machine {
    random: Pcg64Mcg,
    case: Case,
}

impl Machine {
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// The standard deviation of a row's processes.
    fn spread(&mut self) -> f64 {
        match self.case.layout {
            Layout::Normal(spread) | Layout::Tails(spread) => spread,
            Layout::Luck if self.random.random::<f64>() < 0.2 => {
                0.02 + 0.03 * self.random.random::<f64>()
            }
            Layout::Luck => 0.001 + 0.004 * self.random.random::<f64>(),
        }
    }

    fn effect(&mut self, spread: f64) -> f64 {
        let normal = spread * self.normal();
        match self.case.layout {
            Layout::Tails(_) if self.random.random::<f64>() < 0.1 => 3.0 * normal,
            _ => normal,
        }
    }

    fn residual(&mut self) -> f64 {
        let place = self.random.random::<f64>() * 40.0;
        let below = place as usize;
        let (low, high) = (self.case.noise[below], self.case.noise[(below + 1).min(40)]);
        (low + (high - low) * place.fract()) / 100.0
    }

    /// One design of a row: processes of rounds about `truth`.
    fn design(&mut self, truth: f64) -> Vec<Vec<f64>> {
        let spread = self.spread();
        (0..self.case.processes)
            .map(|_| {
                let level = truth * self.effect(spread).exp();
                (0..self.case.rounds)
                    .map(|_| level * self.residual().exp())
                    .collect()
            })
            .collect()
    }

    /// The estimate of a time of 1 without process effects and with as many
    /// rounds: the mean of the lowest third lies below the median, the lower the more
    /// rounds there are.
    fn centre(&mut self) -> f64 {
        let values: Vec<f64> = (0..4000)
            .map(|_| {
                let rounds: Vec<f64> = (0..self.case.rounds)
                    .map(|_| self.residual().exp())
                    .collect();
                stats::lowest_third(&rounds).unwrap()
            })
            .collect();
        stats::median(&values).unwrap()
    }
}

/// The share of rows whose interval holds the truth.
fn covered(rows: &[RowValues], truth: f64) -> f64 {
    let prior = Prior::of_rows(rows).unwrap();
    let hits = rows
        .iter()
        .filter(|row| {
            let interval = Moderated::of(row, Some(&prior)).unwrap().estimate();
            assert!(
                interval.low > 0.0 && interval.high.is_finite(),
                "{interval:?}"
            );
            interval.low <= truth && truth <= interval.high
        })
        .count();
    hits as f64 / rows.len() as f64
}

/// The rows of one run.
const ROWS: usize = 250;
/// Runs per case.
const RUNS: usize = 6;

/// The shares of ratios and of times whose interval holds the truth.
fn coverage(case: Case, seed: u64) -> [f64; 2] {
    let mut machine = Machine {
        random: Pcg64Mcg::seed_from_u64(seed),
        case,
    };
    let centre = machine.centre();
    let mut shares = [0.0; 2];
    for _ in 0..RUNS {
        let rows: Vec<_> = (0..ROWS)
            .map(|_| (machine.design(1.3), machine.design(1.0)))
            .collect();
        let ratios: Vec<_> = rows
            .iter()
            .filter_map(|(a, b)| RowValues::of_ratios(a, b))
            .collect();
        let times: Vec<_> = rows
            .iter()
            .filter_map(|(_, b)| RowValues::of_rounds(b))
            .collect();
        shares[0] += covered(&ratios, 1.3) / RUNS as f64;
        shares[1] += covered(&times, centre) / RUNS as f64;
    }
    shares
}

const LAYOUTS: [Layout; 6] = [
    Layout::Normal(0.0),
    Layout::Normal(0.005),
    Layout::Normal(0.02),
    Layout::Normal(0.05),
    Layout::Luck,
    Layout::Tails(0.01),
];

/// Asserts the coverage of every layout under one noise: of each case within what 1,500
/// rows can tell, of ratios and of times over all cases within 94 to 98 %.
fn assert_coverage(noise: &'static [f64; 41]) {
    let mut sums = [0.0; 2];
    let shapes = [(3, 34), (6, 15), (9, 20)];
    for (at, layout) in LAYOUTS.into_iter().enumerate() {
        let (processes, rounds) = shapes[at % shapes.len()];
        let case = Case {
            noise,
            layout,
            processes,
            rounds,
        };
        let shares = coverage(case, at as u64);
        assert!(
            shares.iter().all(|share| (0.93..=0.985).contains(share)),
            "{shares:?} of {layout:?}, {processes} processes of {rounds} rounds"
        );
        sums[0] += shares[0] / LAYOUTS.len() as f64;
        sums[1] += shares[1] / LAYOUTS.len() as f64;
    }
    assert!(
        sums.iter().all(|share| (0.94..=0.98).contains(share)),
        "{sums:?} of ratios and times"
    );
}

#[test]
fn intervals_cover_94_to_98_percent_on_a_quiet_machine() {
    assert_coverage(&QUIET);
}

#[test]
fn intervals_cover_94_to_98_percent_on_the_usual_machine() {
    assert_coverage(&USUAL);
}

#[test]
fn intervals_cover_94_to_98_percent_on_an_unsteady_machine() {
    assert_coverage(&UNSTEADY);
}

#[test]
fn rows_of_5_rounds_are_covered_at_least_94_times_in_100() {
    // The values of so few rounds have the tails of the rounds themselves, which the median
    // over processes bears better than a normal one would: up to 99 %. Such rows are not
    // published as times.
    for (at, noise) in [&QUIET, &USUAL, &UNSTEADY].into_iter().enumerate() {
        let case = Case {
            noise,
            layout: Layout::Normal(0.01),
            processes: 3,
            rounds: 5,
        };
        let shares = coverage(case, 100 + at as u64);
        assert!(
            shares.iter().all(|share| (0.94..=0.99).contains(share)),
            "{shares:?}"
        );
    }
}

#[test]
fn bandwidths_are_covered_94_to_98_times_in_100() {
    // Two dozen rows in a run, one reading per process: the middle of three short walks.
    let (mut share, mut sets) = (0.0, 0.0);
    for (at, noise) in [&QUIET, &USUAL, &UNSTEADY].into_iter().enumerate() {
        for (processes, layout) in [
            (3, Layout::Normal(0.01)),
            (3, Layout::Luck),
            (6, Layout::Normal(0.03)),
        ] {
            let mut machine = Machine {
                random: Pcg64Mcg::seed_from_u64(at as u64),
                case: Case {
                    noise,
                    layout,
                    processes,
                    rounds: 3,
                },
            };
            for _ in 0..40 {
                let rows: Vec<RowValues> = (0..24)
                    .filter_map(|_| {
                        let walks = machine.design(12.0);
                        let readings: Vec<f64> = walks
                            .iter()
                            .filter_map(|walks| stats::median(walks))
                            .collect();
                        RowValues::of_readings(&readings)
                    })
                    .collect();
                share += covered(&rows, 12.0);
                sets += 1.0;
            }
        }
    }
    let share = share / sets;
    assert!((0.94..=0.98).contains(&share), "{share}");
}

#[test]
fn few_rows_of_an_unchanged_design_are_claimed() {
    // One row in five scatters much more than the others, which is where a shared variance
    // would claim falsely.
    for noise in [&QUIET, &UNSTEADY] {
        let mut machine = Machine {
            random: Pcg64Mcg::seed_from_u64(23),
            case: Case {
                noise,
                layout: Layout::Luck,
                processes: 6,
                rounds: 15,
            },
        };
        let ratios: Vec<RowValues> = (0..1500)
            .filter_map(|_| RowValues::of_ratios(&machine.design(1.0), &machine.design(1.0)))
            .collect();
        let prior = Prior::of_rows(&ratios).unwrap();
        let rows: Vec<(Moderated, f64)> = ratios
            .iter()
            .filter_map(|row| Some((Moderated::of(row, Some(&prior))?, 0.0)))
            .collect();
        let claims = judge_together(&rows)
            .into_iter()
            .filter(|verdict| *verdict != Verdict::NoDifference)
            .count();
        assert!(claims <= 3, "{claims} of {} rows", rows.len());
    }
}

#[test]
fn a_change_of_5_percent_is_claimed_in_most_rows_of_6_processes() {
    let mut machine = Machine {
        random: Pcg64Mcg::seed_from_u64(29),
        case: Case {
            noise: &QUIET,
            layout: Layout::Luck,
            processes: 6,
            rounds: 20,
        },
    };
    let ratios: Vec<RowValues> = (0..400)
        .filter_map(|at| {
            let truth = if at % 2 == 0 { 1.05 } else { 1.0 };
            RowValues::of_ratios(&machine.design(truth), &machine.design(1.0))
        })
        .collect();
    let prior = Prior::of_rows(&ratios).unwrap();
    let rows: Vec<(Moderated, f64)> = ratios
        .iter()
        .filter_map(|row| Some((Moderated::of(row, Some(&prior))?, stats::MIN_ROW_FLOOR)))
        .collect();
    let verdicts = judge_together(&rows);
    let slower = |parity: usize| {
        verdicts
            .iter()
            .skip(parity)
            .step_by(2)
            .filter(|verdict| **verdict == Verdict::Slower)
            .count()
    };
    assert!(slower(0) >= 120, "{} of 200 changed rows", slower(0));
    assert!(slower(1) <= 6, "{} of 200 unchanged rows", slower(1));
}
