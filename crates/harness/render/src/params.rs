//! Parameters as text.

use results::Params;

/// Parameters as `order=9 footprint=mem`, without those named in `hidden`.
pub(crate) fn label(params: &Params, hidden: &[&str]) -> String {
    let shown: Vec<String> = params
        .iter()
        .filter(|(name, _)| !hidden.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    shown.join(" ")
}

/// Parameters that have the same value in all of `cases`.
pub(crate) fn shared_params(cases: &[&Params]) -> Params {
    let Some((first, rest)) = cases.split_first() else {
        return Params::new();
    };
    first
        .iter()
        .filter(|(name, value)| rest.iter().all(|params| params.get(*name) == Some(value)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
