//! Captures that a user brings: known by their name, beside those that ship.

use physmem::captures::{NameError, add, all, by_name};

#[test]
fn a_brought_capture_goes_by_its_name_and_takes_no_other_ones() {
    let capture = |name| by_name(name).expect("it ships").clone();
    assert_eq!(by_name("mine"), None);
    add("mine", capture("anon-base")).expect("a free name");
    assert_eq!(by_name("mine"), by_name("anon-base"));
    assert_eq!(all().last().map(|(name, _)| name), Some("mine"));
    // Once more is once; another one is not what rows of that name were measured on.
    assert_eq!(add("mine", capture("anon-base")), Ok(()));
    assert_eq!(add("mine", capture("anon-thp")), Err(NameError::Taken));
    assert_eq!(add("anon-base", capture("anon-thp")), Err(NameError::Taken));
    assert_eq!(by_name("mine"), by_name("anon-base"));
    let count = all().count();
    for name in ["", "a b", "a,b", "a=b", "../a", "ä"] {
        let refused = add(name, capture("anon-base"));
        assert_eq!(refused, Err(NameError::Malformed), "{name}");
    }
    assert_eq!(all().count(), count);
}
