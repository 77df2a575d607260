//! Judging of records whose truth is known.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use results::{LockstepHeader, Period, SCHEMA_VERSION};

use super::*;

fn header() -> LockstepHeader {
    LockstepHeader {
        schema: SCHEMA_VERSION,
        date_utc: "2026-11-26T01:02:03Z".to_owned(),
        elapsed_s: 1.0,
        machine: String::new(),
        kernel: String::new(),
        old: Vec::new(),
        new: Vec::new(),
        sets: 6,
        crossover: true,
        fixed_addresses: true,
        injected_percent: 0.0,
        seed: 1,
        rows: 0,
    }
}

/// A number with mean 0 and standard deviation 1.
fn normal(random: &mut Pcg64Mcg) -> f64 {
    let (a, b): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// A record of this many rows and sets. Sets scatter by `noise`; the memory of a period shifts its
/// ratios by far more and adds up to nothing; new is slower by `slower`.
fn record(rows: usize, sets: u32, noise: f64, slower: f64) -> LockstepRecord {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let mut all = Vec::new();
    for at in 0..rows {
        for set in 0..sets {
            let [new, null] = [slower.ln_1p(), 0.0].map(|log| log + noise * normal(&mut random));
            let memory = [0.05, -0.02, -0.03];
            all.push(LockstepRow {
                workload: format!("merging/add{at}"),
                design: "flat".to_owned(),
                params: Params::new(),
                unit: "page".to_owned(),
                set,
                builds: [0, 0, 0],
                memory: "tmpfs".to_owned(),
                periods: memory
                    .iter()
                    .map(|shift| Period {
                        old_ns: 2.0,
                        new: (new + shift).exp(),
                        null: (null - shift).exp(),
                        blocks: 20,
                    })
                    .collect(),
                status: Status::Ok,
            });
        }
    }
    LockstepRecord {
        header: header(),
        rows: all,
    }
}

#[test]
fn a_change_of_two_percent_is_seen_and_memory_is_no_change() {
    let judged = Lockstep::of(&record(300, 6, 0.004, 0.02));
    let seen = judged.slower_by(0.0).count();
    assert!(seen >= 295, "{seen} of 300");
    assert!(
        judged.false_alarms().count() <= 3,
        "{}",
        judged.false_alarms().count()
    );
    assert!(judged.widened < 1.3, "{}", judged.widened);
    let close = |row: &&Compared| (row.change.value - 1.02).abs() < 0.02;
    assert_eq!(judged.rows.iter().filter(close).count(), 300);
}

#[test]
fn what_a_row_can_see_it_sees_four_times_out_of_five() {
    let flat = Lockstep::of(&record(400, 6, 0.01, 0.0));
    let can_see: Vec<f64> = flat.rows.iter().map(|row| row.can_see).collect();
    let typical = median(&can_see).unwrap();
    let seen = Lockstep::of(&record(400, 6, 0.01, typical))
        .different()
        .count();
    assert!((280..=380).contains(&seen), "{seen} of 400 at {typical}");
    let blind = Lockstep::of(&record(400, 6, 0.01, typical / 4.0));
    assert!(blind.different().count() < 40);
    assert!(
        blind.blind_to(typical / 4.0).count() > 300,
        "and it says so"
    );
}

#[test]
fn false_alarms_are_as_rare_as_promised_for_one_row_and_for_many() {
    let many = Lockstep::of(&record(2000, 6, 0.01, 0.0));
    assert!(
        many.different().count() <= 10,
        "{}",
        many.different().count()
    );
    assert!(many.false_alarms().count() <= 10);
}

#[test]
fn errors_are_widened_for_null_rows_that_stray_further_than_their_sets_tell() {
    let mut record = record(200, 6, 0.001, 0.0);
    let mut random = Pcg64Mcg::seed_from_u64(3);
    // Something differs between two processes of one build, the same in all sets.
    for rows in record.rows.chunks_mut(6) {
        let (bias, other) = (0.01 * normal(&mut random), 0.01 * normal(&mut random));
        for period in rows.iter_mut().flat_map(|row| &mut row.periods) {
            period.null *= bias.exp();
            period.new *= other.exp();
        }
    }
    let judged = Lockstep::of(&record);
    assert!(judged.widened > 5.0, "{}", judged.widened);
    assert!(
        judged.different().count() <= 6,
        "{}",
        judged.different().count()
    );
}

#[test]
fn a_row_whose_old_side_differs_from_itself_is_not_judged() {
    let mut record = record(60, 6, 0.002, 0.0);
    for row in &mut record.rows[..6] {
        for period in &mut row.periods {
            period.null *= 1.3;
            period.new *= 1.3;
        }
    }
    let judged = Lockstep::of(&record);
    assert_eq!(judged.false_alarms().count(), 1);
    assert_eq!(judged.different().count(), 0);
    assert_eq!(judged.blind_to(0.5).count(), 1);
}

#[test]
fn a_wrong_set_or_too_few_are_a_failure() {
    let mut wrong = record(2, 6, 0.01, 0.0);
    wrong.rows[3].periods.clear();
    wrong.rows[3].status = Status::Err("wrong answer".to_owned());
    let judged = Lockstep::of(&wrong);
    assert_eq!((judged.rows.len(), judged.failed.len()), (1, 1));
    assert_eq!(judged.failed[0].1, "wrong answer");
    let few = Lockstep::of(&record(2, 2, 0.01, 0.0));
    assert_eq!((few.rows.len(), few.failed.len()), (0, 2));
}

#[test]
fn placements_count_and_not_their_sets() {
    // Three builds, three sets each: what differs between builds is the noise.
    let mut record = record(40, 9, 0.0005, 0.0);
    let mut random = Pcg64Mcg::seed_from_u64(5);
    for rows in record.rows.chunks_mut(9) {
        let placed = [0; 3].map(|_| 0.03 * normal(&mut random));
        for (at, row) in rows.iter_mut().enumerate() {
            row.builds = [at % 3, at % 3, (at + 1) % 3];
            for period in &mut row.periods {
                period.new *= placed[at % 3].exp();
            }
        }
    }
    let judged = Lockstep::of(&record);
    assert!(judged.rows.iter().all(|row| row.change.processes == 3));
    assert_eq!(judged.different().count(), 0);
}

#[test]
fn a_study_keeps_three_builds_a_side_apart_and_adds_up_all_null_rows() {
    let build = |crc32: &str| results::Build {
        git: None,
        rustc: "rustc".to_owned(),
        target: String::new(),
        profile: "optimised".to_owned(),
        crc32: crc32.to_owned(),
    };
    let of = |old: &[&str], new: &[&str]| {
        let mut record = record(20, 6, 0.004, 0.0);
        record.header.old = old.iter().copied().map(build).collect();
        record.header.new = new.iter().copied().map(build).collect();
        record
    };
    let records = [
        of(&["a"], &["b"]),
        of(&["b"], &["c"]),
        of(&["a", "b", "c"], &["b", "c", "a"]),
    ];
    let study = Study::of(&records);
    let lines: Vec<[usize; 3]> = study
        .lines
        .iter()
        .map(|line| [line.a_side, line.builds.len(), line.rows])
        .collect();
    assert_eq!(lines, [[1, 3, 40], [3, 3, 20]]);
    assert_eq!(study.nulls()[0], 60);
    assert_eq!((study.places.len(), study.seconds), (1, 3.0));
}
