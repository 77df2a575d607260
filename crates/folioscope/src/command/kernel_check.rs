//! `folioscope kernel check`: random cases in real kernels and in the models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use conformance::case::{Answer, Case};
use conformance::reference;
use oracle::NativeWitness;
use oracle::OracleError;
use oracle::campaign::{Campaign, Checked, Progress, Shard};
use oracle::check::{Model, Turn, Witness, check};
use oracle::ledger::{self, LedgerCase};
use serde::{Deserialize, Serialize};

use crate::args::CheckArgs;
use crate::failure::{Code, Failure};
use crate::kernels;
use crate::output::Output;
use crate::progress;
use crate::say::say;

/// Cases of one batch for a native kernel: enough that asking costs nothing beside answering.
const BATCH: usize = 5000;
/// Batches that shrinking one mismatch may cost natively, where no boot stands before each.
const SHRINKING: usize = 200;

/// The model that ledgers are held to: shards of theirs are no shards of a check of IO.
const SUMS: &str = "sums";

/// One kernel's part of a campaign, as JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Its release, or its name where it is native.
    kernel: String,
    /// The hash of source, patches, driver, options and compiler, where it is native.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    seed: u64,
    /// Cases of the campaign, over all shards.
    campaign: u64,
    shard: String,
    /// Who was held to the kernel's answers.
    models: Vec<String>,
    /// Whether the designs took turns, each case put to the reference and one of them.
    #[serde(default)]
    in_turn: bool,
    /// Cases that this shard asked.
    cases: u64,
    /// Cases that the kernel refused, the models agreeing.
    refused: u64,
    /// Boots, or batches of a native kernel.
    boots: u32,
    seconds: f64,
    mismatches: Vec<MismatchLine>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MismatchLine {
    model: String,
    difference: String,
    case: AskedCase,
}

/// A case of either kind; their fields tell them apart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum AskedCase {
    Io(Case),
    Ledger(LedgerCase),
}

pub(crate) fn run(args: &CheckArgs, output: &mut Output) -> Result<Code, Failure> {
    if !args.merge.is_empty() {
        let merged = merge(&args.merge)?;
        return tell(args, &merged, output);
    }
    let campaign = Campaign {
        seed: args.seed,
        cases: args.cases,
        shard: args.shard,
        ..Campaign::default()
    };
    let designs: Vec<_> = registry::held()
        .filter_map(|held| Some((held.name, held.cases()?)))
        // No kernel that is asked has such vecs.
        .filter(|(_, cases)| !cases.single_page_vecs)
        .collect();
    let of = if args.in_turn {
        designs.len() as u64
    } else {
        1
    };
    let designs: Vec<Model<'_>> = (0..)
        .zip(&designs)
        .map(|(at, (name, cases))| Model {
            name,
            answer: &cases.answer,
            turn: Turn { at: at % of, of },
        })
        .collect();
    let asked = Asked {
        designs: &designs,
        in_turn: args.in_turn,
    };
    let mut parts = Vec::new();
    if args.native.is_empty() {
        for oracle in kernels::booted(&args.kernels)? {
            parts.push(asked.of_io(&oracle, &reference::evaluate, None, &campaign)?);
        }
    } else {
        let campaign = Campaign {
            per_boot: BATCH,
            shrink_rounds: SHRINKING,
            ..campaign
        };
        for kernel in kernels::of_built(&args.native)? {
            let key = Some(kernel.key.clone());
            let witness = NativeWitness::of(kernel)?;
            parts.push(match args.ledger {
                true => of_ledgers(&witness, key, &campaign)?,
                false => {
                    let reference = |case: &Case| witness.reference(case);
                    asked.of_io(&witness, &reference, key, &campaign)?
                }
            });
        }
    }
    tell(args, &parts, output)
}

/// The models compared with the kernels' answers, beside the reference.
struct Asked<'a> {
    designs: &'a [Model<'a>],
    in_turn: bool,
}

impl Asked<'_> {
    /// Cases of IO: the kernel, the reference and the designs. No design describes a kernel
    /// whose patch changes answers: it is held to the reference alone.
    fn of_io(
        &self,
        witness: &dyn Witness,
        reference: &(dyn Fn(&Case) -> Answer + Sync),
        key: Option<String>,
        campaign: &Campaign,
    ) -> Result<Part, Failure> {
        let answer = |case: &Case| Some(reference(case));
        let mut models = vec![Model {
            name: "reference",
            answer: &answer,
            turn: Turn::ALL,
        }];
        if witness.change().is_none() {
            models.extend_from_slice(self.designs);
        }
        let checked = watched(witness, campaign, |progress| {
            check(witness, campaign, &models, progress)
        })?;
        let part = part(witness, campaign, checked, |mismatch| MismatchLine {
            model: mismatch.model,
            difference: mismatch.difference,
            case: AskedCase::Io(mismatch.case),
        });
        Ok(Part {
            key,
            models: models.iter().map(|model| model.name.to_owned()).collect(),
            in_turn: self.in_turn && models.len() > 1,
            ..part
        })
    }
}

/// Accounting and lists: the kernel and plain sums.
fn of_ledgers(
    witness: &NativeWitness,
    key: Option<String>,
    campaign: &Campaign,
) -> Result<Part, Failure> {
    let ask = |cases: &[LedgerCase]| witness.ledgers(cases);
    let checked = watched(witness, campaign, |progress| {
        ledger::check(&ask, witness.rules(), campaign, progress)
    })?;
    let part = part(witness, campaign, checked, |mismatch| MismatchLine {
        model: SUMS.to_owned(),
        difference: mismatch.difference,
        case: AskedCase::Ledger(mismatch.case),
    });
    Ok(Part {
        key,
        models: vec![SUMS.to_owned()],
        ..part
    })
}

/// Runs a campaign with a bar.
fn watched<M>(
    witness: &dyn Witness,
    campaign: &Campaign,
    run: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<Checked<M>, OracleError>,
) -> Result<Checked<M>, Failure> {
    let bar = progress::bar(campaign.shard.share(campaign.cases));
    bar.set_message(witness.release().to_owned());
    let checked = run(&mut |progress| bar.set_position(progress.done));
    bar.finish_and_clear();
    Ok(checked?)
}

/// The findings of a campaign in one kernel; the caller adds who was held to it.
fn part<M>(
    witness: &dyn Witness,
    campaign: &Campaign,
    checked: Checked<M>,
    line: impl Fn(M) -> MismatchLine,
) -> Part {
    Part {
        kernel: witness.release().to_owned(),
        key: None,
        seed: campaign.seed,
        campaign: campaign.cases,
        shard: format!("{}/{}", campaign.shard.index, campaign.shard.of),
        models: Vec::new(),
        in_turn: false,
        cases: checked.cases,
        refused: checked.refused,
        boots: checked.boots,
        seconds: checked.elapsed.as_secs_f64(),
        mismatches: checked.mismatches.into_iter().map(line).collect(),
    }
}

fn tell(args: &CheckArgs, parts: &[Part], output: &mut Output) -> Result<Code, Failure> {
    let mut differing = String::new();
    if args.markdown {
        output.line("```text")?;
    }
    for part in parts {
        if args.json {
            output.json(part)?;
        } else {
            say(part, output)?;
        }
        for mismatch in &part.mismatches {
            differing += &results::line(&mismatch.case);
        }
    }
    if args.markdown {
        output.line("```")?;
    }
    if differing.is_empty() {
        return Ok(Code::Done);
    }
    results::write_whole(&args.out, differing.as_bytes())?;
    output.finish()?;
    say!(
        "folioscope: the cases that differ are in {}",
        args.out.display()
    );
    Ok(Code::Wrong)
}

fn say(part: &Part, output: &mut Output) -> Result<(), Failure> {
    let batches = match part.key {
        Some(_) => "batches",
        None => "boots",
    };
    output.line(format_args!(
        "{}: {} cases (seed {}, shard {}, {} refused by both) in {} {batches}, {:.1} s: {} mismatches",
        part.kernel,
        part.cases,
        part.seed,
        part.shard,
        part.refused,
        part.boots,
        part.seconds,
        part.mismatches.len()
    ))?;
    for mismatch in &part.mismatches {
        output.line(format_args!(
            "  {} differs: {}",
            mismatch.model, mismatch.difference
        ))?;
    }
    Ok(())
}

/// Adds up the shards of a campaign, kernel by kernel.
fn merge(files: &[PathBuf]) -> Result<Vec<Part>, Failure> {
    let mut parts: Vec<(String, Part)> = Vec::new();
    for file in files {
        for (line, part) in results::stream(file).map_err(Failure::input)? {
            parts.push((format!("{}:{line}", file.display()), part));
        }
    }
    added_up(parts).map_err(Failure::Usage)
}

/// One part for each kernel, if its shards are those of one campaign, each there once and complete.
fn added_up(parts: Vec<(String, Part)>) -> Result<Vec<Part>, String> {
    let mut kernels: Vec<(Part, BTreeMap<u32, String>, u32)> = Vec::new();
    for (place, part) in parts {
        let shard: Shard = part
            .shard
            .parse()
            .map_err(|why| format!("{place}: field `shard`: {why}"))?;
        let due = shard.share(part.campaign);
        if part.cases != due && part.mismatches.is_empty() {
            return Err(format!(
                "{place}: field `cases`: {} of the {due} that shard {} has",
                part.cases, part.shard
            ));
        }
        let known = kernels
            .iter_mut()
            .find(|(sum, ..)| sum.kernel == part.kernel);
        let Some((sum, seen, of)) = known else {
            kernels.push((part, BTreeMap::from([(shard.index, place)]), shard.of));
            continue;
        };
        let alike = sum.key == part.key
            && sum.seed == part.seed
            && sum.campaign == part.campaign
            && sum.models == part.models
            && sum.in_turn == part.in_turn
            && *of == shard.of;
        if !alike {
            return Err(format!(
                "{place}: it is not a shard of the campaign of {}: another seed, number of cases, \
                 number of shards, build of the kernel, or other models",
                seen.values().next().map_or("", String::as_str)
            ));
        }
        if let Some(first) = seen.insert(shard.index, place.clone()) {
            return Err(format!("{place}: shard {} is in {first} too", part.shard));
        }
        sum.cases += part.cases;
        sum.refused += part.refused;
        sum.boots += part.boots;
        sum.seconds += part.seconds;
        sum.mismatches.extend(part.mismatches);
    }
    kernels
        .into_iter()
        .map(|(sum, seen, of)| {
            let missing: Vec<String> = (1..=of)
                .filter(|index| !seen.contains_key(index))
                .map(|index| format!("{index}/{of}"))
                .collect();
            if !missing.is_empty() {
                let missing = missing.join(", ");
                return Err(format!("{}: shards are missing: {missing}", sum.kernel));
            }
            Ok(Part {
                shard: "1/1".to_owned(),
                ..sum
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(index: u32, of: u32) -> Part {
        Part {
            kernel: "linux-6.12".to_owned(),
            key: Some("k".to_owned()),
            seed: 7,
            campaign: 10,
            shard: format!("{index}/{of}"),
            models: vec!["reference".to_owned()],
            in_turn: false,
            cases: Shard { index, of }.share(10),
            refused: 1,
            boots: 1,
            seconds: 0.5,
            mismatches: Vec::new(),
        }
    }

    fn sum(parts: impl IntoIterator<Item = Part>) -> Result<Vec<Part>, String> {
        let placed = |(number, part)| (format!("f:{number}"), part);
        added_up(parts.into_iter().enumerate().map(placed).collect())
    }

    #[test]
    fn shards_of_one_campaign_add_up_to_it() {
        let whole = sum((1..=3).map(|index| shard(index, 3))).unwrap();
        assert_eq!(whole.len(), 1);
        assert_eq!((whole[0].cases, whole[0].refused), (10, 3));
        assert_eq!(whole[0].shard, "1/1");
    }

    #[test]
    fn what_is_no_campaign_is_refused() {
        let doctored = |change: fn(&mut Part)| {
            let mut second = shard(2, 2);
            change(&mut second);
            sum([shard(1, 2), second]).unwrap_err()
        };
        assert!(sum([shard(1, 2)]).unwrap_err().contains("missing: 2/2"));
        assert!(doctored(|part| part.shard = "1/2".into()).contains("f:0 too"));
        assert!(doctored(|part| part.cases -= 1).contains("4 of the 5"));
        assert!(doctored(|part| part.cases = 0).contains("0 of the 5"));
        for change in [
            |part: &mut Part| part.seed += 1,
            |part: &mut Part| part.key = None,
            |part: &mut Part| part.models.clear(),
            |part: &mut Part| part.in_turn = true,
            |part: &mut Part| *part = shard(2, 3),
        ] {
            assert!(
                doctored(change).contains("not a shard of"),
                "{}",
                doctored(change)
            );
        }
        assert!(doctored(|part| part.shard = "3/2".into()).contains("field `shard`"));
    }
}
