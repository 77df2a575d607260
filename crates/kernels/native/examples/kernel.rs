//! Builds kernels, lists them and puts cases to them:
//! `kernel build VERSION|DIR [PATCH...]`, `kernel list`, `kernel cases NAME < TEXT`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::Duration;

use native::{Cache, Plan, Progress, Session, Size, Source, build, list};

fn main() {
    if let Err(error) = run() {
        eprintln!("kernel: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
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
        ["cases", name] => {
            let kernel = list(&cache)?
                .into_iter()
                .find(|kernel| kernel.name() == name)
                .ok_or("no such kernel is built")?;
            let text = std::io::read_to_string(std::io::stdin())?;
            let mut session = Session::start(&kernel, Size::cases())?;
            print!("{}", session.cases(&text, Duration::from_secs(5))?);
        }
        _ => return Err("usage: kernel build VERSION|DIR [PATCH...] | list | cases NAME".into()),
    }
    Ok(())
}
