//! Builds kernels and lists them: `kernel build VERSION|DIR [PATCH...]`, `kernel list`.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use native::{Cache, Plan, Progress, Source, build, list};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let cache = Cache::found();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for kernel in list(&cache)? {
                println!(
                    "{:28} {} KiB, {} s, {}",
                    kernel.name(),
                    kernel.bytes >> 10,
                    kernel.seconds,
                    kernel.compiler
                );
            }
        }
        ["build", what, ref patches @ ..] => {
            let source = if what.contains('/') {
                Source::Tree(PathBuf::from(what))
            } else {
                Source::Series(what.to_owned())
            };
            let plan = Plan {
                patches: patches.iter().map(PathBuf::from).collect(),
                ..Plan::new(source)
            };
            let mut last = None;
            let kernel = build(&cache, &plan, &mut |progress| {
                let step = match progress {
                    Progress::Compiling(done, _) if done % 50 != 0 => return,
                    other => format!("{other:?}"),
                };
                if last.as_ref() != Some(&step) {
                    eprintln!("{step}");
                    last = Some(step);
                }
            })?;
            println!("{} in {}", kernel.name(), kernel.program.display());
        }
        _ => return Err("usage: kernel build VERSION|DIR [PATCH...] | kernel list".into()),
    }
    Ok(())
}
