//! Exports: every row is there once, with the numbers of the report, and the formats are
//! those that others describe.

use crate::synthetic;

use std::collections::BTreeSet;

use compare::Summary;
use jsonschema::Validator;
use render::{Exported, bencher, csv, exported, exported_lines, github_action_benchmark};
use serde_json::{Value as Json, json};

fn rows() -> Vec<Exported> {
    exported(
        "a-machine",
        "run-1",
        &Summary::from_run(&synthetic::run(1, 0.01)),
    )
}

fn refused(schema: &Json, text: &Json) -> Vec<String> {
    let schema: Validator = jsonschema::validator_for(schema).expect("a JSON Schema");
    schema
        .iter_errors(text)
        .map(|error| error.to_string())
        .collect()
}

#[test]
fn every_value_of_the_report_is_exported_once() {
    let summary = Summary::from_run(&synthetic::run(1, 0.01));
    let rows = rows();
    let times: Vec<(String, f64)> = rows
        .iter()
        .filter(|row| row.quantity == "time" && row.design == "folio")
        .map(|row| (format!("{} {:?}", row.workload, row.params), row.value))
        .collect();
    let want: Vec<(String, f64)> = summary
        .cases()
        .filter_map(|case| {
            let time = case.time("folio")?;
            Some((format!("{} {:?}", case.workload, case.params), time.value))
        })
        .collect();
    assert!(want.len() > 50);
    assert_eq!(times, want);
    let ids: BTreeSet<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {} {:?} {}",
                row.workload, row.design, row.params, row.quantity
            )
        })
        .collect();
    assert_eq!(ids.len(), rows.len(), "an identity is there twice");
    // What went wrong or is lacking is no value.
    assert!(
        !rows
            .iter()
            .any(|row| row.workload == "merging/count-segments" && row.design == "headpage")
    );
}

#[test]
fn lines_of_json_are_what_the_schema_in_the_repository_says() {
    let schema = include_str!("../../results/schema/export-v2.schema.json");
    let schema: Json = serde_json::from_str(schema).expect("JSON");
    let text = exported_lines(&rows());
    assert_eq!(text.lines().count(), rows().len());
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).expect("JSON");
        let errors = refused(&schema, &line);
        assert!(errors.is_empty(), "{errors:?}: {line}");
    }
    // The schema is none that takes anything.
    let mut line: Json = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    line["value"] = "fast".into();
    assert!(!refused(&schema, &line).is_empty());
    line["value"] = 1.0.into();
    line["invented"] = 1.into();
    assert!(!refused(&schema, &line).is_empty());
}

#[test]
fn bencher_reads_a_value_with_its_interval_per_benchmark_and_measure() {
    // The schema that Bencher publishes, with its patterns closed.
    let metric = json!({
        "type": "object",
        "properties": {
            "value": { "type": "number" },
            "lower_value": { "type": "number" },
            "upper_value": { "type": "number" },
        },
        "required": ["value"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "additionalProperties": { "type": "object", "additionalProperties": metric },
    });
    let text: Json = serde_json::from_str(&bencher(&rows())).unwrap();
    assert!(refused(&schema, &text).is_empty());
    let count: usize = text
        .as_object()
        .unwrap()
        .values()
        .map(|b| b.as_object().unwrap().len())
        .sum();
    assert_eq!(count, rows().len(), "no measure overwrote another");
    let row = &text["accounting/stat memdesc depth=4"]["latency"];
    let number = |name: &str| row[name].as_f64().unwrap();
    assert!(number("lower_value") <= number("value") && number("value") <= number("upper_value"));
    let longest = text
        .as_object()
        .unwrap()
        .keys()
        .map(String::len)
        .max()
        .unwrap();
    assert!(longest <= 1024, "Bencher cuts names there");
}

#[test]
fn github_action_benchmark_gets_only_what_smaller_is_better_of() {
    let (text, left_out) = github_action_benchmark(&rows());
    let entries: Vec<Json> = serde_json::from_str(&text).unwrap();
    let more = rows().iter().filter(|row| !row.less_is_better).count();
    assert!(more > 0);
    assert_eq!((left_out, entries.len()), (more, rows().len() - more));
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "unit": { "type": "string" },
            "value": { "type": "number" },
            "range": { "type": "string" },
            "extra": { "type": "string" },
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": false,
    });
    let mut names = BTreeSet::new();
    for entry in &entries {
        assert!(refused(&schema, entry).is_empty(), "{entry}");
        assert!(
            names.insert(entry["name"].to_string()),
            "{entry} is there twice"
        );
    }
}

#[test]
fn csv_has_a_header_and_as_many_cells_in_every_line() {
    let mut rows = rows();
    rows[0].machine = "a, \"b\"\nc".to_owned();
    let text = csv(&rows);
    let (header, rest) = text.split_once('\n').unwrap();
    let first: Json = json!(rows[0]);
    let mut fields: Vec<&str> = first
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.retain(|field| *field != "schema");
    fields.sort_unstable();
    let mut columns: Vec<&str> = header.split(',').collect();
    columns.sort_unstable();
    assert_eq!(columns, fields);
    let rest = rest
        .strip_prefix("\"a, \"\"b\"\"\nc\",")
        .expect("the cell is quoted");
    assert_eq!(rest.lines().count(), rows.len());
    let plain = rest.lines().skip(1);
    assert!(
        plain
            .clone()
            .all(|line| line.split(',').count() == columns.len())
    );
    assert!(
        plain
            .clone()
            .any(|line| line.contains(",accounting/stat,memdesc,depth=4,time,ns/update,true,"))
    );
}
