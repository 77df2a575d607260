//! Selects real kernels: native ones by name, others by series or file.

use measure::plan::{Plan, REFERENCE};
use native::{Cache, KUNIT, Kernel, current};
use oracle::{Emulator, Oracle, Series, Store};
use results::look::is_kernel;

use crate::args::Kernels;
use crate::failure::Failure;

/// Stands for all kernels that are built.
pub(crate) const ALL: &str = "all";

/// Fills in the kernels of a plan: those of `--kernels`, all of them where none is named, and those
/// that `--design` names.
///
/// # Errors
/// [`Failure::Usage`] for a kernel that is not built, with those that are.
pub(crate) fn named(plan: Plan) -> Result<Plan, Failure> {
    let (of_design, mut design): (Vec<String>, Vec<String>) =
        plan.design.into_iter().partition(|name| is_kernel(name));
    if design.is_empty() && !of_design.is_empty() {
        // Nothing but kernels: a ratio needs the reference.
        design.push(REFERENCE.to_owned());
    }
    let wanted: Vec<String> = plan.kernels.into_iter().chain(of_design).collect();
    let kernels = if wanted.is_empty() {
        wanted
    } else {
        of_built(&wanted)?.iter().map(Kernel::name).collect()
    };
    Ok(Plan {
        design,
        kernels,
        ..plan
    })
}

/// The wanted kernels among those that are built, each once, oldest version first.
///
/// # Errors
/// [`Failure::Usage`] for a kernel that is not built, with those that are.
pub(crate) fn of_built(wanted: &[String]) -> Result<Vec<Kernel>, Failure> {
    let mut built = current(&Cache::found()).map_err(|error| Failure::Usage(error.to_string()))?;
    let names: Vec<String> = built.iter().map(Kernel::name).collect();
    let chosen = choose(wanted, &names).map_err(|missing| {
        Failure::Usage(format!(
            "{missing}: no such kernel is built here with this tool's driver; {}",
            match names.is_empty() {
                true => "none is".to_owned(),
                false => format!("these are: {}", names.join(", ")),
            } + "; build one with: folioscope kernel build 6.12"
        ))
    })?;
    built.retain(|kernel| chosen.contains(&kernel.name()));
    Ok(built)
}

/// The wanted kernels among the built ones, in their order; otherwise the first that is missing.
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
        // One that was built for its own tests is no contender.
        .filter(|name| wanted.contains(name) || all && !name.contains(&format!("@{KUNIT}")))
        .cloned()
        .collect())
}

/// The selected kernels to boot, each ready to be asked.
///
/// # Errors
/// A kernel that was not fetched, or an emulator that is not there.
pub(crate) fn booted(which: &Kernels) -> Result<Vec<Oracle>, Failure> {
    let oracle = |kernel| Oracle::open(kernel, Store::found(), Emulator::default());
    if let (Some(bzimage), Some(kdir)) = (&which.bzimage, &which.kdir) {
        return Ok(vec![oracle(oracle::Kernel::own(bzimage, kdir, None)?)?]);
    }
    let series = if which.series.is_empty() {
        &Series::STABLE[..]
    } else {
        &which.series
    };
    let mut oracles = Vec::new();
    for series in series {
        oracles.push(oracle(oracle::Kernel::fetched(&Store::found(), *series)?)?);
    }
    Ok(oracles)
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
        let tested = names(&["linux-6.12", "linux-6.12@kunit+headpage"]);
        let chosen_of = |wanted: &str| choose(&names(&[wanted]), &tested);
        assert_eq!(chosen_of("all"), Ok(names(&["linux-6.12"])));
        assert_eq!(chosen_of(&tested[1]), Ok(names(&[&tested[1]])));
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
