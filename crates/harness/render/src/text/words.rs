//! Sentences about a run, shared by the mail and Markdown.

use results::Environment;

use crate::context::Context;
use crate::number::{bytes, rows, significant};
use crate::params::label;
use crate::style::{NULL, designs};
use compare::{Case, Cell, MemoryLine, Summary};
use stats::Verdict;

/// The question of every run.
pub(crate) const QUESTION: &str = "What does each way of describing physical memory cost when \
    it is walked, merged into IO and accounted?";

/// The first line.
pub(crate) fn title(summary: &Summary) -> String {
    let env = &summary.env;
    let day = env.date_utc.split('T').next().unwrap_or_default();
    let mut names = designs(summary);
    names.retain(|name| name != NULL);
    format!("folioscope {}: {} ({day})", env.tool, names.join(", "))
}

/// Warnings that come before any number: interruptions and thin evidence.
pub(crate) fn warnings(summary: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    if !summary.env.finished {
        warnings.push(
            "This run was interrupted; what follows is what it finished. --resume goes on \
             from there."
                .to_owned(),
        );
    }
    let failed = summary.failures().count();
    if failed > 0 {
        warnings.push(format!(
            "{failed} results went wrong and are shown as err, never as a time."
        ));
    }
    if summary.floor.is_none() && summary.cases().next().is_some() {
        warnings.push(
            "There is no A/A control in this run, so nothing is called faster or slower."
                .to_owned(),
        );
    }
    if (1..3).contains(&summary.fewest_processes) {
        warnings.push(format!(
            "Some intervals rest on {}: they show the spread of rounds, not that of memory \
             layouts.",
            processes(summary.fewest_processes)
        ));
    }
    if let Some(half_width) = unsteadiness(summary)
        && half_width > UNSTEADY
    {
        let ratios = if summary.fast_share.is_some() {
            ""
        } else {
            " Ratios are of what ran side by side, but nothing says that both sides ran in one \
             state of the machine."
        };
        warnings.push(format!(
            "The machine's own speed moved: half of the times of {} have an interval beyond \
             +-{:.0}%; times do not compare.{ratios}",
            summary.reference,
            half_width * 100.0
        ));
    }
    warnings.extend(state(summary));
    warnings.extend(overhead(summary));
    warnings
}

fn processes(count: usize) -> String {
    if count == 1 {
        "1 process".to_owned()
    } else {
        format!("{count} processes")
    }
}

/// The share of fast samples from which on nothing need be said.
const STEADY: f64 = 0.99;

/// The words about a machine that was slow for a while, as far as yardsticks show it.
fn state(summary: &Summary) -> Option<String> {
    let share = summary.fast_share.filter(|share| *share < STEADY)?;
    let slow = summary
        .cases()
        .flat_map(|case| case.cells.values())
        .filter(|cell| matches!(cell, Cell::Time { slow: true, .. }))
        .count();
    let rest = if slow == 0 {
        "Times and ratios are of the others, both sides in one state: ratios stand.".to_owned()
    } else {
        format!(
            "Times and ratios are of the others, both sides in one state, except for {} that \
             had too few of them: marked ~.",
            results(slow)
        )
    };
    Some(format!(
        "The machine was slow in {:.0}% of the samples, as the yardsticks beside them show. \
         {rest}",
        (1.0 - share) * 100.0
    ))
}

fn results(count: usize) -> String {
    if count == 1 {
        "1 result".to_owned()
    } else {
        format!("{count} results")
    }
}

/// The share from which on the harness is a part of what is compared.
const MUCH_HARNESS: f64 = 0.1;

/// Whether the harness takes so much of a row that its ratios lie too close to 1.
pub(crate) fn is_mostly_harness(summary: &Summary, case: &Case) -> bool {
    case.overhead(&summary.reference)
        .is_some_and(|share| share > MUCH_HARNESS)
}

fn overhead(summary: &Summary) -> Option<String> {
    let marked = summary
        .cases()
        .filter(|case| is_mostly_harness(summary, case))
        .count();
    (marked > 0).then(|| {
        format!(
            "In {marked} of {} the harness takes more than {:.0}% of the time of {}, so that \
             ratios lie closer to 1 than the work does; they are marked (h).",
            rows(summary.cases().count()),
            MUCH_HARNESS * 100.0,
            summary.reference
        )
    })
}

/// The share of slow time from which the report warns.
const UNSTEADY: f64 = 0.1;

/// Half the width of the interval of the reference's time in nanoseconds, as a part of the time:
/// the median over the rows that more than one process measured.
fn unsteadiness(summary: &Summary) -> Option<f64> {
    let times = summary
        .cases()
        .filter_map(|case| case.time(&summary.reference));
    let widths: Vec<f64> = times
        .filter(|time| time.processes > 1 && time.value > 0.0)
        .map(|time| time.half_width() / time.value)
        .collect();
    stats::median(&widths)
}

/// One sentence per design: how often it was faster or slower than the reference, and
/// where it differed most.
pub(crate) fn verdicts(summary: &Summary) -> Vec<(String, String)> {
    designs(summary)
        .into_iter()
        .filter(|design| *design != summary.reference && design != NULL)
        .map(|design| {
            let verdict = verdict(summary, &design);
            (design, verdict)
        })
        .collect()
}

fn verdict(summary: &Summary, design: &str) -> String {
    let (faster, same, slower) = summary.tally(design);
    let rows = faster + same + slower;
    if rows == 0 {
        return format!("no row can be judged against {}.", summary.reference);
    }
    let mut text = format!(
        "faster than {} in {faster} of {rows} rows, slower in {slower}, no difference seen \
         in {same}.",
        summary.reference
    );
    // Only a row that is called different is named, and by no more than is sure of it.
    let extreme = |wanted: Verdict| {
        summary
            .cases()
            .filter(|case| case.verdict(design) == Some(wanted))
            .filter_map(|case| Some((case, case.ratio(design)?.near_end())))
            .max_by(|a, b| a.1.ln().abs().total_cmp(&b.1.ln().abs()))
    };
    let parts = [
        (Verdict::Faster, "Fastest", "at most"),
        (Verdict::Slower, "Slowest", "at least"),
    ];
    for (wanted, word, bound) in parts {
        if let Some((case, ratio)) = extreme(wanted) {
            let place = label(&case.params, &[]);
            let ratio = significant(ratio, 3);
            text.push_str(&format!(
                " {word}: {bound} {ratio} x, {} {place}.",
                case.workload
            ));
        }
    }
    text
}

/// The environment as name and value.
pub(crate) fn environment(summary: &Summary) -> Vec<(&'static str, String)> {
    let env = &summary.env;
    let unknown = || "n/a".to_owned();
    let git = env.git.as_ref().map_or_else(unknown, |git| {
        let short = git.revision.get(..12).unwrap_or(&git.revision);
        format!(
            "{short}{}",
            if git.dirty { ", work tree changed" } else { "" }
        )
    });
    let caches: Vec<String> = env
        .caches
        .iter()
        .map(|cache| format!("L{} {} {}", cache.level, cache.kind, bytes(cache.bytes)))
        .collect();
    let pools: Vec<String> = env
        .hugetlb
        .iter()
        .map(|pool| {
            format!(
                "{} of {}, {} free",
                pool.total,
                bytes(pool.page_bytes),
                pool.free
            )
        })
        .collect();
    let or_none = |list: Vec<String>| {
        if list.is_empty() {
            "n/a".to_owned()
        } else {
            list.join("; ")
        }
    };
    let counters = match env.pmu {
        Some(true) => "available",
        Some(false) => "none on this machine",
        None => "n/a",
    };
    let bandwidth: Vec<String> = env
        .read_bandwidth
        .iter()
        .map(|line| {
            format!(
                "{} GB/s on {}",
                significant(line.bytes_per_s / 1e9, 3),
                line.backing
            )
        })
        .collect();
    vec![
        ("command", env.command_line()),
        ("sources", git),
        ("compiler", format!("{}, {}", env.rustc, env.target)),
        ("kernel", env.kernel.clone()),
        ("CPU", cpu(env)),
        ("caches", or_none(caches)),
        ("governor", env.governor.clone().unwrap_or_else(unknown)),
        ("THP", env.thp.clone().unwrap_or_else(unknown)),
        ("hugetlb", or_none(pools)),
        ("counters", counters.to_owned()),
        (
            "steal",
            env.steal_ticks
                .map_or_else(unknown, |ticks| format!("{ticks} ticks")),
        ),
        ("read speed", or_none(bandwidth)),
        (
            "run",
            format!(
                "{}, {:.0} s of a budget of {:.0} s{}, {} processes{}, seed {}",
                env.date_utc,
                env.elapsed_s,
                env.budget_s,
                env.spent
                    .and_then(|spent| spent.setup_percent())
                    .map_or(String::new(), |percent| format!(
                        " ({percent:.0}% of it set-up)"
                    )),
                env.processes,
                summary
                    .rounds
                    .map_or(String::new(), |(least, median)| format!(
                        " of {least} rounds or more, {median} in the median"
                    )),
                env.seed
            ),
        ),
        (
            "clock",
            format!(
                "{}, steps of {} ns",
                env.clock.source,
                significant(env.clock.resolution_ns, 3)
            ),
        ),
    ]
}

/// One sentence per kind of memory.
pub(crate) fn memory(line: &MemoryLine) -> String {
    let (least, most) = line.huge_percent;
    let share = if least == most {
        format!("{least}%")
    } else {
        format!("{least}% to {most}%")
    };
    let mut text = format!(
        "asked {}, got {} ({} pages): {share} huge according to {}, {}, mappings up to {}",
        line.asked,
        line.got,
        bytes(line.page_size),
        line.source,
        rows(line.rows),
        bytes(line.largest)
    );
    if !line.reason.is_empty() {
        text.push_str(&format!("; {}", line.reason));
    }
    text
}

/// The noise floor.
pub(crate) fn floor(summary: &Summary) -> String {
    summary.floor.map_or_else(
        || "n/a: no A/A control in this run.".to_owned(),
        |floor| {
            let threaded = summary.threaded_floor.map_or(String::new(), |floor| {
                format!(
                    ", rows on several threads at least by {:.1}%",
                    floor * 100.0
                )
            });
            format!(
                "{:.1}%: {} ran twice under two names in {} rows, and 95 of 100 pairs \
                 differ by no more. Each row is judged by its own pair, at least by \
                 {:.0}%{threaded}. Of all that is called faster or slower at most {:.0}% is \
                 expected to be neither.",
                floor * 100.0,
                summary.reference,
                summary.control_pairs,
                stats::MIN_ROW_FLOOR * 100.0,
                stats::FALSE_CLAIMS * 100.0
            )
        },
    )
}

/// Conclusions that a reader must not draw.
pub(crate) fn limits(summary: &Summary) -> Vec<String> {
    let mut limits = vec![
        "Designs are models in user space, not kernel code; see the fidelity line.".to_owned(),
        "Instruction counts by callgrind are blind to page size and caches: they judge code, \
         times judge hugepages."
            .to_owned(),
        "Footprint regimes (l1, l2, mem) are never averaged, and a mean says nothing of a \
         single row."
            .to_owned(),
        "One binary is one placement of the code in memory; another build may move a row by more \
         than its interval."
            .to_owned(),
    ];
    let synthetic = summary
        .cases()
        .filter(|case| {
            case.params
                .get("layout")
                .is_some_and(|layout| !layout.to_string().contains("capt"))
        })
        .count();
    if synthetic > 0 {
        limits.push(format!(
            "{synthetic} rows use synthetic layouts, not captured ones."
        ));
    }
    if summary.env.pmu != Some(true) {
        limits.push(
            "Without hardware counters, instructions and TLB misses are n/a here.".to_owned(),
        );
    }
    limits
}

/// How close the model is to the kernel.
pub(crate) fn fidelity(context: &Context) -> String {
    context
        .fidelity
        .clone()
        .unwrap_or_else(|| "n/a: the real kernels were not asked in this run.".to_owned())
}

/// The processor, and where on it the loops ran.
fn cpu(env: &Environment) -> String {
    let pinned = env.pinned_cpu.map_or(String::new(), |cpu| {
        format!(", loops of one thread on CPU {cpu}")
    });
    format!("{}, {} CPUs used{pinned}", env.cpu_model, env.cores)
}
