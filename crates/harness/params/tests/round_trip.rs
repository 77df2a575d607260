//! A parameter survives being printed, parsed, written and read.

use params::{Param, Params};
use proptest::prelude::*;

/// Texts of every sort, those that look like numbers above all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        "[+-]?0*[0-9]{1,21}",
        "[a-z0-9-]{0,12}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn a_text_is_printed_as_it_was(text in text()) {
        let param = Param::from(text.as_str());
        prop_assert_eq!(param.to_string(), text.as_str());
        prop_assert_eq!(&Param::from(text), &param);
    }

    #[test]
    fn a_number_is_read_back_as_the_number(number: u64) {
        prop_assert_eq!(Param::from(number.to_string()), Param::Number(number));
    }

    #[test]
    fn json_keeps_what_it_is_given(given in proptest::collection::btree_map("[a-z_]{1,9}", text(), 0..6)) {
        let params: Params = given.into_iter().map(|(name, text)| (name, Param::from(text))).collect();
        let line = serde_json::to_string(&params).unwrap();
        prop_assert_eq!(serde_json::from_str::<Params>(&line).unwrap(), params);
    }
}

#[test]
fn a_quoted_number_is_that_number() {
    let read = |json: &str| serde_json::from_str::<Param>(json);
    assert_eq!(read("9").unwrap(), read("\"9\"").unwrap());
    assert_eq!(read("\"09\"").unwrap(), Param::Text("09".to_owned()));
    for bad in ["-1", "1.5", "true", "null", "[1]"] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
