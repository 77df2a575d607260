//! Refusals of the reader, and files that the writer leaves.

use std::fs;
use std::path::Path;

use jsonl::{
    At, Error, Reader, Tail, document, line, lines, read_list, stream, write_list, write_whole,
};
use serde_json::{Value, json};

const AT: fn(&Path) -> At<'_> = |path| At { path, line: 7 };

#[test]
fn an_object_is_refused_with_its_place() {
    let path = Path::new("x.jsonl");
    for (text, told) in [
        (
            r#"{"a":1,"a":2}"#,
            "x.jsonl:7: field `.`: duplicate key `a`",
        ),
        (
            r#"{"p":{"a":1,"a":1}}"#,
            "x.jsonl:7: field `p`: duplicate key `a`",
        ),
        (
            r#"{"p":[0,{"a":1,"a":1}]}"#,
            "x.jsonl:7: field `p[1]`: duplicate key `a`",
        ),
        (
            r#"{"a":1}}]x"#,
            "x.jsonl:7: field `.`: no JSON at column 8: trailing",
        ),
        (
            r#"{"a":1} {"a":1}"#,
            "x.jsonl:7: field `.`: no JSON at column 9: trailing",
        ),
        (r#"{"a":1e999}"#, "x.jsonl:7: field `.`: no JSON"),
        ("[1]", "x.jsonl:7: field `.`: is not a JSON object"),
        ("", "x.jsonl:7: field `.`: no JSON"),
        ("{\"a\":\n\n1,}", "x.jsonl:9: field `.`: no JSON"),
    ] {
        let error = AT(path)
            .object(text.as_bytes(), None)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(told), "{text}: {error}");
    }
    let deep = "[".repeat(100_000);
    assert!(AT(path).object(deep.as_bytes(), None).is_err());
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(17 << 20));
    let error = AT(path).object(long.as_bytes(), None).unwrap_err();
    assert!(error.to_string().contains("longer than"));
}

#[test]
fn the_schema_is_looked_at_before_anything_else() {
    let path = Path::new("x");
    let schema = |text: &str| AT(path).object(text.as_bytes(), Some(2)).map(drop);
    assert!(schema(r#"{"schema":1}"#).is_ok() && schema(r#"{"schema":2}"#).is_ok());
    assert!(matches!(
        schema(r#"{"schema":3,"new":0}"#),
        Err(Error::Newer {
            found: 3,
            known: 2,
            line: 7,
            ..
        })
    ));
    for text in [
        r#"{"schema":0}"#,
        r#"{"schema":-1}"#,
        r#"{"schema":"1"}"#,
        "{}",
    ] {
        let error = schema(text).unwrap_err().to_string();
        assert!(error.contains("field `schema`"), "{error}");
    }
}

#[test]
fn numbers_keep_their_last_bit() {
    let path = Path::new("x");
    for number in [0.1 + 0.2, f64::MIN_POSITIVE, 1e300, -0.0, 317.986_233_836] {
        let row = json!({ "a": number });
        let back = AT(path)
            .object(line(&row).trim_end().as_bytes(), None)
            .unwrap();
        assert_eq!(back, row);
    }
    let row = json!({"a": u64::MAX, "b": i64::MIN, "c": "\u{1f980}", "d": [null, true]});
    assert_eq!(AT(path).object(line(&row).as_bytes(), None).unwrap(), row);
}

#[test]
fn a_record_has_exactly_the_rows_that_it_announces() {
    let path = Path::new("x");
    let text = line(&json!({"schema": 1, "rows": 2})) + &lines([json!({"n": 1}), json!({"n": 2})]);
    let read = |text: &str, rows: usize| -> Result<Vec<Value>, Error> {
        let mut reader = Reader::new(path, text.as_bytes(), Tail::Refuse)?;
        let _: Value = reader.header(1)?;
        let rows = reader.rows(rows, "rows", |_| Ok(()))?;
        reader.end()?;
        Ok(rows)
    };
    assert_eq!(read(&text, 2).unwrap().len(), 2);
    let told = |text: &str, rows| read(text, rows).unwrap_err().to_string();
    assert!(told(&text, 3).starts_with("x:3: field `.`: the record ends after 2 of 3 rows"));
    assert!(told(&text, 1).starts_with("x:3: field `.`: one line more"));
    assert!(told("", 0).starts_with("x:1: field `.`: is empty"));
    assert!(told(&text[..text.len() - 1], 2).starts_with("x:3: the last line is cut off"));
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let error = document::<Value>(Path::new("/dev/zero"), None).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero: not a regular file");
}

#[test]
fn a_failed_write_keeps_the_old_contents_and_leaves_no_litter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.txt");
    write_whole(&path, "old").unwrap();
    write_whole(&path, "new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    // A directory in the way: the rename fails after the temporary file was written.
    let blocked = folder.path().join("plots");
    fs::create_dir(&blocked).unwrap();
    fs::write(blocked.join("a.svg"), b"figure").unwrap();
    let error = write_whole(&blocked, "x").unwrap_err();
    assert!(error.to_string().contains("plots"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_list_reads_as_it_was_written_and_one_without_its_header_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.jsonl");
    let rows = vec![json!({"a": 1}), json!({"a": 2})];
    write_list(&path, 2, &rows).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"schema\":2,\"rows\":2}\n{\"a\":1}\n{\"a\":2}\n"
    );
    assert_eq!(read_list::<Value>(&path, 2).unwrap(), rows);
    for (text, told) in [
        (lines(&rows), "list.jsonl:1: field `schema`: is missing"),
        ("{\"schema\":3,\"rows\":0}\n".to_owned(), "newer than 2"),
        (
            "{\"schema\":2,\"rows\":2}\n{\"a\":1}\n".to_owned(),
            "ends after 1 of 2 rows",
        ),
        (
            "{\"schema\":2,\"rows\":0}\n{\"a\":1}\n".to_owned(),
            "list.jsonl:2: field `.`: one line more",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let error = read_list::<Value>(&path, 2).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_stream_needs_no_header_and_is_as_strict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printed.jsonl");
    fs::write(&path, "{\"a\":1}\n{\"a\":2}\n").unwrap();
    let rows = stream::<Value>(&path).unwrap();
    assert_eq!(rows, [(1, json!({"a": 1})), (2, json!({"a": 2}))]);
    for (text, told) in [
        ("", "printed.jsonl:1: field `.`: is empty"),
        (
            "{\"a\":1}\n{\"a\":2}",
            "printed.jsonl:2: the last line is cut off",
        ),
        ("{\"a\":1,\"a\":2}\n", "duplicate key `a`"),
    ] {
        fs::write(&path, text).unwrap();
        let error = stream::<Value>(&path).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
