//! `folioscope kernel build` and `kernel list`: kernels as programs of this machine.

use native::{Cache, Kernel, Plan, Progress, Source, build, carried_patches, list};
use render::Table;

use crate::args::{BuildArgs, BuiltArgs};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::progress;
use crate::say::say;

/// Builds what was asked for, one after the other: a build uses all cores.
pub(crate) fn run(args: &BuildArgs, output: &mut Output) -> Result<Code, Failure> {
    if args.list_patches {
        return print_patches(args, output);
    }
    let sources: Vec<Source> = match &args.source {
        Some(tree) => vec![Source::Tree(tree.clone())],
        None => args.versions.iter().cloned().map(Source::Series).collect(),
    };
    for source in sources {
        let plan = Plan {
            patches: args.patch.clone(),
            config: args.config.clone(),
            compiler: args.cc.clone(),
            label: args.label.clone(),
            refresh: args.refresh,
            ..Plan::new(source)
        };
        let kernel = built(&plan)?;
        if args.json {
            output.json(&kernel)?;
        } else {
            output.line(format_args!(
                "{}: {} of {}, built in {} s",
                kernel.name(),
                kernel.version,
                megabytes(&kernel),
                kernel.seconds
            ))?;
        }
    }
    if !args.json {
        output.line("measure beside it: folioscope compare --kernels")?;
    }
    Ok(Code::Done)
}

fn built(plan: &Plan) -> Result<Kernel, Failure> {
    let name = match &plan.source {
        Source::Series(series) => format!("Linux {series}"),
        Source::Tree(tree) => tree.display().to_string(),
    };
    let bar = progress::bar(0);
    let mut last = String::new();
    let kernel = build(&Cache::found(), plan, &mut |progress| {
        let step = match progress {
            Progress::Source => "the source".to_owned(),
            Progress::Waiting => "waiting for another build from this source".to_owned(),
            Progress::Tree => "unpacking and patching".to_owned(),
            Progress::Config => "configuring".to_owned(),
            Progress::Compiling(done, about) => {
                bar.set_length(about as u64);
                bar.set_position(done as u64);
                "compiling".to_owned()
            }
            Progress::Cached => "there already".to_owned(),
        };
        if step != last {
            bar.set_message(format!("{name}: {step}"));
            // A log has no bar: a line a step.
            if bar.is_hidden() {
                say!("folioscope: {name}: {step}");
            }
            last = step;
        }
    });
    bar.finish_and_clear();
    kernel.map_err(|error| Failure::Usage(error.to_string()))
}

/// Prints the patches that are known by name.
fn print_patches(args: &BuildArgs, output: &mut Output) -> Result<Code, Failure> {
    let patches = carried_patches();
    if args.json {
        patches.iter().try_for_each(|patch| output.json(patch))?;
        return Ok(Code::Done);
    }
    let mut table = Table::new(["PATCH", "KERNEL", "LINES", "WHAT IT DOES"]).right([2]);
    for patch in &patches {
        table.row([
            patch.name.to_owned(),
            patch.series.to_owned(),
            patch.lines.to_string(),
            patch.summary.to_owned(),
        ]);
    }
    match args.markdown {
        true => output.text(table.markdown())?,
        false => output.table(&table)?,
    }
    Ok(Code::Done)
}

/// Prints the kernels that are built.
pub(crate) fn print(args: &BuiltArgs, output: &mut Output) -> Result<Code, Failure> {
    let kernels = list(&Cache::found()).map_err(|error| Failure::Usage(error.to_string()))?;
    if args.json {
        for kernel in &kernels {
            output.json(kernel)?;
        }
        return Ok(Code::Done);
    }
    if kernels.is_empty() {
        output.line("no kernel is built; build one with: folioscope kernel build 6.12")?;
        return Ok(Code::Done);
    }
    let mut table = Table::new(["NAME", "VERSION", "SIZE", "BUILT IN", "COMPILER"]);
    for kernel in &kernels {
        let name = match kernel.is_current() {
            true => kernel.name(),
            // It is not measured: it may not speak as we do.
            false => format!("{} (of another driver: rebuild it)", kernel.name()),
        };
        table.row([
            name,
            kernel.version.clone(),
            megabytes(kernel),
            format!("{} s", kernel.seconds),
            kernel.compiler.clone(),
        ]);
    }
    output.table(&table)?;
    Ok(Code::Done)
}

fn megabytes(kernel: &Kernel) -> String {
    format!("{:.1} MiB", kernel.bytes as f64 / f64::from(1 << 20))
}
