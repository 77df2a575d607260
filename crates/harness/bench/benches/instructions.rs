//! Exact instruction counts of every timed loop, by iai-callgrind. The only file that names
//! it, so that a move to its successor is a move of one file.
//!
//! A benchmark is a family of workloads on one design, all orders together: valgrind starts
//! once for each. Counts of every single entry come from `icount::counts`, which the gate uses.

use std::process::{Command, Stdio};

/// The lock file says which version of the runner this library works with.
const LOCK: &str = include_str!("../../../../Cargo.lock");

fn main() {
    // Under valgrind iai-callgrind calls this program again to do the work.
    let working = std::env::args()
        .nth(1)
        .is_some_and(|arg| arg == "--iai-run");
    match missing() {
        Some(what) if !working => {
            println!("instructions: not counted, for {what}.");
            println!("instructions: scripts/setup installs what is needed.");
        }
        _ => counted::run(),
    }
}

/// The program that is not installed.
fn missing() -> Option<String> {
    if !starts("valgrind") {
        return Some("valgrind is not installed".to_owned());
    }
    let runner = std::env::var("IAI_CALLGRIND_RUNNER");
    let runner = runner.unwrap_or_else(|_| "iai-callgrind-runner".to_owned());
    if !starts(&runner) {
        let wanted = wanted().unwrap_or("of the library's version");
        return Some(format!("iai-callgrind-runner {wanted} is not installed"));
    }
    None
}

fn starts(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// The version of the library in the lock file.
fn wanted() -> Option<&'static str> {
    let (_, entry) = LOCK.split_once("name = \"iai-callgrind\"\nversion = \"")?;
    entry.split('"').next()
}

mod counted {
    use std::hint::black_box;

    use iai_callgrind::{
        Callgrind, EntryPoint, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group,
        main,
    };

    /// Every loop of a family once, on the design of this type. Only the loops' own functions
    /// are counted.
    fn calls(family: &str, type_name: &str) {
        let design = registry::contenders()
            .iter()
            .find(|design| design.type_name == type_name)
            .expect("the registry's lines name the types");
        let called = icount::entries::calls(
            &icount::entries::of_family(family),
            &|name| name == design.name,
            icount::entries::Watched::ByNobody,
            &mut |label| {
                black_box(label);
            },
        );
        if let Err(error) = called {
            panic!("{error}");
        }
    }

    /// A benchmark of every family for every line of the registry.
    macro_rules! families {
        ($(($kind:ident $package:ident :: $design:ident $($rest:tt)*))+) => {
            families!(@family iteration $($design)+);
            families!(@family merging $($design)+);
            families!(@family accounting $($design)+);
            families!(@family layout $($design)+);
            families!(@family code $($design)+);
        };
        (@family $family:ident $($design:ident)+) => {
            #[library_benchmark]
            #[benches::design($(stringify!($design)),+)]
            fn $family(design: &str) {
                calls(stringify!($family), design);
            }
        };
    }

    registry::lines!(families);

    library_benchmark_group!(
        name = instructions;
        benchmarks = iteration, merging, accounting, layout, code
    );

    main!(
        config = LibraryBenchmarkConfig::default()
            .tool(Callgrind::default().entry_point(EntryPoint::Custom(
                icount::entries::PATTERN.to_owned()
            )));
        library_benchmark_groups = instructions
    );

    pub(super) fn run() {
        main();
    }
}
