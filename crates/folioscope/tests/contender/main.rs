//! A contender that takes part by its line alone: one that implements `Design` and nothing
//! else is verified, measured, reported, drawn and gated, and prints dashes elsewhere.
//!
//! This program is the tool with one line more. Its checks start it as `folioscope`, and so
//! do the workers and the counted processes that it starts itself; hence no test harness of
//! the standard library, which would answer in its place.

mod small;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use compare::gate::{Findings, Invariant, Limits, Outcome};
use mm::Capability;
use results::{Loop, LoopCount, Params, Row, Run, SAMPLES_FILE, Status, Tail};
use tempfile::TempDir;

registry::contenders! {
    (model small::Small: Linux6_12 [describe],
        drawn 'd' YELLOW Down Solid,
        order-invariant &["layout/lookup", "layout/compose"])
}

/// Set where this program is the tool.
const TOOL: &str = "FOLIOSCOPE_TEST_IS_THE_TOOL";

/// The maximum number of lines of a contender that implements `Design` only.
const MAX_LINES: usize = 80;

const CHECKS: [(&str, fn()); 5] = [
    ("a_small_contender_is_small", is_small),
    ("it_is_in_every_list", is_listed),
    ("it_is_verified", is_verified),
    (
        "it_is_measured_reported_and_drawn",
        is_measured_reported_and_drawn,
    ),
    ("it_is_gated", is_gated),
];

fn main() -> ExitCode {
    registry::also(CONTENDERS, HELD).expect("nothing has asked for the list yet");
    if std::env::var_os(TOOL).is_some() {
        return folioscope::run(std::env::args_os());
    }
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    for (name, check) in CHECKS {
        if filters.is_empty() || filters.iter().any(|filter| name.contains(&**filter)) {
            check();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// Runs the tool: its exit code, standard output and standard error.
fn tool(args: &[&str]) -> (i32, String, String) {
    let own = std::env::current_exe().expect("this program is a file");
    let output = Command::new(own)
        .args(args)
        .env(TOOL, "yes")
        .env("FOLIOSCOPE_ALLOW_DEBUG", "true")
        .env("FOLIOSCOPE_CASES", "20")
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(output.stdout), text(output.stderr))
}

/// The same where it must succeed.
fn succeeds(args: &[&str]) -> String {
    let (code, stdout, stderr) = tool(args);
    assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
    stdout
}

fn is_small() {
    let lines = include_str!("small.rs").lines().count();
    assert!(lines <= MAX_LINES, "{lines} lines");
}

fn is_listed() {
    let small = registry::contender("small").expect("it is registered");
    assert!(
        registry::is_followed("<small::Small as mm::Design>::alloc"),
        "no panic escapes"
    );
    let laws = registry::held()
        .find(|held| held.name == "small")
        .expect("it is held to laws");
    let all = conformance::laws::describe::<small::Small>();
    assert!(
        laws.laws()
            .map(|law| law.name)
            .eq(all.iter().map(|law| law.name))
    );
    for planned in registry::plan(false) {
        assert!(
            planned.designs.contains(&small.name) != planned.params.contains_key("rules"),
            "{}",
            planned.workload.id
        );
    }
    let error = registry::also(CONTENDERS, HELD).expect_err("the list has been asked for");
    assert_eq!(error, registry::AlsoError::Late);
}

fn is_verified() {
    let stdout = succeeds(&[
        "verify",
        "--quick",
        "--json",
        "--design",
        "small",
        "--workload",
        "layout",
        "--workload",
        "iteration/chunks",
        "--workload",
        "accounting/charge",
    ]);
    let lines: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &serde_json::Value| line["design"] == "small")
        .collect();
    let of = |what: &str, status: &str| {
        let wanted = |line: &&serde_json::Value| line["what"] == what && line["status"] == status;
        let names = lines
            .iter()
            .filter(wanted)
            .map(|line| line["name"].as_str());
        names
            .map(|name| name.expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    let laws = conformance::laws::describe::<small::Small>().map(|law| law.to_string());
    assert_eq!(of("law", "ok"), laws);
    assert!(
        of("workload", "ok")
            .iter()
            .all(|name| name.starts_with("layout/")),
        "{stdout}"
    );
    assert!(of("workload", "ok").len() >= 3, "{stdout}");
    let absent = of("workload", "absent");
    assert!(
        absent
            .iter()
            .any(|name| name.starts_with("iteration/chunks")),
        "{stdout}"
    );
    assert!(
        absent
            .iter()
            .any(|name| name.starts_with("accounting/charge")),
        "{stdout}"
    );
    assert_eq!(
        laws.len() + of("workload", "ok").len() + absent.len(),
        lines.len(),
        "{stdout}"
    );
}

fn is_measured_reported_and_drawn() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("run");
    let out = path.to_str().expect("UTF-8");
    succeeds(&[
        "measure",
        "--quick",
        "--design",
        "small",
        "--backing",
        "base",
        "--processes",
        "2",
        "--budget",
        "60",
        "--out",
        out,
        "--workload",
        "layout",
        "--workload",
        "iteration/chunks",
    ]);
    assert!(path.join(SAMPLES_FILE).exists());
    let run = Run::load(&path, Tail::Refuse).expect("a sound record");
    let mut answered = 0;
    for row in &run.rows {
        let (workload, design, status) = match row {
            Row::Sample(row) => (&row.workload, &row.design, &row.status),
            Row::Value(row) => (&row.workload, &row.design, &row.status),
        };
        if design != "small" {
            continue;
        }
        match registry::workload(workload).expect("a workload").capability {
            Capability::Describe => {
                assert_eq!(*status, Status::Ok, "{workload}");
                answered += 1;
            }
            _ => assert!(
                matches!(status, Status::Absent(_)),
                "{workload}: {status:?}"
            ),
        }
    }
    assert!(answered >= 5, "{answered} rows");

    let screen = succeeds(&["report", out]);
    assert!(
        screen.contains("  small"),
        "new, so on the first screen: {screen}"
    );
    let report = succeeds(&["report", out, "--full"]);
    let heads = report
        .lines()
        .filter(|line| line.contains("flat") && line.contains("small"));
    assert!(heads.count() >= 2, "no column of its own: {report}");
    succeeds(&["plot", out]);
    drawn(&path);
}

/// Figures show the contender in a look that no other has.
fn drawn(run: &Path) {
    let plots = std::fs::read_dir(run.join("plots")).expect("figures");
    let svgs: Vec<String> = plots
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "svg"))
        .map(|path| std::fs::read_to_string(path).expect("an SVG is text"))
        .collect();
    let look = registry::contender("small").expect("it is registered").look;
    let (red, green, blue) = look.colour;
    let hex = format!("#{red:02X}{green:02X}{blue:02X}");
    assert!(
        svgs.iter().any(|svg| svg.to_uppercase().contains(&hex)),
        "nothing is drawn in {hex}"
    );
}

/// Counts of a workload at two orders.
fn counts(workload: &str, orders: [u64; 2]) -> Vec<LoopCount> {
    let count = |(order, instructions): (u64, u64)| LoopCount {
        of: Loop {
            workload: workload.to_owned(),
            design: "small".to_owned(),
            rules: "6.12".to_owned(),
            params: Params::from([("order".to_owned(), order.into())]),
        },
        instructions,
        limit: None,
        functions: [("entry".to_owned(), instructions)].into(),
    };
    [0, 9].into_iter().zip(orders).map(count).collect()
}

fn is_gated() {
    let small = registry::contender("small").expect("it is registered");
    let invariant = [Invariant {
        design: small.name,
        workloads: small.order_invariant,
    }];
    for (orders, outcome) in [([100, 104], Outcome::Within), ([100, 600], Outcome::Beyond)] {
        let mut now = counts("layout/lookup", orders);
        now.extend(counts("layout/compose", [9, 9]));
        let findings = Findings::of(&now, &now, Limits::default(), &invariant, &|_| true);
        assert_eq!(findings.outcome(), outcome);
    }
    let valgrind = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !valgrind.is_ok_and(|status| status.success()) {
        eprintln!("the tool's own gate passed over: no valgrind (scripts/setup)");
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("base.json");
    let baseline = path.to_str().expect("UTF-8");
    let gate = |more: &[&str]| {
        tool(
            &[
                &[
                    "gate",
                    "--no-lines",
                    "--baseline",
                    baseline,
                    "--workload",
                    "layout/compose",
                ],
                more,
            ]
            .concat(),
        )
    };
    assert_eq!(gate(&["--bless"]).0, 0);
    let blessed = std::fs::read_to_string(&path).expect("a baseline");
    assert!(
        blessed.contains("\"design\":\"small\""),
        "its loops are counted"
    );
    // Composing 512 pages costs more than composing one: its line claims otherwise, and the
    // gate holds it to that whatever the baseline says.
    let (code, stdout, stderr) = gate(&[]);
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert!(stdout.contains("small"), "{stdout}");
}
