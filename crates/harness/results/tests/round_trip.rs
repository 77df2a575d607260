//! Rows are read as they were written, and as the committed JSON Schema describes.

use crate::made;

use std::path::Path;

use jsonschema::Validator;
use proptest::prelude::*;
use results::{
    Environment, RowWriter, Tail, read_environment, read_rows, rows_from_bytes, write_environment,
};
use serde_json::Value as Json;

fn schema(text: &str) -> Validator {
    let json: Json = serde_json::from_str(text).expect("the schema file is JSON");
    jsonschema::validator_for(&json).expect("the schema file is a JSON Schema")
}

fn row_schema() -> Validator {
    schema(include_str!("../schema/row-v2.schema.json"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_row_survives_the_file_and_the_schema_describes_it(row in made::row()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("samples.jsonl");
        let mut writer = RowWriter::create(&path).unwrap();
        writer.append(&row).unwrap();
        prop_assert_eq!(read_rows(&path, Tail::Refuse).unwrap(), vec![row]);
        let text = std::fs::read_to_string(&path).unwrap();
        prop_assert_eq!(text.lines().count(), 1);
        let json: Json = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            row_schema().iter_errors(&json).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{:?}: {}", errors, text);
    }

    #[test]
    fn an_environment_survives_the_file_and_the_schema_describes_it(
        environment in made::environment()
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env.json");
        write_environment(&path, &environment).unwrap();
        prop_assert_eq!(&read_environment(&path).unwrap(), &environment);
        let json: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let schema = schema(include_str!("../schema/env-v2.schema.json"));
        prop_assert!(schema.is_valid(&json), "{:?}", schema.iter_errors(&json).next());
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = rows_from_bytes(&bytes, Path::new("x"), Tail::Refuse);
        let _ = rows_from_bytes(&bytes, Path::new("x"), Tail::Drop);
    }

    /// A sound line with one byte changed is refused or read as another sound row; what
    /// is read can be written again.
    #[test]
    fn a_damaged_line_is_never_read_into_an_unwritable_row(
        row in made::row(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut text = serde_json::to_vec(&row).unwrap();
        text.push(b'\n');
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(rows) = rows_from_bytes(&text, Path::new("x"), Tail::Drop) {
            let dir = tempfile::tempdir().unwrap();
            let mut writer = RowWriter::create(&dir.path().join("again.jsonl")).unwrap();
            for row in rows {
                writer.append(&row).unwrap();
            }
        }
    }
}

/// `split` of schema 1 is now `memdesc`: a reader of old runs takes it for no other design.
#[test]
fn a_row_of_schema_1_has_the_names_of_today() {
    let design = |schema: u32, design: &str| {
        let text = format!(
            r#"{{"type":"value","schema":{schema},"workload":"layout/footprint","family":"layout","design":"{design}","label":"","params":{{}},"axis":"","quantity":"descriptor-bytes","unit":"byte/GiB","less_is_better":true,"value":1.0,"samples":[],"memory":null,"status":"ok"}}"#
        ) + "\n";
        rows_from_bytes(text.as_bytes(), Path::new("x"), Tail::Refuse)
            .unwrap()
            .remove(0)
            .identity()
            .design
    };
    assert_eq!(design(1, "split"), "memdesc");
    assert_eq!(design(1, "folio"), "folio");
    assert_eq!(design(2, "split"), "split");
    assert_eq!(design(2, "memdesc"), "memdesc");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let sound = r#"{"type":"value","schema":1,"workload":"layout/footprint","family":"layout",
        "design":"flat","label":"","params":{},"axis":"","quantity":"descriptor-bytes",
        "unit":"byte/GiB","less_is_better":true,"value":16777216.0,"samples":[],
        "memory":null,"status":"ok"}"#
        .replace('\n', " ");
    let read =
        |text: &str| rows_from_bytes(format!("{text}\n").as_bytes(), Path::new("x"), Tail::Refuse);
    assert!(read(&sound).is_ok());
    assert!(row_schema().is_valid(&serde_json::from_str(&sound).unwrap()));
    for (from, to) in [
        ("\"schema\":1", "\"schema\":3"),
        ("\"type\":\"value\"", "\"type\":\"valve\""),
        ("16777216.0", "\"16777216\""),
        ("\"quantity\":\"descriptor-bytes\"", "\"quantity\":\"\""),
        ("\"status\":\"ok\"", "\"status\":\"fine\""),
        ("layout/footprint", "layout"),
        ("\"params\":{}", "\"params\":{\"order\":-1}"),
        ("\"samples\":[],", ""),
        ("\"memory\":null", "\"memory\":null,\"more\":1"),
    ] {
        let damaged = sound.replace(from, to);
        assert_ne!(damaged, sound, "{from} is in the line");
        assert!(read(&damaged).is_err(), "reader took {damaged}");
        let json: Json = serde_json::from_str(&damaged).unwrap();
        assert!(!row_schema().is_valid(&json), "schema took {damaged}");
    }
}

#[test]
fn an_unknown_environment_is_a_valid_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("env.json");
    write_environment(&path, &Environment::unknown()).unwrap();
    assert_eq!(read_environment(&path).unwrap(), Environment::unknown());
}

#[test]
fn time_spent_is_of_both_kinds_and_never_negative() {
    let read = serde_json::from_str::<results::Spent>;
    let spent = read(r#"{"setup_s":1.0,"sampling_s":3.0}"#).expect("sound");
    assert_eq!(spent.setup_percent(), Some(25.0));
    let none = read(r#"{"setup_s":0.0,"sampling_s":0.0}"#).expect("sound");
    assert_eq!(none.setup_percent(), None);
    for (text, why) in [
        (r#"{"setup_s":-1.0,"sampling_s":3.0}"#, "nothing takes -1 s"),
        (r#"{"setup_s":1.0}"#, "sampling_s"),
        (r#"{"setup_s":1.0,"sampling_s":3.0,"x":1}"#, "unknown field"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
