//! Which real kernels a plan means.

use measure::plan::{Plan, REFERENCE};

use crate::failure::Failure;

/// Stands for all kernels that are built.
pub(crate) const ALL: &str = "all";
/// What the names of kernels begin with.
const PREFIX: &str = "linux-";

/// Names in a plan the kernels that it means: those of `--kernels`, all of them where none is
/// named, and those that `--design` names.
///
/// # Errors
/// [`Failure::Usage`] for a kernel that is not built, with those that are.
pub(crate) fn named(plan: Plan) -> Result<Plan, Failure> {
    let (of_design, mut design): (Vec<String>, Vec<String>) = plan
        .design
        .into_iter()
        .partition(|name| name.starts_with(PREFIX));
    if design.is_empty() && !of_design.is_empty() {
        // Nothing but kernels: a ratio needs the reference.
        design.push(REFERENCE.to_owned());
    }
    let wanted: Vec<String> = plan.kernels.into_iter().chain(of_design).collect();
    let kernels = if wanted.is_empty() {
        wanted
    } else {
        of_built(&wanted)?
    };
    Ok(Plan {
        design,
        kernels,
        ..plan
    })
}

/// The wanted kernels among those that are built, each once, oldest version first.
pub(crate) fn of_built(wanted: &[String]) -> Result<Vec<String>, Failure> {
    let built = measure::built_kernels().map_err(Failure::Usage)?;
    let built: Vec<String> = built.iter().map(native::Kernel::name).collect();
    choose(wanted, &built).map_err(|missing| {
        Failure::Usage(format!(
            "{missing}: no such kernel is built here with this tool's driver; {}",
            match built.is_empty() {
                true => "none is".to_owned(),
                false => format!("these are: {}", built.join(", ")),
            } + "; build one with: folioscope kernel build 6.12"
        ))
    })
}

/// The wanted of the built in their order; the first that is missing otherwise.
fn choose(wanted: &[String], built: &[String]) -> Result<Vec<String>, String> {
    let all = wanted.iter().any(|name| name == ALL);
    if all && built.is_empty() {
        return Err("--kernels".to_owned());
    }
    let missing = wanted
        .iter()
        .find(|name| *name != ALL && !built.contains(name));
    if let Some(missing) = missing {
        return Err(missing.clone());
    }
    Ok(built
        .iter()
        .filter(|name| all || wanted.contains(name))
        .cloned()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn kernels_are_named_once_in_the_order_of_their_versions() {
        let built = names(&["linux-5.10", "linux-6.12"]);
        let chosen = |wanted: &[&str]| choose(&names(wanted), &built);
        assert_eq!(chosen(&["all"]), Ok(built.clone()));
        assert_eq!(
            chosen(&["linux-6.12", "linux-6.12"]),
            Ok(names(&["linux-6.12"]))
        );
        assert_eq!(chosen(&["linux-6.12", "all"]), Ok(built.clone()));
        assert_eq!(chosen(&["linux-6.1"]), Err("linux-6.1".to_owned()));
        assert_eq!(choose(&names(&["all"]), &[]), Err("--kernels".to_owned()));
    }

    #[test]
    fn a_kernel_among_the_designs_brings_the_reference() {
        let none = named(Plan::default()).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(none, Plan::default());
    }
}
