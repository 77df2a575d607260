//! Runs of valid rows with extreme contents, from the bytes of an input.

use std::path::Path;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use results::{
    Environment, Git, Memory, Param, Params, Row, Run, SCHEMA_VERSION, Sample, Status, Tail, Value,
    Yardsticks,
};

const WORKLOADS: [&str; 8] = [
    "iteration/chunks",
    "iteration/pfn-scan",
    "merging/add",
    "merging/map-sg",
    "accounting/contention",
    "layout/footprint",
    "code/size",
    "a/b",
];
const DESIGNS: [&str; 8] = [
    "flat",
    "folio",
    "memdesc",
    "null",
    "headpage-noassert",
    "linux-6.12",
    "linux-6.12+headpage",
    "x",
];
const AXES: [&str; 5] = ["order", "footprint", "depth", "io_bytes", "backing"];
const TEXTS: [&str; 12] = [
    "",
    "mem",
    "l1",
    "thp",
    "|",
    "a\tb\n",
    "<b>&\"'</b>",
    "\u{202e}x\u{0}",
    "\u{4e2d}\u{6587}",
    "```",
    "=cmd()",
    "e\u{301}\u{1f469}\u{200d}\u{1f4bb}",
];
const TIMES: [f64; 10] = [
    0.0,
    5e-324,
    1e-300,
    1e-9,
    1.0,
    1.000_000_1,
    3.5,
    1e9,
    1e300,
    f64::MAX,
];
const NUMBERS: [u64; 8] = [0, 1, 2, 9, 18, 4096, u32::MAX as u64, u64::MAX];

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let chosen = u.int_in_range(0..=15)?;
    match TEXTS.get(chosen) {
        Some(text) => Ok((*text).to_owned()),
        None if chosen == 12 => Ok(TEXTS[u.choose_index(TEXTS.len())?].repeat(300)),
        None => Ok(u.arbitrary::<&str>()?.chars().take(80).collect()),
    }
}

fn time(u: &mut Unstructured<'_>) -> Result<f64> {
    let chosen = u.int_in_range(0..=19)?;
    match TIMES.get(chosen) {
        Some(time) => Ok(*time),
        // As times are: some nanoseconds.
        None if chosen < 18 => Ok(f64::from(u.arbitrary::<u16>()?) / 100.0),
        None => Ok(u.arbitrary::<f64>()?.abs()),
    }
}

fn number(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(NUMBERS[u.choose_index(NUMBERS.len())?])
}

fn params(u: &mut Unstructured<'_>) -> Result<(Params, String)> {
    let mut params = Params::new();
    let mut axis = String::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let name = match u.ratio(1, 12)? {
            true => text(u)?,
            false => AXES[u.choose_index(AXES.len())?].to_owned(),
        };
        let value = match u.ratio(2, 3)? {
            true => Param::Number(number(u)?),
            false => Param::from(text(u)?),
        };
        if u.ratio(2, 3)? {
            axis.clone_from(&name);
        }
        params.insert(name, value);
    }
    Ok((params, axis))
}

fn status(u: &mut Unstructured<'_>) -> Result<Status> {
    Ok(match u.int_in_range(0..=15)? {
        0 => Status::Err(text(u)?),
        1 => Status::Absent(text(u)?),
        _ => Status::Ok,
    })
}

fn memory(u: &mut Unstructured<'_>) -> Result<Option<Memory>> {
    if u.ratio(1, 2)? {
        return Ok(None);
    }
    let (one, other) = (number(u)?, number(u)?);
    Ok(Some(Memory {
        asked: "auto".to_owned(),
        got: text(u)?,
        bytes_total: one.max(other),
        bytes_huge: one.min(other),
        page_size: number(u)?,
        source: "smaps".to_owned(),
        reason: text(u)?,
    }))
}

fn workload(u: &mut Unstructured<'_>) -> Result<(String, String)> {
    let id = match u.ratio(1, 12)? {
        true => format!("{}/{}", text(u)?.replace('/', "_"), text(u)?),
        false => WORKLOADS[u.choose_index(WORKLOADS.len())?].to_owned(),
    };
    let family = id.split('/').next().unwrap_or_default().to_owned();
    Ok((id, family))
}

/// The rows of one case: each design in some processes, with rounds of its own.
fn samples(u: &mut Unstructured<'_>, rows: &mut Vec<Row>) -> Result<()> {
    let (workload, family) = workload(u)?;
    let (params, axis) = params(u)?;
    let unit = text(u)?;
    let processes = u.int_in_range(1..=3)?;
    for _ in 0..u.int_in_range(1..=5)? {
        let design = match u.ratio(1, 16)? {
            true => text(u)?,
            false => DESIGNS[u.choose_index(DESIGNS.len())?].to_owned(),
        };
        let label = if u.ratio(1, 5)? { Sample::CONTROL } else { "" };
        for process in 0..processes {
            let status = status(u)?;
            let count = if status.is_ok() {
                u.int_in_range(1..=6)?
            } else {
                0
            };
            let rounds: Vec<f64> = (0..count).map(|_| time(u)).collect::<Result<_>>()?;
            let walks: Vec<f64> = (0..count).map(|_| time(u)).collect::<Result<_>>()?;
            let yardsticks = u.ratio(1, 2)?.then(|| Yardsticks {
                chain_ns: walks.clone(),
                walk_ns: walks,
            });
            rows.push(Row::Sample(Sample {
                schema: SCHEMA_VERSION,
                workload: workload.clone(),
                family: family.clone(),
                design: design.clone(),
                label: label.to_owned(),
                params: params.clone(),
                axis: axis.clone(),
                process,
                unit: unit.clone(),
                elements: number(u)?.max(1),
                iters: number(u)?.max(1),
                rounds,
                checksum: "0xfeed".to_owned(),
                minor_faults: number(u)?,
                context_switches: number(u)?,
                instructions: None,
                dtlb_misses: None,
                yardsticks,
                memory: memory(u)?,
                status,
            }));
        }
    }
    Ok(())
}

fn value(u: &mut Unstructured<'_>) -> Result<Row> {
    let (workload, family) = workload(u)?;
    let (params, axis) = params(u)?;
    let sign = if u.ratio(1, 6)? { -1.0 } else { 1.0 };
    let samples = (0..u.int_in_range(0..=3)?).map(|_| time(u));
    Ok(Row::Value(Value {
        schema: SCHEMA_VERSION,
        workload,
        family,
        samples: samples.collect::<Result<_>>()?,
        design: DESIGNS[u.choose_index(DESIGNS.len())?].to_owned(),
        label: String::new(),
        params,
        axis,
        quantity: text(u)?,
        unit: text(u)?,
        less_is_better: u.arbitrary()?,
        value: sign * time(u)?,
        memory: memory(u)?,
        status: status(u)?,
    }))
}

fn rows(u: &mut Unstructured<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    while !u.is_empty() && rows.len() < 120 {
        match u.ratio(1, 4)? {
            true => rows.push(value(u)?),
            false => samples(u, &mut rows)?,
        }
    }
    Ok(rows)
}

/// An environment as a run has it.
pub fn environment() -> Environment {
    Environment {
        date_utc: "2026-11-23T01:02:03Z".to_owned(),
        git: Some(Git {
            revision: "1d0aed6c0ffee1d0aed6c0ffee1d0aed6c0ffee1".to_owned(),
            dirty: false,
        }),
        finished: true,
        ..Environment::unknown()
    }
}

/// The run of an input: those of its rows that a record may hold. `None` if none are left.
pub fn run(data: &[u8]) -> Option<Run> {
    let rows = rows(&mut Unstructured::new(data)).ok()?;
    let path = Path::new("samples.jsonl");
    let mut text = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for row in rows {
        let mut line = serde_json::to_vec(&row).ok()?;
        line.push(b'\n');
        if results::rows_from_bytes(&line, path, Tail::Refuse).is_ok()
            && seen.insert(row.identity())
        {
            text.extend(line);
        }
    }
    // As a reader gets them, not as they were made.
    let rows = results::rows_from_bytes(&text, path, Tail::Refuse).ok()?;
    (!rows.is_empty()).then(|| Run {
        dir: "run".into(),
        env: environment(),
        rows,
    })
}
