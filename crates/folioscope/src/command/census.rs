//! `folioscope census`: all memory of a machine, and what it costs each design.

use std::path::{Path, PathBuf};

use clap::Args;
use compare::census::{Blocks, DesignBytes, Findings, Met};
use hugemem::Backing;
use physmem::census::{self, Use};
use registry::{Contender, Param, Params, Setup};
use results::{Census, CensusHeader, CensusRow, LinesBaseline, SCHEMA_VERSION};

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::progress;

#[derive(Args, Debug)]
#[command(after_help = "\
Reads the kernel's word on every page frame (/proc/kpageflags, kpagecount, kpagecgroup), which
it shows to root only; an earlier census, such as the committed one, needs no root.
Bytes are those of the models; lines are added up from their traced loops, which
`folioscope gate` holds (bench-results/baseline/lines.jsonl).

Examples:
  sudo folioscope census                        this machine, now
  sudo folioscope census --out mine.jsonl       the same, and keep it
  folioscope census bench-results/census/build-vm.jsonl
  folioscope census mine.jsonl --plot /tmp/figures
  folioscope census mine.jsonl --json | jq 'select(.type == \"total\")'")]
pub(crate) struct CensusArgs {
    /// An earlier census; this machine's memory unless given.
    census: Option<PathBuf>,
    /// Write the new census into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "census")]
    out: Option<PathBuf>,
    /// Draw it into this folder.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Markdown rather than plain text.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// One JSON object a line: `memory` by use and order, `cost` by design, `total`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CensusArgs, output: &mut Output) -> Result<Code, Failure> {
    // Before the census, which takes a while.
    let lines = crate::run_dir::store()
        .join("baseline")
        .join(LinesBaseline::FILE);
    let traced = LinesBaseline::read(&lines)?;
    let census = match &args.census {
        Some(path) => Census::read(path)?,
        None => take()?,
    };
    if let Some(path) = &args.out {
        census.write(path)?;
    }
    let found = found(&census, &traced)?;
    if args.json {
        let lines = render::census_json(&census, &found);
        lines.iter().try_for_each(|line| output.json(line))?;
    } else {
        output.page(&render::census_page(&census, &found), args.markdown)?;
    }
    if let Some(folder) = &args.plot {
        let figure = render::census_figure(&census, &found);
        let files = draw(figure.as_slice(), folder)?;
        if !(args.json || args.markdown) {
            files
                .iter()
                .try_for_each(|file| output.line(file.display()))?;
        }
    }
    Ok(Code::Done)
}

fn draw(figures: &[render::Figure], folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    render::write_figures(figures, folder).map_err(|error| Failure::Wrong(error.to_string()))
}

/// Counts the memory of this machine.
fn take() -> Result<Census, Failure> {
    let bar = progress::bar(0);
    bar.set_message("page frames");
    let taken = census::take(&mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let taken = taken.map_err(|error| {
        Failure::Wrong(format!(
            "this machine's memory was not counted, for the kernel shows page frames to root \
             only: {error}\n  do: sudo folioscope census, or name an earlier census \
             (bench-results/census)"
        ))
    })?;
    let machine = measure::machine::environment();
    let rows: Vec<CensusRow> = taken
        .blocks
        .iter()
        .map(|((of, order), tally)| CensusRow {
            of: of.name().to_owned(),
            order: order.get(),
            blocks: tally.blocks,
            mapped: tally.mapped,
            charged: tally.charged,
        })
        .collect();
    let now = measure::machine::now_utc();
    let day = now.split('T').next().unwrap_or_default();
    Ok(Census {
        header: CensusHeader {
            schema: SCHEMA_VERSION,
            kernel: machine.kernel,
            date: day.to_owned(),
            frames: taken.frames,
            holes: taken.holes,
            torn: taken.torn,
            tells_mapped: taken.tells_mapped,
            tells_charged: taken.tells_charged,
            rows: rows.len(),
        },
        rows,
    })
}

/// Computes bytes and lines of descriptor by design.
fn found(census: &Census, traced: &LinesBaseline) -> Result<Findings, Failure> {
    let mut blocks = Vec::new();
    for row in &census.rows {
        let of = Use::named(&row.of)
            .ok_or_else(|| Failure::Usage(format!("a census of `{}`: no such use", row.of)))?;
        blocks.push((of, row));
    }
    let mut designs = Vec::new();
    for design in registry::contenders() {
        // A variant keeps the very same descriptors.
        if design.is_floor() || design.variant_of.is_some() {
            continue;
        }
        designs.extend(bytes(design, None, &blocks)?);
    }
    for (sizes, words) in SIZES {
        for design in registry::contenders()
            .iter()
            .filter(|design| !design.is_floor())
        {
            let of_sizes = bytes(design, Some(sizes), &blocks)?;
            designs.extend(of_sizes.map(|bytes| DesignBytes {
                design: words.to_owned(),
                traced: None,
                ..bytes
            }));
        }
    }
    let blocks: Vec<Blocks<'_>> = blocks
        .into_iter()
        .map(|(of, row)| Blocks {
            row,
            met: met(of),
            on_lru: matches!(of, Use::Anon | Use::File),
        })
        .collect();
    Findings::of(&blocks, &designs, traced).map_err(|error| Failure::Usage(error.to_string()))
}

/// Sizes of descriptors that no model has (`layout/footprint descriptors=`), and their name in
/// tables.
const SIZES: [(&str, &str); 2] = [
    ("memdesc-80", "80 B + word"),
    ("page-32-memdesc-80", "80 B + 32 B page"),
];

/// How operations meet memory of some use.
const fn met(of: Use) -> Met {
    match of {
        Use::Anon | Use::File | Use::Hugetlb => Met::User,
        Use::Slab | Use::PageTable | Use::Unnamed => Met::Fixed,
        Use::Free => Met::Free,
        Use::Reserved | Use::Unusable => Met::Frames,
    }
}

/// Frames of a GiB, which `layout/footprint` is about.
const GIB: f64 = (1_u64 << 18) as f64;

/// The bytes that a design spends on each row: those of a GiB of blocks of that order and kind,
/// by the design's own word. `None` for a design that does not describe memory, or has no such
/// sizes.
fn bytes(
    design: &'static Contender,
    sizes: Option<&str>,
    blocks: &[(Use, &CensusRow)],
) -> Result<Option<DesignBytes>, Failure> {
    let mut all = Vec::new();
    for (of, row) in blocks {
        let mut params = Params::new();
        let mut set = |name: &str, value: Param| params.insert(name.to_owned(), value);
        if let Some(sizes) = sizes {
            set("descriptors", sizes.into());
        }
        match of.kind() {
            Some(kind) => {
                set("mix", "uniform".into());
                set("order", u64::from(row.order).into());
                set("kind", kind.to_string().into());
            }
            None => {
                set("mix", "free".into());
            }
        }
        match of_gib(design, &params)? {
            Some(bytes) => all.push(bytes / GIB * row.frames() as f64),
            None => return Ok(None),
        }
    }
    Ok(Some(DesignBytes {
        design: design.name.to_owned(),
        traced: Some(design.name.to_owned()),
        bytes: all,
    }))
}

/// The bytes of descriptor that a design spends on a GiB.
fn of_gib(design: &Contender, params: &Params) -> Result<Option<f64>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    let entry = registry::entry("layout/footprint", design.name, &Params::new())?;
    let params = entry
        .workload
        .complete(params)
        .map_err(|error| wrong(&error))?;
    let setup = Setup {
        params,
        seed: 1,
        backing: Backing::Base,
        arena_shift: 0,
    };
    match entry.value(&setup) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(registry::SetupError::Absent(_)) => Ok(None),
        Err(error) => Err(wrong(&error)),
    }
}
