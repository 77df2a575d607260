//! The binary as a user meets it: names, exit codes, formats.

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

fn folioscope() -> Command {
    let mut command =
        Command::cargo_bin("folioscope").expect("the binary was built with the tests");
    // Fixed, so that help texts do not follow the terminal.
    command.env("COLUMNS", "100").env_remove("RUST_BACKTRACE");
    command
}

/// Exit code, standard output, standard error.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = folioscope().args(args).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn help_texts_are_as_agreed() {
    for command in [
        &[][..],
        &["compare"],
        &["claims"],
        &["post"],
        &["measure"],
        &["diff"],
        &["capture"],
        &["cases", "run"],
    ] {
        let mut args = command.to_vec();
        args.push("--help");
        let (code, help, _) = run(&args);
        assert_eq!(code, 0);
        let name = if command.is_empty() {
            "help".to_owned()
        } else {
            format!("help-{}", command.join("-"))
        };
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn unknown_names_come_with_near_matches_and_exit_2() {
    for (args, named) in [
        (
            &["list", "--workload", "iteration/segmnts"][..],
            "iteration/segments",
        ),
        (&["measure", "--design", "foilo"], "folio"),
        (&["verify", "--design", "headpag"], "headpage"),
        (&["verify", "--workload", "mergin/add"], "merging/add"),
        (
            &["compare", "--order", "99", "--workload", "merging/add"],
            "0 to 18",
        ),
        (&["measure", "--order", "0,64"], "order 64"),
        (&["verify", "--laws", "--order", "9"], "--laws"),
        (&["measure", "--backing", "hugetlb"], "hugetlb-2m"),
        (&["measre"], "measure"),
        (&["report", "/nonexistent"], "env.json"),
        (&["cases", "run", "/nonexistent"], "/nonexistent"),
    ] {
        let (code, stdout, stderr) = run(args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(
            stderr.contains(named),
            "{args:?} should name {named}: {stderr}"
        );
        assert_eq!(stdout, "", "{args:?}");
    }
}

#[test]
fn list_prints_one_object_a_line() {
    let (code, stdout, _) = run(&["list", "--json"]);
    assert_eq!(code, 0);
    let mut kinds = std::collections::BTreeSet::new();
    for line in stdout.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
        kinds.insert(object["type"].as_str().expect("a type").to_owned());
    }
    assert!(
        kinds.contains("design") && kinds.contains("workload"),
        "{kinds:?}"
    );
    let (_, table, _) = run(&["list"]);
    for word in [
        "flat",
        "folio",
        "split",
        "memdesc",
        "headpage",
        "null",
        "merging/add",
        "iteration/pfn-scan",
    ] {
        assert!(table.contains(word), "{word}");
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        // The names of a workload, a design and a backing, too.
        for name in [
            "compare",
            "backing",
            "merging/map-sg",
            "headpage",
            "hugetlb-2m",
        ] {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}

const GOOD: &str = r#"{"name":"one folio","rules":"7.1","adds":[{"pfn":4096,"order":9,"offset":0,"len":2097152}]}"#;

#[test]
fn cases_are_answered_and_the_designs_agree() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("cases.jsonl");
    let old = GOOD.replace("7.1", "5.10").replace("one folio", "old");
    let refused = r#"{"name":"bad limits","rules":"7.1","limits":{"max_segment_size":1},"adds":[{"pfn":0,"len":4096}]}"#;
    fs::write(&file, format!("{GOOD}\n\n{old}\n{refused}\n")).expect("written");
    let (code, stdout, stderr) = run(&["cases", "run", file.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let answers: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), 3, "one line each, no disagreement: {stdout}");
    assert_eq!(answers[0]["sp_segments"], 512);
    assert_eq!(answers[0]["chunks"], 1);
    assert_eq!(answers[0]["bios"][0]["segments"], 32);
    assert_eq!(
        answers[2],
        serde_json::json!({"name": "bad limits", "error": "EINVAL"})
    );
    let (code, by_design, _) = run(&[
        "cases",
        "run",
        file.to_str().expect("UTF-8"),
        "--design",
        "headpage",
    ]);
    assert_eq!(code, 0);
    assert_eq!(by_design, stdout);
}

/// The shipped file about accounting and lists: every design comes to the sums.
#[test]
fn cases_about_accounting_and_lists_are_answered() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../conformance/cases/ledger.jsonl"
    );
    let (code, sums, _) = run(&["cases", "run", file]);
    assert_eq!(code, 0, "{sums}");
    assert_eq!(sums.lines().count(), 13);
    let first = sums.lines().next().expect("a line each");
    assert!(
        first.contains(r#""counters":["g 3 0 0 0 0","g 1 0 0 0 0""#),
        "{first}"
    );
    let (code, flat, _) = run(&["cases", "run", file, "--design", "flat"]);
    assert_eq!((code, flat), (0, sums));
    let (code, phyr, _) = run(&["cases", "run", file, "--design", "phyr"]);
    assert_eq!(code, 2);
    assert!(phyr.contains("it has no LRU lists"), "{phyr}");
}

/// These answers depend on what vecs name: at a virtual boundary wider than a page, and in the
/// short cut for a vec within its first page. A design whose vecs name allocations is not asked.
#[test]
fn a_question_about_page_names_is_not_put_to_designs_that_name_units() {
    let input = ["6.1", "5.10", "6.12"].map(|rules| {
        format!(
            r#"{{"name":"boundary","rules":"{rules}","limits":{{"virt_boundary_mask":8191}},"adds":[{{"pfn":16384,"order":1,"len":8192}},{{"pfn":16388,"order":2,"offset":4096,"len":4096}}]}}
{{"name":"short cut","rules":"{rules}","limits":{{"max_sectors":8,"physical_block_size":4096}},"start_sector":4,"adds":[{{"pfn":16384,"order":1,"offset":4096,"len":4096}}]}}
"#
        )
    });
    let output = folioscope()
        .args(["cases", "run", "-"])
        .write_stdin(input.concat())
        .output()
        .expect("it starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout.lines().count(), 6, "no disagreement: {stdout}");
    assert_eq!(output.status.code(), Some(0), "{stdout}");
}

#[test]
fn an_answer_without_bound_is_refused_and_the_other_lines_are_answered() {
    let add = |n: u64| format!(r#"{{"pfn":{},"order":18,"len":1073741824}}"#, n << 18);
    let adds = [add(1), add(2), add(3)].join(",");
    let endless = format!(
        r#"{{"name":"endless","rules":"6.12","limits":{{"max_segment_size":1,"virt_boundary_mask":65535}},"adds":[{adds}]}}"#
    );
    let output = folioscope()
        .args(["cases", "run", "-"])
        .write_stdin(format!("{GOOD}\n{endless}\n{GOOD}\n"))
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("line 2: field `adds`: the answer can have"),
        "{stderr}"
    );
}

#[test]
fn a_bad_line_is_reported_with_its_number_and_the_others_still_run() {
    let input = format!(
        "{GOOD}\n{{\"name\":\"x\"\n{GOOD}\n{}\n",
        GOOD.replace("4096", "4097")
    );
    let output = folioscope()
        .args(["cases", "run", "-"])
        .write_stdin(input)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("line 2"), "{stderr}");
    assert!(stderr.contains("line 4: field `adds[0].pfn`"), "{stderr}");
}

#[test]
fn the_floor_answers_no_cases() {
    let output = folioscope()
        .args(["cases", "run", "-", "--design", "null"])
        .write_stdin(GOOD)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("floor"));
}

#[test]
fn times_beside_kernels_need_no_run_to_be_named() {
    let empty = TempDir::new().expect("a folder");
    let output = folioscope()
        .args(["fidelity", "--time"])
        .current_dir(empty.path())
        .output()
        .expect("it starts");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.contains("no run with a kernel in it"), "{said}");
}

/// The committed census needs no root, and its frames add up.
#[test]
fn a_census_that_was_taken_before_is_read_by_anyone() {
    let committed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../bench-results/census/build-vm.jsonl"
    );
    let (code, out, _) = run(&["census", committed, "--json"]);
    assert_eq!(code, 0);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of_type = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
    let bytes: u64 = of_type("memory")
        .filter_map(|row| row["bytes"].as_u64())
        .sum();
    let frames = of_type("census").next().expect("a header")["frames"].as_u64();
    assert_eq!(Some(bytes / 4096), frames);
    let total = |design: &str| {
        let mut totals = of_type("total");
        let total = totals.find(|total| total["design"] == design);
        total.expect("a total").clone()
    };
    // struct page is 64 bytes a frame whatever it is used for.
    assert_eq!(total("flat")["share"].as_f64(), Some(1.0 / 64.0));
    assert!(total("memdesc")["lines"]["walk"].as_f64() > Some(0.0));
    assert!(of_type("total").all(|total| total["design"] != "null"));
}
