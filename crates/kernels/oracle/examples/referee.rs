//! The referee without the rest of folioscope: what `ci/kernel-check` runs.
//!
//! ```text
//! referee check SERIES... [--cases N] [--seed S] [--shard I/N] [--per-boot N] [--no-shrink]
//!                                 one kernel per core at a time
//! referee ready SERIES...         whether they can be asked: emulator, compiler, module
//! referee record SERIES...        writes bench-results/kernel/SERIES.jsonl
//! referee count SERIES [ARGS]
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use conformance::reference::evaluate;
use flat::Flat;
use folio::FolioForAll;
use headpage::HeadPage;
use oracle::check::{Campaign, Model, check};
use oracle::{Emulator, Kernel, Oracle, OracleError, Parts, Series, Store, answer_of, recorded};
use split::Split;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    match run(&command, &rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("referee: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &str, rest: &[String]) -> Result<bool, Box<dyn std::error::Error>> {
    match command {
        "check" => {
            let (series, campaign) = campaign(rest)?;
            check_all(&series, &campaign)
        }
        "ready" => {
            for name in rest {
                let oracle = open(name.parse()?)?;
                let who = oracle.identity(Parts::All)?;
                println!("{name}: {}, {}, {}", who.release, who.qemu, who.compiler);
            }
            Ok(true)
        }
        "record" => {
            for name in rest {
                let series: Series = name.parse()?;
                let record = recorded::record(&open(series)?)?;
                let path = recorded::path(Path::new("bench-results"), series);
                record.write(&path)?;
                println!(
                    "{}: {} answers, {} counts",
                    path.display(),
                    record.answers.len(),
                    record.counts.rows.len()
                );
            }
            Ok(true)
        }
        "count" => {
            let (name, args) = rest.split_first().ok_or("which series?")?;
            let start = Instant::now();
            let counts = open(name.parse()?)?.count(&args.join(" "))?;
            for row in &counts.rows {
                println!(
                    "{:28} {:2} {:24} {:4} {:8} {:8}",
                    row.primitive, row.order, row.class, row.samples, row.min, row.max
                );
            }
            for absent in &counts.absent {
                println!("{:28} -  {}", absent.primitive, absent.reason);
            }
            println!("{:.1} s", start.elapsed().as_secs_f64());
            Ok(true)
        }
        _ => Err("usage: referee check|ready|record|count SERIES...".into()),
    }
}

fn open(series: Series) -> Result<Oracle, OracleError> {
    let store = Store::found();
    Oracle::open(Kernel::fetched(&store, series)?, store, Emulator::default())
}

fn campaign(rest: &[String]) -> Result<(Vec<Series>, Campaign), Box<dyn std::error::Error>> {
    // The kernels go side by side already.
    let mut campaign = Campaign {
        at_once: 1,
        ..Campaign::default()
    };
    let mut series = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "--cases" => campaign.cases = value()?.parse()?,
            "--seed" => campaign.seed = value()?.parse()?,
            "--shard" => campaign.shard = value()?.parse()?,
            "--no-shrink" => campaign.shrink_rounds = 0,
            "--per-boot" => campaign.per_boot = value()?.parse()?,
            name => series.push(name.parse()?),
        }
    }
    Ok((series, campaign))
}

/// Campaigns side by side, one emulator per core; the first that could not be run is the error.
fn check_all(series: &[Series], campaign: &Campaign) -> Result<bool, Box<dyn std::error::Error>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || -> Result<bool, OracleError> {
        let mut clean = true;
        while let Some(&series) = series.get(next.fetch_add(1, Ordering::Relaxed)) {
            clean &= check_one(&open(series)?, campaign)?;
        }
        Ok(clean)
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(series.len()))
            .map(|_| scope.spawn(work))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a campaign does not panic"))
            .collect()
    });
    let mut clean = true;
    for outcome in outcomes {
        clean &= outcome?;
    }
    Ok(clean)
}

fn check_one(oracle: &Oracle, campaign: &Campaign) -> Result<bool, OracleError> {
    let release = &oracle.kernel().release;
    println!(
        "{release}: seed {}, shard {}/{}",
        campaign.seed, campaign.shard.index, campaign.shard.of
    );
    let models = [
        Model {
            name: "reference",
            answer: &|case| Some(evaluate(case)),
        },
        Model {
            name: "flat",
            answer: &answer_of::<Flat>,
        },
        Model {
            name: "folio",
            answer: &answer_of::<FolioForAll>,
        },
        Model {
            name: "split",
            answer: &answer_of::<Split>,
        },
        Model {
            name: "headpage",
            answer: &answer_of::<HeadPage>,
        },
    ];
    let checked = check(oracle, campaign, &models, &mut |progress| {
        println!(
            "{release}: {} of {} cases, {} mismatches",
            progress.done, progress.of, progress.mismatches
        );
    })?;
    println!(
        "{release}: {} cases ({} refused by both) in {} boots, {:.1} s: {} mismatches",
        checked.cases,
        checked.refused,
        checked.boots,
        checked.elapsed.as_secs_f64(),
        checked.mismatches.len()
    );
    for mismatch in &checked.mismatches {
        println!(
            "{release}: {} differs: {}",
            mismatch.model, mismatch.difference
        );
        println!(
            "{release}: {}",
            serde_json::to_string(&mismatch.case).expect("plain data")
        );
    }
    Ok(checked.mismatches.is_empty())
}
