//! What the intervals and verdicts are worth, on simulated machines whose truth is known.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use stats::{Estimate, Verdict, drift, estimate, judge_change, ratio_estimate, run_floor};

/// A machine as we found them: each process has its own luck with memory layout, each
/// round its own noise, and now and then a round is far off.
struct Machine {
    random: Pcg64Mcg,
    between: f64,
    within: f64,
}

impl Machine {
    fn new(seed: u64, between: f64, within: f64) -> Self {
        Self {
            random: Pcg64Mcg::seed_from_u64(seed),
            between,
            within,
        }
    }

    /// A normal variate: the sum of twelve uniform ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Interleaved times of `costs.len()` designs: processes of rounds for each.
    fn run(&mut self, costs: &[f64], processes: usize, rounds: usize) -> Vec<Vec<Vec<f64>>> {
        let mut times = vec![vec![Vec::with_capacity(rounds); processes]; costs.len()];
        let mut luck = vec![0.0; costs.len()];
        for round in 0..processes * rounds {
            let process = round / rounds;
            if round % rounds == 0 {
                luck.fill_with(|| (self.between * self.normal()).exp());
            }
            // What hits the whole machine in this round hits every design.
            let shared = (self.within * self.normal()).exp();
            for (design, cost) in costs.iter().enumerate() {
                let outlier = if self.random.random::<f64>() < 0.03 {
                    1.2
                } else {
                    1.0
                };
                let own = (self.within * self.normal()).exp();
                times[design][process].push(cost * luck[design] * shared * own * outlier);
            }
        }
        times
    }
}

fn coverage(processes: usize, between: f64, within: f64, seed: u64) -> f64 {
    let mut machine = Machine::new(seed, between, within);
    let sets = 600;
    let hits = (0..sets)
        .filter(|set| {
            let times = machine.run(&[100.0], processes, 15);
            let interval = estimate(&times[0], *set).unwrap();
            // Outliers are one-sided; the median of the mixture lies a little above 100.
            interval.low <= 100.2 && 100.0 <= interval.high
        })
        .count();
    hits as f64 / sets as f64
}

#[test]
fn intervals_cover_the_truth_about_95_times_in_100() {
    let shares: Vec<(usize, f64)> = [
        (3, 0.02, 0.01),
        (3, 0.02, 0.003),
        (3, 0.01, 0.03),
        (4, 0.02, 0.01),
        (5, 0.02, 0.03),
        (5, 0.02, 0.005),
        (7, 0.02, 0.01),
        (9, 0.02, 0.01),
    ]
    .into_iter()
    .map(|(processes, between, within)| (processes, coverage(processes, between, within, 7)))
    .collect();
    assert!(shares.iter().all(|(_, share)| *share >= 0.92), "{shares:?}");
    let mean = shares.iter().map(|(_, share)| share).sum::<f64>() / shares.len() as f64;
    assert!(
        (0.94..=0.985).contains(&mean),
        "{mean} on average of {shares:?}"
    );
}

#[test]
fn one_process_still_shows_the_spread_of_its_rounds() {
    let share = coverage(1, 0.0, 0.03, 11);
    assert!((0.90..=1.0).contains(&share), "{share}");
}

#[test]
fn ratios_cancel_what_both_designs_suffer() {
    let mut machine = Machine::new(3, 0.001, 0.05);
    let times = machine.run(&[100.0, 150.0], 5, 25);
    let ratio = ratio_estimate(&times[1], &times[0], 1).unwrap();
    assert!((ratio.value - 1.5).abs() < 0.05, "{ratio:?}");
    // Rounds in lock-step but shuffled in one design: the noise does not cancel.
    let mut shuffled = times[1].clone();
    for rounds in &mut shuffled {
        rounds.rotate_left(7);
    }
    let unpaired = ratio_estimate(&shuffled, &times[0], 1).unwrap();
    assert!(
        ratio.half_width() < unpaired.half_width(),
        "{ratio:?} against {unpaired:?}"
    );
}

#[test]
fn the_same_input_and_seed_give_the_same_interval() {
    let times = Machine::new(5, 0.02, 0.02).run(&[100.0], 3, 9);
    assert_eq!(estimate(&times[0], 42), estimate(&times[0], 42));
    assert_eq!(estimate(&[], 1), None);
    assert_eq!(estimate(&[vec![], vec![]], 1), None);
    let one = estimate(&[vec![2.0]], 1).unwrap();
    assert_eq!((one.low, one.value, one.high), (2.0, 2.0, 2.0));
}

/// One run of a barometer: every row holds the reference, its control and a design.
struct Rows {
    /// Reference, control and design of each row.
    times: Vec<[Estimate; 3]>,
    /// Control and design over reference.
    ratios: Vec<[Estimate; 2]>,
    floor: f64,
}

fn rows(machine: &mut Machine, costs: &[f64], mood: f64) -> Rows {
    let mut rows = Rows {
        times: Vec::new(),
        ratios: Vec::new(),
        floor: 0.0,
    };
    for (index, cost) in costs.iter().enumerate() {
        let seed = index as u64;
        let run = machine.run(&[100.0 * mood, 100.0 * mood, cost * mood], 3, 12);
        let time = |design: usize| estimate(&run[design], seed).unwrap();
        let ratio = |design: usize| ratio_estimate(&run[design], &run[0], seed).unwrap();
        rows.times.push([time(0), time(1), time(2)]);
        rows.ratios.push([ratio(1), ratio(2)]);
    }
    let controls: Vec<Estimate> = rows.ratios.iter().map(|row| row[0]).collect();
    rows.floor = run_floor(&controls).unwrap();
    rows
}

/// Share of the designs' rows that are called different between two runs.
fn called_different(before: &Rows, after: &Rows) -> f64 {
    let quotients: Vec<f64> = before
        .times
        .iter()
        .zip(&after.times)
        .flat_map(|(a, b)| (0..3).map(move |i| b[i].value / a[i].value))
        .collect();
    let drift = Estimate::exact(drift(&quotients));
    let floor = before.floor.max(after.floor);
    let different = (0..before.times.len())
        .filter(|&row| {
            let time = after.times[row][2].over(&before.times[row][2]).unwrap();
            let time = time.over(&drift).unwrap();
            let ratio = after.ratios[row][1].over(&before.ratios[row][1]).unwrap();
            judge_change(&[time, ratio], floor) != Verdict::NoDifference
        })
        .count();
    different as f64 / before.times.len() as f64
}

#[test]
fn two_runs_of_the_same_code_agree_even_when_the_machine_has_slowed_down() {
    let mut machine = Machine::new(17, 0.02, 0.02);
    let costs = vec![80.0; 400];
    let before = rows(&mut machine, &costs, 1.0);
    let after = rows(&mut machine, &costs, 1.08);
    let share = called_different(&before, &after);
    assert!(share <= 0.02, "{share} of the rows");
}

#[test]
fn a_change_well_beyond_the_floor_is_seen() {
    let mut machine = Machine::new(19, 0.004, 0.01);
    let before = rows(&mut machine, &vec![80.0; 200], 1.0);
    // Every second row of the design is a tenth slower.
    let costs: Vec<f64> = (0..200)
        .map(|i| if i % 2 == 0 { 88.0 } else { 80.0 })
        .collect();
    let after = rows(&mut machine, &costs, 0.97);
    let share = called_different(&before, &after);
    assert!(
        (0.45..=0.52).contains(&share),
        "{share} of the rows, half of them changed"
    );
}
