//! The counted body of a loop is the timed one.

use std::fs;
use std::path::Path;

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if !path.ends_with("bodies.rs") {
            text.push_str(&fs::read_to_string(path).expect("a source file is text"));
        }
    }
}

#[test]
fn every_body_is_called_where_it_is_timed_and_where_it_is_counted() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workloads = here.join("../../workloads/src");
    let bodies = fs::read_to_string(workloads.join("bodies.rs")).expect("the bodies");
    let (mut timed, mut counted) = (String::new(), String::new());
    sources(&workloads, &mut timed);
    sources(&here.join("src/primitives"), &mut counted);
    let names: Vec<&str> = bodies
        .split("pub fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['<', '(']).next())
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let calls = |text: &str| {
            [format!("walk.{name}("), format!("{name}::<D, V>(")]
                .iter()
                .any(|call| text.contains(call))
        };
        assert!(calls(&timed), "{name} is not timed");
        assert!(calls(&counted), "{name} is not counted");
    }
}
